from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from application.ports import Outbox
from domain.identity.mail import Mail


class MailTx(Protocol):
    @property
    def outbox(self) -> Outbox: ...


class Sealing(Protocol):
    """What the process's own secret is for."""

    def seal(self, purpose: str, plain: bytes) -> bytes: ...

    def open(self, purpose: str, sealed: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str


Render = Callable[[Mail], Rendered]


class MailTransport(Protocol):
    async def deliver(self, id: UUID, mail: Mail) -> None:
        """At most once for an id, as far as the service keeps that promise.

        Raises MailRefused (it will never go) and MailDelayed (it may go later).
        """
