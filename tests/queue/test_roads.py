"""What RabbitMQ and PostgreSQL alone do alike for the messages that travel by them."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from application.events.ports import Envelope
from domain.events import Again, Dead, Done, Verdict
from domain.ids import WorkspaceId
from tests.queue.conftest import WAITS, Road, until


async def test_each_consumer_of_its_kind_gets_it_once_and_no_other(road: Road) -> None:
    envelope = road.envelope()
    async with road.working():
        await road.publisher.publish([envelope, road.envelope(2)])
        await until(lambda: len(road.seen) == 3)
    mine = sorted(each.consumer for each in road.subscriptions[:2])
    assert sorted(name for name, id, _ in road.seen if id == envelope.id) == mine


async def test_it_arrives_as_it_was_sent(road: Road) -> None:
    arrived: list[Envelope] = []

    async def keep(envelope: Envelope, _attempt: int) -> Verdict:
        arrived.append(envelope)
        return Done()

    sent = road.envelope(workspace=WorkspaceId(uuid4()))
    async with road.working(keep, only=0):
        await road.publisher.publish([sent])
        await until(lambda: arrived)
    assert arrived == [sent]


async def test_what_was_sent_before_anybody_listened_waits(road: Road) -> None:
    async with road.working():
        pass
    await road.publisher.publish([road.envelope() for _ in range(20)])
    async with road.working():
        await until(lambda: len(road.seen) == 40)


async def test_what_is_put_off_comes_again_with_its_number_and_only_to_whom_it_failed(road: Road) -> None:
    failing = road.subscriptions[0].consumer

    async def fail(_envelope: Envelope, attempt: int) -> Verdict:
        mine = road.seen[-1][0] == failing
        return Again(WAITS[attempt], attempt + 1) if mine and attempt < 2 else Done()

    async with road.working(fail):
        await road.publisher.publish([road.envelope()])
        await until(lambda: len(road.seen) == 4)
    assert [attempt for name, _, attempt in road.seen if name == failing] == [0, 1, 2]


async def test_a_dead_one_is_buried_with_its_reason(road: Road) -> None:
    async def die(_envelope: Envelope, _attempt: int) -> Verdict:
        return Dead("it makes no sense")

    envelope = road.envelope()
    async with road.working(die, only=0):
        await road.publisher.publish([envelope])
        await until(lambda: road.buried)
    assert road.buried == [(road.subscriptions[0].consumer, envelope, 1, "it makes no sense")]


async def test_what_is_sent_to_one_consumer_comes_to_no_other(road: Road) -> None:
    async with road.working():
        again = replace(road.envelope(), consumer=road.subscriptions[1].consumer)
        await road.publisher.publish([again, road.envelope(2)])
        await until(lambda: len(road.seen) == 2)
    assert {name for name, id, _ in road.seen if id == again.id} == {road.subscriptions[1].consumer}


async def test_no_process_has_more_at_once_than_it_asked_for(road: Road) -> None:
    at_once, most, free = 0, 0, asyncio.Event()

    async def hold(_envelope: Envelope, _attempt: int) -> Verdict:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await free.wait()
        at_once -= 1
        return Done()

    async with road.working(hold, only=0):
        await road.publisher.publish([road.envelope() for _ in range(12)])
        await until(lambda: at_once == 4)
        free.set()
        await until(lambda: len(road.seen) == 12)
    assert most == 4


async def test_two_processes_share_the_work_and_none_is_done_twice(road: Road) -> None:
    sent = [road.envelope() for _ in range(60)]
    async with road.working(only=0), road.working(only=0):
        await road.publisher.publish(sent)
        await until(lambda: len(road.seen) >= 60)
    assert sorted(id for _, id, _ in road.seen) == sorted(each.id for each in sent)


async def test_who_stops_finishes_what_it_began(road: Road) -> None:
    begun, finished = asyncio.Event(), []

    async def slow(envelope: Envelope, _attempt: int) -> Verdict:
        begun.set()
        await asyncio.sleep(0.2)
        finished.append(envelope.id)
        return Done()

    async with road.working(slow, only=0):
        await road.publisher.publish([road.envelope()])
        await begun.wait()
    assert len(finished) == 1
    async with road.working(only=0):
        await road.publisher.publish([road.envelope()])
        await until(lambda: len(road.seen) == 2)


async def test_who_stops_and_cannot_finish_hands_it_back(road: Road) -> None:
    begun = asyncio.Event()

    async def endless(_envelope: Envelope, _attempt: int) -> Verdict:
        begun.set()
        await asyncio.Event().wait()
        return Done()

    async with road.working(endless, only=0, grace=0.05):
        await road.publisher.publish([road.envelope()])
        await begun.wait()
    async with road.working(only=0):
        await until(lambda: len(road.seen) == 2, within=5)
    assert len({id for _, id, _ in road.seen}) == 1


async def test_within_a_workspace_they_come_in_order_though_one_fails(road: Road) -> None:
    workspaces = [WorkspaceId(uuid4()) for _ in range(3)]
    sent = [road.envelope(2, workspaces[nth % 3]) for nth in range(30)]
    ended: list[Envelope] = []

    async def stumble(envelope: Envelope, attempt: int) -> Verdict:
        await asyncio.sleep(0)
        if envelope.id == sent[4].id and attempt == 0:
            return Again(timedelta(seconds=0.1), 1)
        ended.append(envelope)
        return Done()

    async with road.working(stumble, only=2), road.working(stumble, only=2):
        await road.publisher.publish(sent)
        await until(lambda: len(ended) == 30)
    for workspace in workspaces:
        order = [each.id for each in ended if each.workspace == workspace]
        assert order == [each.id for each in sent if each.workspace == workspace]


async def test_a_dead_one_does_not_hold_up_those_behind_it(road: Road) -> None:
    workspace = WorkspaceId(uuid4())
    sent = [road.envelope(2, workspace) for _ in range(3)]

    async def die(envelope: Envelope, _attempt: int) -> Verdict:
        return Dead("no") if envelope.id == sent[0].id else Done()

    async with road.working(die, only=2):
        await road.publisher.publish(sent)
        await until(lambda: len(road.seen) == 3)
        await until(lambda: road.buried)
