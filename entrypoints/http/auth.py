"""Who asks: the key in the Authorization header (RFC 6750), or a refusal."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from dishka import AsyncContainer
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.spec import Reference, SecurityScheme

from application.access import Credential, authorize, rule_of
from application.actor import Customer, MailService, Member, Operator, Person, Service
from application.identity.authenticate import AuthenticateOperator, AuthenticatePerson
from application.keys.authenticate import Authenticate
from application.keys.ports import AccountDirectory
from application.notifications.suppressions import CheckWebhook
from application.workspaces.ports import MemberDirectory
from domain.identity.errors import AccessTokenNeeded
from domain.ids import parse_limit, parse_workspace, workspace_text
from domain.keys.errors import CredentialMissing
from domain.usage.errors import AccountMissing
from domain.usage.spend_limit import LimitMissing
from domain.workspaces.workspace import WorkspaceMissing
from entrypoints.http.client import Network, client_address, read_networks
from entrypoints.http.inject import services_of
from entrypoints.logging import note
from entrypoints.settings import Settings

SERVICE_KEY = "service_key"
CUSTOMER_KEY = "customer_key"
ACCESS_TOKEN = "access_token"  # noqa: S105 - its name
WEBHOOK_TOKEN = "webhook_token"  # noqa: S105 - its name
SCHEMES: dict[str, SecurityScheme | Reference] = {
    SERVICE_KEY: SecurityScheme(
        type="http", scheme="bearer", description="A seller's service: `cbx_svc_...`"
    ),
    CUSTOMER_KEY: SecurityScheme(
        type="http", scheme="bearer", description="A customer: `cbx_live_...` or `cbx_test_...`"
    ),
    WEBHOOK_TOKEN: SecurityScheme(type="http", scheme="bearer", description="The mail service"),
    ACCESS_TOKEN: SecurityScheme(
        type="http", scheme="bearer", bearer_format="JWT", description="A person who has signed in"
    ),
}
_LONGEST = 2000

Headers = Mapping[bytes, bytes]
"""By name, in lower case, as ASGI has them."""


def bearer(headers: Headers) -> str:
    """The credential. Raises CredentialMissing where there is none that could be one."""
    scheme, _, credential = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"bearer" or not 0 < len(credential) <= _LONGEST or not credential.isascii():
        raise CredentialMissing
    return credential.decode()


async def service_of(authenticate: Authenticate, headers: Headers, _: str) -> Service:
    return await authenticate.service(bearer(headers))


async def customer_of(authenticate: Authenticate, headers: Headers, address: str) -> Customer:
    customer = await authenticate.customer(bearer(headers), address=address)
    note(workspace=customer.workspace)
    return customer


async def person_of(authenticate: AuthenticatePerson, headers: Headers, address: str) -> Person:
    token = bearer(headers)
    if token.startswith("cbx_"):
        raise AccessTokenNeeded
    return await authenticate(token, address=address)


async def operator_of(authenticate: AuthenticateOperator, headers: Headers, address: str) -> Operator:
    token = bearer(headers)
    if token.startswith("cbx_"):
        raise AccessTokenNeeded
    return await authenticate(token, address=address)


async def mail_service_of(check: CheckWebhook, headers: Headers, _: str) -> MailService:
    return check(bearer(headers))


class Kind(NamedTuple):
    """Of a caller: what it shows, who knows it, and how it is read."""

    credential: Credential
    knows: type
    read: Callable[[Any, Headers, str], Awaitable[Any]]


ACTORS: dict[type, Kind] = {
    Service: Kind(Credential.SERVICE_KEY, Authenticate, service_of),
    Customer: Kind(Credential.CUSTOMER_KEY, Authenticate, customer_of),
    Person: Kind(Credential.ACCESS_TOKEN, AuthenticatePerson, person_of),
    Member: Kind(Credential.ACCESS_TOKEN, AuthenticatePerson, person_of),
    Operator: Kind(Credential.OPERATOR, AuthenticateOperator, operator_of),
    MailService: Kind(Credential.WEBHOOK_TOKEN, CheckWebhook, mail_service_of),
}


async def authorize_request(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """A guard of what Litestar itself calls. Raises OperationDenied for an operation without a row."""
    rule = rule_of(handler.handler_name)
    kind = next((each for each in ACTORS.values() if each.credential in rule.by), None)
    if Credential.NOTHING in rule.by or kind is None:
        return
    services = services_of(connection.app)
    address = client_address(connection.scope, await trusted_by(services))
    known: Any = await services.get(kind.knows)
    actor = await kind.read(known, dict(connection.scope["headers"]), address)
    if rule.roles is not None:
        directory = await services.get(MemberDirectory)
        named = connection.path_params
        if "limit" in named:
            accounts = await services.get(AccountDirectory)
            actor = await member_by_limit(directory, accounts, actor, named["limit"], handler.handler_name)
        else:
            actor = await member_of(directory, actor, named["workspace"], handler.handler_name)
    connection.state.actor = actor


async def member_of(directory: MemberDirectory, person: Person, workspace: str, operation: str) -> Member:
    """Raises MalformedId; WorkspaceMissing, also for who is no enabled member; OperationDenied."""
    id = parse_workspace(workspace)
    note(workspace=id)
    role = await directory.role(id, person.user)
    if role is None:
        raise WorkspaceMissing
    authorize(operation, Credential.ACCESS_TOKEN, role)
    return Member(person=person, workspace=id, role=role)


async def member_by_limit(
    directory: MemberDirectory, accounts: AccountDirectory, person: Person, limit: str, operation: str
) -> Member:
    """A limit's id names the account. Raises MalformedId; LimitMissing, also where one is no member."""
    account, _ = parse_limit(limit)
    try:
        workspace = (await accounts.find(account)).workspace
        return await member_of(directory, person, workspace_text(workspace), operation)
    except (AccountMissing, WorkspaceMissing):
        raise LimitMissing from None


async def trusted_by(services: AsyncContainer) -> tuple[Network, ...]:
    return read_networks((await services.get(Settings)).trusted_proxies)


async def provide_customer(request: Request[Any, Any, Any]) -> Customer:
    """Whom the guard has found."""
    customer: Customer = request.state.actor
    return customer


async def provide_operator(request: Request[Any, Any, Any]) -> Operator:
    """Whom the guard has found."""
    operator: Operator = request.state.actor
    return operator


async def provide_member(request: Request[Any, Any, Any]) -> Member:
    """Whom the guard has found."""
    member: Member = request.state.actor
    return member


async def provide_person(request: Request[Any, Any, Any]) -> Person:
    """Whom the guard has found."""
    person: Person = request.state.actor
    return person
