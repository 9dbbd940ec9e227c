"""Sessions of the page where a customer looks after a subscription."""

from tests.fakes.stripe.state import State
from tests.fakes.stripe.wire import Object, Params, known, needed


def create(state: State, params: Params) -> Object:
    known(params, "customer", "return_url", "configuration", "flow_data")
    customer = state.get("customer", needed(params, "customer"))
    session = state.make(
        "billing_portal.session", customer=customer["id"], return_url=params.get("return_url")
    )
    session["url"] = f"{state.url}/p/session/{session['id']}"
    return session
