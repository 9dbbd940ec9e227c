"""A tenant with a past, and the records of it."""

import asyncio
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ids import parse_account
from tests.shop import Caller, Seller, Shop, Tenant

HOURS_AGO = (50, 26, 3, 0)
RECORDS = 48


async def spend(services: AsyncContainer, seller: Seller, shop: Shop) -> Tenant:
    """A tenant that used three features by three keys and by none, at four times: 48 records."""
    tenant = await shop.tenant()
    second = await shop.key(tenant.account)
    payers: list[dict[str, object]] = [{"api_key": key} for key in (tenant.live, second.text, tenant.test)]
    payers.append({"api_key": None, "account_id": tenant.account})
    for hours in HOURS_AGO:
        for n, feature in enumerate(("echo", "summarize", "match_job")):
            reserved = [await seller.reserved(tenant, feature=feature, **payer) for payer in payers]
            usage = {"input_tokens": 10 * n + hours, "output_tokens": 7, "units": n}
            # At once, so that several records are of the same instant.
            await asyncio.gather(*(seller.commit(id, usage) for id in reserved))
        await move_back(services, tenant, timedelta(hours=hours))
    return tenant


async def move_back(services: AsyncContainer, tenant: Tenant, by: timedelta) -> None:
    """As if what was just used had been used so long ago."""
    which = {"account": parse_account(tenant.account), "by": by}
    async with (await services.get(AsyncEngine)).begin() as connection:
        for table, column in (("usage_record", "recorded_at"), ("usage_hour", "hour")):
            moved = f"UPDATE {table} SET {column} = {column} - CAST(:by AS interval)"  # noqa: S608 - both names are ours
            recent = f"{moved} WHERE account_id = :account AND {column} > now() - interval '2 hours'"
            await connection.execute(sa.text(recent), which)


async def every_record(program: Caller, *, limit: int, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await program.get("/v1/usage/records", limit=limit, **cursor, **query)).json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next_cursor"]}
