"""A request can be broken at any of its moments by whoever watches the stand-in."""

import pytest
import stripe

from tests.fakes.stripe.wire import Params
from tests.fakes.stripe_server import StripeServer


@pytest.mark.parametrize("breaks", [False, True])
async def test_a_request_that_is_broken_before_it_is_done_is_not_done(
    there: StripeServer, client: stripe.StripeClient, *, breaks: bool
) -> None:
    seen = list[tuple[str, str, bool]]()

    def watch(method: str, path: str, params: Params, *, done: bool) -> bool:
        assert params == {"email": "a@example.com"}
        seen.append((method, path, done))
        return done is not breaks

    there.watch = watch
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.customers.create_async({"email": "a@example.com"}, {"max_network_retries": 0})
    assert len(there.state.all("customer")) == breaks
    assert seen == [("POST", "/v1/customers", each) for each in ([False, True] if breaks else [False])]
