"""Both books, side by side; and events that never arrived."""

import pytest

from application.actor import Operator
from application.billing import sweep as sweep_module
from application.billing.reconcile import Reconcile, ReconcileDaily
from application.billing.sweep import SweepStripeEvents
from domain.billing.drift import Remedy
from tests.billing.conftest import Till


async def drifts(till: Till, *, apply: bool = False) -> list[tuple[str, Remedy]]:
    use = await till.services.get(Reconcile)
    return [(each.kind, each.remedy) for each in await use(Operator(), apply=apply)]


async def test_books_that_agree_have_no_drift(till: Till) -> None:
    assert await drifts(till) == []
    await till.subscribe(seats=103)
    await till.hear()
    assert await drifts(till) == []
    till.there.advance(days=31)
    await till.hear()
    assert await drifts(till) == []
    await till.ask("POST", "/subscriptions/api/cancel", {"now": True})
    await till.hear()
    assert await drifts(till) == []


async def test_what_was_never_told_is_found_and_put_right(till: Till) -> None:
    await till.subscribe(seats=103)
    till.there.events()
    found = await drifts(till)
    assert {kind for kind, _ in found} == {"subscription", "invoice", "lot", "plan", "seats"}
    assert Remedy.BY_HAND not in {remedy for _, remedy in found}
    assert await till.credits() == []
    assert await drifts(till, apply=True) == found
    assert await drifts(till) == []
    assert await till.credits() == [("allocation", "300000")]
    assert (await (await till.services.get(ReconcileDaily))()) == {"drifts": 0}
    await till.is_in_order()


async def test_what_no_machine_can_know_is_told(till: Till) -> None:
    await till.subscribe()
    await till.hear()
    [row] = till.there.state.all("invoice")
    with till.there.changing():
        row["status"] = "void"
    found = await drifts(till, apply=True)
    assert ("lot", Remedy.BY_HAND) in found
    assert await drifts(till) == [("lot", Remedy.BY_HAND)]
    [subscription] = till.there.state.all("subscription")
    with till.there.changing():
        again = {
            "customer": subscription["customer"],
            "metadata": subscription["metadata"],
            "items": [{"price": subscription["items"]["data"][0]["price"]["id"]}],
        }
        from tests.fakes.stripe import subscriptions  # noqa: PLC0415

        subscriptions.create(till.there.state, again)
    assert ("second_subscription", Remedy.BY_HAND) in await drifts(till, apply=True)


async def test_events_that_never_arrived_are_asked_for(till: Till) -> None:
    sweep = await till.services.get(SweepStripeEvents)
    await till.subscribe()
    lost = till.there.events()
    await till.hear(lost[:1])
    done = await sweep()
    assert done["found"] >= len(lost) - 1
    await till.hear([])
    assert (await till.shown())["plan"] == "scale"
    assert await till.credits() == [("allocation", "300000")]
    assert await sweep() == {"found": 0}
    await till.is_in_order()


async def test_what_was_lost_while_nobody_swept_is_found_though_newer_events_arrived(till: Till) -> None:
    sweep = await till.services.get(SweepStripeEvents)
    await till.subscribe()
    await till.hear()
    await sweep()
    await till.change("UPDATE stripe_sweep SET until = now() - interval '3 days'")
    session = await till.page("/top-ups", product="api", pack="small")
    till.there.state.offset = -2 * 86400
    assert till.there.pay(session) is None
    till.there.events()
    till.there.state.offset = 0
    await till.ask("POST", "/subscriptions/api/cancel", {})
    await till.hear()
    assert await till.credits() == [("allocation", "300000")]
    assert (await sweep())["found"] > 0
    await till.hear([])
    assert ("top_up", "10000") in await till.credits()
    await till.is_in_order()


async def test_events_are_taken_a_page_at_a_time(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_module, "PAGE", 2)
    await till.subscribe()
    lost = till.there.events()
    assert (await (await till.services.get(SweepStripeEvents))())["found"] >= len(lost)
    await till.hear([])
    assert await till.credits() == [("allocation", "300000")]
