"""What keys and members may spend: set, listed, removed; and whom the shadow ones would have refused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from application.actor import Member, Operator
from application.audit.ports import AuditTx, Standing
from application.audit.record import Record
from application.ports import Clock, NewId, UnitOfWork
from domain.audit.entry import Facts
from domain.credits import format_credits
from domain.ids import AccountId, KeyId, LimitId, UserId, WorkspaceId, key_text, limit_text, user_text
from domain.keys.errors import KeyMissing
from domain.keys.key import Key
from domain.usage.account import Account
from domain.usage.errors import AccountMissing
from domain.usage.spend_limit import LimitMissing, Per, ShadowSum, SpendLimit, SubjectKind
from domain.workspaces.member import Membership


class SpendLimits(Protocol):
    """Of one account, whose credits do not move while a transaction has it locked."""

    async def lock(self, account: AccountId) -> None:
        """Raises AccountMissing."""

    async def add(self, limit: SpendLimit) -> None: ...

    async def get(self, account: AccountId, id: LimitId) -> SpendLimit:
        """Raises LimitMissing."""

    async def save(self, limit: SpendLimit) -> None:
        """Its amount, and whether it is a shadow. What counts under it is the ledger's."""

    async def remove(self, account: AccountId, id: LimitId) -> None: ...

    async def of(self, account: AccountId) -> Sequence[SpendLimit]:
        """Oldest first."""

    async def shadow(self, account: AccountId, id: LimitId) -> Sequence[ShadowSum]:
        """The keys that it would have refused, the most often refused first."""


class LimitAccounts(Protocol):
    async def get(self, id: AccountId) -> Account:
        """Raises AccountMissing."""

    async def of(self, workspace: WorkspaceId) -> Sequence[Account]:
        """Oldest first."""


class LimitKeys(Protocol):
    async def get(self, id: KeyId) -> Key:
        """Raises KeyMissing."""


class LimitMembers(Standing, Protocol):
    async def get(self, workspace: WorkspaceId, user: UserId) -> Membership:
        """Raises MemberMissing."""


class SpendLimitsTx(AuditTx, Protocol):
    @property
    def members(self) -> LimitMembers: ...

    @property
    def spend_limits(self) -> SpendLimits: ...

    @property
    def accounts(self) -> LimitAccounts: ...

    @property
    def keys(self) -> LimitKeys: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLimit:
    """``amount`` is microcredits. A subject has one limit for a period, and a shadow one beside it."""

    period: Per
    amount: int
    shadow: bool = False

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError(f"a limit of {self.amount}")


@dataclass(frozen=True, slots=True)
class SetLimit:
    """What is spent counts from now on. Where there is such a limit already, only its amount changes."""

    uow: UnitOfWork[SpendLimitsTx]
    clock: Clock
    new_id: NewId
    record: Record

    async def of_key(self, actor: Member | Operator, id: KeyId, wanted: WantedLimit) -> SpendLimit:
        """Raises KeyMissing, also for a service key, which spends nothing of its own."""
        async with self.uow() as tx:
            key = await tx.keys.get(id)
            if key.account is None or not _theirs(actor, key.workspace):
                raise KeyMissing
            account = await tx.accounts.get(key.account)
            return await self._set(tx, actor, self._new(account.id, id, SubjectKind.KEY, wanted))

    async def of_member(
        self, actor: Member | Operator, account: AccountId, user: UserId, wanted: WantedLimit
    ) -> SpendLimit:
        """For all keys that ``user`` made. Raises AccountMissing, MemberMissing."""
        async with self.uow() as tx:
            workspace = (await tx.accounts.get(account)).workspace
            if not _theirs(actor, workspace):
                raise AccountMissing
            await tx.members.get(workspace, user)
            return await self._set(tx, actor, self._new(account, user, SubjectKind.MEMBER, wanted))

    def _new(self, account: AccountId, subject: UUID, kind: SubjectKind, wanted: WantedLimit) -> SpendLimit:
        now = self.clock.now()
        return SpendLimit(
            account=account,
            id=LimitId(self.new_id()),
            subject=subject,
            subject_kind=kind,
            period=wanted.period,
            amount=wanted.amount,
            shadow=wanted.shadow,
            created_at=now,
            since=now,
        )

    async def _set(self, tx: SpendLimitsTx, actor: Member | Operator, new: SpendLimit) -> SpendLimit:
        """``new``, or the one that is there with its amount."""
        await tx.spend_limits.lock(new.account)
        place = (new.subject, new.period, new.shadow)
        there = await tx.spend_limits.of(new.account)
        before = next((each for each in there if (each.subject, each.period, each.shadow) == place), None)
        if before is None:
            limit = new
            await tx.spend_limits.add(limit)
        else:
            limit = replace(before, amount=new.amount)
            await tx.spend_limits.save(limit)
        was = None if before is None else facts_of(before)
        if was != facts_of(limit):
            workspace = (await tx.accounts.get(new.account)).workspace
            target = limit_text(limit.account, limit.id)
            await self.record(tx, actor, workspace, "limit.set", target, before=was, after=facts_of(limit))
        return limit


@dataclass(frozen=True, slots=True)
class RemoveLimit:
    uow: UnitOfWork[SpendLimitsTx]
    record: Record

    async def __call__(self, actor: Member | Operator, account: AccountId, id: LimitId) -> None:
        """Raises LimitMissing, also for another workspace's."""
        async with self.uow() as tx:
            workspace = await _workspace_of(tx, actor, account)
            await tx.spend_limits.lock(account)
            limit = await tx.spend_limits.get(account, id)
            await tx.spend_limits.remove(account, id)
            target = limit_text(account, id)
            await self.record(tx, actor, workspace, "limit.removed", target, before=facts_of(limit))


@dataclass(frozen=True, slots=True)
class ListLimits:
    uow: UnitOfWork[SpendLimitsTx]
    clock: Clock

    async def __call__(self, actor: Member | Operator, account: AccountId) -> Sequence[SpendLimit]:
        """As they stand in the period that holds this instant. Raises AccountMissing."""
        async with self.uow() as tx:
            found = await tx.accounts.get(account)
            if not _theirs(actor, found.workspace):
                raise AccountMissing
            limits = await tx.spend_limits.of(account)
        now = self.clock.now()
        return [limit.at(now) for limit in limits]

    async def of_workspace(self, member: Member) -> Sequence[SpendLimit]:
        """Of all its accounts."""
        async with self.uow() as tx:
            accounts = await tx.accounts.of(member.workspace)
            limits = [limit for each in accounts for limit in await tx.spend_limits.of(each.id)]
        now = self.clock.now()
        return [limit.at(now) for limit in limits]


@dataclass(frozen=True, slots=True)
class ReadShadow:
    uow: UnitOfWork[SpendLimitsTx]

    async def __call__(
        self, actor: Member | Operator, account: AccountId, id: LimitId
    ) -> tuple[SpendLimit, Sequence[ShadowSum]]:
        """Whom it would have refused. Raises LimitMissing, also for another workspace's."""
        async with self.uow() as tx:
            await _workspace_of(tx, actor, account)
            return await tx.spend_limits.get(account, id), await tx.spend_limits.shadow(account, id)


def facts_of(limit: SpendLimit) -> Facts:
    """For the audit log."""
    return {
        "subject": subject_text(limit),
        "period": limit.period,
        "amount": format_credits(limit.amount),
        "shadow": limit.shadow,
    }


def subject_text(limit: SpendLimit) -> str:
    if limit.subject_kind is SubjectKind.KEY:
        return key_text(KeyId(limit.subject))
    return user_text(UserId(limit.subject))


def _theirs(actor: Member | Operator, workspace: WorkspaceId | None) -> bool:
    return isinstance(actor, Operator) or workspace == actor.workspace


async def _workspace_of(tx: SpendLimitsTx, actor: Member | Operator, account: AccountId) -> WorkspaceId:
    """Raises LimitMissing: where there is no such account, there is no limit of it."""
    try:
        found = await tx.accounts.get(account)
    except AccountMissing:
        raise LimitMissing from None
    if not _theirs(actor, found.workspace):
        raise LimitMissing
    return found.workspace
