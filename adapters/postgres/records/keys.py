from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class KeyRecord(Base):
    """A customer's key (live or test) names its account; a service key names none."""

    __tablename__ = "api_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    digest: Mapped[bytes]
    previous_digest: Mapped[bytes | None]
    previous_until: Mapped[datetime | None]
    name: Mapped[str]
    last_four: Mapped[str]
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspace.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    last_used_at: Mapped[datetime | None]
    features: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    networks: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    per_minute: Mapped[int | None]
    per_day: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("kind IN ('live', 'test', 'service')", name="kind"),
        CheckConstraint("(kind = 'service') = (account_id IS NULL)", name="account"),
        CheckConstraint("(account_id IS NULL) = (workspace_id IS NULL)", name="workspace"),
        CheckConstraint("(previous_digest IS NULL) = (previous_until IS NULL)", name="previous"),
        Index(None, "digest", unique=True),
        Index(None, "previous_digest", unique=True),
        Index(None, "workspace_id"),
        CheckConstraint("per_minute > 0 AND per_day > 0", name="rate"),
        Index(None, "account_id"),
        Index(None, "created_by"),
    )
