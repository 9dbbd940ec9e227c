"""Operations without a body, which Litestar itself reads and answers: GET and DELETE."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from litestar import delete, get
from litestar.handlers import HTTPRouteHandler

from entrypoints.http.inject import inject
from entrypoints.http.lean import BY_ACTOR
from entrypoints.http.refusals import INVALID, Refusable, errors

Routed = Callable[[Callable[..., Any]], HTTPRouteHandler]


def reading(
    path: str,
    *,
    by: type,
    tag: str,
    refuses: Sequence[Refusable] = (),
    tells: str = HTTPStatus.OK.phrase,
    media_type: str | None = None,
) -> Routed:
    """A GET operation for an actor: what it may refuse with, besides what every one for that actor may."""
    told = _told(by, tag, refuses)
    return lambda run: get(path, response_description=tells, media_type=media_type, **told)(inject(run))


def deleting(
    path: str,
    *,
    by: type,
    tag: str,
    refuses: Sequence[Refusable] = (),
    status: HTTPStatus = HTTPStatus.NO_CONTENT,
) -> Routed:
    """A DELETE operation, likewise."""
    told = _told(by, tag, refuses)
    return lambda run: delete(path, status_code=status, response_description=status.phrase, **told)(
        inject(run)
    )


def _told(by: type, tag: str, refuses: Sequence[Refusable]) -> dict[str, Any]:
    scheme, usual = BY_ACTOR[by]
    responses = errors(*usual, INVALID, *refuses)
    return {"responses": responses, "security": [{scheme: []}], "tags": [tag], "raises": []}
