"""Test clocks: for some customers a time of their own, that only goes on when it is told to.

https://docs.stripe.com/api/test_clocks
"""

from tests.fakes.stripe.events import tell
from tests.fakes.stripe.months import month_later
from tests.fakes.stripe.state import TEST_CLOCK, State
from tests.fakes.stripe.wire import Object, Params, StripeFault, known, needed, number

CUSTOMERS = 3
LASTS = 30 * 86400
TWO_YEARS = 2 * 365 * 86400


def create(state: State, params: Params) -> Object:
    known(params, "frozen_time", "name")
    clock = state.make(
        TEST_CLOCK,
        frozen_time=_time(params),
        name=params.get("name"),
        deletes_after=state.now + LASTS,
        status="ready",
        status_details={},
    )
    tell(state, "test_helpers.test_clock.created", clock)
    return clock


def read(state: State, id: str) -> Object:
    return state.get(TEST_CLOCK, id)


def page(state: State, params: Params) -> Object:
    known(params, "limit", "starting_after", "ending_before")
    return state.page(state.all(TEST_CLOCK), params, "/v1/test_helpers/test_clocks")


def advance(state: State, params: Params, id: str) -> Object:
    """What is due until then is done once this is answered."""
    known(params, "frozen_time")
    clock, to = state.get(TEST_CLOCK, id), _time(params)
    if to <= clock["frozen_time"]:
        raise StripeFault(400, "A test clock can only be advanced to a later time.", param="frozen_time")
    if to > _farthest(state, clock):
        message = "A test clock can be advanced by two intervals of its shortest subscription at a time."
        raise StripeFault(400, message, param="frozen_time")
    clock.update(status="advancing", status_details={"advancing": {"target_frozen_time": to}})
    tell(state, "test_helpers.test_clock.advancing", clock)
    return clock


def _time(params: Params) -> int:
    needed(params, "frozen_time")
    return number(params, "frozen_time") or 0


def _farthest(state: State, clock: Object) -> int:
    """All subscriptions here are monthly."""
    frozen = int(clock["frozen_time"])
    subscribed = state.all("subscription", test_clock=clock["id"], ended_at=None)
    return month_later(month_later(frozen)) if subscribed else frozen + TWO_YEARS


def join(state: State, params: Params) -> str | None:
    """The clock that a new customer is to live on."""
    id = params.get("test_clock")
    if id is None:
        return None
    clock = state.get(TEST_CLOCK, id)
    if len(state.all("customer", test_clock=id)) == CUSTOMERS:
        raise StripeFault(400, f"A test clock has {CUSTOMERS} customers at most.", param="test_clock")
    return str(clock["id"])


def delete(state: State, params: Params, id: str) -> Object:
    known(params)
    clock = state.get(TEST_CLOCK, id)
    del state.objects[TEST_CLOCK][id]
    tell(state, "test_helpers.test_clock.deleted", clock)
    return {"id": id, "object": TEST_CLOCK, "deleted": True}
