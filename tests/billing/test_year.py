"""A year of a customer's life, month by month, against a table of what it pays and what it gets."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.clock import SystemClock
from application.actor import Operator
from application.billing.reconcile import Reconcile
from tests.billing.conftest import Till
from tests.billing.lives import card
from tests.fakes.stripe import payments

Row = tuple[list[str], list[tuple[str, str]], str]
"""Of a month: what was paid, in dollars; which credits came; the plan at its end."""


@pytest.fixture
def moving(till: Till, monkeypatch: pytest.MonkeyPatch) -> Till:
    """CueBX's clock goes with Stripe's. The database's does not: lots of later months have not begun."""

    def now(_: SystemClock) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=till.there.state.offset)

    monkeypatch.setattr(SystemClock, "now", now)
    till.moved = True
    return till


async def asked(till: Till, path: str, body: object) -> Any:  # noqa: ANN401 - any JSON
    await till.sign_in()  # months have passed
    answer = await till.ask("POST", f"/subscriptions/api/{path}", body)
    assert answer.is_success, answer.text
    await till.hear()
    return answer.json()


async def changed(till: Till, **wanted: object) -> Any:  # noqa: ANN401 - as above
    quote = await asked(till, "preview", wanted)
    await asked(till, "change", {"quote": quote["id"]})
    return quote


async def nothing(_: Till) -> None:
    """A quiet month."""


async def seats(till: Till) -> None:
    assert (await changed(till, seats=105))["due"] == "40.00"


async def downgrade(till: Till) -> None:
    assert (await changed(till, plan="team"))["when"] == "period_end"


async def broke(till: Till) -> None:
    card(till.there, "0341")


async def solvent(till: Till) -> None:
    card(till.there, "4242")
    till.there.advance(days=4)


async def top_up(till: Till) -> None:
    await till.sign_in()
    assert till.there.pay(await till.page("/top-ups", product="api", pack="small")) is None


async def upgrade(till: Till) -> None:
    assert (await changed(till, plan="scale"))["due"] == "450.00"


async def refund(till: Till) -> None:
    with till.there.changing():
        charge = till.there.state.all("charge")[-1]
        payments.create_refund(till.there.state, {"charge": charge["id"], "amount": "24950"})


async def cancel(till: Till) -> None:
    assert (await asked(till, "cancel", {}))["cancel_at"] is not None


SCALE, TEAM = ("allocation", "300000"), ("allocation", "25000")
YEAR: list[tuple[Callable[[Till], Awaitable[None]], Row]] = [
    (nothing, (["499.00"], [SCALE], "scale")),
    (nothing, (["499.00"], [SCALE], "scale")),
    (seats, (["499.00", "40.00"], [SCALE], "scale")),
    (downgrade, (["539.00"], [SCALE], "scale")),
    (nothing, (["49.00"], [TEAM], "team")),
    (broke, (["49.00"], [TEAM], "team")),
    (solvent, (["49.00"], [TEAM], "team")),
    (top_up, (["49.00", "25.00"], [TEAM, ("top_up", "10000")], "team")),
    (upgrade, (["49.00", "450.00"], [TEAM, ("allocation", "275000")], "scale")),
    (refund, (["499.00"], [("allocation", "150000")], "scale")),
    (cancel, (["499.00"], [SCALE], "scale")),
    (nothing, ([], [], "free")),
    (nothing, ([], [], "free")),
]
"""What is done in each month, right after it has begun; the first begins with the subscription."""


async def test_a_year(moving: Till) -> None:
    till, state = moving, moving.there.state
    state.drafted = 0  # so that a month's changes are exactly at its beginning
    id = await till.subscribe()
    await till.hear()
    known, lots = 0, 0
    for month, (act, row) in enumerate(YEAR):
        if month:
            ends = state.get("subscription", id)["items"]["data"][0]["current_period_end"]
            over = state.get("subscription", id)["status"] == "canceled"
            till.there.advance(seconds=31 * 86400 if over else max(0, ends - state.now) + 1)
            await till.hear()
        await act(till)
        await till.hear()
        paid = state.all("invoice", status="paid")
        got = await till.credits()
        shown = await till.state()
        assert (dollars(paid[known:]), got[lots:], shown) == row, month
        known, lots = len(paid), len(got)
    assert await (await till.services.get(Reconcile))(Operator()) == []
    await till.is_in_order()


def dollars(invoices: list[dict[str, Any]]) -> list[str]:
    return [f"{each['total'] / 100:.2f}" for each in invoices]


async def test_what_is_planned_anew_in_the_month_of_a_plan_waits_for_its_end(moving: Till) -> None:
    till, state = moving, moving.there.state
    id = await till.subscribe()
    await till.hear()
    assert (await changed(till, seats=110))["when"] == "now"
    for wanted, has in ((106, 110), (103, 106)):
        assert (await changed(till, seats=wanted))["when"] == "period_end"
        assert (await till.shown())["extra_seats"] == has - 100
        ends = state.get("subscription", id)["items"]["data"][0]["current_period_end"]
        till.there.advance(seconds=ends - state.now + 7200)
        await till.hear()
        await till.sign_in()
        assert (await till.shown())["extra_seats"] == wanted - 100
    assert dollars(state.all("invoice", status="paid"))[2:] == ["547.00", "523.00"]
    await till.is_in_order()
