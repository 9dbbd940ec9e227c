from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What somebody is told. ``template`` names the text; ``facts`` fill it: a code, a token, a name."""

    to: str
    template: str
    facts: Mapping[str, str]
