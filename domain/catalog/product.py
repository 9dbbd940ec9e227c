from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Credits that can be bought at once. ``price`` is hundredths of ``currency``, ``credits`` microcredits.

    They can be spent for ``days`` (None: for ever).
    """

    key: str
    name: str
    price: int
    currency: str
    credits: int
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One published version of a line of plans."""

    key: str
    version: int
    name: str
    description: str
    packs: Mapping[str, Pack] = field(default_factory=dict)
