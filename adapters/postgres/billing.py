"""What is kept of Stripe's objects, and of what it told."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.base import table
from adapters.postgres.books import FIELDS
from adapters.postgres.records import (
    BillingCustomerRecord,
    BillingNoticeRecord,
    CheckoutRecord,
    InvoiceRecord,
    LotRecord,
    QuoteRecord,
    StripeEventRecord,
    StripeSweepRecord,
    SubscriptionRecord,
    TopUpRecord,
)
from application.billing.ports import (
    Checkouts,
    Customers,
    Happened,
    Invoices,
    Notices,
    Quotes,
    StripeEvents,
    Subscriptions,
    TopUps,
)
from domain.billing.change import Quote
from domain.billing.checkout import Checkout, Purpose
from domain.billing.drift import Granted
from domain.billing.invoice import Invoice
from domain.billing.subscription import Subscription
from domain.billing.top_up import TopUp
from domain.ids import AccountId, WorkspaceId

_customer = table(BillingCustomerRecord)
_subscription = table(SubscriptionRecord)
_invoice = table(InvoiceRecord)
_event = table(StripeEventRecord)
_sweep = table(StripeSweepRecord)
_checkout = table(CheckoutRecord)
_quote = table(QuoteRecord)
_notice = table(BillingNoticeRecord)
_lot = table(LotRecord)
_top_up = table(TopUpRecord)
_COLUMNS = {field: column for column, field in FIELDS.items()}


def _values(thing: Any, *, but: frozenset[str] = frozenset()) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    return {
        _COLUMNS.get(each.name, each.name): msgspec.to_builtins(value) if _nested(value) else value
        for each in fields(thing)
        if each.name not in but
        for value in (getattr(thing, each.name),)
    }


def _nested(value: object) -> bool:
    return hasattr(value, "__dataclass_fields__")


def _fields(row: sa.RowMapping) -> dict[str, Any]:
    return {FIELDS.get(name, name): value for name, value in row.items()}


class SqlCustomers(Customers):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of(self, workspace: WorkspaceId) -> str | None:
        wanted = sa.select(_customer.c.id).where(_customer.c.workspace_id == workspace)
        found: str | None = await self._session.scalar(wanted)
        return found

    async def add(self, workspace: WorkspaceId, id: str, at: datetime) -> str:
        new = insert(_customer).values(workspace_id=workspace, id=id, created_at=at)
        await self._session.execute(new.on_conflict_do_nothing())
        return await self.of(workspace) or id

    async def close(self, workspace: WorkspaceId, at: datetime) -> None:
        closed = sa.update(_customer).where(_customer.c.workspace_id == workspace).values(closed_at=at)
        await self._session.execute(closed)

    async def page(self, *, after: WorkspaceId | None, limit: int) -> Sequence[tuple[WorkspaceId, str]]:
        wanted = (
            sa.select(_customer.c.workspace_id, _customer.c.id)
            .where(_customer.c.closed_at.is_(None))
            .order_by(_customer.c.workspace_id)
        )
        if after is not None:
            wanted = wanted.where(_customer.c.workspace_id > after)
        rows = (await self._session.execute(wanted.limit(limit))).all()
        return [(WorkspaceId(workspace), id) for workspace, id in rows]


class SqlSubscriptions(Subscriptions):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def fence(self, id: str) -> int:
        wanted = sa.select(_subscription.c.fence).where(_subscription.c.id == id)
        return await self._session.scalar(wanted) or 0

    async def of(self, account: AccountId) -> Sequence[Subscription]:
        wanted = sa.select(_subscription).where(_subscription.c.account_id == account)
        rows = await self._session.execute(wanted.order_by(_subscription.c.created_at, _subscription.c.id))
        return [msgspec.convert(_fields(row), Subscription) for row in rows.mappings()]

    async def save(self, subscription: Subscription) -> None:
        values = _values(subscription)
        new = insert(_subscription).values(**values, fence=1)
        changed = {name: value for name, value in values.items() if name not in ("account_id", "id")}
        changed["fence"] = _subscription.c.fence + 1
        await self._session.execute(
            new.on_conflict_do_update(index_elements=["account_id", "id"], set_=changed)
        )

    async def claim(self, account: AccountId, id: str) -> int:
        its = (_subscription.c.account_id == account, _subscription.c.id == id)
        raised = sa.update(_subscription).where(*its).values(fence=_subscription.c.fence + 1)
        found: int = (await self._session.execute(raised.returning(_subscription.c.fence))).scalar_one()
        return found


class SqlInvoices(Invoices):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def fence(self, id: str) -> int:
        return await self._session.scalar(sa.select(_invoice.c.fence).where(_invoice.c.id == id)) or 0

    async def find(self, account: AccountId, id: str) -> Invoice | None:
        its = (_invoice.c.account_id == account, _invoice.c.id == id)
        return next(iter(await self._read(sa.select(_invoice).where(*its))), None)

    async def save(self, invoice: Invoice) -> None:
        values = _values(invoice, but=frozenset({"lines"}))
        changed = {name: value for name, value in values.items() if name not in ("account_id", "id")}
        changed["fence"] = _invoice.c.fence + 1
        new = insert(_invoice).values(**values, fence=1)
        await self._session.execute(
            new.on_conflict_do_update(index_elements=["account_id", "id"], set_=changed)
        )

    async def page(
        self, accounts: Sequence[AccountId], *, after: str | None, limit: int
    ) -> Sequence[Invoice]:
        wanted = sa.select(_invoice).where(_invoice.c.account_id.in_(accounts))
        if after is not None:
            edge = sa.select(_invoice.c.created_at, _invoice.c.id).where(
                _invoice.c.account_id.in_(accounts), _invoice.c.id == after
            )
            wanted = wanted.where(sa.tuple_(_invoice.c.created_at, _invoice.c.id) < edge.scalar_subquery())
        order = (_invoice.c.created_at.desc(), _invoice.c.id.desc())
        return await self._read(wanted.order_by(*order).limit(limit))

    async def of(self, account: AccountId) -> Sequence[Invoice]:
        return await self._read(sa.select(_invoice).where(_invoice.c.account_id == account))

    async def lots(self, account: AccountId) -> Mapping[str, Granted]:
        wanted = sa.select(_lot.c.reference, _lot.c.granted, _lot.c.refunded).where(
            _lot.c.account_id == account, _lot.c.reference.like("stripe:%")
        )
        rows = (await self._session.execute(wanted)).all()
        return {str(name): Granted(granted + refunded, refunded) for name, granted, refunded in rows}

    async def _read(self, wanted: sa.Select[Any]) -> Sequence[Invoice]:
        rows = await self._session.execute(wanted)
        return [msgspec.convert({**_fields(row), "lines": ()}, Invoice) for row in rows.mappings()]


class SqlStripeEvents(StripeEvents):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, events: Sequence[Happened], now: datetime) -> Sequence[Happened]:
        if not events:
            return []
        rows = [
            {"id": each.event, "type": each.type, "about": each.about, "created_at": each.at}
            for each in events
        ]
        new = insert(_event).values([{**row, "received_at": now} for row in rows])
        kept = set(await self._session.scalars(new.on_conflict_do_nothing().returning(_event.c.id)))
        return [each for each in events if each.event in kept]

    async def swept(self) -> datetime | None:
        found: datetime | None = await self._session.scalar(sa.select(_sweep.c.until))
        return found

    async def sweep(self, until: datetime) -> None:
        new = insert(_sweep).values(id=1, until=until)
        later = sa.func.greatest(_sweep.c.until, until)
        await self._session.execute(new.on_conflict_do_update(index_elements=["id"], set_={"until": later}))


class SqlQuotes(Quotes):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, quote: Quote) -> None:
        await self._session.execute(sa.insert(_quote).values(_values(quote)))

    async def get(self, account: AccountId, id: UUID) -> Quote | None:
        wanted = sa.select(_quote).where(_quote.c.account_id == account, _quote.c.id == id)
        row = (await self._session.execute(wanted)).mappings().one_or_none()
        return None if row is None else msgspec.convert(_fields(row), Quote)

    async def claim(self, quote: Quote) -> None:
        its = (_quote.c.account_id == quote.account, _quote.c.id == quote.id)
        await self._session.execute(sa.update(_quote).where(*its).values(claimed=quote.claimed))


class SqlTopUps(TopUps):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def since(self, account: AccountId, at: datetime) -> Sequence[TopUp]:
        late = (_top_up.c.created_at > at) | (_top_up.c.state == "pending")
        wanted = sa.select(_top_up).where(_top_up.c.account_id == account, late)
        rows = await self._session.execute(wanted.order_by(_top_up.c.created_at))
        return [msgspec.convert(_fields(row), TopUp) for row in rows.mappings()]

    async def save(self, top_up: TopUp) -> None:
        values = _values(top_up)
        changed = {name: values[name] for name in ("state", "invoice", "reason", "ended_at")}
        new = insert(_top_up).values(values)
        await self._session.execute(
            new.on_conflict_do_update(index_elements=["account_id", "id"], set_=changed)
        )


class SqlNotices(Notices):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def first(self, account: AccountId, kind: str, about: str, at: datetime) -> bool:
        new = insert(_notice).values(account_id=account, kind=kind, about=about, told_at=at)
        told = new.on_conflict_do_nothing().returning(_notice.c.kind)
        return await self._session.scalar(told) is not None


class SqlCheckouts(Checkouts):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def open(self, account: AccountId, purpose: Purpose) -> Checkout | None:
        return await self._first(
            _checkout.c.account_id == account, _checkout.c.purpose == purpose, _checkout.c.state == "open"
        )

    async def all_open(self, account: AccountId) -> Sequence[Checkout]:
        wanted = sa.select(_checkout).where(_checkout.c.account_id == account, _checkout.c.state == "open")
        rows = await self._session.execute(wanted.order_by(_checkout.c.created_at))
        return [_checkout_from(row) for row in rows.mappings()]

    async def get(self, account: AccountId, id: UUID) -> Checkout | None:
        return await self._first(_checkout.c.account_id == account, _checkout.c.id == id)

    async def by_session(self, session: str) -> Checkout | None:
        return await self._first(_checkout.c.session == session)

    async def save(self, checkout: Checkout) -> None:
        values = _values(checkout, but=frozenset({"wanted", "trial_days"}))
        values["wanted"] = {"prices": dict(checkout.wanted), "trial_days": checkout.trial_days}
        changed = {name: values[name] for name in ("session", "url", "state")}
        new = insert(_checkout).values(values)
        await self._session.execute(
            new.on_conflict_do_update(index_elements=["account_id", "id"], set_=changed)
        )

    async def _first(self, *conditions: sa.ColumnElement[bool]) -> Checkout | None:
        wanted = sa.select(_checkout).where(*conditions).order_by(_checkout.c.created_at.desc()).limit(1)
        row = (await self._session.execute(wanted)).mappings().one_or_none()
        return None if row is None else _checkout_from(row)


def _checkout_from(row: sa.RowMapping) -> Checkout:
    values = _fields(row)
    kept = values.pop("wanted")
    return msgspec.convert({**values, "wanted": kept["prices"], "trial_days": kept["trial_days"]}, Checkout)
