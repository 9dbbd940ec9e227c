"""Credits and what a call costs. All amounts are whole numbers; nothing here is a float.

credit        what a customer sees, a decimal string: "12.5"
microcredit   what accounts, lots, holds and charges count: 1 credit = 1 000 000
picocredit    what prices count, so that one token may cost less than a microcredit: 1 microcredit = 1 000 000
"""

import re
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from domain.errors import Invalid

MICRO = 1_000_000
PICO = 1_000_000_000_000
ONE = 1_000_000  # a multiplier of 1, in millionths

_DECIMAL = re.compile(r"[0-9]{1,19}(\.[0-9]{1,12})?")


@dataclass(eq=False)
class MalformedAmount(Invalid):
    code: ClassVar[str] = "malformed_amount"
    given: str
    places: int

    def __str__(self) -> str:
        return f"{self.given!r} is not a decimal number such as 12.5, with at most {self.places} places"


def parse_decimal(text: str, *, places: int) -> int:
    """``text`` times ten to the power of ``places``, exactly. Raises MalformedAmount."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    if _DECIMAL.fullmatch(text) is None or len(fraction) > places:
        raise MalformedAmount(given=text[:40], places=places)
    return int(whole + fraction.ljust(places, "0"))


def format_decimal(amount: int, *, places: int) -> str:
    """The shortest decimal string for ``amount`` tenths to the power of ``places``."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), 10**places)
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}." + f"{fraction:0{places}d}".rstrip("0")


def parse_credits(text: str) -> int:
    """Credits as written, "12.5", in microcredits. Raises MalformedAmount."""
    return parse_decimal(text, places=6)


def format_credits(micro: int) -> str:
    """Microcredits as written: 12_500_000 is "12.5"."""
    return format_decimal(micro, places=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What a call uses, or may use."""

    input_tokens: int = 0
    output_tokens: int = 0
    units: int = 0

    def __post_init__(self) -> None:
        if self.input_tokens < 0 or self.output_tokens < 0 or self.units < 0:
            raise ValueError(f"a negative quantity: {self}")


NOTHING = Quantity()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Of one feature, in picocredits."""

    per_call: int = 0
    per_input_token: int = 0
    per_output_token: int = 0
    per_unit: int = 0

    def __post_init__(self) -> None:
        if min(self.per_call, self.per_input_token, self.per_output_token, self.per_unit) < 0:
            raise ValueError(f"a negative price: {self}")

    def of(self, quantity: Quantity, *, multiplier: int) -> int:
        """Microcredits for ``quantity``: summed, times ``multiplier`` (millionths), rounded up once."""
        pico = (
            self.per_call
            + self.per_input_token * quantity.input_tokens
            + self.per_output_token * quantity.output_tokens
            + self.per_unit * quantity.units
        )
        return -(-pico * multiplier // (PICO // MICRO * ONE))

    def output_tokens_for(self, budget: int, quantity: Quantity, *, multiplier: int) -> int | None:
        """The most output tokens, up to ``quantity``'s, that ``budget`` microcredits pay for.

        None where they do not even pay for the call without any.
        """
        asked = quantity.output_tokens
        rest = Quantity(input_tokens=quantity.input_tokens, units=quantity.units)
        if self.of(rest, multiplier=multiplier) > budget:
            return None
        each = self.per_output_token * multiplier
        if each == 0:
            return asked
        base = (
            self.per_call + self.per_input_token * rest.input_tokens + self.per_unit * rest.units
        ) * multiplier
        return min(asked, (budget * (PICO // MICRO) * ONE - base) // each)

    def explain(self, quantity: Quantity, *, multiplier: int) -> "Arithmetic":
        """How ``of`` comes to its answer."""
        terms = (
            Term("call", 1, self.per_call),
            Term("input_token", quantity.input_tokens, self.per_input_token),
            Term("output_token", quantity.output_tokens, self.per_output_token),
            Term("unit", quantity.units, self.per_unit),
        )
        return Arithmetic(terms, multiplier, self.of(quantity, multiplier=multiplier))


@dataclass(frozen=True, slots=True)
class Term:
    """``count`` things at ``price`` picocredits each."""

    per: str
    count: int
    price: int

    @property
    def amount(self) -> int:
        """Picocredits."""
        return self.count * self.price


class Arithmetic(NamedTuple):
    """The sum of ``terms``, times ``multiplier`` (millionths), rounded up once, is ``total`` microcredits."""

    terms: tuple[Term, ...]
    multiplier: int
    total: int


def format_hundredths(amount: int) -> str:
    """Of a currency, always with two places."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d}"
