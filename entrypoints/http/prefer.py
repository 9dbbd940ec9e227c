"""The Prefer header (RFC 7240)."""

from typing import Annotated

from litestar.params import HeaderParameter

NAME = "Prefer"
RESPOND_ASYNC = "respond-async"
PreferHeader = Annotated[
    str | None,
    HeaderParameter(
        name=NAME,
        required=False,
        max_length=1000,
        description="`respond-async` queues the run and answers at once (RFC 7240, section 4.1)",
    ),
]


def prefers(header: str | None, preference: str) -> bool:
    """What is not known there is ignored, as section 2 asks for; names are the same in any case."""
    given = (each.partition(";")[0].partition("=")[0] for each in (header or "").split(","))
    return preference in {each.strip().lower() for each in given}
