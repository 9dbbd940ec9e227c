"""Telling the events to whoever listens, signed as Stripe signs (https://docs.stripe.com/webhooks#verify-manually)."""

import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from tests.fakes.stripe.state import State
from tests.fakes.stripe.wire import Object

PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between tries at one event; Stripe's are hours."""


def signature(body: bytes, secret: str, at: int) -> str:
    """The value of ``Stripe-Signature``."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={signed}"


@dataclass
class Webhooks:
    """``held``: nothing is told until a test says what, and in which order. ``told``: what was taken."""

    url: str | None = None
    secret: str = "whsec_stand_in"  # noqa: S105 - of a stand-in
    held: bool = False
    told: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    more: threading.Event = field(default_factory=threading.Event)

    def run(self, state: State, lock: threading.RLock) -> None:
        """Until it is stopped: each in turn, again and again until it was taken."""
        while not self.stop.is_set():
            self.more.wait(0.2)
            self.more.clear()
            while not self.held and self.url is not None and not self.stop.is_set():
                with lock:
                    event = state.untold[0] if state.untold else None
                if event is None:
                    break
                if not self._insist(event):
                    break
                with lock:
                    state.untold.remove(event)

    def _insist(self, event: Object) -> bool:
        for pause in PAUSES:
            if self.send(event):
                return True
            if self.stop.wait(pause):
                return False
        return False

    def send(self, event: Object, *, at: int | None = None) -> bool:
        """Once. ``at`` is when it says that it was signed."""
        assert self.url is not None
        body = json.dumps(event).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, self.secret, int(time.time()) if at is None else at),
        }
        request = urllib.request.Request(self.url, data=body, headers=headers)  # noqa: S310 - a test's own
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                taken: bool = 200 <= answer.status < 300
        except (urllib.error.URLError, OSError):
            return False
        if taken:
            self.told.append(event["id"])
        return taken

    def deliver(self, events: Sequence[Object]) -> None:
        """In this order."""
        for event in events:
            assert self.send(event), event["type"]
