"""Forms that several requests and answers share."""

from typing import Annotated

from litestar.params import PathParameter
from msgspec import Meta, Struct

from domain.credits import Arithmetic, Quantity, format_decimal
from domain.ids import LotId, lot_text
from domain.usage.lot import Part

MOST = 10_000_000
"""Of each kind of thing in one call. The catalog's bounds on prices rest on it."""

# Patterns for the document alone: whoever parses an id says better what is wrong with it.
_DIGITS = "[0-7][0-9a-hjkmnp-tv-z]{25}"
ReservationPath = Annotated[
    str,
    PathParameter(description="As its `id` was given", schema_extra={"pattern": f"^rsv_{_DIGITS}{_DIGITS}$"}),
]


def id_path(prefix: str, *, ids: int = 1) -> PathParameter:
    pattern = f"^{prefix}_{_DIGITS * ids}$"
    return PathParameter(description="As its `id` was given", schema_extra={"pattern": pattern})


FeaturePath = Annotated[
    str, PathParameter(description="The feature's key", schema_extra={"pattern": "^[a-z][a-z0-9_]{0,63}$"})
]
Count = Annotated[int, Meta(ge=0, le=MOST)]
Credits = Annotated[
    str,
    Meta(description="A decimal string of credits, to the microcredit", pattern=r"^-?[0-9]+(\.[0-9]{1,6})?$"),
]
# No control characters, so that nothing a database or a terminal chokes on comes in.
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Key = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]


class Tokens(Struct, frozen=True, kw_only=True):
    """What a call used."""

    input_tokens: int
    output_tokens: int
    units: int

    @classmethod
    def of(cls, quantity: Quantity) -> "Tokens":
        return cls(
            input_tokens=quantity.input_tokens, output_tokens=quantity.output_tokens, units=quantity.units
        )


class LotPart(Struct, frozen=True, kw_only=True):
    lot_id: str
    credits: Credits

    @classmethod
    def of(cls, part: Part) -> "LotPart":
        return cls(lot_id=lot_text(LotId(part.lot)), credits=format_decimal(part.amount, places=6))


class Factor(Struct, frozen=True, kw_only=True):
    """``count`` things at ``price`` credits each are ``amount`` credits."""

    per: str
    count: int
    price: str
    amount: str


class Sum(Struct, frozen=True, kw_only=True):
    """The amounts of ``terms`` added up, times ``multiplier``, rounded up to a microcredit: ``total``."""

    terms: list[Factor]
    multiplier: str
    total: Credits

    @classmethod
    def of(cls, arithmetic: Arithmetic) -> "Sum":
        return cls(
            terms=[
                Factor(
                    per=term.per,
                    count=term.count,
                    price=format_decimal(term.price, places=12),
                    amount=format_decimal(term.amount, places=12),
                )
                for term in arithmetic.terms
            ],
            multiplier=format_decimal(arithmetic.multiplier, places=6),
            total=format_decimal(arithmetic.total, places=6),
        )
