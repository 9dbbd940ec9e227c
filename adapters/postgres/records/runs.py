from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


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
