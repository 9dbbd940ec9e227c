"""Commands are served together, in order, and each gets its own answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from adapters.batching import Batcher


@dataclass
class Server:
    """Doubles numbers, refuses negative ones, and breaks on 13. Works only while its gate is open."""

    batches: list[list[int]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    rested: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def serve(self, commands: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(commands))
        await self.gate.wait()
        if 13 in commands:
            raise ZeroDivisionError
        return [ValueError(each) if each < 0 else each * 2 for each in commands]

    async def rest(self) -> None:
        self.rested += 1


@pytest.fixture
def server() -> Server:
    return Server()


async def queued(batcher: Batcher[int, int], *commands: int) -> list[asyncio.Task[int]]:
    """Submitted, and not yet answered."""
    tasks = [asyncio.create_task(batcher.submit(each)) for each in commands]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_a_command_alone_waits_for_nobody(server: Server) -> None:
    assert await Batcher(server.serve).submit(4) == 8
    assert server.batches == [[4]]


async def test_what_comes_while_a_batch_is_served_is_the_next_in_order_of_arrival(server: Server) -> None:
    batcher = Batcher(server.serve)
    server.gate.clear()
    first = await queued(batcher, 1)
    others = await queued(batcher, 5, 3, 4)
    assert server.batches == [[1]]
    server.gate.set()
    assert await asyncio.gather(*first, *others) == [2, 10, 6, 8]
    assert server.batches == [[1], [5, 3, 4]]


async def test_a_batch_is_no_larger_than_its_limit(server: Server) -> None:
    batcher = Batcher(server.serve, limit=3)
    assert await asyncio.gather(*map(batcher.submit, range(8))) == [each * 2 for each in range(8)]
    assert [len(each) for each in server.batches] == [3, 3, 2]


async def test_a_refusal_is_the_answer_of_one(server: Server) -> None:
    batcher = Batcher(server.serve)
    answers = await asyncio.gather(*map(batcher.submit, (1, -2, 3)), return_exceptions=True)
    assert answers[::2] == [2, 6]
    assert isinstance(answers[1], ValueError)
    assert server.batches == [[1, -2, 3]]


async def test_a_batch_that_breaks_is_served_one_by_one(server: Server) -> None:
    batcher = Batcher(server.serve)
    answers = await asyncio.gather(*map(batcher.submit, (1, 13, 3)), return_exceptions=True)
    assert answers[::2] == [2, 6]
    assert isinstance(answers[1], ZeroDivisionError)
    assert server.batches == [[1, 13, 3], [1], [13], [3]]


async def test_it_works_on_after_a_break(server: Server) -> None:
    batcher = Batcher(server.serve)
    with pytest.raises(ZeroDivisionError):
        await batcher.submit(13)
    assert await batcher.submit(1) == 2


async def test_whoever_leaves_before_a_batch_is_not_in_it(server: Server) -> None:
    batcher = Batcher(server.serve)
    server.gate.clear()
    first = await queued(batcher, 1)
    leaving, staying = await queued(batcher, 2, 3)
    leaving.cancel()
    await asyncio.sleep(0)
    server.gate.set()
    assert await asyncio.gather(*first, staying) == [2, 6]
    assert server.batches == [[1], [3]]


async def test_a_batch_that_everybody_left_is_not_served(server: Server) -> None:
    batcher = Batcher(server.serve)
    server.gate.clear()
    first, *leaving = await queued(batcher, 1, 2, 3)
    assert server.batches == [[1, 2, 3]]
    later = await queued(batcher, 4)
    for each in (*leaving, *later):
        each.cancel()
    await asyncio.sleep(0)
    server.gate.set()
    assert await first == 2
    await batcher.close()
    assert server.batches == [[1, 2, 3]]


async def test_the_next_batch_begins_where_the_turn_is_passed() -> None:
    committed = asyncio.Event()
    batches: list[list[int]] = []

    async def serve(commands: Sequence[int]) -> list[int]:
        batches.append(list(commands))
        batcher.pass_turn()
        await committed.wait()
        return list(commands)

    batcher = Batcher[int, int](serve)
    first = await queued(batcher, 1)
    second = await queued(batcher, 2, 3)
    assert batches == [[1], [2, 3]]
    committed.set()
    assert await asyncio.gather(*first, *second) == [1, 2, 3]


async def test_only_the_batch_whose_turn_it_is_can_pass_it(server: Server) -> None:
    batcher = Batcher(server.serve)
    server.gate.clear()
    first = await queued(batcher, 1)
    later = await queued(batcher, 2)
    batcher.pass_turn()
    await asyncio.sleep(0)
    assert server.batches == [[1]]
    server.gate.set()
    assert await asyncio.gather(*first, *later) == [2, 4]


async def test_closing_waits_for_whatever_was_submitted(server: Server) -> None:
    batcher = Batcher(server.serve)
    await batcher.close()
    server.gate.clear()
    tasks = [*await queued(batcher, 1), *await queued(batcher, 2)]
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0)
    assert not closing.done()
    server.gate.set()
    await closing
    assert [each.result() for each in tasks] == [2, 4]


async def test_it_rests_when_nothing_waits_and_only_then(server: Server) -> None:
    batcher = Batcher(server.serve, idle=server.rest)
    server.gate.clear()
    tasks = [*await queued(batcher, 1), *await queued(batcher, 2)]
    server.gate.set()
    await asyncio.gather(*tasks)
    await batcher.close()
    assert (len(server.batches), server.rested) == (2, 1)
    await batcher.submit(3)
    await batcher.close()
    assert server.rested == 2


async def test_what_comes_while_it_rests_is_served(server: Server) -> None:
    resting, wake = asyncio.Event(), asyncio.Event()

    async def rest() -> None:
        resting.set()
        await wake.wait()

    batcher = Batcher(server.serve, idle=rest)
    assert await batcher.submit(1) == 2
    await resting.wait()
    late = await queued(batcher, 2)
    wake.set()
    assert await asyncio.gather(*late) == [4]
