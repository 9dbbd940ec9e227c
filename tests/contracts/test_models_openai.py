"""The adapter for a model's service: what it sends, and what it makes of what comes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from adapters.models.http import ModelHttp
from adapters.models.openai import ATTEMPTS, INSTRUCTION, Endpoint, OpenAIModel, SchemaBy
from domain.credits import Quantity
from domain.features.errors import ModelFailed
from domain.features.run import Finish
from tests.contracts.test_models import call
from tests.fakes.endpoint import KEY, LARGEST, Setting, a_setting, cases
from tests.fakes.features import SetClock
from tests.fakes.upstream import Part, Upstream, answers, babbles, floods, hangs, hangs_up, says


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    async with a_setting() as setting:
        yield setting


async def test_it_asks_in_the_form_of_chat_completions(setting: Setting) -> None:
    await setting.model().complete(call("hello", schema='{"type":"object"}', max_output_tokens=9))
    (received,) = setting.upstream.received
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.headers["content-type"] == "application/json"
    assert received.body == {
        "model": "local",
        "messages": [
            {"role": "system", "content": INSTRUCTION + '{"type":"object"}'},
            {"role": "user", "content": '"hello"'},
        ],
        "max_tokens": 9,
        "response_format": {"type": "json_object"},
    }


async def test_a_server_that_knows_schemas_gets_the_schema(setting: Setting) -> None:
    await setting.model(schema_by=SchemaBy.JSON_SCHEMA).complete(call(schema='{"type":"array"}'))
    (received,) = setting.upstream.received
    assert [each["role"] for each in received.body["messages"]] == ["user"]
    assert received.body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "echo", "schema": {"type": "array"}},
    }


async def test_a_server_that_knows_no_form_is_told_in_words(setting: Setting) -> None:
    await setting.model(schema_by=SchemaBy.PROMPT).complete(call(schema='{"type":"array"}'))
    (received,) = setting.upstream.received
    assert received.body["messages"][0]["content"].endswith('{"type":"array"}')
    assert "response_format" not in received.body


async def test_openai_itself_names_the_bound_otherwise(setting: Setting) -> None:
    model = setting.model(base_url="https://api.openai.com/v1")
    assert '"max_completion_tokens":9' in model.body(call(max_output_tokens=9)).decode()


async def test_an_endpoint_may_name_the_bound_otherwise_and_need_no_key(setting: Setting) -> None:
    await setting.model(limit="max_completion_tokens", api_key=None).complete(call(max_output_tokens=50))
    (received,) = setting.upstream.received
    assert received.body["max_completion_tokens"] == 50
    assert "max_tokens" not in received.body
    assert "authorization" not in received.headers


async def test_a_long_prompt_arrives_whole(setting: Setting) -> None:
    text = "ä" * 2_000_000
    await setting.model().complete(call(text))
    assert setting.upstream.received[0].prompt == f'"{text}"'


@pytest.mark.parametrize(
    ("part", "finish"),
    cases(
        whole=(says("{}"), Finish.COMPLETE),
        unsaid=(says("{}", finish_reason=None), Finish.COMPLETE),
        cut_off=(says("{", finish_reason="length"), Finish.CUT_OFF),
        cut_off_at_once=(says(None, finish_reason="length"), Finish.CUT_OFF),
        filtered=(says("", finish_reason="content_filter"), Finish.REFUSED),
        refused=(says(None, refusal="I cannot help with that."), Finish.REFUSED),
    ),
)
async def test_it_tells_how_the_answer_ended(setting: Setting, part: Part, finish: Finish) -> None:
    assert (await setting.complete(call(), part)).finish is finish


async def test_what_was_counted_is_told(setting: Setting) -> None:
    assert (await setting.complete(call(), says("{}"))).usage == Quantity(input_tokens=20, output_tokens=5)


@pytest.mark.parametrize(
    "usage", cases(none=None, empty={}, half={"prompt_tokens": 3}, other_half={"completion_tokens": 3})
)
async def test_what_was_not_counted_is_told_as_such(setting: Setting, usage: object) -> None:
    assert (await setting.complete(call(), says("{}", usage=usage))).usage is None


@pytest.mark.parametrize(
    "part",
    cases(
        html=answers(b"<html>"),
        nothing=answers(b""),
        deep=answers(b"[" * 50_000),
        list=answers([]),
        no_choice=answers({"choices": []}),
        content_of_another_type=answers({"choices": [{"message": {"content": 3}}]}),
        no_content=says(None),
        negative_usage=says("{}", usage={"prompt_tokens": -1, "completion_tokens": 1}),
        enormous_usage=says("{}", usage={"prompt_tokens": 1, "completion_tokens": 10**9}),
        surrogate=answers(b'{"choices":[{"message":{"content":"\\ud800"}}]}'),
    ),
)
async def test_rubbish_is_a_failure_and_not_asked_for_again(setting: Setting, part: Part) -> None:
    with pytest.raises(ModelFailed) as failure:
        await setting.complete(call(), part)
    assert failure.value.upstream_status == 200
    assert len(setting.upstream.received) == 1


@pytest.mark.parametrize(
    "part",
    cases(
        no_http=babbles,
        endless=floods(2 * LARGEST),
        large=answers(b" " * 2 * LARGEST),
        large_header=answers(b"{}", padding="x" * 10_000),
    ),
)
async def test_what_is_no_http_or_too_much_is_a_failure_at_once(setting: Setting, part: Part) -> None:
    with pytest.raises(ModelFailed) as failure:
        await setting.complete(call(), part)
    assert failure.value.upstream_status is None
    assert len(setting.upstream.received) == 1


async def test_an_answer_in_chunks_is_read(setting: Setting) -> None:
    body = b'{"choices":[{"message":{"content":"{}"}}]}'

    async def chunked(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    assert (await setting.complete(call(), chunked)).text == "{}"


async def test_it_lets_go_when_it_is_cancelled(setting: Setting) -> None:
    setting.upstream.script.append(hangs)
    waiting = asyncio.create_task(setting.model().complete(call()))
    await setting.upstream.arrived.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await setting.complete(call(), says("{}"))).text == "{}"


@pytest.mark.parametrize(
    "part", cases(refusal=answers({}, status=401), no_answer=hangs_up, no_http=babbles, no_content=says(None))
)
async def test_neither_key_nor_prompt_nor_the_answer_is_told(
    setting: Setting, caplog: pytest.LogCaptureFixture, part: Part
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ModelFailed) as failure:
        await setting.complete(call(), *[part] * ATTEMPTS)
    told = (
        caplog.text
        + str(failure.value)
        + repr(setting.model())
        + repr(Endpoint(base_url="", model="", api_key=KEY))
    )
    for secret in (KEY, "Himmel", "no HTTP"):
        assert secret not in told


async def test_connections_are_kept_and_bounded() -> None:
    opened: Callable[[Upstream], int] = lambda upstream: len(upstream._serving)  # noqa: E731, SLF001 - what is open
    http = ModelHttp(connections=3)
    async with Upstream() as upstream:
        model = OpenAIModel(http, Endpoint(base_url=upstream.url, model="local"), SetClock())
        await asyncio.gather(*(model.complete(call()) for _ in range(20)))
        assert opened(upstream) <= 3
        await http.close()
