from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one place of a document. ``message`` names the broken rule, and no value.

    ``path`` is a JSON pointer (RFC 6901); the empty one is the whole document.
    """

    path: str
    message: str


def pointer(steps: Iterable[str | int]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
