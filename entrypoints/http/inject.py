"""Use cases for handlers. All live as long as the process, so no container is opened for a request."""

from collections.abc import Callable
from inspect import Parameter
from typing import Any, TypeVar, cast, get_type_hints

from dishka import AsyncContainer
from dishka.integrations.base import wrap_injection
from litestar import Litestar, Request

F = TypeVar("F", bound=Callable[..., Any])


def services_of(app: Litestar) -> AsyncContainer:
    services: AsyncContainer = app.state.services
    return services


def inject(handler: F) -> F:
    """Fills a handler's ``FromDishka`` parameters."""
    added = [] if "request" in get_type_hints(handler) else [_REQUEST]
    return cast(
        "F",
        wrap_injection(
            func=handler,
            is_async=True,
            additional_params=added,
            container_getter=lambda _, given: services_of(given["request"].app),
        ),
    )


_REQUEST = Parameter(name="request", annotation=Request, kind=Parameter.KEYWORD_ONLY)
