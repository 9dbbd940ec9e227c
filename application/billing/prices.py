"""What can be bought, and that it can be at Stripe."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from application.actor import Operator
from application.billing.ports import Payments
from application.catalog.ports import Catalog
from application.catalog.publish import PublishCatalog
from domain.billing.errors import PricesClash
from domain.billing.sold import Offer, PriceChange, PriceOutcome, Sold, SoldKind, price_changes
from domain.catalog.plan import Plan
from domain.catalog.product import Product
from domain.catalog.publication import Change, Draft, Outcome
from domain.ids import PlanRef


@dataclass(frozen=True, slots=True)
class PublishPrices:
    """Makes at Stripe what the published catalog sells. To repeat it changes nothing."""

    payments: Payments
    catalog: Catalog

    async def __call__(self, _: Operator) -> Sequence[PriceChange]:
        """What changed. A clash is left as it is. Raises PaymentsUnavailable, PaymentsRefused, BillingOff."""
        products = await self.catalog.products()
        plans = [plan for each in products for plan in await self.catalog.plans(each.key)]
        changes = await self.planned((products, plans))
        for change in changes:
            if change.outcome is PriceOutcome.NEW and change.offer is not None:
                await self.payments.add_price(change.offer)
            elif change.there is not None and change.outcome is PriceOutcome.RESTORED:
                await self.payments.restore_price(change.there)
        return changes

    async def planned(self, sells: tuple[Sequence[Product], Sequence[Plan]]) -> Sequence[PriceChange]:
        """What would have to change at Stripe, if that were what is sold."""
        return list(price_changes(list(offers(*sells)), await self.payments.prices()))


@dataclass(frozen=True, slots=True)
class PublishForSale:
    """A catalog, and at Stripe what it sells. Where Stripe has a price that does not fit, neither."""

    catalog: PublishCatalog
    prices: PublishPrices

    async def __call__(
        self, actor: Operator, draft: Draft, *, dry_run: bool = False
    ) -> tuple[Sequence[Change], Sequence[PriceChange]]:
        """What changed, or with ``dry_run`` what would have.

        Raises PricesClash, and, as ``Payments`` does, PaymentsUnavailable, PaymentsRefused, BillingOff.
        """
        changes = await self.catalog(draft, dry_run=True)
        planned = await self.prices.planned(catalog_of(changes))
        clashes = [each for each in planned if each.outcome is PriceOutcome.CLASH]
        if clashes:
            raise PricesClash(tuple(f"{each.sold} ({each.there.id})" for each in clashes if each.there))
        if dry_run:
            return changes, planned
        return await self.catalog(draft), await self.prices(actor)


def catalog_of(changes: Iterable[Change]) -> tuple[Sequence[Product], Sequence[Plan]]:
    """What is for sale once a publication is done."""
    kept = [each.item for each in changes if each.outcome is not Outcome.RETIRED]
    return [each for each in kept if isinstance(each, Product)], [
        each for each in kept if isinstance(each, Plan)
    ]


def offers(products: Sequence[Product], plans: Sequence[Plan]) -> Iterable[Offer]:
    """Every price that has to be at Stripe; a free plan has none."""
    names = {each.key: each.name for each in products}
    for plan in plans:
        if plan.free:
            continue
        ref, name = PlanRef(plan.product, plan.key, plan.version), f"{names[plan.product]} {plan.name}"
        yield Offer(sold=Sold.plan(ref), name=name, amount=plan.price, currency=plan.currency)
        if plan.seat_price is not None:
            seat = f"{name}: a further seat"
            yield Offer(sold=Sold.seat(ref), name=seat, amount=plan.seat_price, currency=plan.currency)
    for product in products:
        for _, pack in sorted(product.packs.items()):
            yield Offer(
                sold=Sold(SoldKind.PACK, product.key, pack.key, product.version),
                name=f"{product.name}: {pack.name}",
                amount=pack.price,
                currency=pack.currency,
            )
