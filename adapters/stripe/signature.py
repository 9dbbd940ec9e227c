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
        signed = dict(part.partition("=")[::2] for part in header.split(","))["t"]
        age = self._clock.now() - datetime.fromtimestamp(int(signed), UTC)
        if abs(age) > TOLERANCE:
            raise SignatureRefused("it was made too long ago, or a clock is wrong")

    def _fits(self, body: bytes, header: str, secret: str) -> bool:
        try:
            return bool(stripe.WebhookSignature.verify_header(body, header, secret))
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            return False
