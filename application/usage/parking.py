"""An account whose books do not add up spends nothing until somebody has looked; everybody else goes on."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import ClassVar, Protocol

from application.actor import Operator
from application.audit.ports import AuditTx
from application.audit.record import Record
from application.metrics import Meter
from application.notifications.post import MailTx, PostMail
from application.ports import Clock, UnitOfWork
from application.usage.ports import Auditor, Finding
from domain.errors import Conflict
from domain.identity.mail import Mail
from domain.identity.user import User
from domain.ids import AccountId, WorkspaceId, account_text, workspace_text
from domain.usage.account import Account
from domain.usage.errors import AccountMissing

_log = logging.getLogger(__name__)
AUDIT_SECONDS = 3000.0


@dataclass(frozen=True, slots=True)
class Parked:
    account: AccountId
    workspace: WorkspaceId
    at: datetime
    reason: str


@dataclass(eq=False)
class AccountStillBroken(Conflict):
    code: ClassVar[str] = "account_still_broken"
    account: AccountId
    fault: str

    def __str__(self) -> str:
        return f"the books of {account_text(self.account)} do not add up: {self.fault}"


class ParkedAccounts(Protocol):
    async def get(self, id: AccountId) -> Account:
        """Raises AccountMissing."""

    async def park(self, id: AccountId, *, reason: str, at: datetime) -> bool:
        """Whatever is decided after the transaction obeys. False where it was parked, or there is none."""

    async def unpark(self, id: AccountId) -> bool:
        """False where it was not parked."""

    async def parked(self) -> Sequence[Parked]:
        """In the order in which they were."""


class Operators(Protocol):
    async def operators(self) -> Sequence[User]:
        """Oldest first."""


class ParkingTx(AuditTx, MailTx, Protocol):
    @property
    def accounts(self) -> ParkedAccounts: ...

    @property
    def users(self) -> Operators: ...


@dataclass(frozen=True, slots=True)
class ListParked:
    uow: UnitOfWork[ParkingTx]

    async def __call__(self, _: Operator) -> Sequence[Parked]:
        async with self.uow() as tx:
            return await tx.accounts.parked()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkAccount:
    """By hand."""

    uow: UnitOfWork[ParkingTx]
    clock: Clock
    record: Record

    async def __call__(self, actor: Operator, id: AccountId, reason: str) -> Account:
        """Raises AccountMissing. One that is parked stays so for the first reason."""
        async with self.uow() as tx:
            await tx.accounts.get(id)
            await self.within(tx, actor, id, reason)
            return await tx.accounts.get(id)

    async def within(self, tx: ParkingTx, actor: Operator, id: AccountId, reason: str) -> bool:
        """False where it was parked already. Raises AccountMissing."""
        workspace = (await tx.accounts.get(id)).workspace
        if not await tx.accounts.park(id, reason=reason, at=self.clock.now()):
            return False
        facts = {"reason": reason}
        await self.record(tx, actor, workspace, "account.parked", account_text(id), after=facts)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class UnparkAccount:
    uow: UnitOfWork[ParkingTx]
    auditor: Auditor
    record: Record

    async def __call__(
        self, actor: Operator, id: AccountId, *, seconds: float, force: bool = False
    ) -> Account:
        """Not while its books do not add up, unless by ``force``: then the next audit parks it again.

        The audit may take ``seconds``. Raises AccountMissing, AccountStillBroken, AuditTooSlow.
        """
        async with self.uow() as tx:
            await tx.accounts.get(id)
        if not force:
            for finding in await self.auditor.audit(seconds=seconds):
                if finding.account == id:
                    raise AccountStillBroken(id, finding.fault)
        async with self.uow() as tx:
            if await tx.accounts.unpark(id):
                workspace = (await tx.accounts.get(id)).workspace
                facts = {"forced": force}
                await self.record(tx, actor, workspace, "account.unparked", account_text(id), after=facts)
            return await tx.accounts.get(id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkBroken:
    """Audits all books, and parks each account with a fault: operators are told, once for each time."""

    auditor: Auditor
    uow: UnitOfWork[ParkingTx]
    park: ParkAccount
    post: PostMail
    meter: Meter

    async def __call__(self) -> Mapping[str, int]:
        """Raises AuditTooSlow."""
        findings = await self.auditor.audit(seconds=AUDIT_SECONDS)
        broken = {
            account: list(own) for account, own in groupby(sorted(findings, key=_account), key=_account)
        }
        self.meter.broken(len(broken))
        parked = 0
        for account, own in broken.items():
            _log.error("ALARM: the books of %s do not add up: %s", account_text(account), own[0].fault)
            try:
                async with self.uow() as tx:
                    parked += await self._within(tx, account, own)
            except AccountMissing:  # there are entries in the books, and no account to park
                continue
        return {"broken": len(broken), "parked": parked}

    async def _within(self, tx: ParkingTx, id: AccountId, findings: Sequence[Finding]) -> bool:
        """False where it was parked before. Raises AccountMissing."""
        first = findings[0]
        expected, found = first.figures
        facts = {"fault": first.fault, "expected": expected, "found": found}
        reason = f"{first.fault}: expected {expected}, found {found}"
        if not await self.park.within(tx, Operator(), id, reason):
            return False
        facts |= {
            "account": account_text(id),
            "workspace": workspace_text((await tx.accounts.get(id)).workspace),
        }
        for each in await tx.users.operators():
            await self.post(tx, Mail(to=each.email.text, template="account_parked", facts=facts))
        return True


def _account(finding: Finding) -> AccountId:
    return finding.account
