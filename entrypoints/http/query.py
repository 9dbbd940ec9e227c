"""Query parameters are as strict as bodies: one that nobody reads is a mistake of the caller's."""

from functools import cache
from typing import Any

from litestar import Request
from litestar.handlers.base import BaseRouteHandler
from litestar.params import QueryParameter

from entrypoints.http.problems import invalid


@cache
def _known(handler: BaseRouteHandler) -> frozenset[str]:
    definitions = {
        name: each.kwarg_definition for name, each in handler.parsed_fn_signature.parameters.items()
    }
    return frozenset(
        each.name or name for name, each in definitions.items() if isinstance(each, QueryParameter)
    )


def check_query(request: Request[Any, Any, Any]) -> None:
    """Before a handler that Litestar itself calls. Raises Refusal for an unknown or a repeated parameter."""
    known = _known(request.route_handler)
    given = request.query_params
    for name in given:
        if name not in known:
            allowed = f"knows only {', '.join(sorted(known))}" if known else "takes none"
            raise invalid(f"there is no query parameter {name[:40]!r}: this operation {allowed}")
        if len(given.getall(name)) > 1:
            raise invalid(f"the query parameter {name!r} is given more than once")
