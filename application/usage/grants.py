from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.actor import Operator
from application.audit.ports import AuditTx
from application.audit.record import Record
from application.ports import NewId, UnitOfWork
from application.usage.ports import Ledger
from domain.credits import format_credits
from domain.ids import AccountId, LotId, account_text, lot_text
from domain.usage.account import Account
from domain.usage.grant import Grant, Granted
from domain.usage.lot import NEVER, Source


class GrantAccounts(Protocol):
    async def get(self, id: AccountId) -> Account:
        """Raises AccountMissing."""


class GrantsTx(AuditTx, Protocol):
    @property
    def accounts(self) -> GrantAccounts: ...


@dataclass(frozen=True, slots=True)
class GrantCredits:
    ledger: Ledger
    new_id: NewId

    async def __call__(
        self,
        account: AccountId,
        *,
        source: Source,
        amount: int,
        reference: str | None = None,
        priority: int | None = None,
        expires_at: datetime = NEVER,
    ) -> Granted:
        """``amount`` in microcredits. One ``reference`` grants once; without one each call grants anew.

        Raises AccountMissing, GrantReferenceReused.
        """
        id = LotId(self.new_id())
        return await self.ledger.execute(
            Grant(
                account=account,
                id=id,
                source=source,
                amount=amount,
                reference=reference or str(id),
                priority=priority,
                expires_at=expires_at,
            )
        )


@dataclass(frozen=True, slots=True)
class GrantByHand:
    """By the operator, and told in the audit log once it is done."""

    grant: GrantCredits
    uow: UnitOfWork[GrantsTx]
    record: Record

    async def __call__(
        self,
        actor: Operator,
        account: AccountId,
        *,
        source: Source,
        amount: int,
        reference: str | None = None,
        priority: int | None = None,
        expires_at: datetime = NEVER,
    ) -> Granted:
        """As GrantCredits does. Raises AccountMissing, GrantReferenceReused."""
        granted = await self.grant(
            account,
            source=source,
            amount=amount,
            reference=reference,
            priority=priority,
            expires_at=expires_at,
        )
        if not granted.replayed:
            facts = {
                "account": account_text(account),
                "source": source,
                "amount": format_credits(amount),
                "reference": reference,
                "expires_at": None if expires_at == NEVER else expires_at.isoformat(),
            }
            async with self.uow() as tx:
                workspace = (await tx.accounts.get(account)).workspace
                target = lot_text(granted.lot.id)
                await self.record(tx, actor, workspace, "credits.granted", target, after=facts)
        return granted
