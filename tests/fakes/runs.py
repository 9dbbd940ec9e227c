"""Everything that a run needs, in memory, with a database that can be away."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from uuid_utils.compat import uuid7

from adapters.memory.ledger import MemoryLedger
from adapters.memory.limits import MemoryRateLimiter
from adapters.memory.runs import MemoryRuns
from adapters.memory.usage import MemoryUsageReader
from adapters.models.prompts import JinjaPrompts
from adapters.models.routed import RoutedModels
from adapters.security.schemas import JsonSchemas
from application.actor import Customer
from application.features.ask import AskModel
from application.features.books import RunBooks
from application.features.execute import ExecuteRun
from application.features.in_flight import InFlight
from application.features.ports import Runs
from application.features.prepare import CountCall, PrepareRun
from application.features.queued import QueueRuns
from application.features.run import RunFeature, RunResult
from application.usage.ports import Ledger
from application.usage.terms import terms_of
from domain.catalog.feature import Feature
from domain.catalog.plan import Plan, Tariff
from domain.credits import MICRO, ONE
from domain.errors import DatabaseUnavailable
from domain.features.run import Outcome
from domain.ids import AccountId, KeyId, LotId, PlanRef, ReservationId, WorkspaceId
from domain.usage.account import Account
from domain.usage.desk import Command, Desk
from domain.usage.grant import Grant
from domain.usage.lot import Source
from domain.usage.reservation import Reservation
from domain.usage.terms import Terms
from tests.fakes.catalog import FakeCatalog
from tests.fakes.features import ScriptedModel, SetClock, a_feature, said
from tests.fakes.queued import FakeQueuedRuns

T = TypeVar("T")
AT = datetime.fromisoformat("2026-11-01T00:00:00Z")


def a_plan(features: Iterable[Feature], **changes: Any) -> Plan:  # noqa: ANN401 - any of its fields
    fields: dict[str, Any] = {
        "product": "api",
        "key": "team",
        "version": 1,
        "name": "Team",
        "description": "",
        "price": 100,
        "currency": "USD",
        "seats": 1,
        "allocation": 0,
        "overdraft": 0,
        "multiplier": ONE,
        "per_minute": None,
        "per_day": None,
        "tariffs": {
            each.key: Tariff(
                feature=each.key,
                price_version=each.price_version,
                price=each.price,
                on_timeout=each.on_timeout,
            )
            for each in features
        },
    }
    return Plan(**{**fields, **changes})


@dataclass
class Away:
    """How often a database will be away when something is asked of it, by name; and what was asked."""

    times: Counter[str] = field(default_factory=Counter)
    after: set[str] = field(default_factory=set)
    """What is done all the same, before the connection is lost."""
    twice: set[str] = field(default_factory=set)
    """What is sent again, because nobody heard the first answer."""
    asked: list[str] = field(default_factory=list)

    def check(self, name: str, *, done: bool) -> None:
        if not done:
            self.asked.append(name)
        if self.times[name] and done == (name in self.after):
            self.times[name] -= 1
            raise DatabaseUnavailable


@dataclass
class UncertainLedger(Ledger):
    real: MemoryLedger
    away: Away

    async def execute(self, command: Command[T]) -> T:
        name = type(command).__name__
        self.away.check(name, done=False)
        answer = await self.real.execute(command)
        if name in self.away.twice:
            answer = await self.real.execute(command)
        self.away.check(name, done=True)
        return answer


@dataclass
class UncertainRuns(Runs):
    real: MemoryRuns
    away: Away

    async def keep(self, account: AccountId, id: ReservationId, outcome: Outcome) -> None:
        self.away.check("keep", done=False)
        await self.real.keep(account, id, outcome)
        self.away.check("keep", done=True)

    async def find(self, account: AccountId, id: ReservationId) -> Outcome | None:
        return await self.real.find(account, id)


class Stage:
    """One account of a customer's, one feature, one model."""

    def __init__(self, feature: Feature | None = None, **plan: Any) -> None:  # noqa: ANN401
        self.feature = feature or a_feature()
        self.plan = a_plan([self.feature], **plan)
        self.clock = SetClock()
        self.catalog = FakeCatalog.of(self.feature, self.plan, at=AT)
        self.away = Away()
        self.memory = MemoryLedger(self._terms, self.clock, uuid7)
        self.ledger = UncertainLedger(self.memory, self.away)
        self.runs = UncertainRuns(MemoryRuns(), self.away)
        self.model = ScriptedModel(said('{"text": "hi"}'))
        self.in_flight = InFlight()
        self.customer = Customer(
            key=KeyId(uuid7()),
            test=False,
            workspace=WorkspaceId(uuid7()),
            account=AccountId(uuid7()),
            plan=PlanRef(self.plan.product, self.plan.key, self.plan.version),
        )
        schemas = JsonSchemas()
        self.prepare = PrepareRun(
            catalog=self.catalog,
            schemas=schemas,
            prompts=JinjaPrompts(),
            models=RoutedModels({"default": self.model}),
        )
        self.count = CountCall(catalog=self.catalog, limiter=MemoryRateLimiter())
        self.queued_runs = FakeQueuedRuns(self.memory, self.clock)
        self.queue = QueueRuns(
            prepare=self.prepare,
            count=self.count,
            ledger=self.ledger,
            runs=self.queued_runs,
            new_id=uuid7,
        )
        self.execute = ExecuteRun(
            ledger=self.ledger,
            runs=self.queued_runs,
            usage=MemoryUsageReader(self.memory, self.clock),
            catalog=self.catalog,
            prepare=self.prepare,
            ask=AskModel(schemas=schemas, clock=self.clock),
            new_id=uuid7,
        )
        self.run_feature = RunFeature(
            prepare=self.prepare,
            count=self.count,
            books=RunBooks(ledger=self.ledger, runs=self.runs, pauses=(0, 0)),
            ask=AskModel(schemas=schemas, clock=self.clock),
            new_id=uuid7,
            in_flight=self.in_flight,
        )

    async def run(self, text: object = "hello", *, key: str | None = None) -> RunResult:
        return await self.run_feature(self.customer, "echo", {"text": text}, idempotency_key=key)

    def in_background(self, *, key: str | None = None) -> asyncio.Task[RunResult]:
        return asyncio.create_task(self.run(key=key))

    def as_test(self) -> None:
        self.customer = replace(self.customer, test=True)

    @property
    def desk(self) -> Desk:
        return self.memory.desks[self.customer.account]

    @property
    def books(self) -> tuple[int, int, int]:
        """Credits that are free, held and spent, in microcredits."""
        lots = self.desk.lots.values()
        return sum(lot.free for lot in lots), sum(lot.held for lot in lots), sum(lot.spent for lot in lots)

    @property
    def reservation(self) -> Reservation:
        """The only one."""
        (reservation,) = self.desk.reservations.values()
        return reservation

    async def _terms(self, _: PlanRef) -> Terms:
        return terms_of(self.plan)


async def opened(feature: Feature | None = None, *, granted: int = 1000, **plan: Any) -> Stage:  # noqa: ANN401
    """With an account that was granted so many credits."""
    stage = Stage(feature, **plan)
    account = Account(
        id=stage.customer.account,
        workspace=stage.customer.workspace,
        plan=stage.customer.plan,
        frozen=False,
        anchor=AT,
    )
    await stage.memory.open(account)
    grant = Grant(
        account=account.id, id=LotId(uuid7()), source=Source.TOP_UP, amount=granted * MICRO, reference="first"
    )
    await stage.memory.execute(grant)
    return stage
