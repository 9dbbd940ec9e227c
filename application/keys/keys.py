"""Keys: made, listed, changed, rotated, revoked. A service key is the operator's alone."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from application.actor import Member, Operator
from application.audit.record import Record
from application.keys.ports import KeysTx, Secrets
from application.notifications.post import PostMail
from application.ports import Clock, NewId, UnitOfWork
from domain.audit.entry import Facts, changes
from domain.identity.mail import Mail
from domain.ids import AccountId, KeyId, UserId, WorkspaceId, key_text
from domain.keys.errors import KeyMissing
from domain.keys.key import SECRET_BYTES, Key, KeyKind, digest_of
from domain.keys.key import key_text as secret_text
from domain.keys.policy import ANYTHING, Policy
from domain.usage.errors import AccountMissing
from domain.workspaces.errors import MemberMissing


@dataclass(frozen=True, slots=True)
class NewKey:
    """``text`` is shown now and kept nowhere."""

    key: Key
    text: str


def facts_of(key: Key) -> Facts:
    """For the audit log."""
    policy = key.policy
    return {
        "name": key.name,
        "kind": key.kind,
        "last_four": key.last_four,
        "expires_at": _iso(key.expires_at),
        "revoked_at": _iso(key.revoked_at),
        "previous_until": None if key.previous is None else _iso(key.previous.until),
        "features": None if policy.features is None else list(policy.features),
        "networks": None if policy.networks is None else list(policy.networks),
        "per_minute": policy.per_minute,
        "per_day": policy.per_day,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _theirs(actor: Member | Operator, key: Key) -> bool:
    return isinstance(actor, Operator) or key.workspace == actor.workspace


@dataclass(frozen=True, slots=True)
class TellKey:
    """The owner and the admins of a workspace hear of each new secret: theft begins with one."""

    post: PostMail

    async def __call__(
        self, tx: KeysTx, actor: Member | Operator, workspace: WorkspaceId, key: Key, template: str
    ) -> None:
        by = "An operator"
        if isinstance(actor, Member):
            by = (await tx.users.get(actor.person.user, lock=False)).name
        name = await tx.members.named(workspace)
        facts = {"key": f"{key.name} (...{key.last_four})", "workspace": name, "by": by}
        for address in await tx.members.admins(workspace):
            await self.post(tx, Mail(to=address, template=template, facts=facts))


@dataclass(frozen=True, slots=True)
class CreateKey:
    uow: UnitOfWork[KeysTx]
    clock: Clock
    new_id: NewId
    secrets: Secrets
    record: Record
    tell: TellKey

    async def __call__(
        self,
        actor: Member | Operator,
        kind: KeyKind,
        *,
        name: str,
        account: AccountId | None = None,
        expires_at: datetime | None = None,
        policy: Policy = ANYTHING,
    ) -> NewKey:
        """``account`` for a customer's key, none for a service key. Raises AccountMissing."""
        text = secret_text(kind, self.secrets(SECRET_BYTES))
        async with self.uow() as tx:
            if isinstance(actor, Member):  # who is being removed makes no key behind the back of that
                with suppress(MemberMissing):
                    await tx.members.get(actor.workspace, actor.person.user)
            owner = None if account is None else await tx.accounts.get(account)
            if isinstance(actor, Member) and (owner is None or owner.workspace != actor.workspace):
                raise AccountMissing
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
                created_by=actor.person.user if isinstance(actor, Member) else None,
                policy=policy,
            )
            await tx.keys.add(key)
            if key.workspace is not None:
                await self.record(
                    tx, actor, key.workspace, "key.created", key_text(key.id), after=facts_of(key)
                )
                await self.tell(tx, actor, key.workspace, key, "key_made")
        return NewKey(key, text)


@dataclass(frozen=True, slots=True)
class SaveKey:
    """Reads a key, and writes what became of it, with the audit log. The others here use it."""

    uow: UnitOfWork[KeysTx]
    record: Record
    tell: TellKey

    async def __call__(
        self, actor: Member | Operator, id: KeyId, action: str, change: Callable[[Key], Key]
    ) -> Key:
        """Raises KeyMissing, also for another workspace's."""
        async with self.uow() as tx:
            before = await tx.keys.get(id)
            if not _theirs(actor, before):
                raise KeyMissing
            after = change(before)
            if after == before:
                return before
            await tx.keys.save(after)
            if after.workspace is not None:
                was, now = changes(facts_of(before), facts_of(after))
                target = key_text(id)
                await self.record(tx, actor, after.workspace, action, target, before=was, after=now)
                if after.digest != before.digest:
                    await self.tell(tx, actor, after.workspace, after, "key_rotated")
        return after


@dataclass(frozen=True, slots=True)
class RevokeKey:
    save: SaveKey
    clock: Clock

    async def __call__(self, actor: Member | Operator, id: KeyId) -> Key:
        """Raises KeyMissing. Refused in every process within a second."""
        return await self.save(actor, id, "key.revoked", lambda key: key.revoke(self.clock.now()))


@dataclass(frozen=True, slots=True)
class RevokeKeys:
    """In the transaction of whatever makes that needed: keys of a workspace, of one maker or of all."""

    clock: Clock
    record: Record

    async def __call__(
        self, tx: KeysTx, actor: Member | Operator, workspace: WorkspaceId, *, maker: UserId | None = None
    ) -> None:
        now = self.clock.now()
        for each in await tx.keys.of(workspace):
            if maker is not None and each.created_by != maker:
                continue
            key = await tx.keys.get(each.id)
            revoked = key.revoke(now)
            if revoked == key:
                continue
            await tx.keys.save(revoked)
            was, became = changes(facts_of(key), facts_of(revoked))
            await self.record(tx, actor, workspace, "key.revoked", key_text(key.id), before=was, after=became)


@dataclass(frozen=True, slots=True)
class RotateKey:
    save: SaveKey
    clock: Clock
    secrets: Secrets

    async def __call__(self, actor: Member | Operator, id: KeyId, *, grace: timedelta) -> NewKey:
        """Both secrets work during ``grace``. Raises KeyMissing, ApiKeyRevoked, ApiKeyExpired."""
        secret = self.secrets(SECRET_BYTES)
        texts = {kind: secret_text(kind, secret) for kind in KeyKind}

        def rotate(key: Key) -> Key:
            return key.rotate(texts[key.kind], self.clock.now(), grace)

        rotated = await self.save(actor, id, "key.rotated", rotate)
        return NewKey(rotated, texts[rotated.kind])


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A name that is None stays as it is; ``bounds`` are fields of the policy, and the others stay."""

    name: str | None = None
    bounds: Mapping[str, Any] = field(default_factory=dict)

    def of(self, key: Key) -> Key:
        return replace(key, name=self.name or key.name, policy=replace(key.policy, **self.bounds))


@dataclass(frozen=True, slots=True)
class ChangeKey:
    save: SaveKey

    async def __call__(self, actor: Member | Operator, id: KeyId, change: KeyChange) -> Key:
        """Raises KeyMissing."""
        return await self.save(actor, id, "key.changed", change.of)


@dataclass(frozen=True, slots=True)
class ListKeys:
    uow: UnitOfWork[KeysTx]

    async def __call__(self, _: Member | Operator, workspace: WorkspaceId | None) -> Sequence[Key]:
        async with self.uow() as tx:
            return await tx.keys.of(workspace)
