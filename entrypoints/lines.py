"""Log lines on their way out, without keys."""

import re
import threading
import time
from collections import deque
from typing import BinaryIO

_KEY = re.compile(rb"cbx_([A-Za-z]+)_\w+")
_PAUSE = 0.1  # seconds: what is written meanwhile goes out together, and each turn costs the loop its own
_MOST = 100_000  # lines that may wait where nobody reads them; then the oldest are dropped


class Lines:
    """Written by a thread of its own, so that a slow reader of the log holds up no request.

    No line holds an API key, whatever was logged. Make one in each process: threads do not survive a fork.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: deque[bytes] = deque(maxlen=_MOST)
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        if b"cbx_" in line:
            line = _KEY.sub(rb"cbx_\1_***", line)
        self._waiting.append(line + b"\n")
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """All that was written before is on the stream."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait()
            if not self._closing:
                time.sleep(_PAUSE)
            self._wake.clear()
            self._drain()
        self._drain()

    def _drain(self) -> None:
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._stream.write(b"".join(lines))
            self._stream.flush()
        except (OSError, ValueError):  # nobody reads the log any more; there is nowhere to say so
            return
