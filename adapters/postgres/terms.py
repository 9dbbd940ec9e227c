import sqlalchemy as sa

from adapters.postgres.base import table
from adapters.postgres.catalog import plan_from
from adapters.postgres.codec import decode_json
from adapters.postgres.driver import Driver, Statement
from adapters.postgres.records import CatalogEntryRecord
from application.usage.terms import terms_of
from domain.ids import PlanRef
from domain.usage.terms import Terms

_entry = table(CatalogEntryRecord)
_DOCUMENT = Statement(
    sa.select(sa.cast(_entry.c.document, sa.Text).label("document")).where(
        _entry.c.kind == "plan",
        _entry.c.key == sa.bindparam("key"),
        _entry.c.version == sa.bindparam("version"),
    )
)


class SqlTerms:
    """What plan versions say of spending. A published version never changes, so it is read once.

    ``most`` are kept at one time: many more than a seller has on sale, whatever was published over the years.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._known: dict[PlanRef, Terms] = {}

    async def of(self, ref: PlanRef, driver: Driver) -> Terms:
        known = self._known.get(ref)
        if known is None:
            key = {"key": f"{ref.product}/{ref.plan}", "version": ref.version}
            [row] = await _DOCUMENT.fetch(driver, key)
            document = decode_json(row["document"])
            known = terms_of(plan_from(document, product=ref.product, key=ref.plan, version=ref.version))
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[ref] = known
        return known
