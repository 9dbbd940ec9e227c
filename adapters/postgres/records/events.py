"""What is to be told, what is being acted on, what was, and what nobody could. Bodies are JSON text."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class OutboxRecord(Base):
    """Committed with what it tells of, gone once it is published. ``claimed_until``: some relay has it."""

    __tablename__ = "outbox"

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[UUID]
    kind: Mapped[str]
    version: Mapped[int]
    workspace_id: Mapped[UUID | None]
    consumer: Mapped[str | None]
    occurred_at: Mapped[datetime]
    body: Mapped[str]
    claimed_until: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "workspace_id", "position"),
        {"postgresql_with": {"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 1000}},
    )


class DeliveryRecord(Base):
    """A message to one consumer, where there is no broker."""

    __tablename__ = "delivery"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    kind: Mapped[str]
    version: Mapped[int]
    workspace_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime]
    body: Mapped[str]
    attempt: Mapped[int]
    due_at: Mapped[datetime]

    __table_args__ = (
        Index(None, "consumer", "due_at"),
        Index(None, "consumer", "workspace_id", "position"),
        {"postgresql_with": {"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 1000}},
    )


class InboxRecord(Base):
    """What a consumer has acted on."""

    __tablename__ = "inbox"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    handled_at: Mapped[datetime]

    __table_args__ = (Index(None, "handled_at"),)


class DeadLetterRecord(Base):
    __tablename__ = "dead_letter"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    version: Mapped[int]
    workspace_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime]
    body: Mapped[str]
    reason: Mapped[str]
    attempts: Mapped[int]
    died_at: Mapped[datetime]

    __table_args__ = (Index(None, "died_at", "id"),)


class SuppressionRecord(Base):
    """An address that gets no more mail. By its normal form, as users have it."""

    __tablename__ = "mail_suppression"

    email_key: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime]
