"""People, and how they prove who they are. Secrets are hashed, or sealed where they are read again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class UserRecord(Base):
    """``email`` is as its owner wrote it, ``email_key`` what makes it unique. An erased user has neither."""

    __tablename__ = "app_user"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    email_key: Mapped[str | None]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    operator: Mapped[bool]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    deletes_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    totp_secret: Mapped[bytes | None]
    totp_enabled_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("(email IS NULL) = (erased_at IS NOT NULL)", name="erased"),
        CheckConstraint("(email IS NULL) = (email_key IS NULL)", name="email_key"),
        Index(None, "email_key", unique=True),
        Index("ix_app_user_deletes_at", "deletes_at", postgresql_where=text("deletes_at IS NOT NULL")),
    )


class CodeRecord(Base):
    """A code sent by mail: a new one takes the place of the old. ``left`` is how many attempts are left."""

    __tablename__ = "mail_code"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    attempts_left: Mapped[int]
    expires_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("purpose IN ('confirm', 'reset')", name="purpose"),
        CheckConstraint("attempts_left >= 0", name="attempts_left"),
    )


class SessionRecord(Base):
    """One sign-in, and the family of the refresh tokens that continue it."""

    __tablename__ = "session"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    device: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RefreshTokenRecord(Base):
    __tablename__ = "refresh_token"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    session_id: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "user_id", "session_id"),)


class RecoveryCodeRecord(Base):
    __tablename__ = "recovery_code"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


class IdentityRecord(Base):
    """Somebody's account at another provider."""

    __tablename__ = "linked_identity"

    provider: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    linked_at: Mapped[datetime]

    __table_args__ = (Index(None, "user_id"),)


class SigningKeyRecord(Base):
    """An Ed25519 key of access tokens. It signs from ``signs_from`` and verifies to ``verifies_until``."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    public: Mapped[bytes]
    sealed_private: Mapped[bytes]
    created_at: Mapped[datetime]
    signs_from: Mapped[datetime]
    verifies_until: Mapped[datetime | None]
