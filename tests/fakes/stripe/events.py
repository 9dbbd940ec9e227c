"""What happened, as Stripe tells it: by ``GET /v1/events`` and by webhooks."""

from copy import deepcopy

from tests.fakes.stripe.state import State
from tests.fakes.stripe.wire import Object, Params, known

VERSION = "2026-10-28.endive"


def tell(state: State, type_: str, about: Object, previous: Object | None = None) -> None:
    """``about`` as it is now; ``previous`` is what changed members were before."""
    data: Object = {"object": deepcopy(about)}
    if previous is not None:
        data["previous_attributes"] = deepcopy(previous)
    event = state.make("event", type=type_, data=data, api_version=VERSION, pending_webhooks=1)
    event["request"] = {"id": None, "idempotency_key": None}
    state.untold.append(event)


def change(state: State, type_: str, about: Object, **values: object) -> None:
    """Sets what differs, and tells it."""
    previous = {name: about[name] for name, value in values.items() if about[name] != value}
    about.update(values)
    if previous:
        tell(state, type_, about, previous)


def page(state: State, params: Params) -> Object:
    known(params, "type", "types", "created", "limit", "starting_after", "ending_before", "delivery_success")
    wanted = params.get("types") or ([params["type"]] if "type" in params else None)
    found = [each for each in state.all("event") if wanted is None or each["type"] in wanted]
    return state.page(found, params, "/v1/events")


def read(state: State, id: str) -> Object:
    return state.get("event", id)
