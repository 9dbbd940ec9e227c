"""The audit recounts the books, and names whatever does not add up."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from dishka import AsyncContainer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.engine import make_engine
from domain.ids import parse_account, parse_reservation
from domain.usage.lot import Source
from entrypoints.http.app import create_app
from tests.cli.operator import asked, refused
from tests.cli.processes import command
from tests.conftest import TEMPLATE, renamed, run_sql
from tests.shop import Seller, Shop, Tenant, open_shop, services_on

LARGE = {"input_tokens": 1000, "output_tokens": 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """In a ``database`` of that name. ``tenant`` has a reservation that is ``held``, and one ``charged``."""

    database: str
    tenant: Tenant
    held: str
    charged: str


async def overdue(services: AsyncContainer, reservation: str) -> None:
    account, id = parse_reservation(reservation)
    late = text("UPDATE reservation SET expires_at = now() WHERE account_id = :account AND id = :id")
    async with (await services.get(AsyncEngine)).begin() as connection:
        await connection.execute(late, {"account": account, "id": id})


async def trade(url: str, database: str) -> Books:
    """Everything that can happen to credits, to several tenants."""
    await open_shop(url)
    async with services_on(url) as services:
        shop, app = Shop(services), create_app(services)
        transport: Any = httpx.ASGITransport(app)  # type: ignore[arg-type] # Litestar's scopes are typed
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            seller = Seller(http, (await shop.service_key()).text)
            tenant = await shop.tenant()
            held, charged = await seller.reserved(tenant), await seller.reserved(tenant)
            await seller.start(held)
            await seller.commit(charged)
            await seller.release(await seller.reserved(tenant))
            await seller.commit(await seller.reserved(tenant, api_key=tenant.test))
            await overdue(services, await seller.reserved(tenant))
            await seller.reserved(tenant)
            poor = await shop.tenant(amount="3")
            await seller.commit(await seller.reserved(poor), LARGE)
            team = await shop.tenant("api/team", amount="3")
            await seller.commit(await seller.reserved(team), LARGE)
            await shop.grant(team.account, "1", Source.PROMOTION)
            await shop.grant(team.account, "10")
            await seller.extend(await seller.reserved(team), estimate={"input_tokens": 3000})
            await seller.reserved(await shop.tenant("api/free", amount="0"))
            return Books(database=database, tenant=tenant, held=held, charged=charged)


@pytest.fixture(scope="module")
def books(embedded_server: str) -> Books:
    name = "cuebx_audit"
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    return asyncio.run(trade(renamed(embedded_server, name), name))


@pytest.fixture
def copy(books: Books, embedded_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The books, to spoil."""
    name = f"cuebx_{uuid4().hex}"
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE {name} TEMPLATE {books.database}"))
    monkeypatch.setenv("CUEBX_DATABASE_URL", renamed(embedded_server, name))
    monkeypatch.setenv("CUEBX_PROFILE", "embedded")
    yield renamed(embedded_server, name)
    asyncio.run(run_sql(embedded_server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.mark.usefixtures("copy")
def test_books_in_order_add_up_whatever_happened_in_them() -> None:
    result = command("audit")
    assert (result.exit_code, result.stdout) == (0, "The books add up.\n")
    assert asked("audit") == []


def test_empty_books_add_up(own_database: str) -> None:
    assert command("audit").stdout == "The books add up.\n"


def test_one_that_takes_too_long_says_how_to_give_it_longer(own_database: str) -> None:
    lock = "LOCK TABLE usage_record IN ACCESS EXCLUSIVE MODE"
    engine = make_engine(own_database)
    with asyncio.Runner() as runner:
        connection = runner.run(_begun(engine, lock))
        told = refused("audit", "--timeout", "1")
        runner.run(connection.close())
        runner.run(engine.dispose())
    assert told == (
        "Error: the audit was not done within 1 s: give it longer with --timeout [audit_too_slow]"
    )


async def _begun(engine: AsyncEngine, statement: str) -> AsyncConnection:
    """In a transaction that goes on."""
    connection = await engine.connect()
    await connection.execute(text(statement))
    return connection


ANYTHING = {
    "UPDATE lot SET held = held + 1 WHERE {here}": "held is not what open reservations hold",
    "UPDATE lot SET spent = spent + 1 WHERE {here}": "spent is not what was charged and repaid",
    "UPDATE lot SET granted = 1 WHERE {here}": "more is held and spent than was granted",
    "UPDATE lot SET held = -1 WHERE {here}": "held is negative",
    "UPDATE lot SET spent = -1 WHERE {here}": "spent is negative",
    "DELETE FROM lot WHERE {here}": "held is not what open reservations hold",
    "DELETE FROM reservation WHERE {here} AND state = 'started'": "held is not what open reservations hold",
    "DELETE FROM usage_record WHERE {here} AND charged > 0": "spent is not what was charged and repaid",
    "UPDATE usage_record SET charged = charged + 1 WHERE {here} AND NOT test": (
        "charged is not what its lots paid"
    ),
    "UPDATE usage_record SET cost = cost + 1 WHERE {here} AND NOT test": (
        "charged and uncollected are not the cost"
    ),
    "UPDATE usage_hour SET charged = charged + 1 WHERE {here} AND NOT test": (
        "the hourly sums are not the charges"
    ),
    "DELETE FROM usage_hour WHERE {here}": "the hourly sums are not the charges",
    """
    INSERT INTO usage_record
    SELECT (again).* FROM (
        SELECT jsonb_populate_record(u, '{{"recorded_at": "2026-12-31T00:00:00Z"}}') AS again
        FROM usage_record u WHERE {here} AND charged > 0
    ) twice
    """: "it was charged more than once",
}
"""What can be done to the books of a tenant, and the fault that this is found as."""


@pytest.mark.parametrize("damage", ANYTHING)
def test_what_does_not_add_up_is_named(books: Books, copy: str, damage: str) -> None:
    here = f"account_id = '{parse_account(books.tenant.account)}'"
    unguarded = "ALTER TABLE lot DROP CONSTRAINT ck_lot_balance"
    asyncio.run(run_sql(copy, unguarded, damage.format(here=here)))
    result = command("audit")
    assert result.exit_code == 1
    assert ANYTHING[damage] in result.stdout
    assert books.tenant.account in result.stdout
    told = command("audit", "--json")
    assert told.exit_code == 1
    findings = json.loads(told.stdout)
    assert {finding["account_id"] for finding in findings} == {books.tenant.account}
    assert ANYTHING[damage] in {finding["fault"] for finding in findings}


def test_a_fault_tells_what_was_expected_and_what_was_found(books: Books, copy: str) -> None:
    here = f"account_id = '{parse_account(books.tenant.account)}'"
    damage = "UPDATE lot SET held = held + 500000 WHERE {here}"
    asyncio.run(run_sql(copy, damage.format(here=here)))
    (finding,) = json.loads(command("audit", "--json").stdout)
    assert finding["lot_id"].startswith("lot_")
    assert (finding["expected"], finding["found"], finding["reservation_id"]) == ("4", "4.5", None)


def test_a_double_charge_is_told_by_its_reservation(books: Books, copy: str) -> None:
    account, id = parse_reservation(books.charged)
    damage = next(each for each, fault in ANYTHING.items() if "more than once" in fault)
    asyncio.run(run_sql(copy, damage.format(here=f"account_id = '{account}' AND id = '{id}'")))
    findings = json.loads(command("audit", "--json").stdout)
    (twice,) = [each for each in findings if each["fault"] == "it was charged more than once"]
    assert (twice["reservation_id"], twice["expected"], twice["found"]) == (books.charged, 1, 2)


def test_the_broken_account_is_parked_until_its_books_add_up(books: Books, copy: str) -> None:
    account = books.tenant.account
    here, change = parse_account(account), "UPDATE lot SET held = held {by} WHERE account_id = '{here}'"
    asyncio.run(run_sql(copy, change.format(by="+ 500000", here=here)))
    asked("users", "create-operator", "olga@example.org")
    ran = asked("jobs", "run", "audit")
    assert (ran["outcome"], ran["broken"], ran["parked"]) == ("ok", 1, 1)
    (parked,) = asked("accounts", "parked")
    assert parked["account_id"] == account
    assert parked["reason"] == "held is not what open reservations hold: expected 4, found 4.5"
    assert "[account_still_broken]" in refused("accounts", "unpark", account)
    assert asked("accounts", "unpark", account, "--force")["parked"] is False
    assert asked("jobs", "run", "audit")["parked"] == 1
    asyncio.run(run_sql(copy, change.format(by="- 500000", here=here)))
    assert asked("accounts", "unpark", account)["parked"] is False
    assert command("accounts", "parked").stdout == "No account is parked.\n"


def test_an_account_is_parked_by_hand(books: Books, copy: str) -> None:
    assert asked("accounts", "park", books.tenant.account, "--reason", "odd")["parked"] is True
    (parked,) = asked("accounts", "parked")
    assert parked["reason"] == "odd"
    shown = asked("audit-log", books.tenant.workspace)
    assert "account.parked" in {each["action"] for each in shown}
