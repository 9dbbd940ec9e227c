"""Requests to whatever the OpenAPI document names."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import anyio
import httpx

from domain.features.run import run_text
from domain.ids import (
    BatchId,
    ReservationId,
    SessionId,
    batch_text,
    event_text,
    parse_account,
    quote_text,
    session_text,
)
from tests.http.document import Operation
from tests.http.running import Running, credential_of


def as_bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


@dataclass
class Sender:
    """Sends right requests, and ones that are right but for one thing."""

    server: Running
    client: httpx.AsyncClient
    sent: int = 0
    good: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        account = parse_account(self.server.mine.account_id)
        self.good = {
            "account_id": self.server.mine.account_id,
            "feature": "echo",
            "estimate": {"input_tokens": 10, "max_output_tokens": 10, "units": 1},
            "usage": {"input_tokens": 5, "output_tokens": 5, "units": 1},
            "model": "echo",
            "latency_ms": 5,
            "fit": "exact",
            "expires_in": 600,
            "input": {"text": "hello"},
            "inputs": [{"text": "hello"}],
            "mode": "direct",
            "event": event_text(uuid4()),
            "consumer": "mail",
            "kind": "mail.requested",
            "notify": False,
            "run": run_text(account, ReservationId(uuid4())),
            "batch": batch_text(account, BatchId(uuid4())),
            "email": "new@example.org",
            "password": "a rather long password",
            "name": "New",
            "code": "123456",
            "refresh_token": "none",
            "current": "a rather long password",
            "new": "quite another password",
            "workspace": self.server.team.workspace,
            "key": self.server.team.key,
            "limit": self.server.team.limit,
            "user": self.server.team.member,
            "user_id": self.server.team.member,
            "invitation": self.server.team.invitation,
            "provider": "google",
            "state": "none",
            "token": "none",
            "role": "member",
            "disabled": False,
            "amount": "5",
            "product": "api",
            "plan": "team",
            "pack": "small",
            "quantity": 1,
            "below": "100",
            "monthly": 3,
            "seats": 10,
            "now": False,
            "quote": quote_text(account, uuid4()),
            "id": "evt_1",
            "type": "invoice.paid",
            "created": 1,
            "data": {"object": {"id": "in_1", "payment_intent": None}},
            "object": {"id": "in_1", "payment_intent": None},
            "session": session_text(SessionId(uuid4())),
        }

    async def send(
        self,
        operation: Operation,
        *,
        method: str | None = None,
        path: str | None = None,
        params: dict[str, str] | None = None,
        headers: dict[str, str | bytes | None] | None = None,
        body: bytes | AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        """The right request, but for what is said."""
        given: dict[str, str | bytes | None] = {}
        credential = credential_of(self.server, operation)
        if credential is not None:
            given["Authorization"] = f"Bearer {credential}"
        if operation.body is not None:
            given["Content-Type"] = "application/json"
            if body is None:
                body = json.dumps(self.right(operation)).encode()
        if operation.parameters("header"):
            given["Idempotency-Key"] = uuid4().hex
        given |= headers or {}
        self.sent += 1
        answer = await self.client.request(
            method or operation.method,
            operation.path.format(**self.good) if path is None else path,
            params=params,
            content=body,
            headers=[(name.encode(), as_bytes(value)) for name, value in given.items() if value is not None],
        )
        assert answer.status_code < 500, (operation, answer.text)
        return answer

    def right(self, operation: Operation) -> Any:  # noqa: ANN401 - any JSON
        """A body that will do. What a person asks for is of the person's own team."""
        own = {"account_id": self.server.team.account} if operation.scheme == "access_token" else {}
        return operation.example({**self.good, **own})

    async def is_refused(self, operation: Operation, *statuses: int, **how: Any) -> httpx.Response:  # noqa: ANN401 - as send
        answer = await self.send(operation, **how)
        told = (answer.status_code, answer.text, how)
        assert answer.status_code in (statuses or operation.statuses - {200, 201}), told
        assert answer.headers["content-type"] == "application/problem+json", told
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert all(problem[name] for name in ("type", "title", "detail", "code")), told
        return answer

    async def lines(self) -> list[dict[str, Any]]:
        """What was logged, once there is a line for each request, but for the mails that were sent."""
        with anyio.move_on_after(5):
            while len(self._lines()) < self.sent:  # noqa: ASYNC110 - a thread writes it
                await anyio.sleep(0.01)
        return self._lines()

    def _lines(self) -> list[dict[str, Any]]:
        return [each for each in self.server.log.lines if not each["event"].startswith("a mail ")]
