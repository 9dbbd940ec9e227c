"""The suite asks the stand-in, and Stripe itself where it may: by the client that CueBX asks with."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
import stripe

from adapters.stripe.client import StripeAccount, client_of
from tests.fakes.stripe_server import StripeServer, stripe_server
from tests.stripe.sandbox import Sandbox
from tests.stripe.ways import KEY, WAYS


@pytest.fixture
def there() -> Iterator[StripeServer]:
    with stripe_server(held=True) as server:
        yield server


@pytest.fixture
async def client(there: StripeServer) -> AsyncIterator[stripe.StripeClient]:
    """Of the stand-in."""
    async with client_of(StripeAccount(api_key=there.api_key, return_url="", url=there.url)) as client:
        yield client


@pytest.fixture
async def at_hand(client: stripe.StripeClient) -> Sandbox:
    """The stand-in's, for what can only be asked of it; it is gone as a whole afterwards."""
    return Sandbox(client, AsyncExitStack(), within=10.0, every=0.01)


@pytest.fixture(params=WAYS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    async with AsyncExitStack() as stack:
        if request.param == "stripe itself":
            assert KEY is not None
            account = StripeAccount(api_key=KEY, return_url="")
            within, every = 300.0, 1.0
        else:
            there = stack.enter_context(stripe_server(held=True))
            account = StripeAccount(api_key=there.api_key, return_url="", url=there.url)
            within, every = 10.0, 0.01
        client = await stack.enter_async_context(client_of(account))
        made = await stack.enter_async_context(AsyncExitStack())
        yield Sandbox(client, made, within, every)
