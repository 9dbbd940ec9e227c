"""What every slice may need from outside."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from domain.events import Event

Tx_co = TypeVar("Tx_co", covariant=True)


class UnitOfWork(Protocol[Tx_co]):
    """Opens one transaction: it commits when the block ends well, and rolls back otherwise.

    Keep the block short. Nothing that leaves the database may happen inside it.
    """

    def __call__(self) -> AbstractAsyncContextManager[Tx_co]: ...


class Outbox(Protocol):
    async def add(self, *events: Event) -> None:
        """To be published if, and only if, the transaction commits."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, in UTC."""


class NewId(Protocol):
    def __call__(self) -> UUID:
        """A UUIDv7: later ones sort after earlier ones."""
