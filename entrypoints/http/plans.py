"""What is for sale, for anybody to see."""

from dishka import FromDishka
from litestar import get
from msgspec import Struct

from application.billing.queries import ListPlans, OnSale
from domain.catalog.plan import Plan
from domain.catalog.product import Pack
from domain.credits import format_credits, format_decimal, format_hundredths
from entrypoints.http.fields import Credits
from entrypoints.http.inject import inject
from entrypoints.http.refusals import errors

TAG = "Billing"


class PlanAnswer(Struct, frozen=True, kw_only=True):
    """``price`` and ``seat_price`` are a month, in ``currency``; without the latter there are no more seats.

    Who subscribes for the first time pays after ``trial_days``.
    """

    key: str
    version: int
    name: str
    description: str
    price: str
    currency: str
    seats: int
    seat_price: str | None
    trial_days: int
    credits: Credits
    overdraft: Credits
    multiplier: str
    per_minute: int | None
    per_day: int | None
    results_days: int
    features: list[str]

    @classmethod
    def of(cls, plan: Plan) -> "PlanAnswer":
        return cls(
            key=plan.key,
            version=plan.version,
            name=plan.name,
            description=plan.description,
            price=format_hundredths(plan.price),
            currency=plan.currency,
            seats=plan.seats,
            seat_price=None if plan.seat_price is None else format_hundredths(plan.seat_price),
            trial_days=plan.trial_days,
            credits=format_credits(plan.allocation),
            overdraft=format_credits(plan.overdraft),
            multiplier=format_decimal(plan.multiplier, places=6),
            per_minute=plan.per_minute,
            per_day=plan.per_day,
            results_days=plan.results_days,
            features=sorted(plan.tariffs),
        )


class PackAnswer(Struct, frozen=True, kw_only=True):
    """Credits to buy at once. They can be spent for ``days``, or for ever."""

    key: str
    name: str
    price: str
    currency: str
    credits: Credits
    days: int | None

    @classmethod
    def of(cls, pack: Pack) -> "PackAnswer":
        return cls(
            key=pack.key,
            name=pack.name,
            price=format_hundredths(pack.price),
            currency=pack.currency,
            credits=format_credits(pack.credits),
            days=pack.days,
        )


class ProductAnswer(Struct, frozen=True, kw_only=True):
    """Its plans and its packs, the cheapest first."""

    key: str
    name: str
    description: str
    plans: list[PlanAnswer]
    packs: list[PackAnswer]

    @classmethod
    def of(cls, sale: OnSale) -> "ProductAnswer":
        return cls(
            key=sale.product.key,
            name=sale.product.name,
            description=sale.product.description,
            plans=[PlanAnswer.of(each) for each in sale.plans],
            packs=[PackAnswer.of(each) for each in sorted(sale.product.packs.values(), key=_dearness)],
        )


def _dearness(pack: Pack) -> tuple[int, str]:
    return pack.price, pack.key


class PlansAnswer(Struct, frozen=True, kw_only=True):
    items: list[ProductAnswer]


@get("/v1/plans", responses=errors(), tags=[TAG], raises=[])
@inject
async def plans(use: FromDishka[ListPlans]) -> PlansAnswer:
    """Products with their plans, what each holds and costs, and the packs of credits."""
    return PlansAnswer(items=[ProductAnswer.of(each) for each in await use()])


HANDLERS = [plans]
