"""Mails through a stand-in for Brevo, over real HTTP."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import httpx
import pytest

import adapters.brevo.transport
from adapters.brevo.transport import Account, BrevoTransport, brevo
from adapters.mail.rendering import rendered
from domain.identity.mail import Mail
from domain.notifications.errors import MailDelayed, MailRefused
from tests.fakes.brevo_server import API_KEY, BrevoServer, brevo_server

CONFIRM = Mail(to="ada@example.org", template="confirm", facts={"code": "123456", "name": "Ada"})


@pytest.fixture
def server() -> Iterator[BrevoServer]:
    with brevo_server() as server:
        yield server


def account(server: BrevoServer, *, api_key: str = API_KEY, sandbox: bool = False) -> Account:
    return Account(api_key=api_key, sender="CueBX <mail@example.com>", url=server.url, sandbox=sandbox)


@pytest.fixture
async def transport(server: BrevoServer) -> AsyncIterator[BrevoTransport]:
    async with brevo(account(server), rendered) as transport:
        yield transport


async def test_a_mail_is_handed_over_as_the_reference_asks(
    server: BrevoServer, transport: BrevoTransport
) -> None:
    id = uuid4()
    await transport.deliver(id, CONFIRM)
    (mail,) = server.to("ada@example.org")
    assert mail["sender"] == {"name": "CueBX", "email": "mail@example.com"}
    assert (mail["subject"], mail["tags"]) == ("Your code: 123456", ["confirm"])
    assert "123456" in mail["textContent"]
    assert "123456" in mail["htmlContent"]
    assert list(server.mails) == [str(id)]


async def test_the_same_mail_again_leaves_once(server: BrevoServer, transport: BrevoTransport) -> None:
    id = uuid4()
    server.faults.append((0, {}))
    with pytest.raises(MailDelayed):
        await transport.deliver(id, CONFIRM)
    for _ in range(2):
        await transport.deliver(id, CONFIRM)
    assert (len(server.mails), server.asked) == (1, 3)


@pytest.mark.parametrize("status", [401, 402, 403, 408, 429, 500, 502, 503])
async def test_what_may_pass_is_tried_again(
    server: BrevoServer, transport: BrevoTransport, status: int
) -> None:
    server.faults.append((status, {}))
    with pytest.raises(MailDelayed):
        await transport.deliver(uuid4(), CONFIRM)
    await transport.deliver(uuid4(), CONFIRM)
    assert len(server.mails) == 1


@pytest.mark.parametrize("status", [400, 404, 405, 406, 413, 422])
async def test_what_will_never_go_is_refused(
    server: BrevoServer, transport: BrevoTransport, status: int
) -> None:
    server.faults.append((status, {}))
    with pytest.raises(MailRefused, match=f"status {status}, fault"):
        await transport.deliver(uuid4(), CONFIRM)


@pytest.mark.parametrize("name", ["x-sib-ratelimit-reset", "retry-after"])
async def test_who_sends_too_much_is_told_for_how_long(
    server: BrevoServer, transport: BrevoTransport, name: str
) -> None:
    server.faults.append((429, {name: "17"}))
    with pytest.raises(MailDelayed) as caught:
        await transport.deliver(uuid4(), CONFIRM)
    assert caught.value.retry_after == 17


async def test_a_wrong_key_is_ours_to_mend_and_is_never_shown(
    server: BrevoServer, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = account(server, api_key="wrong-and-secret")
    async with brevo(wrong, rendered) as transport:
        with pytest.raises(MailDelayed, match="unauthorized"):
            await transport.deliver(uuid4(), CONFIRM)
    assert "Brevo takes no mails from us" in caplog.text
    for secret in ("wrong-and-secret", "ada@", "123456"):
        assert secret not in caplog.text + repr(wrong)


async def test_the_sandbox_sends_nothing(server: BrevoServer) -> None:
    async with brevo(account(server, sandbox=True), rendered) as transport:
        await transport.deliver(uuid4(), CONFIRM)
    assert (server.sandbox, server.mails) == (1, {})


async def test_who_does_not_answer_is_not_waited_for(
    server: BrevoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters.brevo.transport, "TIMEOUT", httpx.Timeout(0.1))
    server.free.clear()
    async with brevo(account(server), rendered) as transport:
        with pytest.raises(MailDelayed, match="ReadTimeout"):
            await transport.deliver(uuid4(), CONFIRM)


async def test_who_is_not_there_may_come_back(server: BrevoServer) -> None:
    gone = Account(api_key=API_KEY, sender="mail@example.com", url="http://127.0.0.1:1")
    async with brevo(gone, rendered) as transport:
        with pytest.raises(MailDelayed, match="ConnectError"):
            await transport.deliver(uuid4(), CONFIRM)
