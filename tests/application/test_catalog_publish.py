from dataclasses import dataclass, replace
from datetime import UTC, datetime

from application.catalog.publish import PublishCatalog
from application.ports import Clock
from domain.catalog.publication import Draft, Name, Outcome
from tests.fakes.catalog import FEATURE, PLAN, PRODUCT, FakeCatalogWork

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DRAFT = Draft(products=(PRODUCT,), plans=(PLAN,), features=(FEATURE,))


@dataclass
class StoppedClock(Clock):
    def now(self) -> datetime:
        return NOW


def publisher() -> tuple[PublishCatalog, FakeCatalogWork]:
    work = FakeCatalogWork()
    return PublishCatalog(work, StoppedClock(), work.store), work


async def test_what_is_published_is_on_sale_at_once() -> None:
    publish, work = publisher()
    changes = await publish(DRAFT)
    assert {each.outcome for each in changes} == {Outcome.NEW}
    assert await work.store.features() == (FEATURE,)
    assert work.store.rows[Name.of(FEATURE), 1].published_at == NOW
    assert work.store.forgotten == 1


async def test_publishing_the_same_again_changes_nothing() -> None:
    publish, work = publisher()
    await publish(DRAFT)
    before = work.store.rows
    assert {each.outcome for each in await publish(DRAFT)} == {Outcome.UNCHANGED}
    assert work.store.rows == before


async def test_a_dry_run_tells_and_does_nothing() -> None:
    publish, work = publisher()
    changes = await publish(DRAFT, dry_run=True)
    assert {each.outcome for each in changes} == {Outcome.NEW}
    assert work.store.rows == {}


async def test_versions_that_were_sold_stay() -> None:
    publish, work = publisher()
    await publish(DRAFT)
    await publish(replace(DRAFT, plans=(replace(PLAN, seats=2),)))
    assert [version for name, version in work.store.rows if name == Name.of(PLAN)] == [1, 2]
    assert work.store.rows[Name.of(PLAN), 1].item == PLAN
