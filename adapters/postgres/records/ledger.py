"""The hot tables. Each key begins with the account, so that they can be distributed by it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base

OPEN = "state IN ('held', 'started')"


class LotRecord(Base):
    """``granted = free + held + spent``; free is what the three others leave. Microcredits."""

    __tablename__ = "lot"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    granted: Mapped[int]
    held: Mapped[int]
    spent: Mapped[int]
    refunded: Mapped[int] = mapped_column(server_default="0")
    priority: Mapped[int]
    starts_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    reference: Mapped[str | None]
    usable: Mapped[bool] = mapped_column(Computed("spent < granted OR source = 'overdraft'", persisted=True))

    __table_args__ = (
        CheckConstraint("held >= 0 AND spent >= 0 AND held + spent <= granted", name="balance"),
        CheckConstraint("refunded >= 0", name="refunded"),
        Index(None, "account_id", "reference", unique=True),
        # `usable` seldom changes, so that a hold or a charge stays a heap-only update of the lot.
        Index("ix_lot_usable", "account_id", "expires_at", postgresql_where=text("usable")),
        {"postgresql_with": {"fillfactor": 50}},
    )


class ReservationRecord(Base):
    __tablename__ = "reservation"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    request: Mapped[str]
    fingerprint: Mapped[str]
    key_id: Mapped[UUID | None]
    member_id: Mapped[UUID | None]
    feature: Mapped[str]
    rate: Mapped[dict[str, Any]] = mapped_column(JSONB)
    test: Mapped[bool]
    state: Mapped[str]
    estimate: Mapped[dict[str, Any]] = mapped_column(JSONB)
    holds: Mapped[list[Any]] = mapped_column(JSONB)
    counted: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    opening: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    settlement: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        CheckConstraint(f"({OPEN}) = (settlement IS NULL)", name="settled"),
        # The key before the account: without statistics, an index that begins like the primary key is as good
        # as that to the planner, and a look-up by id would read all that the account has.
        Index(None, "request", "account_id", unique=True),
        Index("ix_reservation_open", "account_id", "expires_at", postgresql_where=text(OPEN)),
    )


class SpendLimitRecord(Base):
    """What one key, or the keys of one member, may spend in a period.

    ``held`` and ``spent`` are of the period that began at ``since``. A shadow one refuses nothing, so they
    may exceed its ``amount``.
    """

    __tablename__ = "spend_limit"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID]
    subject_kind: Mapped[str]
    period: Mapped[str]
    amount: Mapped[int]
    shadow: Mapped[bool]
    created_at: Mapped[datetime]
    since: Mapped[datetime]
    held: Mapped[int]
    spent: Mapped[int]

    __table_args__ = (
        CheckConstraint("subject_kind IN ('key', 'member')", name="subject_kind"),
        CheckConstraint("period IN ('day', 'month', 'total')", name="period"),
        CheckConstraint("amount >= 0 AND held >= 0 AND spent >= 0", name="balance"),
        Index(None, "account_id", "subject_id", "period", "shadow", unique=True),
        {"postgresql_with": {"fillfactor": 50}},
    )


class ShadowRefusalRecord(Base):
    """What a shadow limit would have refused, by the key that asked. ``missing`` is what it lacked."""

    __tablename__ = "shadow_refusal"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    limit_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    count: Mapped[int]
    missing: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class RepaymentRecord(Base):
    """Spending that moved from the overdraft lot to a lot granted later; below zero: back, by a refund."""

    __tablename__ = "repayment"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    lot_id: Mapped[UUID]
    overdraft_id: Mapped[UUID]
    amount: Mapped[int]
    at: Mapped[datetime]

    __table_args__ = (CheckConstraint("amount <> 0", name="amount"),)


class LimitCarryRecord(Base):
    """What was spent under a limit, in its period since ``since``, by reservations that were purged."""

    __tablename__ = "limit_carry"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    limit_id: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    spent: Mapped[int]

    __table_args__ = (CheckConstraint("spent > 0", name="spent"),)


class CreditAlertRecord(Base):
    """That so many percent of an account's credits were spent has been told, for the period of ``since``."""

    __tablename__ = "credit_alert"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    threshold: Mapped[int] = mapped_column(primary_key=True)
    told_at: Mapped[datetime]
