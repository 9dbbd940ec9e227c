"""Who belongs to a workspace, who was asked to, and what they did there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class MemberRecord(Base):
    __tablename__ = "member"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    role: Mapped[str]
    joined_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("role IN ('owner', 'admin', 'member')", name="role"),
        CheckConstraint("role <> 'owner' OR disabled_at IS NULL", name="owner_enabled"),
        Index("ix_member_owner", "workspace_id", unique=True, postgresql_where=text("role = 'owner'")),
        Index(None, "user_id"),
    )


class InvitationRecord(Base):
    """``email`` is kept while it is open; what ends it says when."""

    __tablename__ = "invitation"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str]
    role: Mapped[str]
    digest: Mapped[bytes]
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("role IN ('admin', 'member')", name="role"),
        CheckConstraint("accepted_at IS NULL OR revoked_at IS NULL", name="ended_once"),
        Index(None, "digest", unique=True),
        Index(None, "email_key"),
        Index(
            "ix_invitation_open",
            "workspace_id",
            "email_key",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
    )


class AuditEntryRecord(Base):
    """Append-only: a trigger refuses to change or delete a row."""

    __tablename__ = "audit_entry"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    address: Mapped[str | None]
    action: Mapped[str]
    target: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        CheckConstraint("actor_kind IN ('user', 'operator')", name="actor_kind"),
        Index(None, "workspace_id", "at"),
        Index(None, "actor_id"),
    )
