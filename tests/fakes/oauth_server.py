"""Another provider on this machine, over real HTTP: it checks what the standards ask it to check."""

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from adapters.oauth import github, google
from adapters.oauth.client import Registration

REGISTRATION = Registration("client", "very secret", "https://app.example/signed-in/google")


def one(query: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in query.items()}


@dataclass
class OAuthServer:
    """``documents`` are answered by path to whoever has a token; ``fault`` is answered instead of all.

    While ``drips`` is set, answers come byte by byte, and have no end.
    """

    url: str = ""
    documents: dict[str, Any] = field(default_factory=dict)
    fault: tuple[int, bytes] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    drips: threading.Event = field(default_factory=threading.Event)

    @property
    def google(self) -> google.Endpoints:
        return google.Endpoints(f"{self.url}/authorize", f"{self.url}/token", f"{self.url}/userinfo")

    @property
    def github(self) -> github.Endpoints:
        return github.Endpoints(
            f"{self.url}/authorize", f"{self.url}/token", f"{self.url}/user", f"{self.url}/emails"
        )

    def consent(self, authorization_url: str) -> tuple[str, str]:
        """As somebody's browser: what comes back, a code and the state."""
        asked = one(parse_qs(urlsplit(authorization_url).query))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"]
        code = uuid4().hex
        self.codes[code] = asked
        return code, asked["state"]

    def exchange(self, form: dict[str, str]) -> str | None:
        """A token, for a code that was not used, with all that belongs to it."""
        asked = self.codes.pop(form.get("code", ""), None)
        digest = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest())
        right = asked is not None and (
            form["grant_type"],
            form["client_id"],
            form["client_secret"],
            form["redirect_uri"],
            digest.rstrip(b"=").decode(),
        ) == (
            "authorization_code",
            asked["client_id"],
            REGISTRATION.client_secret,
            asked["redirect_uri"],
            asked["code_challenge"],
        )
        if not right:
            self.refused.append(form.get("code", ""))
            return None
        token = uuid4().hex
        self.tokens.add(token)
        return token


@contextmanager
def oauth_server() -> Iterator[OAuthServer]:
    state, gone = OAuthServer(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            token = state.exchange(one(parse_qs(body)))
            if token is None:
                self.answer(400, {"error": "invalid_grant"})
            else:
                self.answer(200, {"access_token": token, "token_type": "bearer"})

        def do_GET(self) -> None:
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            if token in state.tokens:
                self.answer(200, state.documents[self.path])
            else:
                self.answer(401, {"error": "invalid_token"})

        def answer(self, status: int, document: object) -> None:
            body = json.dumps(document).encode()
            if state.fault is not None:
                status, body = state.fault
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(1 << 20 if state.drips.is_set() else len(body)))
            self.end_headers()
            with suppress(ConnectionError):
                while state.drips.is_set():
                    self.wfile.write(b" ")
                    gone.wait(0.02)
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
        state.drips.clear()
        gone.set()
        server.shutdown()
        server.server_close()
        thread.join()
