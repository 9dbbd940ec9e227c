"""What a batch changed in the books, written by one statement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB, Insert, insert

from adapters.postgres.base import table
from adapters.postgres.books import FIELDS
from adapters.postgres.driver import Driver, Statement
from adapters.postgres.outbox import RING, message_row
from adapters.postgres.records import (
    AccountRecord,
    LotRecord,
    OutboxRecord,
    QueuedRunRecord,
    RepaymentRecord,
    ReservationRecord,
    RunBatchRecord,
    ShadowRefusalRecord,
    SpendLimitRecord,
    UsageHourRecord,
    UsageRecordRecord,
)
from domain.usage.desk import Desk
from domain.usage.record import by_hour
from domain.usage.spend_limit import shadow_sums

NO_KEY = UUID(int=0)
_RUN_TIMES = ("started_at", "leased_until", "finished_at", "kept_until")

_account = table(AccountRecord)
_lot = table(LotRecord)
_reservation = table(ReservationRecord)
_repayment = table(RepaymentRecord)
_record = table(UsageRecordRecord)
_hour = table(UsageHourRecord)
_limit = table(SpendLimitRecord)
_refusal = table(ShadowRefusalRecord)
_run = table(QueuedRunRecord)
_batch = table(RunBatchRecord)
_outbox = table(OutboxRecord)


def _rows(name: str, columns: Mapping[str, sa.types.TypeEngine[Any]]) -> sa.TableValuedAlias:
    """A JSON array of objects, bound as ``name``, as a table."""
    return (
        sa.func.json_to_recordset(sa.cast(sa.bindparam(name, type_=sa.Text), JSON))
        .table_valued(*(sa.column(key, type_) for key, type_ in columns.items()))
        .render_derived(name=f"new_{name}", with_types=True)
    )


def _types(table: sa.Table, *, but: Iterable[str] = ()) -> dict[str, sa.types.TypeEngine[Any]]:
    return {
        FIELDS.get(column.key, column.key): JSONB() if isinstance(column.type, JSONB) else column.type
        for column in table.c
        if column.key not in but
    }


def _copy(table: sa.Table, name: str, *, but: Iterable[str] = ()) -> Insert:
    rows = _rows(name, _types(table, but=but))
    target = [column for column in table.c if column.key not in but]
    return insert(table).from_select(
        [column.key for column in target],
        sa.select(*(rows.c[FIELDS.get(column.key, column.key)] for column in target)),
        include_defaults=False,
    )


def _save_lots() -> Insert:
    new = _copy(_lot, "lots", but={"usable"})
    return new.on_conflict_do_update(
        index_elements=["account_id", "id"],
        set_={key: new.excluded[key] for key in ("granted", "held", "spent", "refunded")},
    )


def _change_reservations() -> sa.Update:
    rows = _rows("changes", _types(_reservation))
    changing = ("state", "estimate", "holds", "counted", "expires_at", "started_at", "settlement")
    return (
        sa.update(_reservation)
        .values({key: rows.c[key] for key in changing})
        .where(_reservation.c.account_id == rows.c.account, _reservation.c.id == rows.c.id)
    )


def _add_records() -> Insert:
    rows = _rows(
        "records",
        {**_types(_record, but={"input_tokens", "output_tokens", "units"}), "usage": JSONB()},
    )
    used = {key: rows.c.usage[key].as_integer() for key in ("input_tokens", "output_tokens", "units")}
    values = [
        used[column.key] if column.key in used else rows.c[FIELDS.get(column.key, column.key)]
        for column in _record.c
    ]
    return insert(_record).from_select(
        [column.key for column in _record.c], sa.select(*values), include_defaults=False
    )


def _sum_hours() -> Insert:
    new = _copy(_hour, "hours")
    sums = ("calls", "input_tokens", "output_tokens", "units", "charged", "uncollected")
    return new.on_conflict_do_update(
        index_elements=list(_hour.primary_key),
        set_={key: _hour.c[key] + new.excluded[key] for key in sums},
    )


def _count_limits() -> sa.Update:
    rows = _rows("limits", _types(_limit))
    return (
        sa.update(_limit)
        .values({key: rows.c[key] for key in ("since", "held", "spent")})
        .where(_limit.c.account_id == rows.c.account, _limit.c.id == rows.c.id)
    )


def _note_refusals() -> Insert:
    new = _copy(_refusal, "refusals")
    return new.on_conflict_do_update(
        index_elements=list(_refusal.primary_key),
        set_={
            "count": _refusal.c["count"] + new.excluded["count"],
            "missing": _refusal.c.missing + new.excluded.missing,
            "last_at": new.excluded.last_at,
        },
    )


def _move_periods() -> sa.Update:
    rows = _rows("periods", {"id": sa.Uuid(), "period_end": sa.DateTime(timezone=True)})
    return sa.update(_account).values(period_end=rows.c.period_end).where(_account.c.id == rows.c.id)


def _change_runs() -> sa.Update:
    changing = ("state", "attempts", "worker", "output_tokens", "outcome", "charged", *_RUN_TIMES)
    types = {name: _run.c[name].type for name in ("id", *changing)}
    rows = _rows("run_changes", {**types, "account": sa.Uuid()})
    return (
        sa.update(_run)
        .values({key: rows.c[key] for key in changing})
        .where(_run.c.account_id == rows.c.account, _run.c.id == rows.c.id)
    )


def _tell() -> Insert:
    columns = ("id", "kind", "version", "workspace_id", "body")
    rows = _rows("events", {name: _outbox.c[name].type for name in columns})
    told = sa.select(*(rows.c[name] for name in columns), sa.func.clock_timestamp())
    return insert(_outbox).from_select([*columns, "occurred_at"], told, include_defaults=False)


_PARTS = {
    "lots": _save_lots,
    "reservations": lambda: _copy(_reservation, "reservations"),
    "changes": _change_reservations,
    "records": _add_records,
    "hours": _sum_hours,
    "repayments": lambda: _copy(_repayment, "repayments"),
    "periods": _move_periods,
    "limits": _count_limits,
    "refusals": _note_refusals,
    "runs": lambda: _copy(_run, "runs"),
    "run_changes": _change_runs,
    "batches": lambda: _copy(_batch, "batches", but={"notified_at"}),
    "events": _tell,
}


@cache
def _statement(parts: tuple[str, ...]) -> Statement:
    """One statement for all the kinds of rows that there are; batches differ in few ways."""
    writes = (_PARTS[part]().cte(f"write_{part}") for part in parts)
    last = RING if "events" in parts else sa.select(sa.literal_column("1"))
    return Statement(last.add_cte(*writes))


_encode = msgspec.json.Encoder().encode


async def write_entries(driver: Driver, desks: Sequence[Desk]) -> None:
    """Everything that lies changed on ``desks``."""
    entries = {name: rows for name, rows in _entries(desks).items() if rows}
    if entries:
        text = {name: _encode(rows).decode() for name, rows in entries.items()}
        await _statement(tuple(entries)).fetch(driver, text)


def _entries(desks: Sequence[Desk]) -> dict[str, list[Any]]:
    records = [record for desk in desks for record in desk.records]
    return {
        "lots": [desk.lots[id] for desk in desks for id in desk.changed_lots],
        "reservations": [desk.reservations[id] for desk in desks for id in desk.new_reservations],
        "changes": [
            desk.reservations[id]
            for desk in desks
            for id in desk.changed_reservations - desk.new_reservations
        ],
        "records": records,
        "hours": [
            {**key._asdict(), "key": key.key or NO_KEY, **asdict(sums)}
            for key, sums in by_hour(records).items()
        ],
        "repayments": [each for desk in desks for each in desk.repayments],
        "periods": [
            {"id": desk.account.id, "period_end": desk.account.period_end}
            for desk in desks
            if desk.account_changed
        ],
        "limits": [desk.tally.limits[id] for desk in desks for id in desk.tally.changed],
        "refusals": shadow_sums(each for desk in desks for each in desk.tally.refusals),
        "runs": [desk.runs[id] for desk in desks for id in desk.new_runs],
        "run_changes": [desk.runs[id] for desk in desks for id in desk.changed_runs - desk.new_runs],
        "batches": [each for desk in desks for each in desk.batches],
        "events": [message_row(each) for desk in desks for each in desk.events],
    }
