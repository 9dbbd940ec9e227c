from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from domain.catalog.feature import Feature
from domain.features.fault import Fault
from domain.features.run import Call, Completion, Outcome
from domain.ids import AccountId, ReservationId

Tell: TypeAlias = Callable[[int], None]
"""Hears how many output tokens there are so far, about; from a new attempt it hears less again."""


class Model(Protocol):
    """One language model. Holds no session and no lock, so a call may take as long as it takes."""

    async def complete(self, call: Call, tell: Tell | None = None) -> Completion:
        """Raises ModelFailed.

        Whoever wants to be told how it goes on gives ``tell``; of what comes in one piece it hears nothing.
        The caller cancels it when ``call.timeout`` is over; what could only end later is not begun. Neither
        the prompt nor the endpoint's key is logged or told in an error.
        """


class Models(Protocol):
    def find(self, alias: str) -> Model:
        """Raises ModelNotConfigured."""


class Schemas(Protocol):
    """JSON Schema, draft 2020-12. A feature's version never changes, so each is compiled once."""

    def input_faults(self, feature: Feature, document: object) -> tuple[Fault, ...]:
        """What is wrong with ``document``, the first few. It may be any JSON, however deep."""

    def output_text(self, feature: Feature) -> str:
        """The output schema as JSON text."""

    def read_output(self, feature: Feature, text: str) -> object:
        """The JSON document in ``text``, checked. Raises OutputInvalid."""


class Prompts(Protocol):
    def render(self, feature: Feature, document: Mapping[str, object]) -> str:
        """The feature's template, filled in with ``document`` as its ``input``. Only the template is trusted.

        Raises PromptUnrenderable.
        """


class Runs(Protocol):
    """How runs with an idempotency key ended. An outcome, once kept, is never changed."""

    async def keep(self, account: AccountId, id: ReservationId, outcome: Outcome) -> None:
        """Durable when this returns. Where there is one already, that one stays.

        Raises DatabaseUnavailable: the same may be kept again.
        """

    async def find(self, account: AccountId, id: ReservationId) -> Outcome | None:
        """Raises DatabaseUnavailable."""
