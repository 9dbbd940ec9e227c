"""How Stripe's API is spoken: nested forms in, JSON and its errors out (https://docs.stripe.com/api)."""

from typing import Any
from urllib.parse import parse_qsl

Object = dict[str, Any]
Params = dict[str, Any]


class StripeFault(Exception):
    """As Stripe tells it. ``keeps``: what was done until then stays, as a payment that was tried does."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        keeps: bool = False,
        **more: Any,  # noqa: ANN401 - other members of the error
    ) -> None:
        self.keeps = keeps
        super().__init__(message)
        kind = {401: "authentication_error", 402: "card_error"}.get(status, "invalid_request_error")
        self.status = status
        self.body = {"error": {"type": kind, "message": message, "code": code, **more}}


def missing(kind: str, id: str) -> StripeFault:
    return StripeFault(404, f"No such {kind}: '{id}'", code="resource_missing", param="id")


def params_of(text: str) -> Params:
    """``a[b][0][c]=1`` is ``{"a": {"b": [{"c": "1"}]}}``."""
    root: Params = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, *rest = name.replace("]", "").split("[")
        place: Any = root
        for key, following in zip((head, *rest), (*rest, None), strict=True):
            if following is None:
                _put(place, key, value)
            else:
                place = place.setdefault(key, {})
    whole: Params = _listed(root)
    return whole


def _put(place: Params, key: str, value: str) -> None:
    """``a[]=1&a[]=2`` has no numbers of its own."""
    place[str(len(place)) if key == "" else key] = value


def _listed(value: Any) -> Any:  # noqa: ANN401 - whatever was sent
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(each) for key, each in value.items()}


def number(params: Params, name: str, default: int | None = None) -> int | None:
    """Raises StripeFault."""
    given = params.get(name)
    if given in {None, ""}:
        return default
    try:
        return int(str(given))
    except ValueError:
        raise StripeFault(400, f"Invalid integer: {given}", code="parameter_invalid_integer") from None


def flag(params: Params, name: str, *, default: bool = False) -> bool:
    given = params.get(name)
    return default if given in {None, ""} else str(given).lower() == "true"


def needed(params: Params, name: str) -> Any:  # noqa: ANN401 - whatever was sent
    """Raises StripeFault."""
    if params.get(name) in {None, ""} if not isinstance(params.get(name), (dict, list)) else False:
        raise StripeFault(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    return params[name]


def known(params: Params, *names: str) -> None:
    """Raises StripeFault, as Stripe refuses what it does not know."""
    for name in params:
        if name not in (*names, "expand"):
            message = f"Received unknown parameter: {name}"
            raise StripeFault(400, message, code="parameter_unknown", param=name)
