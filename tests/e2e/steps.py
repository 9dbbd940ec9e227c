"""Every request that a process makes to Stripe, as a moment at which it can be killed."""

import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from tests.fakes.stripe.wire import Params

T = TypeVar("T")
_ID = re.compile(r"[a-z]+(_[a-z]+)*_\d{14}")
_ON_THE_WAY = re.compile("/v1/(prices.*|invoice_payments|refunds|disputes)")


class Who(StrEnum):
    """The server, or the worker in one of its consumers; as a sale passes them."""

    SERVER = "server"
    TOP_UPS = "top-ups"
    BILLING = "billing"


@dataclass(frozen=True, slots=True)
class Step:
    """Just before the ``nth`` such request is acted on; or, ``done``, just before it is answered."""

    who: Who
    method: str
    path: str
    nth: int
    done: bool

    @property
    def apart(self) -> bool:
        """Whether anything has changed since the step before.

        Reading changes nothing. Prices, which each process reads once, and what belongs to an invoice are
        read in one go with what they are of.
        """
        return self.method != "GET" or not (self.done or _ON_THE_WAY.fullmatch(self.path))


@dataclass
class Steps:
    """Watches a Stripe of which one buyer at a time asks something, and holds it at the step that is wanted.

    ``who`` asks. ``seen`` are the steps of that buyer until now.
    """

    who: Who = Who.SERVER
    seen: list[Step] = field(default_factory=list)
    held: bool = False
    _wanted: Step | None = None
    _counted: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    _waiting: list[tuple[str, str, Params]] = field(default_factory=list)
    _gone: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, wanted: Step | None) -> None:
        with self._lock:
            self.who, self.seen, self.held, self._wanted = Who.SERVER, [], False, wanted
            self._counted.clear()

    def gone(self) -> None:
        """Whoever was held is dead: what had not begun is not done, and nothing is answered."""
        with self._lock:
            gone, self._gone = self._gone, threading.Event()
            self._waiting.clear()
        gone.set()

    def __call__(self, method: str, path: str, params: Params, *, done: bool) -> bool:
        with self._lock:
            request, gone = (method, path, params), self._gone
            again = request in self._waiting  # whoever is held has lost patience
            if not again and not self._reached(method, path, done=done):
                return True
            self._waiting.append(request)
        gone.wait()
        return False

    def _reached(self, method: str, path: str, *, done: bool) -> bool:
        asked = (method, _ID.sub("ID", path))
        self._counted[*asked, done] += 1
        self.seen.append(Step(self.who, *asked, self._counted[*asked, done], done))
        if self.seen[-1] != self._wanted:
            return False
        self.held = True
        return True


def batches(steps: Sequence[tuple[T, Step]], slots: int) -> list[list[tuple[T, Step]]]:
    """Those that can be held at once: so many of each, the last ones first, or they would find no room."""
    order = list(Who)
    found, at = list[list[tuple[T, Step]]](), Counter[Who]()
    for what, step in steps:
        number = at[step.who] // slots
        at[step.who] += 1
        if number == len(found):
            found.append([])
        found[number].append((what, step))
    return [sorted(each, key=lambda one: -order.index(one[1].who)) for each in found]
