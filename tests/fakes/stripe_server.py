"""Another Stripe on this machine, over real HTTP: it keeps what it is told, sends invoices, and has a clock.

python -m tests.fakes.stripe_server --port 12111 --webhook-url URL --state FILE
"""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.fakes.stripe.handler import Handler
from tests.fakes.stripe.service import API_KEY, Fault, StripeServer
from tests.fakes.stripe.state import State
from tests.fakes.stripe.webhooks import Webhooks

__all__ = ["API_KEY", "WEBHOOK_SECRET", "Fault", "StripeServer", "stripe_server"]
WEBHOOK_SECRET = "whsec_stand_in"  # noqa: S105 - of a stand-in


@contextmanager
def stripe_server(
    *, port: int = 0, webhook_url: str | None = None, file: Path | None = None, held: bool = False
) -> Iterator[StripeServer]:
    """For the block. ``file`` keeps its state from one time to the next."""
    state = State() if file is None else State.load(file)
    stripe = StripeServer(state, Webhooks(webhook_url, WEBHOOK_SECRET, held), file=file)
    server = _listening(port, type("Bound", (Handler,), {"stripe": stripe}))
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    threads = [
        threading.Thread(target=server.serve_forever, daemon=True),
        threading.Thread(target=stripe.webhooks.run, args=(state, stripe.lock), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield stripe
    finally:
        stripe.webhooks.stop.set()
        stripe.webhooks.more.set()
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join()


def _listening(port: int, handler: type[Handler]) -> ThreadingHTTPServer:
    """At that port, or at any where it is taken."""
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        return ThreadingHTTPServer(("127.0.0.1", 0), handler)


def _until_left(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def main() -> None:
    """Until it is told to stop, or whoever started it is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--webhook-url")
    parser.add_argument("--state", type=Path)
    asked = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: for whoever started it
    threading.Thread(target=_until_left, args=(stop,), daemon=True).start()
    with stripe_server(port=asked.port, webhook_url=asked.webhook_url, file=asked.state) as stripe:
        print(json.dumps({"url": stripe.url}), flush=True)  # noqa: T201 - whoever started it reads it
        while not stop.wait(1.0):
            with stripe.changing():
                pass


if __name__ == "__main__":
    main()
