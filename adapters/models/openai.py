import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from random import SystemRandom

import httpx
import msgspec

from adapters.models.http import Answer, ModelHttp, Unreachable, Unreadable
from adapters.models.replies import Reply, Stream, Usage, reply_from
from application.features.ports import Model, Tell
from application.ports import Clock
from domain.credits import Quantity
from domain.features.errors import ModelFailed
from domain.features.run import Call, Completion, Finish

ATTEMPTS = 3
OK, TOO_MANY, BROKEN = 200, 429, 500
NOT_UNDERSTOOD = {400, 422}
INSTRUCTION = "Answer with one JSON document and nothing else. It satisfies this JSON Schema:\n"

_log = logging.getLogger(__name__)
_random = SystemRandom()


class SchemaBy(StrEnum):
    """How an endpoint is told the output schema. Not every server takes every form of ``response_format``."""

    JSON_OBJECT = "json_object"
    """JSON by ``response_format``, which most servers know, and the schema in a system message."""
    JSON_SCHEMA = "json_schema"
    """All by ``response_format``: where a server knows it, it binds the model, and costs fewer tokens."""
    PROMPT = "none"
    """In a system message alone, without ``response_format``: every server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """``base_url`` is what its documentation gives, such as ``https://api.openai.com/v1``.

    ``limit`` is the request's member that bounds the output: OpenAI itself takes ``max_completion_tokens``,
    every other server ``max_tokens``.
    """

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    schema_by: SchemaBy = SchemaBy.JSON_OBJECT
    limit: str | None = None


_encoder = msgspec.json.Encoder()


class OpenAIModel(Model):
    """Any endpoint that speaks OpenAI's chat completions.

    Tries again, at most thrice in all and inside the call's time, what may work the next time: no connection,
    a broken answer, 429, 5xx. Waits as long as ``Retry-After`` says, or ``backoff`` seconds, doubled each
    time and shortened at random, so that callers refused together do not come back together.

    Streams for whom asks to be told. A service that refuses that is asked without, from then on.
    """

    def __init__(
        self,
        http: ModelHttp,
        endpoint: Endpoint,
        clock: Clock,
        *,
        backoff: float = 0.25,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._clock = clock
        self._backoff = backoff
        self._sleep = sleep
        self._streams = True
        self._url = httpx.URL(endpoint.base_url.rstrip("/") + "/chat/completions")
        openai = self._url.host == "api.openai.com"
        self._limit = endpoint.limit or ("max_completion_tokens" if openai else "max_tokens")
        self._headers = httpx.Headers(
            {
                "Accept": "application/json, text/event-stream",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
                "User-Agent": "cuebx",
            }
        )
        if endpoint.api_key is not None:
            self._headers["Authorization"] = f"Bearer {endpoint.api_key}"

    async def complete(self, call: Call, tell: Tell | None = None) -> Completion:
        monotonic = asyncio.get_running_loop().time
        end = monotonic() + call.timeout
        attempt = 1
        while True:
            stream = Stream(tell, self._http.largest) if tell is not None and self._streams else None
            body = self.body(call, stream=stream is not None)
            answer = await self._attempt(body, stream)
            if answer is not None and answer.status == OK:
                reply = _reply(answer, stream)
                if reply is not None:
                    return self._completion(reply)
                answer = None
            elif answer is not None and stream is not None and answer.status in NOT_UNDERSTOOD:
                self._streams = False
                continue
            failure = ModelFailed(None if answer is None else answer.status)
            pause = self._pause(attempt, answer)
            if attempt == ATTEMPTS or not _may_pass(failure.upstream_status) or monotonic() + pause >= end:
                raise failure
            await self._sleep(pause)
            attempt += 1

    async def _attempt(self, body: bytes, stream: Stream | None) -> Answer | None:
        """None where there was no answer. Raises ModelFailed for one that would be the same again."""
        try:
            answer = await self._http.post(
                self._url, self._headers, body, None if stream is None else stream.feed
            )
        except Unreachable as error:
            _log.warning("%s at %s: %s", self._endpoint.model, self._url.host, error)
            return None
        except Unreadable as error:
            _log.warning("%s at %s: %s", self._endpoint.model, self._url.host, error)
            raise ModelFailed from error
        except (msgspec.DecodeError, RecursionError) as error:  # of a part of a stream
            raise ModelFailed(OK) from error
        if answer.status != OK:
            _log.warning("%s at %s answered %d", self._endpoint.model, self._url.host, answer.status)
        return answer

    def _pause(self, attempt: int, answer: Answer | None) -> float:
        usual = self._backoff * (1 << attempt - 1) * _random.uniform(0.5, 1)
        if answer is None or answer.retry_after is None:
            return usual
        return max(usual, _seconds(answer.retry_after, self._clock.now()))

    def body(self, call: Call, *, stream: bool = False) -> bytes:
        """What is sent."""
        by = self._endpoint.schema_by
        schema = msgspec.Raw(call.schema.encode())
        messages = [{"role": "user", "content": call.prompt}]
        if by is not SchemaBy.JSON_SCHEMA:
            messages.insert(0, {"role": "system", "content": INSTRUCTION + call.schema})
        body: dict[str, object] = {
            "model": self._endpoint.model,
            "messages": messages,
            self._limit: call.max_output_tokens,
        }
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if by is SchemaBy.JSON_SCHEMA:
            named = {"name": call.feature, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        elif by is SchemaBy.JSON_OBJECT:
            body["response_format"] = {"type": "json_object"}
        return _encoder.encode(body)

    def _completion(self, reply: Reply) -> Completion:
        choice = reply.choices[0]
        message = choice.message
        finish = Finish.COMPLETE
        if message.refusal is not None or choice.finish_reason == "content_filter":
            finish = Finish.REFUSED
        elif choice.finish_reason == "length":
            finish = Finish.CUT_OFF
        elif message.content is None:
            raise ModelFailed(OK)
        return Completion(
            text=message.content or "",
            finish=finish,
            model=self._endpoint.model,
            usage=_quantity(reply.usage),
        )


def _reply(answer: Answer, stream: Stream | None) -> Reply | None:
    """None where a stream broke off. Not every service that takes the wish to stream heeds it."""
    if stream is not None and not answer.body:
        return stream.reply
    try:
        return reply_from(answer.body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ModelFailed(OK) from error


def _may_pass(status: int | None) -> bool:
    return status is None or status == TOO_MANY or status >= BROKEN


def _quantity(usage: Usage | None) -> Quantity | None:
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    return Quantity(input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens)


def _seconds(retry_after: str, now: datetime) -> float:
    """RFC 9110, section 10.2.3: whole seconds, or a date. 0 for anything else."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
