"""What the stand-in is asked, and what befalls it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.fakes.stripe import checkout, clock, payments
from tests.fakes.stripe.routes import find
from tests.fakes.stripe.state import State
from tests.fakes.stripe.webhooks import Webhooks
from tests.fakes.stripe.wire import Object, Params, StripeFault

API_KEY = "sk_test_stand_in"
_BELONGS_TO = (
    "customer", "test_clock", "subscription", "from_subscription", "invoice", "charge", "payment_intent",
)  # fmt: skip
"""Parameters that say whom a request is about."""


class Watch(Protocol):
    def __call__(self, method: str, path: str, params: Params, *, done: bool) -> bool:
        """A request is about to be acted on; or, ``done``, to be answered. False breaks the connection."""


@dataclass
class Fault:
    """What befalls requests to ``path`` (all, where it is empty), so many times.

    ``status`` 0 breaks the connection; ``after``: once all is done. ``seconds`` are waited before anything.
    """

    status: int | None = None
    path: str = ""
    times: int = 1
    after: bool = False
    seconds: float = 0.0
    method: str = ""


@dataclass
class StripeServer:
    """``asked``: the method, the path, the parameters and the idempotency key of each request to the API."""

    state: State
    webhooks: Webhooks
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, str, Params, str | None]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    file: Path | None = None
    in_flight: set[str] = field(default_factory=set)
    api_key: str = API_KEY
    watch: Watch | None = None

    @property
    def url(self) -> str:
        return self.state.url

    def advance(self, *, days: float = 0, seconds: int = 0) -> None:
        """Moves the clock, and does what is due by then."""
        with self.changing():
            self.state.offset += seconds + round(days * 86400)

    def pay(self, session: str, card: str = "4242") -> str | None:
        """As somebody at the page of Checkout. The answer says why the card was declined."""
        with self.acting(session):
            return checkout.pay(self.state, session, card)

    def dispute(self, charge: str) -> Object:
        with self.acting(charge):
            return payments.dispute(self.state, charge)

    def close_dispute(self, id: str, *, won: bool) -> None:
        with self.acting(self.state.get("dispute", id)["charge"]):
            payments.close_dispute(self.state, id, won=won)

    def events(self) -> list[Object]:
        """Those that no webhook has told yet, and from now on none will: the caller tells them."""
        with self.lock:
            untold, self.state.untold = self.state.untold, []
        return untold

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self.lock:
            clock.catch_up(self.state)
            try:
                yield
            finally:
                clock.catch_up(self.state)
                if self.file is not None:
                    self.state.save(self.file)
        self.webhooks.more.set()

    @contextmanager
    def acting(self, *ids: object) -> Iterator[None]:
        """At the time of the first of ``ids`` that names something: a test clock's, or everybody's."""
        with self.changing(), self.state.at_the_time_of(ids):
            yield

    def goes_on(self, method: str, path: str, params: Params, *, done: bool) -> bool:
        """Unless whoever watches breaks the connection here."""
        return self.watch is None or self.watch(method, path, params, done=done)

    def fault_for(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for each in self.faults:
                if path.startswith(each.path) and each.method in {"", method} and each.times > 0:
                    each.times -= 1
                    return each
        return None

    def answer(self, method: str, path: str, params: Params, key: str | None) -> tuple[int, Object, bool]:
        """The status, the body, and whether it is an answer that was given before."""
        self.asked.append((method, path, params, key))
        found = find(method, path)
        if found is None:
            message = f"Unrecognized request URL ({method}: {path})."
            return 404, StripeFault(404, message).body, False
        if method != "POST" or key is None:
            return *self._act(method, path, params), False
        with self.lock:
            before = self.state.answers.get(key)
        if before is not None:
            if before[0] != [path, params]:
                message = "Keys for idempotent requests can only be used with the same parameters."
                fault = StripeFault(400, message, code="idempotency_key_in_use")
                fault.body["error"]["type"] = "idempotency_error"
                return 400, fault.body, False
            return before[1], before[2], True
        status, body = self._act(method, path, params, key)
        return status, body, False

    def _act(self, method: str, path: str, params: Params, key: str | None = None) -> tuple[int, Object]:
        found = find(method, path)
        assert found is not None
        act, id = found
        with self.acting(id, *(params.get(name) for name in _BELONGS_TO)):
            before = self.state.copy() if method != "GET" else None
            try:
                status, body = 200, act(self.state, params, id)
            except StripeFault as fault:
                status, body = fault.status, fault.body
                if before is not None and not fault.keeps:
                    self.state.restore(before)
            body = json.loads(json.dumps(body))
            if key is not None and status != 400:  # as Stripe does not keep what failed before it began
                self.state.answers[key] = [[path, params], status, body]
        return status, body
