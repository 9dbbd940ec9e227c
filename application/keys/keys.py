from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from application.keys.ports import KeysTx, Secrets
from application.ports import Clock, NewId, UnitOfWork
from domain.ids import AccountId, KeyId, WorkspaceId
from domain.keys.key import SECRET_BYTES, Key, KeyKind, digest_of, key_text


@dataclass(frozen=True, slots=True)
class NewKey:
    """``text`` is shown now and kept nowhere."""

    key: Key
    text: str


@dataclass(frozen=True, slots=True)
class CreateKey:
    uow: UnitOfWork[KeysTx]
    clock: Clock
    new_id: NewId
    secrets: Secrets

    async def __call__(
        self,
        kind: KeyKind,
        *,
        name: str,
        account: AccountId | None = None,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """``account`` for a customer's key, none for a service key. Raises AccountMissing."""
        text = key_text(kind, self.secrets(SECRET_BYTES))
        async with self.uow() as tx:
            owner = None if account is None else await tx.accounts.get(account)
            key = Key(
                id=KeyId(self.new_id()),
                kind=kind,
                digest=digest_of(text),
                name=name,
                last_four=text[-4:],
                workspace=None if owner is None else owner.workspace,
                account=account,
                created_at=self.clock.now(),
                expires_at=expires_at,
            )
            await tx.keys.add(key)
        return NewKey(key, text)


@dataclass(frozen=True, slots=True)
class RevokeKey:
    uow: UnitOfWork[KeysTx]
    clock: Clock

    async def __call__(self, id: KeyId) -> Key:
        """Raises KeyMissing. Refused in every process within a second."""
        async with self.uow() as tx:
            revoked = (await tx.keys.get(id)).revoke(self.clock.now())
            await tx.keys.save(revoked)
        return revoked


@dataclass(frozen=True, slots=True)
class ListKeys:
    uow: UnitOfWork[KeysTx]

    async def __call__(self, workspace: WorkspaceId | None) -> Sequence[Key]:
        async with self.uow() as tx:
            return await tx.keys.of(workspace)
