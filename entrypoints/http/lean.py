"""How the hot endpoints are called: routed and documented by Litestar, read and answered by a few lines.

Litestar's own way from request to handler to response costs some 50 us more a request, as much as the
decision itself (ADR 0006). An operation is an ordinary function that returns ``Reply``; its parameters say
what it wants, and only these kinds are known:

``data: JSONBody[T]``                   the body, decoded strictly
``name: FromPath[str]``                 a part of the path
``key: IdempotencyKey`` (or Optional)   the header
``simulate: SimulateHeader``            the header
``actor: Service``, ``Customer``, ``Person`` or ``Member``   whoever the Authorization header names; without
                                        one, anybody
``caller: Caller``                      where the request comes from
``use: FromDishka[T]``                  a use case of the process
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from inspect import signature
from types import UnionType
from typing import Any, Generic, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from litestar import Litestar, patch, post
from litestar.datastructures import ResponseHeader
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import BodyKwarg, HeaderParameter, PathParameter
from litestar.types import ASGIApp, Receive, Scope, Send

from application.access import Credential, authorize, rule_of
from application.actor import Customer, MailService, Member, Operator, Person, Service
from application.workspaces.ports import MemberDirectory
from entrypoints.http import prefer, simulate
from entrypoints.http.auth import (
    ACCESS_TOKEN,
    ACTORS,
    CUSTOMER_KEY,
    SERVICE_KEY,
    WEBHOOK_TOKEN,
    Headers,
    member_of,
    trusted_by,
)
from entrypoints.http.bodies import decode_body, read_body
from entrypoints.http.client import Caller, client_address
from entrypoints.http.idempotency import NAME as IDEMPOTENCY_KEY
from entrypoints.http.idempotency import idempotency_key
from entrypoints.http.inject import services_of
from entrypoints.http.openapi import AlikeAnswers
from entrypoints.http.refusals import (
    AS_CUSTOMER,
    AS_MAIL_SERVICE,
    AS_MEMBER,
    AS_OPERATOR,
    AS_PERSON,
    AS_SERVICE,
    OF_BODY,
    OF_IDEMPOTENCY_KEY,
    OF_SIMULATE,
    Refusable,
    errors,
)

T = TypeVar("T")

BY_ACTOR: Mapping[type | None, tuple[str | None, tuple[Refusable, ...]]] = {
    None: (None, ()),
    Service: (SERVICE_KEY, AS_SERVICE),
    Customer: (CUSTOMER_KEY, AS_CUSTOMER),
    Person: (ACCESS_TOKEN, AS_PERSON),
    Member: (ACCESS_TOKEN, AS_MEMBER),
    Operator: (ACCESS_TOKEN, AS_OPERATOR),
    MailService: (WEBHOOK_TOKEN, AS_MAIL_SERVICE),
}
Sent = NewType("Sent", bytes)
"""The body as it was sent, for whoever checks a signature of it."""
_encode = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operation without a body may be sent all the same: an empty object."""


_nothing = msgspec.json.Decoder(Nothing)


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    body: T
    headers: Mapping[str, str] = field(default_factory=dict)
    status: HTTPStatus | None = None


class _Operation:
    """A function, and where each of its arguments comes from."""

    def __init__(self, run: Callable[..., Awaitable[Reply[Any]]], status: int) -> None:
        self._run = run
        self._status = status
        self._uses: dict[str, Any] = {}
        self._paths: list[str] = []
        self._body: tuple[str, msgspec.json.Decoder[Any]] | None = None
        self._headers: dict[str, Callable[[Headers], Any]] = {}
        self._named: set[str | None] = set()
        self._actor: tuple[str, type] | None = None
        self._caller: str | None = None
        self._sent: str | None = None
        hints = get_type_hints(run, include_extras=True)
        returned = hints.pop("return")
        usual = get_args(returned)[0] if get_origin(returned) in {Union, UnionType} else returned
        self.reply = get_args(usual)[0]
        for name, hint in hints.items():
            self._place(name, hint)

    def _place(self, name: str, hint: Any) -> None:  # noqa: ANN401 - an annotation
        if hint in ACTORS:
            self._actor = (name, hint)
            return
        if hint is Caller:
            self._caller = name
            return
        if hint is Sent:
            self._sent = name
            return
        kind, mark, *_ = get_args(hint)
        if isinstance(mark, BodyKwarg):
            self._body = (name, msgspec.json.Decoder(kind))
        elif isinstance(mark, PathParameter):
            self._paths.append(name)
        elif isinstance(mark, HeaderParameter):
            self._headers[name] = _reader(mark)
            self._named.add(mark.name)
        else:
            self._uses[name] = kind

    @property
    def actor(self) -> type | None:
        """Whom it serves; everybody, where it asks nobody who they are."""
        return None if self._actor is None else self._actor[1]

    @property
    def simulates(self) -> bool:
        """Whether it takes a CueBX-Simulate."""
        return simulate.NAME in self._named

    @property
    def keyed(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return IDEMPOTENCY_KEY in self._named

    def documented(self) -> Callable[..., Any]:
        """The function with the signature that belongs in the document: what a client sends and gets."""
        run: Any = self._run
        own = {*self._uses, self._caller, self._sent, *([self._actor[0]] if self._actor else [])}
        full = signature(run)
        kept = [each for each in full.parameters.values() if each.name not in own]
        run.__annotations__ = {
            **{
                name: hint
                for name, hint in get_type_hints(run, include_extras=True).items()
                if name not in own
            },
            "return": self.reply,
        }
        run.__signature__ = full.replace(parameters=kept, return_annotation=self.reply)
        return self._run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: Litestar = scope["litestar_app"]
        uses = app.state.uses.get(self)
        if uses is None:
            uses = await self._wire(app)
        headers: Headers = dict(scope["headers"])
        given = dict(uses)
        known, trusted, members = given.pop("")
        sent = await read_body(receive)
        address = client_address(scope, trusted)
        if self._actor is not None:
            name, actor = self._actor
            given[name] = await ACTORS[actor].read(known, headers, address)
            if members is not None:
                workspace = scope["path_params"]["workspace"]
                given[name] = await member_of(members, given[name], workspace, self._run.__name__)
        if self._caller is not None:
            given[self._caller] = Caller(
                address,
                headers.get(b"user-agent", b"").decode("latin-1"),
                headers.get(b"cookie", b"").decode("latin-1"),
            )
        if self._sent is not None:
            given[self._sent] = sent
        for name in self._paths:
            given[name] = scope["path_params"][name]
        given |= {name: read(headers) for name, read in self._headers.items()}
        if self._body is not None:
            name, decoder = self._body
            given[name] = decode_body(decoder, headers, sent)
        elif sent:
            decode_body(_nothing, headers, sent)
        reply = await self._run(**given)
        body = b"" if reply.body is None else _encode(reply.body)
        out = [_JSON] if body else []
        out.append((b"content-length", b"%d" % len(body)))
        out += [(key.lower().encode(), value.encode()) for key, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status or self._status, "headers": out})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _wire(self, app: Litestar) -> dict[str, Any]:
        services = services_of(app)
        uses = {name: await services.get(use) for name, use in self._uses.items()}
        known: Any = await services.get(ACTORS[self.actor].knows) if self.actor else None
        members = await services.get(MemberDirectory) if self.actor is Member else None
        uses[""] = (known, await trusted_by(services), members)
        app.state.uses[self] = uses
        return uses


def _reader(header: HeaderParameter) -> Callable[[Headers], Any]:
    match header.name:
        case prefer.NAME:
            return lambda headers: headers.get(b"prefer", b"").decode("latin-1")
        case simulate.NAME:
            return lambda headers: simulate.simulation(headers.get(b"cuebx-simulate"))
        case str() as name if name != IDEMPOTENCY_KEY:
            return lambda headers: headers.get(name.lower().encode(), b"").decode("latin-1")
    return lambda headers: idempotency_key(headers.get(b"idempotency-key"), required=bool(header.required))


def lean_post(
    path: str,
    *,
    tag: str,
    refuses: Sequence[Refusable],
    tells: Sequence[ResponseHeader] = (),
    status: int = HTTPStatus.OK,
    route: Callable[..., HTTPRouteHandler] = post,
    also: Mapping[int, ResponseSpec] | None = None,
) -> Callable[..., HTTPRouteHandler]:
    """A POST operation: what it may refuse with besides what every one may, and the headers of its answer.

    ``also``: what else it answers that is no refusal.
    """

    def make(run: Callable[..., Awaitable[Reply[Any]]]) -> HTTPRouteHandler:
        operation = _Operation(run, status)

        def middleware(app: ASGIApp) -> ASGIApp:  # noqa: ARG001 - Litestar's own caller, which this replaces
            return operation

        shown = Credential.NOTHING if operation.actor is None else ACTORS[operation.actor].credential
        roles = rule_of(run.__name__).roles
        authorize(run.__name__, shown, next(iter(roles)) if roles and operation.actor is Member else None)
        scheme, by_actor = BY_ACTOR[operation.actor]
        by_key = OF_IDEMPOTENCY_KEY if operation.keyed else ()
        by_simulation = OF_SIMULATE if operation.simulates else ()
        handler = route(
            path,
            status_code=status,
            response_description=HTTPStatus(status).phrase,
            tags=[tag],
            middleware=[middleware],
            responses={**(also or {}), **errors(*by_actor, *OF_BODY, *by_key, *by_simulation, *refuses)},
            response_headers=tells,
            operation_class=AlikeAnswers,
            security=None if scheme is None else [{scheme: []}],
            raises=[],
        )
        return handler(operation.documented())

    return make


lean_patch = partial(lean_post, route=patch)
"""A PATCH operation, likewise."""
