"""What every run of a feature begins with: may it, is its input right, what is the most that it uses."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from application.actor import Customer
from application.catalog.ports import Catalog
from application.features.ports import Model, Models, Prompts, Schemas
from application.usage.limits import limits_of
from application.usage.ports import RateLimiter
from domain.catalog.feature import Feature
from domain.credits import Quantity
from domain.features.errors import InvalidInput
from domain.features.run import Call
from domain.features.tokens import most_tokens, units_of
from domain.ids import ReservationId
from domain.usage.limits import RateLimited, Standing

MARGIN = timedelta(seconds=30)
"""From a feature's timeout to its hold's deadline: to check the answer and to write it down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """``schema`` is the output schema as JSON text; ``estimate`` is the most that a run uses."""

    feature: Feature
    model: Model
    document: Mapping[str, object]
    prompt: str
    schema: str

    @property
    def estimate(self) -> Quantity:
        return Quantity(
            input_tokens=most_tokens(self.prompt, self.schema),
            output_tokens=self.feature.max_output_tokens,
            units=units_of(self.document, self.feature.units_from),
        )

    @property
    def lasts(self) -> timedelta:
        """From its beginning to its hold's deadline."""
        return timedelta(seconds=self.feature.timeout) + MARGIN

    def call(self, max_output_tokens: int) -> Call:
        return Call(
            feature=self.feature.key,
            document=self.document,
            prompt=self.prompt,
            schema=self.schema,
            max_output_tokens=max_output_tokens,
            timeout=self.feature.timeout,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareRun:
    catalog: Catalog
    schemas: Schemas
    prompts: Prompts
    models: Models

    async def __call__(self, actor: Customer, key: str, document: Mapping[str, object]) -> Prepared:
        """Raises FeatureNotAllowed, FeatureMissing, and what ``of`` raises."""
        return self.of(await self.feature(actor, key), document)

    async def feature(self, actor: Customer, key: str) -> Feature:
        """Raises FeatureNotAllowed, FeatureMissing."""
        actor.policy.check_feature(key)
        return await self.catalog.feature(key)

    def of(self, feature: Feature, document: Mapping[str, object]) -> Prepared:
        """Raises InvalidInput, ModelNotConfigured, PromptUnrenderable."""
        faults = self.schemas.input_faults(feature, document)
        if faults:
            raise InvalidInput(faults)
        return Prepared(
            feature=feature,
            model=self.models.find(feature.model),
            document=document,
            prompt=self.prompts.render(feature, document),
            schema=self.schemas.output_text(feature),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CountCall:
    catalog: Catalog
    limiter: RateLimiter

    async def __call__(
        self, actor: Customer, *, repeated: bool
    ) -> tuple[tuple[Standing, ...], RateLimited | None]:
        """Where it stands. A call that may be the repeat of one that was let in is not refused here.

        What would refuse it comes with the answer then. Raises RateLimited.
        """
        plan = await self.catalog.plan(actor.plan)
        limits = limits_of(plan, actor.key, actor.policy)
        try:
            return await self.limiter.hit(actor.workspace, actor.plan.product, limits), None
        except RateLimited as limited:
            if not repeated:
                raise
            return limited.standings, limited


# A reservation's request is its idempotency key as it came. No key holds a double quote (RFC 9651, section
# 3.3.3, and none with an escape is taken), so nothing that a client can say is the request of a run.
def request_of(idempotency_key: str, position: int = 0) -> str:
    """Of a run, or of the one at ``position`` of a batch."""
    return f'run"{idempotency_key}' + (f'"{position}' if position else "")


def anonymous(id: ReservationId) -> str:
    return f'run""{id}'


def fingerprint_of(actor: Customer, feature: str, *asked: object) -> str:
    whole = json.dumps([feature, actor.test, *asked], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
