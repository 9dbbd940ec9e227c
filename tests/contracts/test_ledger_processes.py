"""Processes that know nothing of each other share one account."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from queue import Empty
from uuid import UUID

import pytest

from domain.ids import AccountId
from domain.usage.errors import InsufficientCredits
from domain.usage.reserve import Reserved
from tests.contracts.sql_banks import SqlBank, sql_bank
from tests.contracts.tellers import Teller, a_teller

PROCESSES = 2
CALLS = 150
AT_ONCE = 8
FIT = 100
SHARED = 20
"""So many requests are sent by every process."""


@dataclass(frozen=True)
class Report:
    held: int
    refused: int
    shared: dict[str, UUID]
    first: set[str]
    """Which of the shared requests it was the first to make."""


async def hammer(url: str, account: UUID, start: Barrier) -> Report:
    async with sql_bank(url) as bank:
        teller = Teller(bank, AccountId(account))
        await asyncio.to_thread(start.wait, 30)
        orders = [teller.order(1, request=f"shared {each}") for each in range(SHARED)]
        orders += [teller.order(1) for _ in range(CALLS)]
        answers: list[Reserved | BaseException] = []
        for at in range(0, len(orders), AT_ONCE):
            batch = map(bank.ledger.execute, orders[at : at + AT_ONCE])
            answers += await asyncio.gather(*batch, return_exceptions=True)
        given = [each for each in answers if isinstance(each, Reserved)]
        await asyncio.gather(*(teller.commit(each.reservation.id, 1) for each in given))
        shared = {
            each.reservation.request: each for each in given if each.reservation.request.startswith("shared")
        }
        return Report(
            held=len([each for each in given if not each.replayed]),
            refused=len([each for each in answers if isinstance(each, InsufficientCredits)]),
            shared={request: each.reservation.id for request, each in shared.items()},
            first={request for request, each in shared.items() if not each.replayed},
        )


def work(url: str, account: UUID, start: Barrier, reports: "multiprocessing.Queue[Report]") -> None:
    reports.put(asyncio.run(hammer(url, account, start)))


def gathered(url: str, account: UUID) -> Iterator[Report]:
    """What each process has to say, once all have ended."""
    context = multiprocessing.get_context("spawn")
    start, reports = context.Barrier(PROCESSES), context.Queue()
    processes = [
        context.Process(target=work, args=(url, account, start, reports), daemon=True)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    try:
        for _ in processes:
            yield reports.get(timeout=60)
    except Empty:
        pytest.fail(f"a process ended without a word: {[each.exitcode for each in processes]}")
    finally:
        for process in processes:
            process.join(30)
            assert process.exitcode == 0
            process.close()
        reports.close()
        reports.join_thread()


async def test_two_processes_spend_what_there_is_and_not_one_credit_more(
    contract_database: str, postgres: SqlBank
) -> None:
    teller = await a_teller(postgres, FIT)
    reports = await asyncio.to_thread(lambda: list(gathered(contract_database, teller.account)))
    assert sum(each.held for each in reports) == FIT
    assert sum(each.refused for each in reports) == PROCESSES * (CALLS + SHARED) - FIT - SHARED
    one, other = reports
    assert one.shared == other.shared
    assert len(one.shared) == SHARED
    assert not one.first & other.first
    books = await postgres.books(teller.account)
    assert (books.held, books.spent, len(books.records)) == (0, FIT, FIT)
