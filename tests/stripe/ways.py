"""Whom the suite asks: the stand-in, and Stripe itself where the environment has a key of its test mode."""

import os
from collections.abc import Mapping

NAME = "CUEBX_TEST_STRIPE_API_KEY"


def key_from(environ: Mapping[str, str]) -> str | None:
    """Raises ValueError for a key that is not of Stripe's test mode, without telling it."""
    key = environ.get(NAME) or None
    if key is not None and not key.startswith(("sk_test_", "rk_test_")):
        raise ValueError(
            f"{NAME} must be a key of Stripe's test mode (sk_test_..., rk_test_...), and is not."
        )
    return key


KEY = key_from(os.environ)
WAYS = ["stand-in", *(["stripe itself"] if KEY is not None else [])]
