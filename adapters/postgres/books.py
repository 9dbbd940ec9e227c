"""The account books as the ledger reads them: what a batch needs, in two statements.

Rows travel as JSON, because PostgreSQL (``json_agg``) and msgspec both make it from and into typed rows
faster than a driver and an ORM convert a thousand values, and a domain object needs no mapping by hand:
a column is named after its field (ADR 0004).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from adapters.postgres.base import table
from adapters.postgres.driver import Driver, Statement
from adapters.postgres.records import (
    AccountRecord,
    LotRecord,
    QueuedRunRecord,
    ReservationRecord,
    SpendLimitRecord,
    WorkspaceRecord,
)
from adapters.postgres.records.ledger import OPEN
from domain.ids import AccountId
from domain.usage.account import Account
from domain.usage.desk import Names
from domain.usage.lot import Lot
from domain.usage.queued_run import QueuedRun
from domain.usage.reservation import Reservation
from domain.usage.spend_limit import SpendLimit

FIELDS = {
    "account_id": "account",
    "batch_id": "batch",
    "key_id": "key",
    "limit_id": "limit",
    "lot_id": "lot",
    "member_id": "member",
    "overdraft_id": "overdraft",
    "subject_id": "subject",
    "workspace_id": "workspace",
}
"""Columns that are not named after the domain's field."""

_account = table(AccountRecord)
_workspace = table(WorkspaceRecord)
_lot = table(LotRecord)
_reservation = table(ReservationRecord)
_limit = table(SpendLimitRecord)
_run = table(QueuedRunRecord)


def _accounts(name: str = "accounts") -> sa.ColumnElement[Any]:
    return sa.any_(sa.bindparam(name, type_=ARRAY(sa.Uuid)))


ACCOUNTS = (
    sa.select(
        _account.c.id,
        _account.c.workspace_id.label("workspace"),
        sa.func.json_build_object(
            *("product", _account.c.product, "plan", _account.c.plan, "version", _account.c.plan_version),
            type_=JSON,
        ).label("plan"),
        _workspace.c.frozen_at.is_not(None).label("frozen"),
        _account.c.anchor,
        _account.c.period_end,
        _account.c.parked_at.is_not(None).label("parked"),
        _account.c.top_up_below,
        sa.func.coalesce(_account.c.freezes_at <= sa.func.statement_timestamp(), sa.false()).label("overdue"),
    )
    .join_from(_account, _workspace, _account.c.workspace_id == _workspace.c.id)
    .where(_account.c.id == _accounts())
)
"""Each row has the fields of an ``Account``."""


def _columns(table: sa.FromClause, *, but: frozenset[str] = frozenset()) -> list[sa.ColumnElement[Any]]:
    return [column.label(FIELDS.get(column.key, column.key)) for column in table.c if column.key not in but]


_LOT = _columns(_lot, but=frozenset({"usable"}))
_RESERVATION = _columns(_reservation)
_LIMIT = _columns(_limit)
_RUN = _columns(_run, but=frozenset({"input", "outcome"}))
_NOW = sa.func.statement_timestamp()


def _wanted(
    columns: Sequence[sa.ColumnElement[Any]], table: sa.FromClause, key: str, type_: sa.types.TypeEngine[Any]
) -> sa.Select[Any]:
    """The rows of ``table`` named by two arrays of one length: accounts, and values of ``key``."""
    wanted = (
        sa.func.unnest(
            sa.bindparam(f"{key}_accounts", type_=ARRAY(sa.Uuid)), sa.bindparam(f"{key}s", type_=ARRAY(type_))
        )
        .table_valued(sa.column("account", sa.Uuid), sa.column("wanted", type_))
        .render_derived(name=f"wanted_{key}")
    )
    same_account = table.c.account_id == wanted.c.account
    if (
        key == "request"
    ):  # by the index that begins with it: so written, none that begins with the account will do
        same_account = table.c.account_id.is_not_distinct_from(wanted.c.account)
    return sa.select(*columns).join_from(wanted, table, same_account & (table.c[key] == wanted.c.wanted))


def _as_json(rows: sa.Subquery | sa.CTE) -> sa.ColumnElement[Any]:
    aggregate = sa.func.json_agg(sa.literal_column(rows.name))
    return sa.cast(sa.select(aggregate).select_from(rows).scalar_subquery(), sa.Text).label(rows.name)


_LOTS = sa.union_all(
    sa.select(*_LOT).where(
        _lot.c.account_id == _accounts(), _lot.c.usable, (_lot.c.expires_at > _NOW) | (_lot.c.held > 0)
    ),
    _wanted(_LOT, _lot, "reference", sa.Text()),
).subquery("lots")
_RESERVATIONS = sa.union_all(
    _wanted(_RESERVATION, _reservation, "id", sa.Uuid()),
    _wanted(_RESERVATION, _reservation, "request", sa.Text()),
    sa.select(
        sa.select(*_RESERVATION)
        .where(_reservation.c.account_id == _accounts(), sa.text(OPEN), _reservation.c.expires_at <= _NOW)
        .limit(sa.bindparam("most_overdue", type_=sa.BigInteger))
        .subquery("overdue")
    ),
).cte("reservations")
_counted = (
    sa.func.jsonb_array_elements(_RESERVATIONS.c.counted)
    .table_valued(sa.column("entry", JSONB))
    .render_derived(name="counted")
)
_COUNTING = (
    sa.select(*_LIMIT)
    .join_from(_RESERVATIONS, _counted, sa.true())
    .join(
        _limit,
        (_limit.c.account_id == _RESERVATIONS.c.account)
        & (_limit.c.id == sa.cast(_counted.c.entry[0].astext, sa.Uuid)),
    )
)
_LIMITS = sa.union(_wanted(_LIMIT, _limit, "subject_id", sa.Uuid()), _COUNTING).subquery("limits")
_READ = Statement(
    sa.select(
        _NOW.label("now"),
        *(_as_json(each) for each in (ACCOUNTS.subquery("accounts"), _LOTS, _RESERVATIONS, _LIMITS)),
    )
)


# Seldom needed, so asked for apart. Neither what it is about nor what came of it, which are large.
_READ_RUNS = Statement(sa.select(_as_json(_wanted(_RUN, _run, "id", sa.Uuid()).subquery("runs"))))


_decode_runs = msgspec.json.Decoder(list[QueuedRun]).decode
_decode_accounts = msgspec.json.Decoder(list[Account]).decode
_decode_lots = msgspec.json.Decoder(list[Lot]).decode
_decode_limits = msgspec.json.Decoder(list[SpendLimit]).decode
_decode_reservations = msgspec.json.Decoder(list[Reservation]).decode


@dataclass(frozen=True, slots=True)
class Books:
    """``now`` is the database's clock, read after the accounts were locked.

    ``behind``: there may be more reservations past their deadline than were asked for.
    """

    now: datetime
    accounts: Sequence[Account]
    lots: Sequence[Lot]
    reservations: Sequence[Reservation]
    limits: Sequence[SpendLimit]
    runs: Sequence[QueuedRun]
    behind: bool


def lock(ids: Iterable[AccountId]) -> str:
    """SQL that waits for the accounts, in the order of their ids, so that no two batches deadlock."""
    every = ",".join(map(str, ids))
    return f"SELECT FROM {_account.name} WHERE id = ANY ('{{{every}}}') ORDER BY id FOR NO KEY UPDATE"


async def read_books(
    driver: Driver, ids: Sequence[AccountId], commands: Sequence[Names], *, most_overdue: int | None = None
) -> Books:
    """The accounts that exist, their usable lots, what ``commands`` name, and holds past their deadline."""
    subjects = {(each.account, subject) for each in commands for subject in each.subjects}
    named = {
        "most_overdue": most_overdue,
        "accounts": ids,
        "id_accounts": [each.account for each in commands if each.reservation],
        "ids": [each.reservation for each in commands if each.reservation],
        "request_accounts": [each.account for each in commands if each.request is not None],
        "requests": [each.request for each in commands if each.request is not None],
        "reference_accounts": [each.account for each in commands if each.reference is not None],
        "references": [each.reference for each in commands if each.reference is not None],
        "subject_id_accounts": [account for account, _ in subjects],
        "subject_ids": [subject for _, subject in subjects],
    }
    [row] = await _READ.fetch(driver, named)
    reservations = _decode_reservations(row["reservations"] or "[]")
    overdue = {each.id for each in reservations if each.overdue(row["now"])}
    return Books(
        now=row["now"],
        accounts=_decode_accounts(row["accounts"] or "[]"),
        lots=_decode_lots(row["lots"] or "[]"),
        reservations=reservations,
        limits=_decode_limits(row["limits"] or "[]"),
        runs=await _read_runs(driver, commands),
        behind=most_overdue is not None and len(overdue) >= most_overdue,
    )


async def _read_runs(driver: Driver, commands: Sequence[Names]) -> Sequence[QueuedRun]:
    wanted = [(each.account, each.run) for each in commands if each.run is not None]
    if not wanted:
        return ()
    named = {"id_accounts": [account for account, _ in wanted], "ids": [run for _, run in wanted]}
    [row] = await _READ_RUNS.fetch(driver, named)
    return _decode_runs(row["runs"] or "[]")
