import asyncio
from dataclasses import dataclass, replace

from application.features.ports import Model, Schemas, Tell
from application.ports import Clock
from domain.catalog.feature import Feature
from domain.credits import Quantity
from domain.features.errors import (
    RUN_FAILURES,
    ModelLate,
    ModelRefused,
    OutputInvalid,
    OutputTruncated,
    OutputUnaffordable,
)
from domain.features.run import Call, Completion, Failed, Finish, Outcome, Produced
from domain.features.tokens import about_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class AskModel:
    """Call the model once, in time, and check what it says."""

    schemas: Schemas
    clock: Clock

    async def __call__(
        self, model: Model, feature: Feature, call: Call, *, units: int, tell: Tell | None = None
    ) -> Outcome:
        began = self.clock.now()
        try:
            async with asyncio.timeout(call.timeout):
                completion = await model.complete(call, tell)
        except TimeoutError:
            return Failed(ModelLate(call.timeout))
        except RUN_FAILURES as error:
            return Failed(error)
        latency = self.clock.now() - began
        if completion.finish is Finish.REFUSED:
            return Failed(ModelRefused())
        if completion.finish is Finish.CUT_OFF:
            return Failed(_cut_off(feature, call.max_output_tokens))
        try:
            output = self.schemas.read_output(feature, completion.text)
        except OutputInvalid as error:
            return Failed(error)
        return Produced(
            output=output,
            model=completion.model,
            usage=replace(_used(call, completion), units=units),
            latency_ms=max(0, round(latency.total_seconds() * 1000)),
        )


def _cut_off(feature: Feature, bound: int) -> OutputTruncated | OutputUnaffordable:
    if bound < feature.max_output_tokens:
        return OutputUnaffordable(bound)
    return OutputTruncated(bound)


def _used(call: Call, completion: Completion) -> Quantity:
    """What the model counted; if it did not, what such texts usually come to, up to the bound asked for."""
    if completion.usage is not None:
        return completion.usage
    return Quantity(
        input_tokens=about_tokens(call.prompt),
        output_tokens=min(call.max_output_tokens, about_tokens(completion.text)),
    )
