from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class QueuedRunRecord(Base):
    """``id`` is the reservation's. ``input`` and ``outcome`` are text: jsonb holds no NUL."""

    __tablename__ = "queued_run"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    batch_id: Mapped[UUID | None]
    position: Mapped[int]
    key_id: Mapped[UUID | None]
    feature: Mapped[str]
    input: Mapped[str]
    simulate: Mapped[str | None]
    notify: Mapped[bool]
    state: Mapped[str]
    attempts: Mapped[int]
    worker: Mapped[UUID | None]
    output_tokens: Mapped[int] = mapped_column(server_default="0")
    outcome: Mapped[str | None]
    charged: Mapped[int]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    kept_until: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
        CheckConstraint("(state IN ('queued', 'running')) = (finished_at IS NULL)", name="ended"),
        Index(None, "account_id", "batch_id", "position", postgresql_where=text("batch_id IS NOT NULL")),
        Index(None, "account_id", "state", "id"),
        Index(None, "account_id", "feature", "id"),
        Index(None, "kept_until"),
    )


class RunBatchRecord(Base):
    """``notified_at``: when its end was told to whom asked for that."""

    __tablename__ = "run_batch"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    feature: Mapped[str]
    total: Mapped[int]
    notify: Mapped[bool]
    created_at: Mapped[datetime]
    notified_at: Mapped[datetime | None]


class RunRecord(Base):
    """How a run with an idempotency key ended, kept so that a repeat gets the same answer.

    ``id`` is the reservation's.
    """

    __tablename__ = "run"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONB)
    finished_at: Mapped[datetime]

    __table_args__ = (Index(None, "finished_at"),)
