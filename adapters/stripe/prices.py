"""Prices at Stripe, by what they sell. What a price sells never changes, so each is asked for once."""

from collections.abc import Sequence
from typing import Any

import stripe

from adapters.stripe.client import asking
from domain.billing.errors import PlanNotSold
from domain.billing.sold import Offer, PriceThere, Sold

_AT_ONCE = 10  # lookup keys of one request


class StripePrices:
    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client
        self._ids: dict[str, str] = {}
        self._sold: dict[str, Sold | None] = {}

    async def ids(self, keys: Sequence[str]) -> dict[str, str]:
        """By lookup key, of what can be bought. Raises PlanNotSold."""
        unknown = [each for each in keys if each not in self._ids]
        for at in range(0, len(unknown), _AT_ONCE):
            asked = unknown[at : at + _AT_ONCE]
            with asking():
                found = await self._client.v1.prices.list_async(
                    {"lookup_keys": asked, "active": True, "limit": _AT_ONCE}
                )
            self._ids |= {str(each.lookup_key): each.id for each in found.data}
        for each in keys:
            if each not in self._ids:
                raise PlanNotSold(str(Sold.parse(each) or each))
        return {each: self._ids[each] for each in keys}

    async def sold(self, id: str) -> Sold | None:
        """What the price with this id sells; None for what is not of CueBX."""
        if id not in self._sold:
            with asking():
                self._sold[id] = sold_by(await self._client.v1.prices.retrieve_async(id))
        return self._sold[id]

    async def all(self) -> Sequence[PriceThere]:
        """Those of CueBX."""
        there = []
        with asking():
            page = await self._client.v1.prices.list_async({"limit": 100})
            async for each in page.auto_paging_iter():
                sold = sold_by(each)
                if sold is not None:
                    amount = each.unit_amount or 0
                    there.append(
                        PriceThere(
                            id=each.id, sold=sold, amount=amount, currency=each.currency, active=each.active
                        )
                    )
        return there

    async def add(self, offer: Offer) -> None:
        """The same again changes nothing: all its ids follow from what it sells."""
        sold = offer.sold
        product = f"cuebx_{sold.kind}_{sold.product}_{sold.key}"
        if not await self._has_product(product):
            with asking():
                await self._client.v1.products.create_async(
                    {"id": product, "name": offer.name, "metadata": {"cuebx": sold.kind}},
                    {"idempotency_key": f"product:{product}"},
                )
        params: Any = {
            "product": product,
            "unit_amount": offer.amount,
            "currency": offer.currency.lower(),
            "lookup_key": sold.lookup_key,
            "nickname": f"{offer.name}, version {sold.version}",
            "metadata": {"cuebx": sold.lookup_key},
        }
        if sold.kind.monthly:
            params["recurring"] = {"interval": "month"}
        with asking():
            await self._client.v1.prices.create_async(params, {"idempotency_key": f"price:{sold.lookup_key}"})

    async def restore(self, price: PriceThere) -> None:
        with asking():
            await self._client.v1.prices.update_async(price.id, {"active": True})

    async def _has_product(self, id: str) -> bool:
        with asking():
            return bool((await self._client.v1.products.list_async({"ids": [id]})).data)


def sold_by(price: Any) -> Sold | None:  # noqa: ANN401 - a price, whole or as part of something
    """By the metadata, which nobody can move to another price as they can a lookup key."""
    named = tag(price.metadata, "cuebx")
    return None if named is None else Sold.parse(named)


def tag(metadata: Any, name: str) -> str | None:  # noqa: ANN401 - Stripe's own kind of mapping
    found = {} if metadata is None else metadata.to_dict()
    return str(found[name]) if name in found else None
