from dataclasses import dataclass
from typing import ClassVar

from domain.errors import Conflict, Unavailable


@dataclass(eq=False)
class BrokerUnavailable(Unavailable):
    code: ClassVar[str] = "broker_unavailable"
    reason: str

    def __str__(self) -> str:
        return f"the message broker cannot be reached: {self.reason}"


@dataclass(eq=False)
class BrokerClash(Conflict):
    """``name`` is a queue or an exchange that is there already, and is not what this version declares."""

    code: ClassVar[str] = "broker_clash"
    name: str
    reason: str

    def __str__(self) -> str:
        return (
            f"the broker has {self.name!r} with other properties than this version declares ({self.reason});"
            " drain and delete it, or choose another virtual host"
        )
