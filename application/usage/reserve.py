from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.actor import Customer, Service
from application.catalog.ports import Catalog
from application.keys.authenticate import Authenticate
from application.keys.ports import AccountDirectory
from application.ports import NewId
from application.usage.limits import limits_of
from application.usage.ports import Ledger, RateLimiter
from application.usage.simulate import simulate_before
from domain.credits import Quantity
from domain.ids import AccountId, KeyId, PlanRef, ReservationId, UserId, WorkspaceId
from domain.keys.errors import ApiKeyUnknown, CustomerKeyNeeded
from domain.keys.policy import ANYTHING, Policy
from domain.usage.desk import Desk
from domain.usage.limits import RateLimited, Standing
from domain.usage.reservation import USUAL
from domain.usage.reserve import Fit, Reserve, Reserved
from domain.usage.simulate import Simulate


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose credits a call takes, and by which key where there is one."""

    account: AccountId
    workspace: WorkspaceId
    plan: PlanRef
    key: KeyId | None
    test: bool
    member: UserId | None = None
    policy: Policy = ANYTHING

    @classmethod
    def of(cls, customer: Customer) -> "Payer":
        return cls(
            customer.account,
            customer.workspace,
            customer.plan,
            customer.key,
            customer.test,
            customer.member,
            customer.policy,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to reserve. ``request`` is the idempotency key, ``fingerprint`` a digest of all that was asked."""

    request: str
    fingerprint: str
    feature: str
    estimate: Quantity
    fit: Fit = Fit.EXACT
    expires_in: timedelta = USUAL
    simulate: Simulate | None = None


@dataclass(frozen=True, slots=True)
class AroundReserve:
    """What a command names that does something with ``reserve``."""

    reserve: Reserve

    @property
    def account(self) -> AccountId:
        return self.reserve.account

    @property
    def request(self) -> str:
        return self.reserve.request

    @property
    def run(self) -> None:
        return None

    @property
    def subjects(self) -> Sequence[UUID]:
        return self.reserve.subjects

    @property
    def reservation(self) -> None:
        """It makes one, or looks for what ``request`` has made."""

    @property
    def reference(self) -> None:
        """It grants nothing."""


@dataclass(frozen=True, slots=True)
class Recall(AroundReserve):
    """The answer that ``reserve`` got before. Holds nothing; raises ``refusal`` where there is none.

    Asks the ledger, in whose order it comes behind a first request that is still on its way.
    """

    refusal: RateLimited

    def decide(self, desk: Desk, now: datetime) -> Reserved:
        if self.request not in desk.requests:
            desk.account.check_may_spend()  # where it may not, to wait would not help
            raise self.refusal
        return self.reserve.decide(desk, now)


@dataclass(frozen=True, slots=True)
class ReserveCredits:
    """The way of every call to the money: the plan's limits first, then the ledger.

    The limits are for new requests: a repeat gets its first answer though they are used up.
    """

    catalog: Catalog
    limiter: RateLimiter
    ledger: Ledger
    new_id: NewId

    async def __call__(self, payer: Payer, order: Order) -> tuple[Reserved, tuple[Standing, ...]]:
        """Raises SimulationRefused, FeatureNotAllowed, RateLimited, and what the ledger raises."""
        simulate_before(order.simulate, test=payer.test, run=False)
        payer.policy.check_feature(order.feature)
        plan = await self.catalog.plan(payer.plan)
        reserve = Reserve(
            account=payer.account,
            id=ReservationId(self.new_id()),
            request=order.request,
            fingerprint=order.fingerprint,
            key=payer.key,
            member=payer.member,
            test=payer.test,
            feature=order.feature,
            estimate=order.estimate,
            fit=order.fit,
            expires_in=order.expires_in,
            simulate=order.simulate,
        )
        try:
            limits = limits_of(plan, payer.key, payer.policy)
            standings = await self.limiter.hit(payer.workspace, payer.plan.product, limits)
        except RateLimited as refusal:
            return await self.ledger.execute(Recall(reserve, refusal)), refusal.standings
        return await self.ledger.execute(reserve), standings


@dataclass(frozen=True, slots=True)
class FindPayer:
    """For a seller's service, which asks before the AI call that it makes itself."""

    authenticate: Authenticate
    directory: AccountDirectory

    async def by_key(self, _: Service, api_key: str) -> Payer:
        """Raises ApiKeyUnknown, ApiKeyRevoked, ApiKeyExpired.

        A service key is no customer's: it is not known as one. The service itself is not in question.
        """
        try:
            return Payer.of(await self.authenticate.customer(api_key))
        except CustomerKeyNeeded:
            raise ApiKeyUnknown from None

    async def by_account(self, _: Service, account: AccountId) -> Payer:
        """Raises AccountMissing."""
        found = await self.directory.find(account)
        return Payer(found.id, found.workspace, found.plan, None, test=False)
