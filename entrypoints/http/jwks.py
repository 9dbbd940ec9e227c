from typing import Any

from dishka import FromDishka
from litestar import Response, get

from application.identity.ports import PublishedKeys
from entrypoints.http.inject import inject
from entrypoints.http.refusals import errors


@get(
    "/.well-known/jwks.json",
    responses=errors(),
    tags=["Identity"],
    summary="The keys that access tokens are signed with (RFC 7517)",
    raises=[],
)
@inject
async def jwks(keys: FromDishka[PublishedKeys]) -> Response[dict[str, Any]]:
    headers = {"cache-control": "public, max-age=60"}
    return Response(dict(await keys.published()), headers=headers)
