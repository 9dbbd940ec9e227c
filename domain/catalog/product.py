from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One published version of a line of plans."""

    key: str
    version: int
    name: str
    description: str
