"""One execution of a feature: what a model answered, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.credits import Quantity
from domain.features.errors import RunFailure
from domain.ids import AccountId, ReservationId, typeid


def run_text(account: AccountId, id: ReservationId) -> str:
    """A run's public id. Its UUID is its reservation's."""
    return typeid("run", account, id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a model is asked for: in answer to ``prompt``, one JSON document that satisfies ``schema``.

    ``document`` is the input that the prompt was made of, ``schema`` is JSON text, and ``timeout`` is seconds
    for everything, attempts and pauses together.
    """

    feature: str
    document: Mapping[str, object]
    prompt: str
    schema: str
    max_output_tokens: int
    timeout: int


class Finish(StrEnum):
    COMPLETE = "complete"
    CUT_OFF = "cut_off"
    """At the bound of output tokens that was asked for."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """``model`` is what the usage is recorded under; ``usage`` is None where the model did not count."""

    text: str
    finish: Finish
    model: str
    usage: Quantity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """``usage`` is what is charged for."""

    output: object
    model: str
    usage: Quantity
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Failed:
    error: RunFailure


Outcome = Produced | Failed
