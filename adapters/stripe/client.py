"""Stripe's own client over httpx, and its faults in our words."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import httpx
import stripe

from domain.billing.errors import PaymentDeclined, PaymentsRefused, PaymentsUnavailable

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
RETRIES = 2
"""Of what may work the next time; each under the same idempotency key."""
API_VERSION = "2026-10-28.endive"
"""The form of objects that is read here. An account's own default, which may be older, does not matter."""
MISSING = "resource_missing"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAccount:
    """``return_url`` is where somebody comes back to from a page of Stripe's."""

    api_key: str = field(repr=False)
    return_url: str
    url: str = "https://api.stripe.com"


@asynccontextmanager
async def client_of(account: StripeAccount) -> AsyncIterator[stripe.StripeClient]:
    http = stripe.HTTPXClient(timeout=TIMEOUT)
    try:
        yield stripe.StripeClient(
            account.api_key,
            base_addresses={"api": account.url},
            http_client=http,
            max_network_retries=RETRIES,
            stripe_version=API_VERSION,
        )
    finally:
        await http.close_async()  # type: ignore[no-untyped-call] # as the package has it


@contextmanager
def asking() -> Iterator[None]:
    """Raises PaymentDeclined, PaymentsRefused, PaymentsUnavailable. None tells what was sent."""
    try:
        yield
    except stripe.CardError as error:
        raise PaymentDeclined(error.code or "card_declined") from error
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        _log.error("Stripe refused a request: %s", error.code or type(error).__name__)
        raise PaymentsRefused(error.code or "invalid_request") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        _log.error("Stripe does not take the key: %s", type(error).__name__)
        raise PaymentsUnavailable(type(error).__name__) from error
    except stripe.StripeError as error:
        _log.warning("Stripe could not be asked: %s", type(error).__name__)
        raise PaymentsUnavailable(type(error).__name__) from error
