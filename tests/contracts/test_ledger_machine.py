"""Whatever is asked in whatever order, a ledger does as a simple model of it says."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from fractions import Fraction
from typing import ClassVar, TypeVar
from uuid import UUID

import uvloop
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from adapters.postgres.engine import make_engine
from domain.credits import ONE
from domain.ids import LimitId
from domain.usage.lot import Source
from tests.contracts.banks import Bank, MemoryBank, a_plan
from tests.contracts.ledger_model import Cap, Model, Pot
from tests.contracts.ledger_steps import STEPS, DoGrant, Scene, Step, plain
from tests.contracts.sql_banks import SqlBank

T = TypeVar("T")
Figures = tuple[int, int, int]
CAPS = st.tuples(st.sampled_from(["key", "other", "member", "shadow"]), st.integers(0, 20))
MULTIPLIERS = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(13, 10)])


class LedgerMachine(RuleBasedStateMachine):
    """Keeps few credits, so that refusals happen."""

    runner: ClassVar[asyncio.Runner]
    new_bank: ClassVar[Callable[[], Bank]]
    scene: Scene

    def run(self, work: Awaitable[T]) -> T:
        async def working() -> T:
            return await work

        return self.runner.run(working())

    @initialize(
        monthly=st.sampled_from([0, 10]),
        overdraft=st.sampled_from([0, 5]),
        multiplier=MULTIPLIERS,
        caps=st.lists(CAPS, unique_by=lambda each: each[0], max_size=4),
    )
    def open(self, monthly: int, overdraft: int, multiplier: Fraction, caps: list[tuple[str, int]]) -> None:
        bank = type(self).new_bank()
        plan = a_plan(monthly=monthly, overdraft=overdraft, multiplier=int(multiplier * ONE))
        self.scene = Scene(
            bank=bank,
            model=Model(multiplier=multiplier, monthly=monthly, overdraft=overdraft),
            account=self.run(bank.open(plan)),
            stranger=self.run(bank.open()),
            keys=(bank.new_id(), bank.new_id()),
            member=bank.new_id(),
        )
        self.caps: dict[LimitId, Cap] = {}
        for name, amount in caps:
            self._cap(name, amount)
        first = DoGrant("first", 12, Source.TOP_UP, None, None)
        self.run(self._ask([first]))

    def _cap(self, name: str, amount: int) -> None:
        scene = self.scene
        subject, keys = {
            "key": (scene.keys[0], {0}),
            "other": (scene.keys[1], {1}),
            "member": (scene.member, {0, 1}),
            "shadow": (scene.keys[1], {1}),
        }[name]
        cap = Cap(frozenset(keys), amount, shadow=name == "shadow")
        scene.model.caps.append(cap)
        made = scene.bank.limit(scene.account, subject, amount, shadow=cap.shadow)
        self.caps[self.run(made)] = cap

    @rule(steps=st.lists(STEPS, min_size=1, max_size=5))
    def ask(self, steps: list[Step]) -> None:
        self.run(self._ask(steps))

    @rule(hours=st.sampled_from([1, 2, 5]))
    def wait(self, hours: int) -> None:
        self.scene.model.elapse(hours)
        self.run(self.scene.bank.pass_by(self.scene.account, timedelta(hours=hours)))

    @rule(refused=st.lists(STEPS, max_size=1))
    def freeze_and_thaw(self, refused: list[Step]) -> None:
        self._turn()
        self.run(self._ask(refused))
        self._turn()

    @rule(refused=st.lists(STEPS, max_size=1))
    def park_and_unpark(self, refused: list[Step]) -> None:
        for parked in (True, False):
            self.scene.model.parked = parked
            self.run(self.scene.bank.park(self.scene.account, parked=parked))
            if parked:
                self.run(self._ask(refused))

    def _turn(self) -> None:
        self.scene.model.frozen = not self.scene.model.frozen
        self.run(self.scene.bank.freeze(self.scene.account, frozen=self.scene.model.frozen))

    @invariant()
    def balance_is_what_the_model_says(self) -> None:
        self.run(self._compare_balance())

    def teardown(self) -> None:
        if hasattr(self, "scene"):
            self.run(self.scene.bank.check())

    async def _ask(self, steps: list[Step]) -> None:
        scene = self.scene
        now = await scene.bank.now()
        sent = [each for step in steps if (each := step.send(scene, now)) is not None]
        answers = await asyncio.gather(
            *(scene.bank.ledger.execute(command) for command, _ in sent), return_exceptions=True
        )
        names = await self._names()
        assert [plain(each, names) for each in answers] == [expected for _, expected in sent]
        if any(command.account == scene.account for command, _ in sent):
            await self._compare_rows(names)

    async def _names(self) -> dict[UUID, str]:
        lots = (await self.scene.bank.books(self.scene.account)).lots
        return {id: self.scene.lots.get(id, lot.source) for id, lot in lots.items()}

    async def _compare_rows(self, names: dict[UUID, str]) -> None:
        books = await self.scene.bank.books(self.scene.account)
        stored = {names[id]: (lot.granted, lot.held, lot.spent) for id, lot in books.lots.items()}
        assert stored == {name: figures(pot) for name, pot in self.scene.model.pots.items()}
        limits = {id: (each.held, each.spent, each.refused) for id, each in books.limits.items()}
        assert limits == {id: (cap.held, cap.spent, cap.refused) for id, cap in self.caps.items()}
        states = {each.id: each.state for each in books.reservations}
        assert states == {id: ticket.state for id, ticket in self.scene.model.tickets.items()}

    async def _compare_balance(self) -> None:
        model = self.scene.model
        balance = await self.scene.bank.reader.balance(self.scene.account)
        own = [pot for pot in model.pots.values() if pot.name != "overdraft"]
        lent = model.pots.get("overdraft")
        assert balance.available == model.free
        assert balance.held == sum(pot.held for pot in own)
        assert balance.overdrawn == (lent.spent if lent else 0)
        shown = [pot for pot in own if pot.held or (pot.free and pot.ends > model.now)]
        expected = sorted(shown, key=lambda pot: (pot.priority, pot.ends, pot.age))
        assert [(lot.granted, lot.held, lot.spent) for lot in balance.lots] == list(map(figures, expected))


def figures(pot: Pot) -> Figures:
    return pot.granted, pot.held, pot.spent


def test_memory_keeps_the_books() -> None:
    with asyncio.Runner() as runner:

        class MemoryMachine(LedgerMachine):
            new_bank = MemoryBank

        MemoryMachine.runner = runner
        run_state_machine_as_test(
            MemoryMachine, settings=settings(max_examples=100, stateful_step_count=30, deadline=None)
        )


def test_postgres_keeps_the_books(contract_database: str) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        engine = make_engine(contract_database)

        class SqlMachine(LedgerMachine):
            @staticmethod
            def new_bank() -> Bank:
                return SqlBank(engine)

        SqlMachine.runner = runner
        run_state_machine_as_test(
            SqlMachine,
            settings=settings(
                max_examples=20,
                stateful_step_count=20,
                deadline=None,
                phases=[Phase.explicit, Phase.generate],  # shrinking is for memory: it is cheap there
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
        runner.run(engine.dispose())
