"""What is published, over the fake and over PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.catalog_cache import SqlCatalog
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.catalog.ports import Catalog, CatalogTx
from application.catalog.publish import PublishCatalog
from application.ports import Clock, UnitOfWork
from domain.catalog.errors import FeatureMissing, PlanMissing
from domain.catalog.feature import OnTimeout
from domain.catalog.plan import Tariff
from domain.catalog.publication import Change, Draft, Outcome, publication
from domain.credits import PICO, Price
from domain.ids import PlanRef
from migrations.schema import upgrade
from tests.conftest import TEMPLATE, renamed, run_sql
from tests.contracts.conftest import INSTALLED, SERVERS
from tests.fakes.catalog import FEATURE, PLAN, PRODUCT, FakeCatalogWork

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DEARER = replace(PLAN, key="team", price=4900)
DRAFT = Draft(products=(PRODUCT,), plans=(DEARER, PLAN), features=(FEATURE,))
EMPTY = Draft(products=(), plans=(), features=())
FREE_1 = PlanRef("api", "free", 1)


@dataclass
class StoppedClock(Clock):
    def now(self) -> datetime:
        return NOW


@dataclass
class Subject:
    work: UnitOfWork[CatalogTx]
    catalog: Catalog

    async def publish(self, draft: Draft) -> tuple[Change, ...]:
        return await PublishCatalog(self.work, StoppedClock(), self.catalog)(draft)


@pytest.fixture(scope="module")
def databases(embedded_server: str) -> Iterator[dict[str, str]]:
    """A database of this module's own on each server: a publication concerns everything that is published."""
    name = f"cuebx_catalog_{uuid4().hex}"
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    urls = {"embedded": renamed(embedded_server, name)}
    if "installed" in SERVERS:
        asyncio.run(run_sql(INSTALLED, f"CREATE DATABASE {name}"))
        urls["installed"] = renamed(INSTALLED, name)
        asyncio.run(upgrade(urls["installed"]))
    yield urls
    asyncio.run(run_sql(embedded_server, f"DROP DATABASE {name} WITH (FORCE)"))
    if "installed" in SERVERS:
        asyncio.run(run_sql(INSTALLED, f"DROP DATABASE {name} WITH (FORCE)"))


@asynccontextmanager
async def emptied(url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.execute(sa.text("DELETE FROM catalog_entry"))
    yield engine
    await engine.dispose()


def of(engine: AsyncEngine) -> Subject:
    sessions = make_sessions(engine)
    return Subject(SqlUnitOfWork(sessions), SqlCatalog(sessions))


@pytest.fixture(params=["fake", *SERVERS])
async def subject(request: pytest.FixtureRequest, databases: dict[str, str]) -> AsyncIterator[Subject]:
    if request.param == "fake":
        work = FakeCatalogWork()
        yield Subject(work, work.store)
    else:
        async with emptied(databases[request.param]) as engine:
            yield of(engine)


async def test_what_was_published_comes_back(subject: Subject) -> None:
    await subject.publish(DRAFT)
    assert await subject.catalog.products() == (PRODUCT,)
    assert await subject.catalog.plans("api") == (PLAN, DEARER)
    assert await subject.catalog.plans("other") == ()
    assert await subject.catalog.features() == (FEATURE,)
    assert await subject.catalog.feature("summarize") == FEATURE
    assert await subject.catalog.newest_plan("api", "free") == PLAN
    assert await subject.catalog.plan(FREE_1) == PLAN


async def test_every_field_survives(subject: Subject) -> None:
    feature = replace(
        FEATURE,
        units_from="jobs",
        description='Zeile 1\n"Ω" \\ 🙂',
        price=Price(per_call=100_000 * PICO, per_input_token=1, per_output_token=2, per_unit=3),
        on_timeout=OnTimeout.CHARGE,
        input_schema={"enum": [0.1, 1e-7, 2**63 - 1, True, "é", [], {}], "x-a": {"b": [{"c": False}]}},
    )
    plan = replace(PLAN, per_day=5, tariffs={"summarize": Tariff.of(feature)})
    draft = Draft(products=(PRODUCT,), plans=(plan,), features=(feature,))
    await subject.publish(draft)
    assert await subject.catalog.feature("summarize") == feature
    assert await subject.catalog.newest_plan("api", "free") == plan
    assert {each.outcome for each in await subject.publish(draft)} == {Outcome.UNCHANGED}


async def test_a_plan_keeps_every_version_that_was_sold(subject: Subject) -> None:
    await subject.publish(DRAFT)
    dearer = replace(FEATURE, price=Price(per_call=7))
    await subject.publish(replace(DRAFT, features=(dearer,)))
    assert await subject.catalog.plan(FREE_1) == PLAN
    newest = await subject.catalog.newest_plan("api", "free")
    assert (newest.version, newest.tariffs["summarize"].price) == (2, Price(per_call=7))
    assert await subject.catalog.plan(PlanRef("api", "free", 2)) == newest
    assert (await subject.catalog.feature("summarize")).price_version == 2


async def test_what_is_retired_is_not_sold_and_yet_known(subject: Subject) -> None:
    await subject.publish(DRAFT)
    await subject.publish(EMPTY)
    with pytest.raises(PlanMissing):
        await subject.catalog.newest_plan("api", "free")
    with pytest.raises(FeatureMissing):
        await subject.catalog.feature("summarize")
    assert await subject.catalog.products() == ()
    assert await subject.catalog.plan(FREE_1) == PLAN
    async with subject.work() as tx:
        assert {entry.retired for entry in await tx.catalog.newest()} == {True}


async def test_what_comes_back_is_restored(subject: Subject) -> None:
    for draft in (DRAFT, EMPTY, DRAFT):
        await subject.publish(draft)
    assert await subject.catalog.newest_plan("api", "free") == PLAN
    assert {each.outcome for each in await subject.publish(DRAFT)} == {Outcome.UNCHANGED}


async def test_a_version_after_a_retired_one_is_sold(subject: Subject) -> None:
    for draft in (DRAFT, EMPTY, replace(DRAFT, plans=(replace(PLAN, seats=3),))):
        await subject.publish(draft)
    assert (await subject.catalog.newest_plan("api", "free")).version == 2


@pytest.mark.parametrize(
    "ref", [PlanRef("api", "free", 2), PlanRef("api", "none", 1), PlanRef("x", "free", 1)]
)
async def test_a_plan_version_that_never_was_is_missing(subject: Subject, ref: PlanRef) -> None:
    await subject.publish(DRAFT)
    with pytest.raises(PlanMissing):
        await subject.catalog.plan(ref)


async def test_nothing_remains_of_a_publication_that_fails(subject: Subject) -> None:
    async def fail() -> None:
        async with subject.work() as tx:
            await tx.catalog.apply(publication(await tx.catalog.newest(), DRAFT), at=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with subject.work() as tx:
        assert await tx.catalog.newest() == ()


async def test_equal_publications_at_once_make_one_version(subject: Subject) -> None:
    published = await asyncio.gather(*(subject.publish(DRAFT) for _ in range(8)))
    outcomes = [changes[0].outcome for changes in published]
    assert sorted(outcomes) == [Outcome.NEW] + 7 * [Outcome.UNCHANGED]


async def test_publications_at_once_come_one_after_another(subject: Subject) -> None:
    drafts = [replace(DRAFT, plans=(replace(PLAN, seats=seats),)) for seats in range(1, 9)]
    published = await asyncio.gather(*map(subject.publish, drafts))
    versions = [each.item.version for changes in published for each in changes if each.item.key == "free"]
    assert sorted(versions) == list(range(1, 9))
    sold = [await subject.catalog.plan(PlanRef("api", "free", version)) for version in range(1, 9)]
    assert {plan.seats for plan in sold} == set(range(1, 9))


async def test_the_catalog_is_read_while_somebody_publishes(subject: Subject) -> None:
    await subject.publish(DRAFT)
    async with subject.work() as tx:
        await tx.catalog.newest()
        subject.catalog.forget()
        assert await subject.catalog.newest_plan("api", "free") == PLAN
