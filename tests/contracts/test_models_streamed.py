"""The adapter for a model's service, where somebody wants to hear how it goes on."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from domain.credits import Quantity
from domain.features.errors import ModelFailed
from domain.features.run import Finish
from tests.contracts.test_models import call
from tests.fakes.endpoint import Setting, a_setting, cases
from tests.fakes.upstream import Part, Received, answers, completion, says, streams


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    async with a_setting() as setting:
        yield setting


async def test_it_asks_for_a_stream_and_tells_how_it_goes_on(setting: Setting) -> None:
    setting.upstream.script.append(streams("Gray ", "is all ", "theory."))
    heard: list[int] = []
    told = await setting.model().complete(call(), heard.append)
    assert (told.text, told.finish) == ("Gray is all theory.", Finish.COMPLETE)
    assert told.usage == Quantity(input_tokens=20, output_tokens=5)
    assert heard == [2, 3, 5]
    (received,) = setting.upstream.received
    assert (received.body["stream"], received.body["stream_options"]) == (True, {"include_usage": True})


async def test_who_wants_to_hear_nothing_gets_it_in_one_piece(setting: Setting) -> None:
    await setting.complete(call(), says("all"))
    assert "stream" not in setting.upstream.received[0].body


async def test_it_is_told_while_the_rest_is_not_there_yet(setting: Setting) -> None:
    gate, heard = asyncio.Event(), asyncio.Queue[int]()
    setting.upstream.script.append(streams("four", "five", gate=gate))
    asking = asyncio.create_task(setting.model().complete(call(), heard.put_nowait))
    assert await heard.get() == 1
    assert not asking.done()
    gate.set()
    assert (await asking).text == "fourfive"
    assert heard.get_nowait() == 2


@pytest.mark.parametrize(
    ("part", "finish"),
    cases(
        cut=(streams("long", finish="length"), Finish.CUT_OFF),
        filtered=(streams("x", finish="content_filter"), Finish.REFUSED),
        refused=(streams(refusal="no"), Finish.REFUSED),
    ),
)
async def test_it_says_why_it_ended(setting: Setting, part: Part, finish: Finish) -> None:
    setting.upstream.script.append(part)
    assert (await setting.model().complete(call(), lambda _: None)).finish is finish


async def test_letters_may_come_in_two_parts_and_tokens_uncounted(setting: Setting) -> None:
    setting.upstream.script.append(streams("später", usage=None, bytewise=True))
    told = await setting.model().complete(call(), lambda _: None)
    assert (told.text, told.usage) == ("später", None)


async def test_one_that_breaks_off_is_asked_again(setting: Setting) -> None:
    setting.upstream.script += (streams("half", finish=None), streams("whole"))
    heard: list[int] = []
    assert (await setting.model().complete(call(), heard.append)).text == "whole"
    assert (heard, len(setting.pauses)) == ([1, 2], 1)


async def test_a_service_that_answers_at_once_is_understood(setting: Setting) -> None:
    setting.upstream.script.append(says("at once"))
    assert (await setting.model().complete(call(), lambda _: None)).text == "at once"


@pytest.mark.parametrize("status", [400, 422])
async def test_a_service_that_cannot_stream_is_asked_without_from_then_on(
    setting: Setting, status: int
) -> None:
    model = setting.model()
    setting.upstream.script += (answers(b"no such member", status=status), says("a"), says("b"))
    assert [(await model.complete(call(), lambda _: None)).text for _ in range(2)] == ["a", "b"]
    assert ["stream" in each.body for each in setting.upstream.received] == [True, False, False]
    assert setting.pauses == []


async def test_what_it_refuses_either_way_has_failed(setting: Setting) -> None:
    setting.upstream.script += (answers(b"", status=400), answers(b"", status=400))
    with pytest.raises(ModelFailed):
        await setting.model().complete(call(), lambda _: None)


@pytest.mark.parametrize("sent", [b"data: {]\n\n", b"data: 7\n\n", b"data: " + b"[" * 5000 + b"\n\n"])
async def test_what_is_no_stream_has_failed(setting: Setting, sent: bytes) -> None:
    setting.upstream.script.append(answers(sent, content_type="text/event-stream"))
    with pytest.raises(ModelFailed):
        await setting.model().complete(call(), lambda _: None)


@pytest.mark.parametrize("piece", ["x" * 30000, ""])
async def test_a_stream_without_end_is_given_up(setting: Setting, piece: str) -> None:
    async def flood(_: Received, writer: asyncio.StreamWriter) -> None:
        event = b"data: " + msgspec.json.encode({"choices": [{"delta": {"content": piece}}]}) + b"\n\n"
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        while True:
            writer.write(event)
            await writer.drain()

    setting.upstream.script.append(flood)
    with pytest.raises(ModelFailed):
        await setting.model().complete(call(), lambda _: None)


async def test_an_answer_in_one_piece_may_say_nothing_of_streams(setting: Setting) -> None:
    setting.upstream.script.append(answers(completion("x"), content_type="application/json; charset=utf-8"))
    assert (await setting.model().complete(call(), lambda _: None)).text == "x"
