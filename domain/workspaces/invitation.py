from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Self

from domain.email import Email
from domain.ids import InvitationId, UserId, WorkspaceId
from domain.workspaces.errors import InvitationExpired, InvitationMissing
from domain.workspaces.role import Role

LASTS = timedelta(days=7)
TOKEN_BYTES = 32
_PREFIX = "cbx_inv_"


def token_text(secret: bytes) -> str:
    """What the mail holds."""
    return _PREFIX + secret.hex()


def token_digest(text: str) -> bytes:
    """The SHA-256 of 32 random bytes: there is nothing that a slow hash would protect."""
    return sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """For whoever can read the mails of one address, and for nobody else."""

    workspace: WorkspaceId
    id: InvitationId
    email: Email
    role: Role
    digest: bytes
    invited_by: UserId
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.role is Role.OWNER:
            raise ValueError("nobody is invited to own a workspace")

    @property
    def open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None

    def waits(self, now: datetime) -> bool:
        """Whether it can still be accepted, and keeps a seat."""
        return self.open and now < self.expires_at

    def renew(self, digest: bytes, now: datetime) -> Self:
        """With another token: the one before is void. Raises InvitationMissing where it is not open."""
        self._check_open()
        return replace(self, digest=digest, expires_at=now + LASTS)

    def revoke(self, now: datetime) -> Self:
        """Raises InvitationMissing where it is not open."""
        self._check_open()
        return replace(self, revoked_at=now)

    def accept(self, email: Email, digest: bytes, now: datetime) -> Self:
        """By somebody whose confirmed address is ``email``. Raises InvitationMissing, InvitationExpired."""
        self._check_open()
        if email.key != self.email.key or digest != self.digest:
            raise InvitationMissing
        if now >= self.expires_at:
            raise InvitationExpired
        return replace(self, accepted_at=now)

    def _check_open(self) -> None:
        if not self.open:
            raise InvitationMissing
