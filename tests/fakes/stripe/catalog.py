"""Products and prices. A price's amount never changes."""

from tests.fakes.stripe.events import change, tell
from tests.fakes.stripe.state import State
from tests.fakes.stripe.wire import Object, Params, StripeFault, flag, known, needed, number

_PAGE = ("limit", "starting_after", "ending_before", "created")


def create_product(state: State, params: Params) -> Object:
    known(params, "id", "name", "description", "metadata", "active", "unit_label")
    if params.get("id") in state.objects["product"]:
        raise StripeFault(400, f"Product already exists: {params['id']}", code="resource_already_exists")
    product = state.make(
        "product",
        name=needed(params, "name"),
        description=params.get("description"),
        metadata=params.get("metadata") or {},
        active=flag(params, "active", default=True),
        unit_label=params.get("unit_label"),
        images=[],
        marketing_features=[],
        type="service",
        updated=state.now,
        **({"id": params["id"]} if "id" in params else {}),
    )
    tell(state, "product.created", product)
    return product


def read_product(state: State, id: str) -> Object:
    return state.get("product", id)


def change_product(state: State, params: Params, id: str) -> Object:
    known(params, "name", "description", "metadata", "active", "unit_label", "default_price")
    product = state.get("product", id)
    plain = ("name", "description", "unit_label", "default_price")
    values: Object = {name: params[name] for name in plain if name in params}
    if "active" in params:
        values["active"] = flag(params, "active")
    values["metadata"] = product["metadata"] | (params.get("metadata") or {})
    change(state, "product.updated", product, **values, updated=state.now)
    return product


def page_products(state: State, params: Params) -> Object:
    known(params, "active", "ids", *_PAGE)
    found = state.all("product")
    if "active" in params:
        found = [each for each in found if each["active"] == flag(params, "active")]
    if "ids" in params:
        found = [each for each in found if each["id"] in params["ids"]]
    return state.page(found, params, "/v1/products")


def create_price(state: State, params: Params) -> Object:
    known(
        params, "product", "unit_amount", "currency", "recurring", "lookup_key", "transfer_lookup_key",
        "metadata", "nickname", "active", "tax_behavior",
    )  # fmt: skip
    product = state.get("product", needed(params, "product"))
    key = params.get("lookup_key")
    for other in state.all("price", lookup_key=key) if key else []:
        if not flag(params, "transfer_lookup_key"):
            message = f"A price ({other['id']}) already uses that lookup key."
            raise StripeFault(400, message, param="lookup_key")
        change(state, "price.updated", other, lookup_key=None)
    amount = number(params, "unit_amount")
    recurring = params.get("recurring")
    price = state.make(
        "price",
        product=product["id"],
        unit_amount=amount,
        unit_amount_decimal=str(amount),
        currency=needed(params, "currency").lower(),
        recurring=None
        if recurring is None
        else {
            "interval": needed(recurring, "interval"),
            "interval_count": number(recurring, "interval_count", 1),
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        type="one_time" if recurring is None else "recurring",
        lookup_key=key,
        metadata=params.get("metadata") or {},
        nickname=params.get("nickname"),
        active=flag(params, "active", default=True),
        billing_scheme="per_unit",
        tax_behavior=params.get("tax_behavior", "unspecified"),
    )
    tell(state, "price.created", price)
    return price


def read_price(state: State, id: str) -> Object:
    return state.get("price", id)


def change_price(state: State, params: Params, id: str) -> Object:
    known(params, "active", "metadata", "nickname", "lookup_key", "transfer_lookup_key", "tax_behavior")
    price = state.get("price", id)
    values: Object = {name: params[name] for name in ("nickname", "lookup_key") if name in params}
    if "active" in params:
        values["active"] = flag(params, "active")
    values["metadata"] = price["metadata"] | (params.get("metadata") or {})
    change(state, "price.updated", price, **values)
    return price


def page_prices(state: State, params: Params) -> Object:
    known(params, "active", "lookup_keys", "product", "type", "currency", *_PAGE)
    found = state.all("price")
    if "active" in params:
        found = [each for each in found if each["active"] == flag(params, "active")]
    if "lookup_keys" in params:
        if len(params["lookup_keys"]) > 10:
            raise StripeFault(400, "You may only specify up to 10 of these.", param="lookup_keys")
        found = [each for each in found if each["lookup_key"] in params["lookup_keys"]]
    if "product" in params:
        found = [each for each in found if each["product"] == params["product"]]
    return state.page(found, params, "/v1/prices")
