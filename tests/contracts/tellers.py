"""Whoever serves one account of a bank. Counts are of tokens, each a microcredit if nothing else is said."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from domain.catalog.plan import Plan
from domain.credits import Quantity
from domain.ids import AccountId, KeyId, LotId, ReservationId
from domain.usage.balance import Balance
from domain.usage.grant import Grant, Granted
from domain.usage.lot import NEVER, Source
from domain.usage.reservation import USUAL, Reservation
from domain.usage.reserve import Extend, Extended, Fit, Reserve, Reserved
from domain.usage.settle import Commit, Release, Settled, Start
from tests.contracts.banks import CALL, Bank


def tokens(count: int) -> Quantity:
    return Quantity(output_tokens=count)


@dataclass(frozen=True)
class Teller:
    bank: Bank
    account: AccountId

    def order(
        self,
        count: int = 1,
        *,
        feature: str = CALL,
        request: str | None = None,
        fingerprint: str = "same",
        key: KeyId | None = None,
        test: bool = False,
        fit: Fit = Fit.EXACT,
        expires_in: timedelta = USUAL,
    ) -> Reserve:
        id = ReservationId(self.bank.new_id())
        return Reserve(
            account=self.account,
            id=id,
            request=str(id) if request is None else request,
            fingerprint=fingerprint,
            key=key,
            test=test,
            feature=feature,
            estimate=tokens(count),
            fit=fit,
            expires_in=expires_in,
        )

    async def reserve(self, count: int = 1, *, request: str | None = None) -> Reserved:
        return await self.bank.ledger.execute(self.order(count, request=request))

    async def hold(
        self, count: int = 1, *, feature: str = CALL, test: bool = False, expires_in: timedelta = USUAL
    ) -> ReservationId:
        order = self.order(count, feature=feature, test=test, expires_in=expires_in)
        return (await self.bank.ledger.execute(order)).reservation.id

    async def start(self, id: ReservationId) -> Reservation:
        return await self.bank.ledger.execute(Start(account=self.account, reservation=id))

    async def commit(self, id: ReservationId, count: int = 1, *, model: str | None = None) -> Settled:
        command = Commit(account=self.account, reservation=id, usage=tokens(count), model=model)
        return await self.bank.ledger.execute(command)

    async def release(self, id: ReservationId) -> Settled:
        return await self.bank.ledger.execute(Release(account=self.account, reservation=id))

    async def extend(
        self, id: ReservationId, count: int | None = None, *, expires_in: timedelta | None = None
    ) -> Extended:
        estimate = None if count is None else tokens(count)
        command = Extend(account=self.account, reservation=id, estimate=estimate, expires_in=expires_in)
        return await self.bank.ledger.execute(command)

    async def grant(
        self,
        amount: int,
        *,
        source: Source = Source.TOP_UP,
        reference: str | None = None,
        priority: int | None = None,
        expires_at: datetime = NEVER,
    ) -> Granted:
        command = Grant(
            account=self.account,
            id=LotId(self.bank.new_id()),
            source=source,
            amount=amount,
            reference=reference or uuid4().hex,
            priority=priority,
            expires_at=expires_at,
        )
        return await self.bank.ledger.execute(command)

    async def balance(self) -> Balance:
        return await self.bank.reader.balance(self.account)

    async def available(self) -> int:
        return (await self.balance()).available

    async def pass_by(self, time: timedelta) -> None:
        await self.bank.pass_by(self.account, time)


async def a_teller(bank: Bank, granted: int = 0, *, plan: Plan | None = None) -> Teller:
    """For a new account with so many microcredits."""
    teller = Teller(bank, await bank.open(plan))
    if granted:
        await teller.grant(granted)
    return teller
