"""A person signs up, subscribes, runs features, buys more, changes and cancels: in both profiles."""

import asyncio
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from entrypoints.embedded import SAMPLE
from tests.cli.processes import finished, started
from tests.cli.test_dev import facts_of, up
from tests.conftest import renamed, run_sql
from tests.e2e.conftest import SOLD
from tests.e2e.test_journey import CODE, files_in
from tests.fakes.stripe_server import API_KEY, WEBHOOK_SECRET, stripe_server
from tests.rabbit_node import rabbit_node, rabbitmq_is_installed
from tests.redis_servers import valkey
from tests.servers import CUEBX, ROOT, environment, serving, wait_for, worker
from tests.shop import SECRET

PASSWORD = "a rather long password"  # noqa: S105
MAIL = "ada@example.org"
THOUSAND = {"inputs": [{"text": f"number {n}"} for n in range(1000)]}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Place:
    """``cuebx`` runs a command there. ``answers``: there is a model, so that runs are charged."""

    url: str
    answers: bool
    mails: Path
    cuebx: Run


@contextmanager
def embedded(folder: Path, _: EmbeddedPostgres) -> Iterator[Place]:
    """`cuebx dev` alone."""
    data = folder / ".cuebx"
    with started("dev", "--port", "0", folder=folder) as dev:
        wait_for(lambda: dev.poll() is not None or up(data))
        assert dev.poll() is None, (folder / "err").read_text()

        def cuebx(*arguments: str) -> "subprocess.CompletedProcess[str]":
            return finished(*arguments, folder=folder)

        yield Place(facts_of(data)["url"], answers=True, mails=data / "mail", cuebx=cuebx)
        dev.send_signal(signal.SIGINT)
        assert dev.wait(30) == 0


@contextmanager
def standard(folder: Path, server: EmbeddedPostgres) -> Iterator[Place]:
    """A server and two workers, Redis, RabbitMQ, and a stand-in for Stripe."""
    name = f"cuebx_{uuid4().hex}"
    asyncio.run(run_sql(server.url, f"CREATE DATABASE {name} TEMPLATE {SOLD}"))
    database = renamed(server.url, name)
    node, mails = folder / "rabbit", folder / "mails"
    node.mkdir()
    with valkey() as redis, rabbit_node(node) as rabbit, stripe_server() as stripe, ExitStack() as stack:
        settings: dict[str, Any] = {
            "profile": "standard",
            "redis_url": redis.url,
            "rabbitmq_url": rabbit.url,
            "secret": SECRET,
            "mail_dir": str(mails),
            "model_default_url": "http://127.0.0.1:1/v1",
            "model_default_name": "none",
            "stripe_api_key": API_KEY,
            "stripe_url": stripe.url,
            "stripe_webhook_secret": f"whsec_next,{WEBHOOK_SECRET}",
            "billing_return_url": "https://app.example/billing",
        }

        def cuebx(*arguments: str) -> "subprocess.CompletedProcess[str]":
            return subprocess.run(  # noqa: S603 - the program is ours
                [*CUEBX, *arguments],
                cwd=ROOT, env=environment(database, **settings), capture_output=True, text=True, check=False,
            )  # fmt: skip

        published = cuebx("catalog", "publish", str(SAMPLE), "--stripe")
        assert published.returncode == 0, published.stderr
        serves = stack.enter_context(serving(database, folder / "server.log", **settings))
        for each in "ab":
            stack.enter_context(worker(database, folder / f"worker-{each}.log", **settings))
        serves.wait_until_ready()
        stripe.webhooks.url = f"{serves.url}/v1/webhooks/stripe"
        yield Place(serves.url, answers=False, mails=mails, cuebx=cuebx)


@pytest.fixture(params=["embedded", "standard"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, durable_server: EmbeddedPostgres
) -> Iterator[Place]:
    if request.param == "standard" and not rabbitmq_is_installed():
        pytest.skip("no RabbitMQ is installed")
    make = embedded if request.param == "embedded" else standard
    with make(tmp_path, durable_server) as place:
        yield place


class Ada:
    """Signed up and signed in, in her own workspace."""

    def __init__(self, place: Place, http: httpx.Client) -> None:
        self.http = http
        self.place = place
        self.ok("POST", "/v1/auth/sign-up", {"email": MAIL, "password": PASSWORD, "name": "Ada"})
        found: list[str] = []

        def arrived() -> bool:
            found[:] = [match[0] for text in files_in(place.mails)(MAIL) if (match := CODE.search(text))]
            return bool(found)

        wait_for(arrived)
        self.ok("POST", "/v1/auth/confirm", {"email": MAIL, "code": found[-1], "password": PASSWORD})
        tokens = self.ok("POST", "/v1/auth/sign-in", {"email": MAIL, "password": PASSWORD})
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        [workspace] = self.ok("GET", "/v1/workspaces")["items"]
        self.path = f"/v1/workspaces/{workspace['id']}"
        [account] = self.ok("GET", self.path)["accounts"]
        made = self.ok("POST", f"{self.path}/keys", {"name": "mine", "account_id": account["id"]})
        self.key = {"Authorization": f"Bearer {made['secret']}"}

    def ok(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any JSON
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def available(self) -> float:
        return float(self.http.get("/v1/balance", headers=self.key).json()["available"])

    def batch(self) -> httpx.Response:
        return self.http.post("/v1/features/echo/batches", json=THOUSAND, headers=self.key)

    def pays(self, url: str) -> None:
        """On the page where one pays, which says what it is."""
        page = httpx.get(url)
        assert "stand-in" in page.text
        assert httpx.post(url, data={"card": "0341"}).status_code == 200
        assert httpx.post(url, data={"card": "4242"}).status_code == 303

    def subscription(self) -> dict[str, Any]:
        [item] = self.ok("GET", f"{self.path}/subscriptions")["items"]
        shown: dict[str, Any] = item
        return shown


def test_a_customer_from_sign_up_to_the_end(place: Place) -> None:
    with httpx.Client(base_url=place.url, timeout=60) as http:
        live(Ada(place, http))
    told = place.cuebx("billing", "reconcile")
    assert (told.returncode, told.stdout) == (0, "No drift: both books agree.\n"), told.stderr
    audit = place.cuebx("audit")
    assert audit.returncode == 0, audit.stdout
    letters = place.cuebx("dead-letters", "list", "--json")
    assert letters.stdout.strip() in {"", "[]"}, letters.stdout


def live(ada: Ada) -> None:
    refused = ada.batch()
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_credits")
    free = ada.available()
    ada.pays(ada.ok("POST", f"{ada.path}/subscriptions", {"product": "personal", "plan": "plus"})["url"])
    wait_for(lambda: ada.available() == free + 3000)
    assert (ada.subscription()["plan"], ada.subscription()["status"]) == ("plus", "active")
    assert ada.batch().status_code == 202
    wait_for(lambda: _held(ada) == 0)
    spent = ada.available()
    assert (spent < free + 3000) == ada.place.answers
    ada.pays(ada.ok("POST", f"{ada.path}/top-ups", {"product": "personal", "pack": "small"})["url"])
    wait_for(lambda: ada.available() == spent + 1000)
    of_product = f"{ada.path}/subscriptions/personal"
    quote = ada.ok("POST", f"{of_product}/preview", {"plan": "pro"})
    assert (quote["when"], quote["monthly"]) == ("now", "29.00")
    assert float(quote["credits_before"]) == pytest.approx(ada.available())
    assert ada.ok("POST", f"{of_product}/change", {"quote": quote["id"]})["plan"] == "pro"
    assert ada.available() == pytest.approx(float(quote["credits_after"]))
    newest = ada.ok("GET", f"{ada.path}/invoices")["items"][0]
    assert (newest["total"], newest["status"]) == (quote["due"], "paid")
    assert ada.ok("POST", f"{of_product}/cancel", {})["cancel_at"] is not None
    assert ada.ok("POST", f"{of_product}/cancel", {"now": True})["status"] == "canceled"
    wait_for(lambda: ada.subscription()["plan"] == "free")


def _held(ada: Ada) -> float:
    return float(ada.http.get("/v1/balance", headers=ada.key).json()["held"])
