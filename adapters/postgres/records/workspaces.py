from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class WorkspaceRecord(Base):
    __tablename__ = "workspace"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str | None]
    kind: Mapped[str]
    seats: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime]
    frozen_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('personal', 'team')", name="kind"),
        CheckConstraint("seats >= 1", name="seats"),
        Index(None, "slug", unique=True),
    )


class AccountRecord(Base):
    """A parked one spends nothing: its books do not add up, or an operator wants it so.

    From ``freezes_at`` on it spends nothing either, as its subscription is not paid. With less than
    ``top_up_below`` microcredits a pack is bought, ``top_up_monthly`` times in 30 days at most.
    """

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    product: Mapped[str]
    plan: Mapped[str]
    plan_version: Mapped[int]
    anchor: Mapped[datetime]
    period_end: Mapped[datetime | None]
    created_at: Mapped[datetime]
    parked_at: Mapped[datetime | None]
    parked_reason: Mapped[str | None]
    freezes_at: Mapped[datetime | None]
    top_up_below: Mapped[int | None]
    top_up_pack: Mapped[str | None]
    top_up_monthly: Mapped[int | None]

    __table_args__ = (
        UniqueConstraint("workspace_id", "product"),
        CheckConstraint("(parked_at IS NULL) = (parked_reason IS NULL)", name="parked"),
        CheckConstraint(
            "num_nulls(top_up_below, top_up_pack, top_up_monthly) IN (0, 3) AND top_up_below >= 0"
            " AND top_up_monthly > 0",
            name="top_up",
        ),
        Index("ix_account_freezes_at", "freezes_at", postgresql_where=text("freezes_at IS NOT NULL")),
        Index("ix_account_top_up", "id", postgresql_where=text("top_up_below IS NOT NULL")),
    )
