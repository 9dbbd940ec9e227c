from collections.abc import AsyncIterator, Iterator

import pytest
import stripe

from tests.fakes.stripe_server import StripeServer, stripe_server


@pytest.fixture
def there() -> Iterator[StripeServer]:
    with stripe_server(held=True) as server:
        yield server


@pytest.fixture
async def client(there: StripeServer) -> AsyncIterator[stripe.StripeClient]:
    http = stripe.HTTPXClient(timeout=10)
    yield stripe.StripeClient(there.api_key, base_addresses={"api": there.url}, http_client=http)
    await http.close_async()  # type: ignore[no-untyped-call] # as the package has it
