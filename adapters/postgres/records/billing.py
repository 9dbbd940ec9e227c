"""What Stripe told, and what it has: each row of a tenant begins with its workspace or account."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class BillingCustomerRecord(Base):
    """``id`` is Stripe's, and so are those of subscriptions and invoices below.

    One that is closed was deleted there.
    """

    __tablename__ = "billing_customer"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"), primary_key=True)
    id: Mapped[str]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "id", unique=True),)


class SubscriptionRecord(Base):
    """``fence`` goes up with each change: who read Stripe before another's change was written reads again."""

    __tablename__ = "subscription"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str]
    status: Mapped[str]
    plan: Mapped[dict[str, Any]] = mapped_column(JSONB)
    seats: Mapped[int]
    created_at: Mapped[datetime]
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    cancel_at: Mapped[datetime | None]
    trial_end: Mapped[datetime | None]
    schedule: Mapped[str | None]
    next_plan: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    next_seats: Mapped[int | None]
    owed_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    fence: Mapped[int]

    __table_args__ = (CheckConstraint("seats >= 0", name="seats"), Index(None, "id", unique=True))


class InvoiceRecord(Base):
    """Amounts are hundredths of ``currency``."""

    __tablename__ = "invoice"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str]
    subscription: Mapped[str | None]
    status: Mapped[str]
    number: Mapped[str | None]
    currency: Mapped[str]
    total: Mapped[int]
    paid: Mapped[int]
    taken_back: Mapped[int]
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    url: Mapped[str | None]
    pdf: Mapped[str | None]
    fence: Mapped[int]

    __table_args__ = (Index(None, "id", unique=True), Index(None, "account_id", "created_at"))


class StripeEventRecord(Base):
    """Each event that a webhook told, once. ``about`` is the id of its object."""

    __tablename__ = "stripe_event"

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    about: Mapped[str | None]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]

    __table_args__ = (Index(None, "received_at"),)


class StripeSweepRecord(Base):
    """Until when Stripe was asked for events that never arrived. One row."""

    __tablename__ = "stripe_sweep"

    id: Mapped[int] = mapped_column(primary_key=True)
    until: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="one"),)


class QuoteRecord(Base):
    """What a change of a subscription was said to cost: ``wanted`` is what it becomes."""

    __tablename__ = "quote"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription: Mapped[str]
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    timing: Mapped[str]
    at: Mapped[datetime]
    due: Mapped[int]
    monthly: Mapped[int]
    currency: Mapped[str]
    credits: Mapped[int]
    fence: Mapped[int]
    expires_at: Mapped[datetime]
    claimed: Mapped[int | None]

    __table_args__ = (Index(None, "expires_at"),)


class BillingNoticeRecord(Base):
    """That a workspace was told of something about its subscription: once for each ``about``."""

    __tablename__ = "billing_notice"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(primary_key=True)
    told_at: Mapped[datetime]

    __table_args__ = (Index(None, "told_at"),)


class TopUpRecord(Base):
    """A pack that was bought because credits ran low. One at a time, for each account."""

    __tablename__ = "top_up"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    lookup_key: Mapped[str]
    state: Mapped[str]
    invoice: Mapped[str | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('pending', 'paid', 'failed')", name="state"),
        Index("ix_top_up_pending", "account_id", unique=True, postgresql_where=text("state = 'pending'")),
        Index(None, "account_id", "created_at"),
    )


class CheckoutRecord(Base):
    """A page at Stripe on which somebody may pay. Of one account and product, one can be open to subscribe.

    ``session`` is None until Stripe has made it: whoever finds it so asks again, under the same ``id``.
    """

    __tablename__ = "checkout"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    session: Mapped[str | None]
    url: Mapped[str | None]
    state: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("purpose IN ('subscribe', 'top_up')", name="purpose"),
        CheckConstraint("state IN ('open', 'complete', 'expired')", name="state"),
        Index(
            "ix_checkout_subscribing",
            "account_id",
            unique=True,
            postgresql_where=text("purpose = 'subscribe' AND state = 'open'"),
        ),
        Index(None, "session", unique=True),
    )
