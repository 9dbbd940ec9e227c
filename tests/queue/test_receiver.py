"""A message is decoded, acted on, and judged, without a broker."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from dishka import AsyncContainer, make_async_container
from msgspec import Struct

import entrypoints.queue.receiver as module
from application.events.bell import Bell
from application.events.errors import BrokerUnavailable
from application.events.ports import Envelope
from domain.errors import DatabaseUnavailable
from domain.events import WAITS, Again, Dead, Done, EventId
from domain.notifications.errors import MailDelayed, MailRefused
from entrypoints.queue.receiver import Consumer, Delivery, Handler, Receiver
from entrypoints.queue.worker import ConsumerMissing, chosen, relaying
from tests.fakes.clock import NOON
from tests.fakes.meter import CountingMeter


class Happened(Struct, frozen=True, forbid_unknown_fields=True):
    what: str


@dataclass
class Actor:
    """Does as it is told: raises ``faults``, one each, and then acts."""

    faults: list[Exception] = field(default_factory=list)
    acted: list[tuple[str, EventId, str]] = field(default_factory=list)

    async def __call__(self, _: AsyncContainer, delivery: Delivery, message: Happened) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.acted.append((delivery.consumer, delivery.id, message.what))


def an_envelope(body: str = '{"what": "this"}', *, kind: str = "a.happened", version: int = 1) -> Envelope:
    return Envelope(
        id=EventId(uuid4()), kind=kind, version=version, workspace=None, occurred_at=NOON, body=body
    )


@pytest.fixture
def actor() -> Actor:
    return Actor()


@pytest.fixture
def meter() -> CountingMeter:
    return CountingMeter()


@pytest.fixture
async def receive(actor: Actor, meter: CountingMeter) -> Receiver:
    consumer = Consumer(name="acts", handlers={("a.happened", 1): Handler(Happened, actor)})
    return Receiver(make_async_container(), [consumer], meter)


async def test_a_message_is_acted_on(receive: Receiver, actor: Actor) -> None:
    envelope = an_envelope()
    assert await receive("acts", envelope, 0) == Done()
    assert actor.acted == [("acts", envelope.id, "this")]


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (an_envelope(kind="b.happened"), "acts has no handler for b.happened in version 1"),
        (an_envelope(kind=""), "acts has no handler for a message without a kind in version 1"),
        (an_envelope(version=2), "acts has no handler for a.happened in version 2"),
        (an_envelope("{"), "it cannot be read: "),
        (an_envelope('{"what": 7}'), "it cannot be read: Expected `str`, got `int` - at `$.what`"),
        (an_envelope('{"what": "this", "more": 1}'), "it cannot be read: Object contains unknown field"),
        (an_envelope('{"what": "\\ud800"}'), "it cannot be read: "),
    ],
)
async def test_what_makes_no_sense_is_dead_at_once(
    receive: Receiver, actor: Actor, envelope: Envelope, reason: str
) -> None:
    verdict = await receive("acts", envelope, 0)
    assert isinstance(verdict, Dead)
    assert verdict.reason.startswith(reason)
    assert actor.acted == []


async def test_what_fails_is_judged_by_its_error(
    receive: Receiver, actor: Actor, meter: CountingMeter, caplog: pytest.LogCaptureFixture
) -> None:
    actor.faults += [MailRefused("secret"), MailDelayed("secret"), RuntimeError("a bug")]
    assert await receive("acts", an_envelope(), 0) == Dead("mail_refused")
    assert await receive("acts", an_envelope(), 1) == Again(WAITS[1], 2)
    assert "secret" not in caplog.text
    assert await receive("acts", an_envelope(), 3) == Dead("RuntimeError, 4 times")
    assert "a bug" in caplog.text
    assert meter.messages == {("acts", "dead"): 2, ("acts", "again"): 1}


async def test_a_database_that_is_away_is_waited_for_and_is_no_attempt(
    receive: Receiver, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AWAY_SECONDS", 0)
    actor.faults += [DatabaseUnavailable() for _ in range(9)]
    assert await receive("acts", an_envelope(), 3) == Done()
    assert len(actor.acted) == 1


def test_consumers_are_chosen_by_name() -> None:
    names = [each.name for each in chosen(())]
    assert [each.name for each in chosen([names[1]])] == [names[1]]
    with pytest.raises(ConsumerMissing, match="there are mail"):
        chosen(["nobody"])


async def test_a_relay_goes_on_when_the_broker_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entrypoints.queue.worker.POLL", 0.001)
    monkeypatch.setattr("entrypoints.queue.worker.BATCH", 2)
    stop = asyncio.Event()
    script: list[int | BrokerUnavailable] = [2, 1, BrokerUnavailable("away"), 0]
    said: list[Any] = []

    async def relay() -> int:
        step = script.pop(0) if script else 0
        said.append(step)
        if len(said) == 6:
            stop.set()
        if isinstance(step, BrokerUnavailable):
            raise step
        return step

    await asyncio.wait_for(relaying(relay, Bell(), stop), 10)  # type: ignore[arg-type] # as it is called
    assert len(said) == 6
