"""HTTP: Stripe's API, the pages that people see, and what tests tell a stand-in in a process apart."""

import json
import time
from base64 import b64decode
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.stripe import pages
from tests.fakes.stripe.service import Fault, StripeServer
from tests.fakes.stripe.wire import Object, Params, StripeFault, params_of


class Handler(BaseHTTPRequestHandler):
    stripe: StripeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for word that its head has arrived

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked has died
            super().handle()

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        url = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        if url.path.startswith("/_control/"):
            self._control(url.path.removeprefix("/_control/"), json.loads(text or "{}"))
        elif url.path.startswith("/v1/"):
            self._api(method, url.path, params_of(text or url.query))
        else:
            with self.stripe.acting(*url.path.split("/")):
                self._person(method, url.path, params_of(text))

    def _api(self, method: str, path: str, params: Params) -> None:
        fault = self.stripe.fault_for(method, path)
        if fault is not None and fault.seconds:
            time.sleep(fault.seconds)
        if fault is not None and fault.status is not None and not fault.after:
            self._fail(fault.status)
            return
        if not self._authorized():
            self._json(401, StripeFault(401, "Invalid API Key provided.").body)
            return
        if not self.stripe.goes_on(method, path, params, done=False):
            self._fail(0)
            return
        key = self.headers.get("Idempotency-Key")
        status, body, again = self.stripe.answer(method, path, params, key)
        if not self.stripe.goes_on(method, path, params, done=True):
            self._fail(0)
            return
        if fault is not None and fault.after and fault.status is not None:
            self._fail(fault.status)
            return
        self._json(status, body, {"Idempotent-Replayed": "true"} if again else {})

    def _authorized(self) -> bool:
        scheme, _, shown = self.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            shown = b64decode(shown).decode().partition(":")[0]
        return shown == self.stripe.api_key

    def _fail(self, status: int) -> None:
        if status == 0:
            self.close_connection = True
            self.connection.close()
            return
        more = {"Retry-After": "1"} if status == 429 else {}
        self._json(status, StripeFault(status, "As told.").body, more)

    def _person(self, method: str, path: str, form: Params) -> None:
        state = self.stripe.state
        try:
            match path.strip("/").split("/"):
                case ["c", "pay", id] if method == "GET":
                    self._html(pages.show_checkout(state, id))
                case ["c", "pay", id]:
                    to, page = pages.pay_checkout(state, form, id)
                    self._html(page) if to is None else self._see(to)
                case ["p", "session", id]:
                    if method == "POST":
                        pages.act_in_portal(state, form, id)
                    self._html(pages.show_portal(state, id))
                case ["i", id, *_]:
                    show = pages.pay_invoice if method == "POST" else pages.show_invoice
                    self._html(show(state, id))
                case _:
                    self._json(404, {})
        except StripeFault as fault:
            self._json(fault.status, fault.body)

    def _control(self, what: str, wanted: dict[str, Any]) -> None:
        """For tests of a process apart."""
        match what:
            case "clock":
                self.stripe.advance(seconds=wanted["seconds"])
            case "faults":
                self.stripe.faults.append(Fault(**wanted))
            case "webhooks":
                self.stripe.webhooks.held = wanted["held"]
                self.stripe.webhooks.more.set()
            case "disputes":
                self.stripe.dispute(wanted["charge"])
            case _:
                self._json(404, {})
                return
        self._json(200, {"now": self.stripe.state.now, "asked": len(self.stripe.asked)})

    def _see(self, url: str) -> None:
        self._send(303, b"", "text/plain", {"Location": url})

    def _html(self, page: str) -> None:
        self._send(200, page.encode(), "text/html; charset=utf-8", {})

    def _json(self, status: int, body: Object, more: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", more or {})

    def _send(self, status: int, body: bytes, kind: str, more: dict[str, str]) -> None:
        with suppress(ConnectionError):
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            for name, value in more.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""
