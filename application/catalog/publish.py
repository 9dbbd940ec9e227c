from dataclasses import dataclass

from application.catalog.ports import Catalog, CatalogTx
from application.ports import Clock, UnitOfWork
from domain.catalog.publication import Change, Draft, publication


@dataclass(frozen=True, slots=True)
class PublishCatalog:
    """Makes a draft what is published, all of it or nothing, one publication after another.

    Accounts stay on the version of the plan that they have. Publishing the same again changes nothing.
    """

    uow: UnitOfWork[CatalogTx]
    clock: Clock
    catalog: Catalog

    async def __call__(self, draft: Draft, *, dry_run: bool = False) -> tuple[Change, ...]:
        """What changed, or with ``dry_run`` what would have."""
        async with self.uow() as tx:
            changes = publication(await tx.catalog.newest(), draft)
            if not dry_run:
                await tx.catalog.apply(changes, at=self.clock.now())
        self.catalog.forget()
        return changes
