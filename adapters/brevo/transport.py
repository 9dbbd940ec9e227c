"""Mails through Brevo's HTTP API (https://developers.brevo.com/reference/sendtransacemail)."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parseaddr
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx

from application.notifications.ports import MailTransport, Render
from domain.identity.mail import Mail
from domain.notifications.errors import MailDelayed, MailRefused

PATH = "/v3/smtp/email"
SANDBOX = {"X-Sib-Sandbox": "drop"}
"""Brevo checks the mail, answers as usual, and sends nothing."""
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_DUPLICATE = "duplicate_request"
# The operator's to mend, not the mail's: the key, the address that it is used from, the credits at Brevo.
_OURS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``sender`` is `Name <address>`, and verified at Brevo."""

    api_key: str = field(repr=False)
    sender: str
    url: str = "https://api.brevo.com"
    sandbox: bool = False


class BrevoTransport(MailTransport):
    """Brevo remembers an id for half an hour, longer than all attempts at one mail together."""

    def __init__(self, http: httpx.AsyncClient, account: Account, render: Render) -> None:
        self._http = http
        self._account = account
        self._render = render

    async def deliver(self, id: UUID, mail: Mail) -> None:
        headers = {"api-key": self._account.api_key}
        url = self._account.url.rstrip("/") + PATH
        try:
            answer = await self._http.post(url, json=self._body(id, mail), headers=headers)
        except httpx.HTTPError as error:
            raise MailDelayed(type(error).__name__) from error
        _judge(answer)
        _log.info("a mail was handed to Brevo: %s", mail.template)

    def _body(self, id: UUID, mail: Mail) -> dict[str, Any]:
        what = self._render(mail)
        name, address = parseaddr(self._account.sender)
        return {
            "sender": {"name": name, "email": address} if name else {"email": address},
            "to": [{"email": mail.to}],
            "subject": what.subject,
            "htmlContent": what.html,
            "textContent": what.text,
            "tags": [mail.template],
            "headers": {"idempotencyKey": str(id), **(SANDBOX if self._account.sandbox else {})},
        }


def _judge(answer: httpx.Response) -> None:
    """Raises MailRefused, MailDelayed."""
    if answer.is_success:
        return
    told = _code(answer)
    if told == _DUPLICATE:  # it went the first time
        return
    status = answer.status_code
    if status in _OURS:
        _log.error("Brevo takes no mails from us: status %d, %s", status, told)
        raise MailDelayed(f"Brevo answered with status {status}, {told}")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise MailDelayed("Brevo takes no more for now", _seconds(answer))
    if answer.is_server_error or status == HTTPStatus.REQUEST_TIMEOUT:
        raise MailDelayed(f"Brevo answered with status {status}")
    raise MailRefused(f"Brevo answered with status {status}, {told}")


def _code(answer: httpx.Response) -> str:
    """Brevo's own, never its text, which repeats what was sent."""
    try:
        code = answer.json()["code"]
    except (ValueError, KeyError, TypeError):
        return "without a code"
    return str(code)[:60]


def _seconds(answer: httpx.Response) -> int | None:
    text = answer.headers.get("x-sib-ratelimit-reset") or answer.headers.get("retry-after") or ""
    return int(text) if text.isdigit() else None


@asynccontextmanager
async def brevo(account: Account, render: Render) -> AsyncIterator[BrevoTransport]:
    async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as http:
        yield BrevoTransport(http, account, render)
