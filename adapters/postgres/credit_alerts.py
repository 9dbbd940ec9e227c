from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.postgres.base import table
from adapters.postgres.faults import reaching
from adapters.postgres.records import AccountRecord, CreditAlertRecord, WorkspaceRecord
from application.usage.alerts import CreditAlerts, CreditUse
from domain.ids import AccountId, WorkspaceId
from domain.period import month_of
from domain.usage.consumption import Consumption

_alert = table(CreditAlertRecord)
_account = table(AccountRecord)
_workspace = table(WorkspaceRecord)
_PAGE = (
    sa.select(
        _account.c.id,
        _account.c.workspace_id,
        _account.c.product,
        _account.c.anchor,
        sa.func.now().label("now"),
    )
    .join_from(_account, _workspace, _account.c.workspace_id == _workspace.c.id)
    .where(_workspace.c.deleted_at.is_(None))
    .order_by(_account.c.id)
)
# A month begins where its account was opened, in the midst of an hour: of that hour the records are summed.
_USE = sa.text("""
    SELECT (SELECT coalesce(sum(l.granted - l.spent), 0) FROM lot l
            WHERE l.account_id = m.account AND l.usable AND l.source <> 'overdraft'
            AND l.starts_at <= now() AND now() < l.expires_at)::bigint AS left,
           ((SELECT coalesce(sum(h.charged), 0) FROM usage_hour h
             WHERE h.account_id = m.account AND h.hour >= m.hour)
            + (SELECT coalesce(sum(u.charged), 0) FROM usage_record u
               WHERE u.account_id = m.account AND u.recorded_at >= m.since AND u.recorded_at < m.hour)
           )::bigint AS spent,
           (SELECT coalesce(max(a.threshold), 0) FROM credit_alert a
            WHERE a.account_id = m.account AND a.since = m.since) AS told
    FROM unnest(:accounts, :since, :hours) WITH ORDINALITY m (account, since, hour, place)
    ORDER BY place
""").bindparams(
    sa.bindparam("accounts", type_=ARRAY(sa.Uuid)),
    sa.bindparam("since", type_=ARRAY(sa.DateTime(timezone=True))),
    sa.bindparam("hours", type_=ARRAY(sa.DateTime(timezone=True))),
)


class SqlCreditUse(CreditUse):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, *, after: AccountId | None, limit: int) -> Sequence[Consumption]:
        wanted = _PAGE.limit(limit)
        if after is not None:
            wanted = wanted.where(_account.c.id > after)
        with reaching():
            async with self._engine.connect() as connection:
                accounts = (await connection.execute(wanted)).all()
                since = [month_of(each.anchor, each.now).start for each in accounts]
                values = {
                    "accounts": [each.id for each in accounts],
                    "since": since,
                    "hours": [_next_hour(each) for each in since],
                }
                rows = (await connection.execute(_USE, values)).all()
        return [
            Consumption(
                account=AccountId(account.id),
                workspace=WorkspaceId(account.workspace_id),
                product=account.product,
                since=start,
                left=row.left,
                spent=row.spent,
                told=row.told,
            )
            for account, start, row in zip(accounts, since, rows, strict=True)
        ]


def _next_hour(at: datetime) -> datetime:
    """The first whole hour that is not before ``at``."""
    whole = at.replace(minute=0, second=0, microsecond=0)
    return whole if whole == at else whole + timedelta(hours=1)


class SqlCreditAlerts(CreditAlerts):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def mark(self, of: Consumption, thresholds: Sequence[int], at: datetime) -> bool:
        rows = [
            {"account_id": of.account, "since": of.since, "threshold": each, "told_at": at}
            for each in thresholds
        ]
        marked = insert(_alert).values(rows).on_conflict_do_nothing().returning(_alert.c.threshold)
        return thresholds[-1] in set(await self._session.scalars(marked))
