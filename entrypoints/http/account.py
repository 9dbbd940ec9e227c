"""What a customer's program sees of its account."""

from datetime import datetime
from typing import Any

from dishka import FromDishka
from litestar.di import NamedDependency
from msgspec import Struct

from application.actor import Customer
from application.usage.offers import ListOffers, Offer
from application.usage.ports import UsageReader
from domain.catalog.plan import Plan
from domain.credits import format_credits, format_decimal
from domain.ids import account_text, lot_text
from domain.usage.balance import Balance
from domain.usage.lot import NEVER, Lot
from entrypoints.http.fields import Credits
from entrypoints.http.routes import reading


class LotAnswer(Struct, frozen=True, kw_only=True):
    id: str
    source: str
    granted: Credits
    free: Credits
    held: Credits
    spent: Credits
    priority: int
    starts_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, lot: Lot) -> "LotAnswer":
        return cls(
            id=lot_text(lot.id),
            source=lot.source,
            granted=format_credits(lot.granted),
            free=format_credits(lot.free),
            held=format_credits(lot.held),
            spent=format_credits(lot.spent),
            priority=lot.priority,
            starts_at=lot.starts_at,
            expires_at=None if lot.expires_at == NEVER else lot.expires_at,
        )


class BalanceAnswer(Struct, frozen=True, kw_only=True):
    """As of ``at``, exactly. ``lots`` stand in the order in which they burn."""

    account_id: str
    product: str
    plan: str
    plan_version: int
    available: Credits
    held: Credits
    overdrawn: Credits
    period_ends_at: datetime | None
    at: datetime
    lots: list[LotAnswer]

    @classmethod
    def of(cls, balance: Balance) -> "BalanceAnswer":
        plan = balance.account.plan
        return cls(
            account_id=account_text(balance.account.id),
            product=plan.product,
            plan=plan.plan,
            plan_version=plan.version,
            available=format_credits(balance.available),
            held=format_credits(balance.held),
            overdrawn=format_credits(balance.overdrawn),
            period_ends_at=balance.account.period_end,
            at=balance.at,
            lots=[LotAnswer.of(lot) for lot in balance.lots],
        )


class PriceAnswer(Struct, frozen=True, kw_only=True):
    """In credits, before the plan's multiplier."""

    per_call: str
    per_input_token: str
    per_output_token: str
    per_unit: str
    multiplier: str


class FeatureAnswer(Struct, frozen=True, kw_only=True):
    key: str
    name: str
    description: str
    price_version: int
    price: PriceAnswer
    max_output_tokens: int
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]

    @classmethod
    def of(cls, plan: Plan, offer: Offer) -> "FeatureAnswer":
        feature, price = offer.feature, offer.tariff.price
        return cls(
            key=feature.key,
            name=feature.name,
            description=feature.description,
            price_version=offer.tariff.price_version,
            price=PriceAnswer(
                per_call=format_decimal(price.per_call, places=12),
                per_input_token=format_decimal(price.per_input_token, places=12),
                per_output_token=format_decimal(price.per_output_token, places=12),
                per_unit=format_decimal(price.per_unit, places=12),
                multiplier=format_decimal(plan.multiplier, places=6),
            ),
            max_output_tokens=feature.max_output_tokens,
            input_schema=dict(feature.input_schema),
            output_schema=dict(feature.output_schema),
        )


class FeaturesAnswer(Struct, frozen=True, kw_only=True):
    items: list[FeatureAnswer]
    next_cursor: None = None


@reading(
    "/v1/balance",
    by=Customer,
    tag="Account",
)
async def balance(customer: NamedDependency[Customer], reader: FromDishka[UsageReader]) -> BalanceAnswer:
    """The credits of the key's account, exact at this instant."""
    return BalanceAnswer.of(await reader.balance(customer.account))


@reading(
    "/v1/features",
    by=Customer,
    tag="Account",
)
async def features(customer: NamedDependency[Customer], offers: FromDishka[ListOffers]) -> FeaturesAnswer:
    """What this key may call, and what it costs."""
    plan, offered = await offers(customer)
    return FeaturesAnswer(items=[FeatureAnswer.of(plan, offer) for offer in offered])


HANDLERS = [balance, features]
