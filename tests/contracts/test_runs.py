"""How a run ended is kept as it was."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.memory.runs import MemoryRuns
from adapters.postgres.engine import make_engine
from adapters.postgres.runs import SqlRuns
from application.features.ports import Runs
from domain.credits import Quantity
from domain.errors import DatabaseUnavailable
from domain.features.errors import (
    ModelFailed,
    ModelLate,
    ModelRefused,
    OutputInvalid,
    OutputTruncated,
    OutputUnaffordable,
    RunFailure,
)
from domain.features.run import Failed, Outcome, Produced
from domain.ids import AccountId, ReservationId
from tests.contracts.conftest import SERVERS

DATABASES = {"embedded": "shared_database", "installed": "installed_database"}


@pytest.fixture(params=["memory", *SERVERS])
def url(request: pytest.FixtureRequest) -> str | None:
    """Of a database; none for memory."""
    name = DATABASES.get(request.param)
    return name and request.getfixturevalue(name)


@pytest.fixture
async def runs(url: str | None) -> AsyncIterator[Runs]:
    if url is None:
        yield MemoryRuns()
        return
    engine = make_engine(url)
    yield SqlRuns(engine)
    await engine.dispose()


def new() -> tuple[AccountId, ReservationId]:
    return AccountId(uuid4()), ReservationId(uuid4())


def produced(output: object) -> Produced:
    usage = Quantity(input_tokens=1, output_tokens=2, units=3)
    return Produced(output=output, model="local", usage=usage, latency_ms=40)


async def test_a_run_that_was_never_kept_is_not_found(runs: Runs) -> None:
    assert await runs.find(*new()) is None


@pytest.mark.parametrize(
    "output",
    [
        pytest.param({"z": 1, "a": [True, None, "ä"]}, id="an object"),
        pytest.param("a\0b\ud7ff\U0001f600", id="a text with a NUL"),
        pytest.param([1.5, 10**30, -0.0], id="numbers"),
        pytest.param(None, id="null"),
        pytest.param("x" * 200_000, id="a long text"),
    ],
)
async def test_what_was_produced_comes_back_as_it_was(runs: Runs, output: object) -> None:
    account, id = new()
    await runs.keep(account, id, produced(output))
    found = await runs.find(account, id)
    assert found == produced(output)
    assert isinstance(found, Produced)
    assert repr(found.output) == repr(output)


@pytest.mark.parametrize(
    "error",
    [
        ModelFailed(),
        ModelFailed(503),
        ModelLate(20),
        ModelRefused(),
        OutputInvalid("/a", "too long"),
        OutputTruncated(100),
        OutputUnaffordable(7),
    ],
    ids=repr,
)
async def test_a_failure_comes_back_as_it_was(runs: Runs, error: RunFailure) -> None:
    account, id = new()
    await runs.keep(account, id, Failed(error))
    found = await runs.find(account, id)
    assert isinstance(found, Failed)
    assert type(found.error) is type(error)
    assert str(found.error) == str(error)


async def test_the_first_outcome_stays(runs: Runs) -> None:
    account, id = new()
    await runs.keep(account, id, produced("first"))
    await runs.keep(account, id, produced("second"))
    assert await runs.find(account, id) == produced("first")


async def test_of_two_at_once_one_stays(runs: Runs) -> None:
    account, id = new()
    outcomes: list[Outcome] = [produced(number) for number in range(8)]
    await asyncio.gather(*(runs.keep(account, id, outcome) for outcome in outcomes))
    assert await runs.find(account, id) in outcomes


async def test_another_account_does_not_find_it(runs: Runs) -> None:
    account, id = new()
    await runs.keep(account, id, produced("mine"))
    assert await runs.find(AccountId(uuid4()), id) is None


async def test_a_database_that_is_away_is_told_as_such() -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/nothing")
    runs = SqlRuns(engine)
    with pytest.raises(DatabaseUnavailable):
        await runs.find(*new())
    with pytest.raises(DatabaseUnavailable):
        await runs.keep(*new(), produced("lost"))
    await engine.dispose()
