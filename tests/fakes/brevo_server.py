"""Another Brevo on this machine, over real HTTP: it checks what Brevo's reference says of a request.

https://developers.brevo.com/reference/sendtransacemail
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

API_KEY = "xkeysib-very-secret"
KNOWN = {
    *("sender", "to", "bcc", "cc", "htmlContent", "textContent", "subject", "replyTo", "attachment"),
    *("headers", "templateId", "params", "messageVersions", "tags", "scheduledAt", "batchId"),
}


@dataclass
class BrevoServer:
    """``mails`` are those that left, by idempotency key; ``faults`` are answered first, one each.

    A fault of status 0 breaks the connection, after the mail was taken. ``hold`` keeps answers back.
    """

    url: str = ""
    mails: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    asked: int = 0
    free: threading.Event = field(default_factory=threading.Event)
    sandbox: int = 0

    def to(self, address: str) -> list[dict[str, Any]]:
        return [each for each in self.mails.values() if each["to"][0]["email"] == address]

    def take(self, key: str | None, body: object) -> tuple[int, dict[str, str]]:
        if key != API_KEY:
            return 401, {"code": "unauthorized", "message": "Key not found"}
        fault = _fault(body)
        if fault is not None or not isinstance(body, dict):
            return 400, {"code": fault or "invalid_parameter", "message": "it is wrong"}
        if body["headers"].get("X-Sib-Sandbox") == "drop":
            self.sandbox += 1
            return 201, {"messageId": "<sandbox@brevo>"}
        key = body["headers"]["idempotencyKey"]
        if key in self.mails:
            return 400, {"code": "duplicate_request", "message": "it went already"}
        self.mails[key] = body
        return 201, {"messageId": f"<{key}@brevo>"}


def _fault(body: object) -> str | None:
    if not isinstance(body, dict) or not body.keys() <= KNOWN:
        return "bad_request"
    if not {"sender", "to", "subject"} <= body.keys():
        return "missing_parameter"
    if not body.get("htmlContent") and not body.get("textContent"):
        return "missing_parameter"
    people = [body["sender"], *body["to"]]
    if not all("@" in each.get("email", "") for each in people) or not 1 <= len(body["to"]) <= 99:
        return "invalid_parameter"
    if "\n" in body["subject"] or not body["subject"]:
        return "invalid_parameter"
    UUID(body["headers"]["idempotencyKey"])
    return None


@contextmanager
def brevo_server() -> Iterator[BrevoServer]:
    state = BrevoServer()
    state.free.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.asked += 1
            state.free.wait()
            if self.path != "/v3/smtp/email":
                self.answer(404, {"code": "not_found"}, {})
                return
            status, headers = state.faults.pop(0) if state.faults else (None, {})
            if status is not None and status != 0:
                self.answer(status, {"code": "fault", "message": "as told"}, headers)
                return
            given, document = state.take(self.headers.get("api-key"), body)
            if status == 0:
                self.connection.close()
                return
            self.answer(given, document, {})

        def answer(self, status: int, document: object, headers: dict[str, str]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        state.free.set()
        server.shutdown()
        server.server_close()
        thread.join()
