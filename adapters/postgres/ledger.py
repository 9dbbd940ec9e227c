from collections.abc import Sequence
from datetime import datetime
from time import perf_counter
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.batching import Batcher
from adapters.postgres.books import lock, read_books
from adapters.postgres.driver import Connections, Driver, look_ups
from adapters.postgres.entries import write_entries
from adapters.postgres.faults import reaching
from adapters.postgres.terms import SqlTerms
from application.metrics import Meter
from application.ports import NewId
from application.usage.ports import Ledger
from domain.errors import DatabaseUnavailable, DomainError
from domain.usage.desk import Command, Desk
from domain.usage.errors import AccountMissing, ReservationMissing
from domain.usage.low import decide

T = TypeVar("T")
MOST_OVERDUE = 1000
"""Holds past their deadline that one transaction settles; with more of them it takes several."""


class SqlLedger(Ledger):
    """Group commit: the commands that arrive while one transaction runs share the next.

    Lock the accounts, load what the commands need, let each command decide, write everything back, commit,
    and only then answer. What a command refuses is its answer; it leaves the rest of the batch as it was.
    """

    def __init__(self, engine: AsyncEngine, terms: SqlTerms, new_id: NewId, meter: Meter) -> None:
        self._terms = terms
        self._new_id = new_id
        self._meter = meter
        self._connections = Connections(engine)
        self._batcher = Batcher[Command[Any], Any](self._serve, idle=self._connections.give_back)

    async def execute(self, command: Command[T]) -> T:
        return cast("T", await self._batcher.submit(command))

    async def close(self) -> None:
        """Every command taken on is written and answered."""
        await self._batcher.close()

    async def _serve(self, commands: Sequence[Command[Any]]) -> list[Any]:
        """One transaction; on a lost connection once more, on a new one, before that is the answer.

        Every command may be given twice, since it finds what it did the first time.
        """
        started = perf_counter()
        try:
            answers = await self._transact(commands)
        except DatabaseUnavailable:
            try:
                answers = await self._transact(commands)
            except DatabaseUnavailable:
                return self._counted(commands, [DatabaseUnavailable() for _ in commands])
        self._meter.batch(len(commands), perf_counter() - started)
        return self._counted(commands, answers)

    async def _transact(self, commands: Sequence[Command[Any]]) -> list[Any]:
        answers = None
        with reaching():
            async with self._connections.one() as driver:
                while answers is None:
                    async with look_ups(driver, lock({each.account for each in commands})):
                        answers = await self._decide_all(driver, commands)
                        if answers is not None:
                            self._batcher.pass_turn()  # to wait for the accounts while this one is committed
        return answers

    async def _decide_all(self, driver: Driver, commands: Sequence[Command[Any]]) -> list[Any] | None:
        """None, and some of it done, where more holds ran out than one transaction should see to."""
        accounts = {command.account for command in commands}
        books = await read_books(driver, list(accounts), commands, most_overdue=MOST_OVERDUE)
        desks = {
            each.id: Desk(account=each, terms=await self._terms.of(each.plan, driver), new_id=self._new_id)
            for each in books.accounts
        }
        for lot in books.lots:
            desks[lot.account].lay((lot,), ())
        for reservation in books.reservations:
            desks[reservation.account].lay((), (reservation,))
        for run in books.runs:
            desks[run.account].runs[run.id] = run
        for limit in books.limits:
            desks[limit.account].lay((), (), (limit,))
        for desk in desks.values():
            desk.open(books.now)
        answers = None
        if not books.behind:
            answers = [_decide(command, desks.get(command.account), books.now) for command in commands]
        await write_entries(driver, list(desks.values()))
        return answers

    def _counted(self, commands: Sequence[Command[Any]], answers: list[Any]) -> list[Any]:
        """Only what is answered counts: a batch that failed is served again."""
        for command, answer in zip(commands, answers, strict=True):
            self._meter.command(type(command).__name__.lower(), _outcome(answer))
        return answers


def _decide(command: Command[Any], desk: Desk | None, now: datetime) -> Any:  # noqa: ANN401 - each has its own
    try:
        if desk is None:
            raise ReservationMissing if command.reservation else AccountMissing
        return decide(command, desk, now)
    except DomainError as refusal:
        return refusal


def _outcome(answer: object) -> str:
    if isinstance(answer, DomainError):
        return answer.code
    return "replayed" if getattr(answer, "replayed", False) else "done"
