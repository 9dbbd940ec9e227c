from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class UsageRecordRecord(Base):
    """Append-only, partitioned by month. ``id`` is the reservation's."""

    __tablename__ = "usage_record"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[UUID | None]
    feature: Mapped[str]
    rate: Mapped[dict[str, Any]] = mapped_column(JSONB)
    test: Mapped[bool]
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    units: Mapped[int]
    model: Mapped[str | None]
    latency_ms: Mapped[int | None]
    cost: Mapped[int]
    charged: Mapped[int]
    uncollected: Mapped[int]
    charges: Mapped[list[Any]] = mapped_column(JSONB)

    __table_args__ = (
        Index(None, "account_id", "id"),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )


class UsageHourRecord(Base):
    """Sums of the usage records of an hour. ``key_id`` is all zeros where no key asked."""

    __tablename__ = "usage_hour"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    test: Mapped[bool] = mapped_column(primary_key=True)
    calls: Mapped[int]
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    units: Mapped[int]
    charged: Mapped[int]
    uncollected: Mapped[int]
