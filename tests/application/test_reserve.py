"""A call comes to the money by its plan's limits first, then by the ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.memory.limits import MemoryRateLimiter
from application.actor import Service
from application.usage.reserve import FindPayer, Order, Payer, ReserveCredits
from domain.catalog.errors import PlanMissing
from domain.catalog.plan import Plan
from domain.ids import AccountId, KeyId, PlanRef
from domain.keys.errors import ApiKeyRevoked, ApiKeyUnknown
from domain.keys.key import KeyKind
from domain.usage.errors import AccountMissing, FeatureNotInPlan, InsufficientCredits, RequestKeyReused
from domain.usage.limits import Limit, RateLimited
from domain.usage.reservation import USUAL
from domain.usage.reserve import Fit, Reserved
from tests.contracts.banks import MemoryBank, a_plan
from tests.contracts.tellers import a_teller, tokens
from tests.fakes.catalog import FakeCatalog
from tests.fakes.clock import NOON
from tests.fakes.office import OPERATOR, FakeOffice

SERVICE = Service(key=KeyId(FakeOffice().new_id()))


class Stage:
    """One account, with so many microcredits, on a plan that allows so many calls a minute."""

    def __init__(self, per_minute: int | None = None) -> None:
        self.bank = MemoryBank()
        self.plan: Plan = replace(a_plan(), per_minute=per_minute)
        self.reserve = ReserveCredits(
            FakeCatalog.of(self.plan, at=NOON),
            MemoryRateLimiter(lambda: 0.0),
            self.bank.ledger,
            self.bank.new_id,
        )

    async def payer(self, granted: int = 10, *, test: bool = False) -> Payer:
        self.teller = await a_teller(self.bank, granted, plan=self.plan)
        ref = PlanRef(self.plan.product, self.plan.key, self.plan.version)
        workspace = (await self.teller.balance()).account.workspace
        return Payer(self.teller.account, workspace, ref, KeyId(self.bank.new_id()), test=test)


def order(count: int = 1, *, request: str = "order 1", feature: str = "call", fit: Fit = Fit.EXACT) -> Order:
    return Order(request=request, fingerprint="same", feature=feature, estimate=tokens(count), fit=fit)


async def test_it_holds_for_whoever_pays() -> None:
    stage = Stage()
    payer = await stage.payer()
    reserved, standings = await stage.reserve(payer, replace(order(4), expires_in=timedelta(minutes=1)))
    it = reserved.reservation
    assert (it.account, it.key, it.test, it.request, it.fingerprint) == (
        payer.account,
        payer.key,
        False,
        "order 1",
        "same",
    )
    assert (it.feature, it.estimate, it.held) == ("call", tokens(4), 4)
    assert it.expires_at - it.created_at == timedelta(minutes=1)
    assert standings == ()


async def test_a_test_key_holds_nothing() -> None:
    stage = Stage()
    reserved, _ = await stage.reserve(await stage.payer(0, test=True), order(4))
    assert (reserved.reservation.test, reserved.reservation.held) == (True, 0)


async def test_it_clamps_where_it_is_told_to() -> None:
    stage = Stage()
    payer = await stage.payer(3)
    with pytest.raises(InsufficientCredits):
        await stage.reserve(payer, order(4))
    reserved, _ = await stage.reserve(payer, order(4, fit=Fit.CLAMP))
    assert reserved.reservation.held == 3
    assert order().expires_in == USUAL


async def test_a_repeat_gets_the_first_answer() -> None:
    stage = Stage()
    payer = await stage.payer()
    first, _ = await stage.reserve(payer, order(4))
    again, _ = await stage.reserve(payer, order(4))
    assert (again.replayed, again.reservation) == (True, first.reservation)


async def test_the_plans_limits_come_before_the_credits() -> None:
    stage = Stage(per_minute=2)
    payer = await stage.payer(1)
    _, (standing,) = await stage.reserve(payer, order(1))
    assert (standing.limit, standing.remaining) == (Limit("minute", 2, 60), 1)
    with pytest.raises(InsufficientCredits):
        await stage.reserve(payer, order(1, request="order 2"))
    with pytest.raises(RateLimited) as refusal:
        await stage.reserve(payer, order(1, request="order 3"))
    assert (refusal.value.limit, refusal.value.code) == ("minute", "rate_limited")
    assert len((await stage.bank.books(payer.account)).reservations) == 1


async def used_up() -> tuple[Stage, Payer, Reserved]:
    """A limit of one call a minute, and who has made it, as ``order 1``."""
    stage = Stage(per_minute=1)
    payer = await stage.payer(10)
    first, _ = await stage.reserve(payer, order(4))
    return stage, payer, first


async def test_a_repeat_gets_the_first_answer_though_the_limit_is_used_up() -> None:
    stage, payer, first = await used_up()
    again, (standing,) = await stage.reserve(payer, order(4))
    assert (again.replayed, again.reservation) == (True, first.reservation)
    assert standing.remaining == 0
    with pytest.raises(RateLimited):
        await stage.reserve(payer, order(4, request="order 2"))
    assert len((await stage.bank.books(payer.account)).reservations) == 1


async def test_beyond_the_limit_another_request_with_a_used_key_is_told_so() -> None:
    stage, payer, _ = await used_up()
    with pytest.raises(RequestKeyReused):
        await stage.reserve(payer, replace(order(4), fingerprint="other"))


async def test_a_feature_that_the_plan_lacks_is_refused() -> None:
    stage = Stage()
    with pytest.raises(FeatureNotInPlan):
        await stage.reserve(await stage.payer(), order(feature="other"))


async def test_a_plan_that_nobody_published_is_missing() -> None:
    stage = Stage()
    lost = replace(await stage.payer(), plan=PlanRef("api", "lost", 1))
    with pytest.raises(PlanMissing):
        await stage.reserve(lost, order())


@pytest.mark.parametrize(("kind", "test"), [(KeyKind.LIVE, False), (KeyKind.TEST, True)])
async def test_a_service_names_the_payer_by_his_key(kind: KeyKind, *, test: bool) -> None:
    office = FakeOffice()
    made = await office.key(kind)
    find = FindPayer(office.authenticate, office.directory)
    assert await find.by_key(SERVICE, made.text) == Payer(
        office.account.id, office.workspace.id, office.plan, made.key.id, test=test
    )
    await office.revoke_key(OPERATOR, made.key.id)
    with pytest.raises(ApiKeyRevoked):
        await find.by_key(SERVICE, made.text)
    with pytest.raises(ApiKeyUnknown):
        await find.by_key(SERVICE, made.text[:-1])


async def test_a_service_names_the_payer_by_his_account() -> None:
    office = FakeOffice()
    find = FindPayer(office.authenticate, office.directory)
    assert await find.by_account(SERVICE, office.account.id) == Payer(
        office.account.id, office.workspace.id, office.plan, None, test=False
    )
    with pytest.raises(AccountMissing):
        await find.by_account(SERVICE, AccountId(office.new_id()))
