from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.credits import Price

_SETTABLE = str.maketrans(".-", "__")


def settable(alias: str) -> str:
    """What settings call a model's alias: the name of a variable has neither dots nor dashes."""
    return alias.translate(_SETTABLE)


class OnTimeout(StrEnum):
    """What becomes of the hold of a started call that is never settled."""

    RELEASE = "release"
    CHARGE = "charge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One published version of a feature.

    ``price_version`` is the version in which the price was last changed. ``model`` is an alias that the
    settings map to an endpoint. ``prompt`` is a Jinja2 template over ``input``. ``units_from`` names the
    input property, an array, whose length is the units of a call (none: a call has no units).
    ``timeout`` is seconds for a whole run.
    """

    key: str
    version: int
    price_version: int
    name: str
    description: str
    price: Price
    model: str
    prompt: str
    max_output_tokens: int
    timeout: int
    units_from: str | None
    on_timeout: OnTimeout
    input_schema: Mapping[str, object]
    output_schema: Mapping[str, object]
