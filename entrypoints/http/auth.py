"""Who asks: the key in the Authorization header (RFC 6750), or a refusal."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.spec import Reference, SecurityScheme

from application.actor import Customer, Service
from application.keys.authenticate import Authenticate
from domain.keys.errors import CredentialMissing
from entrypoints.http.inject import services_of
from entrypoints.logging import note

SERVICE_KEY = "service_key"
CUSTOMER_KEY = "customer_key"
SCHEMES: dict[str, SecurityScheme | Reference] = {
    SERVICE_KEY: SecurityScheme(
        type="http", scheme="bearer", description="A seller's service: `cbx_svc_...`"
    ),
    CUSTOMER_KEY: SecurityScheme(
        type="http", scheme="bearer", description="A customer: `cbx_live_...` or `cbx_test_...`"
    ),
}
_LONGEST = 256

Headers = Mapping[bytes, bytes]
"""By name, in lower case, as ASGI has them."""


def bearer(headers: Headers) -> str:
    """The credential. Raises CredentialMissing where there is none that could be one."""
    scheme, _, credential = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"bearer" or not 0 < len(credential) <= _LONGEST or not credential.isascii():
        raise CredentialMissing
    return credential.decode()


async def service_of(authenticate: Authenticate, headers: Headers) -> Service:
    return await authenticate.service(bearer(headers))


async def customer_of(authenticate: Authenticate, headers: Headers) -> Customer:
    customer = await authenticate.customer(bearer(headers))
    note(workspace=customer.workspace)
    return customer


ACTORS: dict[type, Callable[[Authenticate, Headers], Awaitable[Any]]] = {
    Service: service_of,
    Customer: customer_of,
}


async def provide_customer(request: Request[Any, Any, Any]) -> Customer:
    """For handlers that Litestar itself calls."""
    authenticate = await services_of(request.app).get(Authenticate)
    return await customer_of(authenticate, dict(request.scope["headers"]))


async def service_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard of handlers that Litestar itself calls."""
    authenticate = await services_of(connection.app).get(Authenticate)
    await service_of(authenticate, dict(connection.scope["headers"]))
