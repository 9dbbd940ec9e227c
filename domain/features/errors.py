"""How a run can go wrong. What is raised once the credits were held leaves nothing charged."""

from dataclasses import dataclass
from typing import ClassVar

from domain.errors import Conflict, Invalid, Unaffordable, Unavailable, UpstreamFailed, UpstreamLate
from domain.features.fault import Fault


@dataclass(eq=False)
class InvalidInput(Invalid):
    code: ClassVar[str] = "invalid_input"
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        first = self.faults[0]
        return f"the input does not fit the feature's schema: {first.path or 'the whole'}: {first.message}"


@dataclass(eq=False)
class RunInProgress(Conflict):
    """draft-ietf-httpapi-idempotency-key-header, section 2.7: the first request is still going on."""

    code: ClassVar[str] = "request_in_progress"

    def __str__(self) -> str:
        return "the first request with this Idempotency-Key has not ended yet; ask again later"


@dataclass(eq=False)
class RunInterrupted(Conflict):
    """Its hold ended before it did: a process died, or the database was away for too long."""

    code: ClassVar[str] = "run_interrupted"

    def __str__(self) -> str:
        return "the run was cut off and has no answer; send it again with a new Idempotency-Key"


class ServerStopping(Unavailable):
    code: ClassVar[str] = "server_stopping"

    def __str__(self) -> str:
        return "the server stopped before the run ended; nothing was charged, send it again"


@dataclass(eq=False)
class ModelNotConfigured(Unavailable):
    code: ClassVar[str] = "model_not_configured"
    model: str

    def __str__(self) -> str:
        return f"no endpoint is configured for the model {self.model!r}"


@dataclass(eq=False)
class PromptUnrenderable(Unavailable):
    code: ClassVar[str] = "prompt_unrenderable"

    def __str__(self) -> str:
        return "the feature's prompt template cannot be filled in with this input; its author has to mend it"


@dataclass(eq=False)
class ModelFailed(UpstreamFailed):
    """``upstream_status`` is None where there was no answer, or none that is HTTP."""

    code: ClassVar[str] = "upstream_failed"
    upstream_status: int | None = None

    def __str__(self) -> str:
        match self.upstream_status:
            case None:
                told = "gave no answer"
            case 200:
                told = "gave an answer that cannot be read"
            case status:
                told = f"answered with status {status}"
        return f"the model's service {told}; nothing was charged"


@dataclass(eq=False)
class ModelLate(UpstreamLate):
    code: ClassVar[str] = "upstream_timeout"
    seconds: int

    def __str__(self) -> str:
        return f"the model's service did not answer within {self.seconds} s; nothing was charged"


@dataclass(eq=False)
class ModelRefused(UpstreamFailed):
    """It declined, or its content filter did."""

    code: ClassVar[str] = "upstream_refused"

    def __str__(self) -> str:
        return "the model refused to answer this input; nothing was charged"


@dataclass(eq=False)
class OutputInvalid(UpstreamFailed):
    """``path`` is a JSON pointer into the output, ``reason`` names the rule and no value."""

    code: ClassVar[str] = "upstream_output_invalid"
    path: str
    reason: str

    def __str__(self) -> str:
        return f"the model's answer breaks the feature's output schema ({self.reason}); nothing was charged"


@dataclass(eq=False)
class OutputTruncated(UpstreamFailed):
    code: ClassVar[str] = "upstream_output_truncated"
    max_output_tokens: int

    def __str__(self) -> str:
        return f"the answer did not fit into {self.max_output_tokens} output tokens; nothing was charged"


@dataclass(eq=False)
class OutputUnaffordable(Unaffordable):
    """The answer was cut off where the credits ended, before the feature's own bound."""

    code: ClassVar[str] = "output_unaffordable"
    output_tokens: int

    def __str__(self) -> str:
        return (
            f"the credits pay for {self.output_tokens} output tokens, and the answer needs more;"
            " nothing was charged"
        )


RunFailure = ModelFailed | ModelLate | ModelRefused | OutputInvalid | OutputTruncated | OutputUnaffordable
"""What ends a run that had begun. A repeat with the same idempotency key fails in the same way."""

RUN_FAILURES: tuple[type[RunFailure], ...] = (
    ModelFailed,
    ModelLate,
    ModelRefused,
    OutputInvalid,
    OutputTruncated,
    OutputUnaffordable,
)
