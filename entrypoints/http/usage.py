"""What was used and charged, in sums and one by one."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import UNSET, Struct, UnsetType

from application.actor import Customer
from application.usage.ports import By, Place, UsageGroup
from application.usage.queries import ReadUsage, SpanRefused
from domain.credits import format_credits
from domain.ids import ReservationId, key_text, reservation_text
from domain.usage.record import UsageRecord
from entrypoints.http.fields import Credits, LotPart, Sum, Tokens
from entrypoints.http.problems import invalid
from entrypoints.http.routes import reading

From = Annotated[
    str | None,
    QueryParameter(name="from", max_length=40, description="RFC 3339, `2026-11-01T00:00:00Z`, or a day"),
]
To = Annotated[
    str | None, QueryParameter(name="to", max_length=40, description="As `from`; the span ends before it")
]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


class GroupAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Only the parts asked for by `by` are there. ``key`` is null where no key asked."""

    day: str | UnsetType = UNSET
    hour: datetime | UnsetType = UNSET
    feature: str | UnsetType = UNSET
    key_id: str | UnsetType | None = UNSET
    calls: int
    input_tokens: int
    output_tokens: int
    units: int
    charged: Credits
    uncollected: Credits

    @classmethod
    def of(cls, group: UsageGroup, by: frozenset[By]) -> "GroupAnswer":
        sums = group.sums
        return cls(
            day=UNSET if group.day is None else group.day.date().isoformat(),
            hour=UNSET if group.hour is None else group.hour,
            feature=UNSET if group.feature is None else group.feature,
            key_id=UNSET if By.KEY not in by else None if group.key is None else key_text(group.key),
            calls=sums.calls,
            input_tokens=sums.input_tokens,
            output_tokens=sums.output_tokens,
            units=sums.units,
            charged=format_credits(sums.charged),
            uncollected=format_credits(sums.uncollected),
        )


class UsageAnswer(Struct, frozen=True, kw_only=True):
    start: datetime
    end: datetime
    items: list[GroupAnswer]


class RecordAnswer(Struct, frozen=True, kw_only=True):
    id: str
    recorded_at: datetime
    feature: str
    key_id: str | None
    test: bool
    plan: str
    price_version: int
    usage: Tokens
    model: str | None
    latency_ms: int | None
    cost: Credits
    charged: Credits
    uncollected: Credits
    lots: list[LotPart]
    arithmetic: Sum

    @classmethod
    def of(cls, record: UsageRecord) -> "RecordAnswer":
        rate = record.rate
        return cls(
            id=reservation_text(record.account, record.id),
            recorded_at=record.recorded_at,
            feature=record.feature,
            key_id=None if record.key is None else key_text(record.key),
            test=record.test,
            plan=rate.plan,
            price_version=rate.price_version,
            usage=Tokens.of(record.usage),
            model=record.model,
            latency_ms=record.latency_ms,
            cost=format_credits(record.cost),
            charged=format_credits(record.charged),
            uncollected=format_credits(record.uncollected),
            lots=[LotPart.of(part) for part in record.charges],
            arithmetic=Sum.of(rate.price.explain(record.usage, multiplier=rate.multiplier)),
        )


class RecordsAnswer(Struct, frozen=True, kw_only=True):
    """The newest first. ``next_cursor`` is null on the last page."""

    items: list[RecordAnswer]
    next_cursor: str | None


def instant(name: str, text: str | None) -> datetime | None:
    """An instant with its offset, or a day in UTC. Raises Refusal."""
    if text is None:
        return None
    day = len(text) == len("2026-11-01")
    try:
        at = datetime.fromisoformat(text + "T00:00Z" if day else text).astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None or not (day or _OFFSET.search(text)):
        raise invalid(
            f"{name} is neither an instant such as 2026-11-01T00:00:00Z nor a day such as 2026-11-01"
        )
    return at


def parts(text: str) -> frozenset[By]:
    """A comma list. Raises Refusal."""
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in set(By)]
    if unknown:
        known = ", ".join(By)
        raise invalid(f"by knows {known}, and not {unknown[0][:40]!r}")
    return frozenset(By(name) for name in names)


def write_cursor(place: Place) -> str:
    """To the microsecond, without a float: many records are of one instant, and none is passed over."""
    micros = (place.recorded_at - _EPOCH) // _MICROSECOND
    return urlsafe_b64encode(micros.to_bytes(8) + place.id.bytes).decode()


def read_cursor(text: str | None) -> Place | None:
    """Raises Refusal."""
    if text is None:
        return None
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
        at = _EPOCH + int.from_bytes(raw[:8]) * _MICROSECOND
        return Place(at, ReservationId(UUID(bytes=raw[8:])))
    except (ValueError, OverflowError):
        raise invalid("the cursor is not one that was given out") from None


@reading(
    "/v1/usage",
    by=Customer,
    tag="Usage",
    refuses=(SpanRefused,),
)
async def usage(
    *,
    customer: NamedDependency[Customer],
    read: FromDishka[ReadUsage],
    start: From = None,
    end: To = None,
    by: Annotated[
        str, QueryParameter(max_length=100, description="A comma list of `day`, `hour`, `feature`, `key`")
    ] = "day",
) -> UsageAnswer:
    """What the account used, summed. Whole hours; the last 30 days unless said."""
    wanted = parts(by)
    first, last, groups = await read.sums(customer, instant("from", start), instant("to", end), wanted)
    return UsageAnswer(start=first, end=last, items=[GroupAnswer.of(group, wanted) for group in groups])


@reading(
    "/v1/usage/records",
    by=Customer,
    tag="Usage",
    refuses=(SpanRefused,),
)
async def records(
    *,
    customer: NamedDependency[Customer],
    read: FromDishka[ReadUsage],
    start: From = None,
    end: To = None,
    cursor: Annotated[str | None, QueryParameter(max_length=100)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
) -> RecordsAnswer:
    """Every charge, the newest first, with the arithmetic of each."""
    page = await read.records(
        customer, instant("from", start), instant("to", end), read_cursor(cursor), limit
    )
    last = page.items[-1] if page.more else None
    return RecordsAnswer(
        items=[RecordAnswer.of(record) for record in page.items],
        next_cursor=None if last is None else write_cursor(Place(last.recorded_at, last.id)),
    )


HANDLERS = [usage, records]
