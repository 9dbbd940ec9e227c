"""Who is told what about a subscription, and when."""

from datetime import UTC, datetime, timedelta

from application.billing.dunning import TellOverdue
from tests.billing.conftest import Till
from tests.billing.lives import card
from tests.fakes.stripe import subscriptions


async def moved(till: Till, when: datetime | None) -> None:
    """Nothing can be spent from then on."""
    value = "NULL" if when is None else f"'{when.isoformat()}'"
    await till.change(f"UPDATE account SET freezes_at = {value}")  # noqa: S608 - ours


async def test_a_trial_that_ends_is_told_of_once(till: Till) -> None:
    id = await till.subscribe("team")
    await till.hear()
    with till.there.changing():
        till.there.state.get("subscription", id)["trial_end"] = till.there.state.now + 3 * 86400
    before = till.subjects()
    heard = await till.hear()
    await till.hear(heard)
    [told] = till.subjects()[len(before) :]
    assert told.startswith("The trial of Team ends on")
    await till.is_in_order()


async def test_a_paused_subscription_is_told_of(till: Till) -> None:
    id = await till.subscribe()
    await till.hear()
    before = till.subjects()
    with till.there.changing():
        subscription = till.there.state.get("subscription", id)
        subscriptions.put_change(till.there.state, subscription, status="paused")
    heard = await till.hear()
    await till.hear(heard)
    assert till.subjects()[len(before) :] == ["The subscription of Team is paused"]
    assert (await till.shown())["plan"] == "free"
    with till.there.changing():
        subscriptions.put_change(till.there.state, subscription, status="active")
    await till.hear()
    assert (await till.shown())["plan"] == "scale"
    assert till.subjects()[len(before) :] == ["The subscription of Team is paused"]


async def test_who_does_not_pay_is_reminded_and_told_when_it_stops(till: Till) -> None:
    tell = await till.services.get(TellOverdue)
    await till.subscribe()
    await till.hear()
    before = till.subjects()
    card(till.there, "0341")
    till.there.advance(days=32)
    await till.hear()
    assert till.subjects()[len(before) :] == ["A payment for Team failed"]
    assert await tell() == {"told": 0}
    now = datetime.now(UTC)
    for when, told in ((now + timedelta(days=5), 0), (now + timedelta(days=1), 1), (now, 1)):
        await moved(till, when)
        assert await tell() == {"told": told}
        assert await tell() == {"told": 0}
    await till.hear()
    assert till.subjects()[len(before) + 1 :] == [
        "An invoice of Team is still open",
        "Team can spend nothing until its invoice is paid",
    ]
    await moved(till, now - timedelta(days=1))
    await till.change("UPDATE workspace SET deleted_at = now()")
    assert await tell() == {"told": 0}
