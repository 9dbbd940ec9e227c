"""Somebody else reads Stripe at the same time, and is faster: old news never overwrites new."""

from dataclasses import replace
from typing import Any

import pytest

from application.billing import subscribe as subscribe_module
from application.billing import sync as sync_module
from application.billing.off import NoPayments
from application.billing.ports import Payments
from application.billing.sync import SyncInvoice, SyncSubscription
from application.usage.ports import Ledger
from domain.billing.invoice import Invoice
from domain.billing.subscription import Subscription
from domain.events import NotYet
from domain.usage.desk import Command, T_co
from tests.billing.conftest import Till
from tests.fakes.stripe import payments, subscriptions


async def test_whoever_is_always_overtaken_is_to_come_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await till.subscribe()
    for module in (subscribe_module, sync_module):
        monkeypatch.setattr(module, "TRIES", 0)
    sync = await till.services.get(SyncSubscription)
    with pytest.raises(NotYet):
        await sync(id)
    with pytest.raises(NotYet):
        await (await till.services.get(SyncInvoice))("in_1")
    for path, wanted in (("/subscriptions", {"plan": "team"}), ("/top-ups", {"pack": "small"})):
        answer = await till.ask("POST", path, {"product": "api", **wanted})
        assert (answer.status_code, answer.json()["code"]) == (503, "not_yet")


class Meddling(NoPayments):
    """Once it was asked, somebody else is faster."""

    def __init__(self, real: Payments, meddle: Any) -> None:  # noqa: ANN401 - what the other one does
        self.real = real
        self.meddle = meddle
        self.asked = 0

    async def subscription(self, id: str) -> Subscription | None:
        seen = await self.real.subscription(id)
        await self._overtake()
        return seen

    async def invoice(self, id: str) -> Invoice | None:
        seen = await self.real.invoice(id)
        await self._overtake()
        return seen

    async def _overtake(self) -> None:
        self.asked += 1
        if self.asked == 1:
            await self.meddle()


async def test_old_news_never_overwrites_new(till: Till) -> None:
    id = await till.subscribe()
    sync = await till.services.get(SyncSubscription)

    async def meddle() -> None:
        with till.there.changing():
            subscriptions.update(till.there.state, {"cancel_at_period_end": "true"}, id)
        await sync(id)

    meddling = Meddling(sync.payments, meddle)
    assert await replace(sync, payments=meddling)(id)
    assert meddling.asked == 2
    assert (await till.shown())["cancel_at"] is not None


async def test_an_invoice_that_somebody_has_read_since_is_read_again(till: Till) -> None:
    await till.subscribe()
    sync = await till.services.get(SyncInvoice)
    [invoice] = till.there.state.all("invoice")

    async def meddle() -> None:
        await sync(invoice["id"])

    meddling = Meddling(sync.payments, meddle)
    assert await replace(sync, payments=meddling)(invoice["id"])
    assert meddling.asked == 2
    assert await till.credits() == [("allocation", "300000")]


class Slow(Ledger):
    """While it grants for the first time, somebody else reads Stripe again."""

    def __init__(self, real: Ledger, meddle: Any) -> None:  # noqa: ANN401 - as above
        self.real = real
        self.meddle = meddle

    async def execute(self, command: Command[T_co]) -> T_co:
        meddle, self.meddle = self.meddle, None
        if meddle is not None:
            await meddle()
        return await self.real.execute(command)


async def test_who_takes_back_by_old_news_does_it_again(till: Till) -> None:
    await till.subscribe()
    await till.hear()
    sync = await till.services.get(SyncInvoice)
    [charge] = till.there.state.all("charge")
    with till.there.changing():
        refund = payments.create_refund(till.there.state, {"charge": charge["id"]})
    [invoice] = till.there.state.all("invoice")

    async def meddle() -> None:
        with till.there.changing():
            refund["status"] = "failed"
        await sync(invoice["id"])

    await replace(sync, ledger=Slow(sync.ledger, meddle))(invoice["id"])
    assert await till.credits() == [("allocation", "300000")]
    await till.is_in_order()
