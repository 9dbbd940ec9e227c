from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import stripe

from application.billing.told import CheckSignature
from application.ports import Clock
from domain.billing.errors import SignatureRefused

TOLERANCE = timedelta(minutes=5)


class StripeSignature(CheckSignature):
    """By any of ``secrets``: while one is replaced, both are good."""

    def __init__(self, secrets: Sequence[str], clock: Clock) -> None:
        self._secrets = secrets
        self._clock = clock

    def __call__(self, body: bytes, header: str) -> None:
        if not any(self._fits(body, header, each) for each in self._secrets):
            raise SignatureRefused("it was not made with the endpoint's secret")
        age = self._clock.now() - datetime.fromtimestamp(_signed_at(header), UTC)
        if abs(age) > TOLERANCE:
            raise SignatureRefused("it was made too long ago, or a clock is wrong")

    def _fits(self, body: bytes, header: str, secret: str) -> bool:
        try:
            return bool(stripe.WebhookSignature.verify_header(body, header, secret))
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            return False


def _signed_at(header: str) -> int:
    """Said once: what was signed is the first, and another could make it look younger."""
    stamps = [value for name, _, value in (each.partition("=") for each in header.split(",")) if name == "t"]
    if len(stamps) != 1 or not stamps[0].isdecimal():
        raise SignatureRefused("it does not say once when it was made")
    return int(stamps[0])
