"""How large the numbers of a catalog may be.

A call counts at most ten million input tokens, output tokens and units each. At the highest prices and the
highest multiplier it costs 100 000 000 000 + 10 000 000 x (1 + 1 + 100) x 100 credits, about 10**17
microcredits: a bigint holds ninety times that.
"""

import re

from domain.credits import MICRO, ONE, PICO

KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")
ALIAS = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
CURRENCY = re.compile(r"[A-Z]{3}")
WITHOUT_HUNDREDTHS = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV"),
        *("XAF", "XOF", "XPF", "BHD", "JOD", "KWD", "OMR", "TND"),
    }
)
"""Their smallest unit is a whole, or a thousandth: https://docs.stripe.com/currencies#zero-decimal.

Prices are kept, and asked for, in hundredths: theirs would be a hundred times what the catalog says.
"""

CALL_PRICE = 100_000 * PICO
TOKEN_PRICE = 1 * PICO
UNIT_PRICE = 100 * PICO
MULTIPLIER = 100 * ONE

PLAN_PRICE = 1_000_000_00  # hundredths
SEATS = 100_000
CREDITS = 1_000_000_000 * MICRO
RATE = 1_000_000_000  # calls
RESULTS_DAYS = 365
TRIAL_DAYS = 365
GRACE_DAYS = 60
PACK_DAYS = 3_650

OUTPUT_TOKENS = 1_000_000
TIMEOUT = 3_600  # seconds

NAME_LENGTH = 200
DESCRIPTION_LENGTH = 2_000
PROMPT_LENGTH = 100_000
SCHEMA_DEPTH = 32
