from application.catalog.section import Report, Section, hint, kind
from domain.catalog.bounds import (
    CREDITS,
    CURRENCY,
    DESCRIPTION_LENGTH,
    GRACE_DAYS,
    MULTIPLIER,
    NAME_LENGTH,
    PACK_DAYS,
    PLAN_PRICE,
    RATE,
    RESULTS_DAYS,
    SEATS,
    TRIAL_DAYS,
    WITHOUT_HUNDREDTHS,
)
from domain.catalog.feature import Feature
from domain.catalog.plan import Plan, Tariff
from domain.catalog.product import Pack, Product
from domain.credits import ONE

_ALL = "*"


def read_product(section: Section) -> Product:
    product = Product(
        key=str(section.path[-1]),
        version=1,
        name=section.text("name", most=NAME_LENGTH),
        description=section.text("description", most=DESCRIPTION_LENGTH, default=""),
        packs={each.key: each for each in map(_pack, section.entries("packs", "pack", required=False))},
    )
    section.need("plans")
    section.close()
    return product


def _pack(section: Section) -> Pack:
    pack = Pack(
        key=str(section.path[-1]),
        name=section.text("name", most=NAME_LENGTH),
        price=section.amount("price", places=2, most=PLAN_PRICE),
        currency=_currency(section),
        credits=section.amount("credits", places=6, most=CREDITS),
        days=section.whole("days", most=PACK_DAYS) if section.has("days") else None,
    )
    for key, amount in (("price", pack.price), ("credits", pack.credits)):
        if section.has(key) and amount == 0 and not section.faulty(key):
            section.fault(key, "must be more than 0")
    section.close()
    return pack


def _currency(section: Section) -> str:
    currency = section.text("currency", most=3, pattern=CURRENCY, called='a currency code such as "EUR"')
    if currency in WITHOUT_HUNDREDTHS:
        section.fault("currency", f"{currency!r} has no hundredths, in which prices are kept")
    return currency


def read_plan(section: Section, features: dict[str, Feature | None]) -> Plan:
    """``features`` are all that the catalog defines; None: one that is not in order."""
    per_minute, per_day = _limits(section)
    plan = Plan(
        product=str(section.path[1]),
        key=str(section.path[-1]),
        version=1,
        name=section.text("name", most=NAME_LENGTH),
        description=section.text("description", most=DESCRIPTION_LENGTH, default=""),
        price=section.amount("price", places=2, most=PLAN_PRICE),
        currency=_currency(section),
        seats=section.whole("seats", most=SEATS, default=1),
        allocation=section.amount("allocation", places=6, most=CREDITS),
        overdraft=section.amount("overdraft", places=6, most=CREDITS, default=0),
        multiplier=section.amount("multiplier", places=6, most=MULTIPLIER, default=ONE),
        per_minute=per_minute,
        per_day=per_day,
        results_days=section.whole("results_days", most=RESULTS_DAYS, default=7),
        seat_price=section.amount("seat_price", places=2, most=PLAN_PRICE)
        if section.has("seat_price")
        else None,
        trial_days=section.whole("trial_days", least=0, most=TRIAL_DAYS, default=0),
        grace_days=section.whole("grace_days", least=0, most=GRACE_DAYS, default=7),
        tariffs={
            key: Tariff.of(feature) for key in _features(section, features) if (feature := features[key])
        },
    )
    section.close()
    return plan


def _limits(section: Section) -> tuple[int | None, int | None]:
    limits = section.child("limits", required=False)
    if limits is None:
        return None, None
    found = [limits.whole(key, most=RATE) if limits.has(key) else None for key in ("per_minute", "per_day")]
    limits.close()
    return found[0], found[1]


def _features(section: Section, features: dict[str, Feature | None]) -> tuple[str, ...]:
    if not section.need("features"):
        return ()
    asked = section.table["features"]
    if asked == _ALL:
        return tuple(features)
    if not isinstance(asked, list):
        section.fault("features", f'is {kind(asked)}, but must be an array of features, or "*" for all')
        return ()
    if not asked:
        section.fault("features", "must hold at least one feature")
    return tuple(
        name
        for at, name in enumerate(asked)
        if _known(section, at, name, earlier=asked[:at], features=features)
    )


def _known(
    section: Section, at: int, name: object, *, earlier: list[object], features: dict[str, Feature | None]
) -> bool:
    report: Report = section.report
    path = (*section.path, "features", at)
    if not isinstance(name, str):
        report.add(path, f"is {kind(name)}, but must be the key of a feature")
    elif name not in features:
        report.absent(("features", name), path, f'there is no feature "{name[:80]}"{hint(name, features)}')
    elif name in earlier:
        report.add(path, f'names the feature "{name}" again')
    else:
        return True
    return False
