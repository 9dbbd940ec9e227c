"""What the stand-in knows: objects by kind and id, and a clock that can be moved."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.fakes.stripe.wire import Object, Params, StripeFault, missing, number

FIXTURES: dict[str, Object] = json.loads(Path(__file__).with_name("fixtures.json").read_text())
"""Stripe's own published objects, https://github.com/stripe/openapi (MIT)."""
PREFIXES = {
    "product": "prod", "price": "price", "customer": "cus", "payment_method": "pm",
    "checkout.session": "cs_test", "billing_portal.session": "bps", "subscription": "sub",
    "subscription_item": "si", "subscription_schedule": "sub_sched", "invoice": "in", "line_item": "il",
    "invoiceitem": "ii", "invoice_payment": "inpay", "payment_intent": "pi", "charge": "ch", "refund": "re",
    "dispute": "du", "event": "evt", "test_helpers.test_clock": "clock",
}  # fmt: skip
TEST_CLOCK = "test_helpers.test_clock"


@dataclass
class State:
    """``offset`` is how many seconds its clock is ahead. ``answers`` are kept by idempotency key."""

    url: str = ""
    offset: int = 0
    counted: int = 0
    objects: dict[str, dict[str, Object]] = field(default_factory=lambda: {kind: {} for kind in PREFIXES})
    answers: dict[str, list[Any]] = field(default_factory=dict)
    frozen: int | None = None
    """Where its clock stands still while something happens that is due at this time."""
    drafted: int = 3600
    """Seconds between the draft of a period's invoice and its payment: Stripe's hour."""
    warned: list[str] = field(default_factory=list)
    """Subscriptions whose trial was told to end soon."""
    untold: list[Object] = field(default_factory=list)
    """Events that no webhook has told yet."""

    def __post_init__(self) -> None:
        self.objects = {kind: {} for kind in PREFIXES} | self.objects

    @property
    def now(self) -> int:
        return self.frozen if self.frozen is not None else int(time.time()) + self.offset

    def clock_of(self, about: Object) -> Object | None:
        """The test clock that it lives on: its own, or that of whose it is."""
        if about["object"] == TEST_CLOCK:
            return about
        customer = self.objects["customer"].get(about.get("customer") or "", {})
        id = about.get("test_clock") or customer.get("test_clock")
        return self.objects[TEST_CLOCK].get(id or "")

    def now_for(self, about: Object) -> int:
        """By its test clock; by the clock of all others where it has none."""
        clock = self.clock_of(about)
        if clock is None:
            return self.now
        to = clock["status_details"].get("advancing")
        return int(clock["frozen_time"] if to is None else to["target_frozen_time"])

    @contextmanager
    def at_the_time_of(self, ids: Iterable[object]) -> Iterator[None]:
        """The time of the first of ``ids`` that names something, for the block."""
        kinds = [self.objects[kind] for kind in PREFIXES]
        found = next((kind[id] for id in ids if isinstance(id, str) for kind in kinds if id in kind), None)
        if found is not None and self.clock_of(found) is not None:
            self.frozen = self.now_for(found)
        try:
            yield
        finally:
            self.frozen = None

    def make(self, kind: str, **values: Any) -> Object:  # noqa: ANN401 - any of its members
        """A new object with all the members that Stripe's has."""
        shape = FIXTURES[kind]
        if unknown := values.keys() - shape.keys():
            raise KeyError(f"{kind} has no {unknown}")
        self.counted += 1
        id = f"{PREFIXES[kind]}_{self.counted:014d}"
        standing = {"id": id, "object": kind, "created": self.now, "livemode": False, "metadata": {}}
        made: Object = dict.fromkeys(shape) | {
            name: value for name, value in standing.items() if name in shape
        }
        if "test_clock" in shape and "customer" in values:
            made["test_clock"] = self.get("customer", values["customer"])["test_clock"]
        made |= values
        self.objects[kind][made["id"]] = made
        return made

    def get(self, kind: str, id: str) -> Object:
        """Raises StripeFault."""
        found = self.objects[kind].get(id)
        if found is None:
            raise missing(kind, id)
        return found

    def all(self, kind: str, **equal: Any) -> list[Object]:  # noqa: ANN401 - any of its members
        """The oldest first; those whose members are ``equal``."""
        return [
            each
            for each in self.objects[kind].values()
            if all(each[name] == value for name, value in equal.items())
        ]

    def page(self, found: Iterable[Object], params: Params, url: str) -> Object:
        """As Stripe pages: the newest first."""
        items = list(found)[::-1]
        created = params.get("created")
        if isinstance(created, dict):
            tests: dict[str, Callable[[int, int], bool]] = {
                "gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__,
            }  # fmt: skip
            for name, bound in created.items():
                items = [each for each in items if tests[name](each["created"], int(bound))]
        ids = [each["id"] for each in items]
        limit = number(params, "limit", 10) or 10
        if not 1 <= limit <= 100:
            raise StripeFault(400, "This value must be from 1 to 100.", param="limit")
        if after := params.get("starting_after"):
            items = items[ids.index(after) + 1 :]
        if before := params.get("ending_before"):
            items = items[: ids.index(before)]
            return _list(items[-limit:], more=len(items) > limit, url=url)
        return _list(items[:limit], more=len(items) > limit, url=url)

    def save(self, file: Path) -> None:
        """Whole or not at all."""
        beside = file.with_suffix(".new")
        beside.write_text(json.dumps(asdict(self)))
        beside.replace(file)

    @classmethod
    def load(cls, file: Path) -> "State":
        return cls(**json.loads(file.read_text())) if file.exists() else cls()

    def copy(self) -> "State":
        """What was told or answered never changes, and is most of it."""
        told = self.objects["event"]
        rest = {kind: found for kind, found in self.objects.items() if found is not told}
        objects = {**deepcopy(rest), "event": dict(told)}
        return replace(
            self,
            objects=objects,
            answers=dict(self.answers),
            warned=list(self.warned),
            untold=list(self.untold),
        )

    def restore(self, before: "State") -> None:
        self.__dict__.update(before.__dict__)


def _list(items: list[Object], *, more: bool, url: str) -> Object:
    return {"object": "list", "data": items, "has_more": more, "url": url}


def whole(items: list[Object], url: str) -> Object:
    """A list inside an object."""
    return _list(items, more=False, url=url)
