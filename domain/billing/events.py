from dataclasses import dataclass
from typing import ClassVar

from domain.ids import WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeTold:
    """A webhook's event is kept. ``about`` is the id of its object, ``payment`` of its payment intent."""

    kind: ClassVar[str] = "billing.told"
    version: ClassVar[int] = 1

    event: str
    type: str
    about: str
    payment: str | None = None
    workspace: WorkspaceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGone:
    """The workspace was deleted, or erased with whose it was: nobody may pay for it any more."""

    kind: ClassVar[str] = "billing.customer_gone"
    version: ClassVar[int] = 1

    workspace: WorkspaceId
