"""What is kept of Stripe's objects, by the fake and by PostgreSQL."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from application.billing.ports import Happened
from domain.billing.change import Quote, Timing, Wanted
from domain.billing.checkout import Checkout, CheckoutState, Purpose
from domain.billing.invoice import Invoice, InvoiceStatus
from domain.billing.subscription import Status
from domain.billing.top_up import AutoTopUp, TopUp
from domain.ids import AccountId, PlanRef, WorkspaceId
from domain.usage.account import Account
from tests.contracts.test_parking import an_account
from tests.fakes.clock import NOON
from tests.fakes.ids import CountedIds
from tests.fakes.till import subscribed
from tests.fakes.unit_of_work import FakeTx

Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[FakeTx]]
new_id = CountedIds()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEAM, SCALE = PlanRef("api", "team", 1), PlanRef("api", "scale", 2)


def stripes(prefix: str) -> str:
    return f"{prefix}_{UUID(bytes=new_id().bytes).hex}"


def an_invoice(account: AccountId) -> Invoice:
    return Invoice(
        id=stripes("in"),
        account=account,
        customer="cus_1",
        subscription=None,
        status=InvoiceStatus.OPEN,
        number="1",
        currency="USD",
        total=100,
        paid=0,
        lines=(),
        created_at=NOON,
    )


def a_checkout(account: AccountId, purpose: Purpose = Purpose.SUBSCRIBE, *, hours: int = 0) -> Checkout:
    wanted = {"cuebx:plan:api:team:1": 1}
    return Checkout.new(new_id(), account, purpose, wanted, NOON + hours * HOUR, trial_days=14)


async def test_a_workspace_has_one_customer_until_it_is_closed(uow: Uow) -> None:
    one, other = await an_account(uow), await an_account(uow)
    first, second = stripes("cus"), stripes("cus")
    async with uow() as tx:
        assert await tx.customers.of(one.workspace) is None
        assert await tx.customers.add(one.workspace, first, NOON) == first
        assert await tx.customers.add(one.workspace, stripes("cus"), NOON) == first
        assert await tx.customers.add(other.workspace, second, NOON) == second
    low, high = sorted([(one.workspace, first), (other.workspace, second)])
    before = WorkspaceId(UUID(int=low[0].int - 1))
    async with uow() as tx:
        assert list(await tx.customers.page(after=before, limit=2))[:2] == [low, high]
        assert await tx.customers.page(after=before, limit=1) == [low]
        await tx.customers.close(low[0], NOON)
    async with uow() as tx:
        assert await tx.customers.page(after=before, limit=1) == [high]
        assert await tx.customers.of(low[0]) == low[1]


async def test_a_fence_goes_up_with_each_change(uow: Uow) -> None:
    account, other = await an_account(uow), await an_account(uow)
    one = subscribed(account.id)
    async with uow() as tx:
        assert await tx.subscriptions.fence(one.id) == 0
        await tx.subscriptions.save(one)
        await tx.subscriptions.save(subscribed(other.id))
    changed = replace(
        one, status=Status.PAST_DUE, next_plan=SCALE, next_seats=2, owed_since=NOON, schedule="sub_sched_1"
    )
    older = replace(subscribed(account.id), created_at=NOON - DAY, trial_end=NOON)
    async with uow() as tx:
        assert await tx.subscriptions.fence(one.id) == 1
        await tx.subscriptions.save(changed)
        await tx.subscriptions.save(older)
    async with uow() as tx:
        assert await tx.subscriptions.fence(one.id) == 2
        assert await tx.subscriptions.of(account.id) == [older, changed]
        assert await tx.subscriptions.claim(account.id, one.id) == 3
    async with uow() as tx:
        assert await tx.subscriptions.fence(one.id) == 3
        assert await tx.subscriptions.fence(older.id) == 1


async def test_invoices_are_paged_from_the_newest(uow: Uow) -> None:
    account, other = await an_account(uow), await an_account(uow)
    invoices = [replace(an_invoice(account.id), created_at=NOON + n * HOUR) for n in range(3)]
    foreign = an_invoice(other.id)
    async with uow() as tx:
        for each in (*invoices, foreign):
            await tx.invoices.save(each)
    paid = replace(invoices[1], status=InvoiceStatus.PAID, paid=100, paid_at=NOON, url="u", taken_back=5)
    async with uow() as tx:
        assert await tx.invoices.fence(paid.id) == 1
        await tx.invoices.save(paid)
    async with uow() as tx:
        assert await tx.invoices.fence(paid.id) == 2
        assert await tx.invoices.fence("in_none") == 0
        assert await tx.invoices.find(account.id, paid.id) == paid
        assert await tx.invoices.find(other.id, paid.id) is None
        assert {each.id: each for each in await tx.invoices.of(account.id)} == {
            each.id: each for each in (invoices[0], paid, invoices[2])
        }
        first = await tx.invoices.page([account.id], after=None, limit=2)
        assert first == [invoices[2], paid]
        assert await tx.invoices.page([account.id], after=paid.id, limit=2) == [invoices[0]]
        assert await tx.invoices.page([account.id], after=foreign.id, limit=2) == []
        assert await tx.invoices.page([], after=None, limit=2) == []
        assert await tx.invoices.lots(account.id) == {}


def told(at: datetime = NOON) -> Happened:
    return Happened(event=stripes("evt"), type="invoice.paid", about="in_1", payment=None, at=at)


async def test_an_event_is_kept_once(uow: Uow) -> None:
    one, other, third = told(), told(), told()
    async with uow() as tx:
        assert await tx.stripe_events.add([], NOON) == []
        assert await tx.stripe_events.add([one, other], NOON) == [one, other]
        assert await tx.stripe_events.add([other, third], NOON) == [third]


async def test_until_when_was_swept_only_grows(uow: Uow) -> None:
    async with uow() as tx:
        before = await tx.stripe_events.swept() or NOON
        await tx.stripe_events.sweep(before + DAY)
        await tx.stripe_events.sweep(before)
    async with uow() as tx:
        assert await tx.stripe_events.swept() == before + DAY


async def test_the_newest_open_page_is_found(uow: Uow) -> None:
    account, other = await an_account(uow), await an_account(uow)
    one = a_checkout(account.id)
    packs = [a_checkout(account.id, Purpose.TOP_UP, hours=each) for each in (1, 2)]
    session = stripes("cs")
    async with uow() as tx:
        assert await tx.checkouts.open(account.id, Purpose.SUBSCRIBE) is None
        for each in (one, *packs, a_checkout(other.id)):
            await tx.checkouts.save(each)
    async with uow() as tx:
        assert await tx.checkouts.open(account.id, Purpose.SUBSCRIBE) == one
        assert await tx.checkouts.open(account.id, Purpose.TOP_UP) == packs[1]
        assert await tx.checkouts.all_open(account.id) == [one, *packs]
        assert await tx.checkouts.get(account.id, one.id) == one
        assert await tx.checkouts.get(other.id, one.id) is None
        assert await tx.checkouts.by_session(session) is None
        await tx.checkouts.save(one.opened(session, "https://pay.example"))
    async with uow() as tx:
        found = await tx.checkouts.by_session(session)
        assert found == one.opened(session, "https://pay.example")
        await tx.checkouts.save(found.become(CheckoutState.COMPLETE))
    async with uow() as tx:
        assert await tx.checkouts.open(account.id, Purpose.SUBSCRIBE) is None
        assert await tx.checkouts.all_open(account.id) == packs


async def test_a_quote_is_one_accounts(uow: Uow) -> None:
    account, other = await an_account(uow), await an_account(uow)
    quote = Quote.new(
        new_id(), account.id, "sub_1", Wanted(SCALE, 2), timing=Timing.NOW, now=NOON, due=5, monthly=9,
        currency="USD", credits=7, fence=3, period_end=NOON + DAY,
    )  # fmt: skip
    async with uow() as tx:
        await tx.quotes.add(quote)
    async with uow() as tx:
        assert await tx.quotes.get(account.id, quote.id) == quote
        assert await tx.quotes.get(other.id, quote.id) is None
        await tx.quotes.claim(quote.claim(4))
    async with uow() as tx:
        assert await tx.quotes.get(account.id, quote.id) == quote.claim(4)


async def test_each_notice_is_given_once(uow: Uow) -> None:
    account, other = await an_account(uow), await an_account(uow)
    async with uow() as tx:
        assert await tx.notices.first(account.id, "late", "sub_1", NOON)
        assert not await tx.notices.first(account.id, "late", "sub_1", NOON + DAY)
        assert await tx.notices.first(account.id, "late", "sub_2", NOON)
        assert await tx.notices.first(account.id, "over", "sub_1", NOON)
        assert await tx.notices.first(other.id, "late", "sub_1", NOON)


async def test_a_pending_top_up_is_found_however_old(uow: Uow) -> None:
    account, other = await an_account(uow), await an_account(uow)
    key = "cuebx:pack:api:small:1"
    old, paid, new = (
        TopUp(id=new_id(), account=account.id, lookup_key=key, created_at=NOON + each * DAY)
        for each in (-9, -8, 1)
    )
    async with uow() as tx:
        await tx.top_ups.save(paid)
    async with uow() as tx:
        await tx.top_ups.save(paid.pay("in_1", NOON))
        await tx.top_ups.save(old)
    async with uow() as tx:
        await tx.top_ups.save(old.fail("declined", NOON))
        await tx.top_ups.save(new)
        await tx.top_ups.save(replace(old, id=new_id(), account=other.id))
    async with uow() as tx:
        assert await tx.top_ups.since(account.id, NOON) == [new]
        assert await tx.top_ups.since(account.id, NOON - 8 * DAY - HOUR) == [paid.pay("in_1", NOON), new]
        [pending] = await tx.top_ups.since(other.id, NOON)
        assert pending.created_at == old.created_at


async def test_an_account_follows_what_it_is_told(uow: Uow) -> None:
    account: Account = await an_account(uow)
    wanted = AutoTopUp(below=5, pack="small", monthly=2)
    async with uow() as tx:
        await tx.accounts.hold(account.workspace)
        await tx.accounts.settle(account.id, SCALE, freezes_at=NOON - 9999 * DAY)
        assert await tx.accounts.auto_top_up(account.id) is None
        await tx.accounts.set_auto_top_up(account.id, wanted)
    async with uow() as tx:
        found = await tx.accounts.get(account.id)
        assert (found.plan, found.overdue, found.top_up_below) == (SCALE, True, 5)
        assert await tx.accounts.auto_top_up(account.id) == wanted
        assert (account.id, NOON - 9999 * DAY) in await tx.accounts.freezing(NOON - 9999 * DAY)
        assert await tx.accounts.freezes_at(account.id) == NOON - 9999 * DAY
        assert account.id not in [id for id, _ in await tx.accounts.freezing(NOON - 10000 * DAY)]
        assert account.id in await tx.accounts.with_auto_top_up()
        await tx.accounts.settle(account.id, TEAM, freezes_at=NOON + 9999 * DAY)
        await tx.accounts.set_auto_top_up(account.id, None)
    async with uow() as tx:
        assert await tx.accounts.get(account.id) == account
        assert account.id not in await tx.accounts.with_auto_top_up()
