"""A whole server in this process: real sockets, real database, its own thread and loop."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from uuid import uuid4

import msgspec
import uvloop
from dishka import AsyncContainer

from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.access import TABLE, Credential
from application.actor import Member, Operator, Person
from application.keys.keys import CreateKey
from application.ports import Clock
from application.usage.spend_limits import SetLimit, WantedLimit
from application.workspaces.invitations import Invite
from application.workspaces.members import SetSeats
from application.workspaces.teams import CreateTeam
from domain.credits import MICRO
from domain.email import parse_email
from domain.ids import (
    SessionId,
    account_text,
    invitation_text,
    key_text,
    limit_text,
    user_text,
    workspace_text,
)
from domain.keys.key import KeyKind
from domain.usage.spend_limit import Per
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from entrypoints.cli.demo import Demo, demo, publish_sample
from entrypoints.process import answer, services_of
from entrypoints.server import listen
from tests.http.document import Operation
from tests.http.logs import Stream, logging_to
from tests.shop import WEBHOOK_TOKEN, Somebody, embedded

MUCH = WantedLimit(period=Per.MONTH, amount=1_000_000 * MICRO)


@dataclass(frozen=True)
class Team:
    """A workspace that ``person`` of a running server owns, by public ids."""

    workspace: str
    account: str
    key: str
    limit: str
    member: str
    invitation: str

    @classmethod
    async def of(cls, services: AsyncContainer, owner: Somebody, other: Somebody) -> "Team":
        person = Person(user=owner.tokens.user, session=SessionId(uuid4()), address="127.0.0.1")
        opened = await (await services.get(CreateTeam))(person, "Team")
        (account,) = opened.accounts
        member = Member(person=person, workspace=opened.workspace.id, role=Role.OWNER)
        create = await services.get(CreateKey)
        made = await create(member, KeyKind.LIVE, name="a test's", account=account.id)
        limit = await (await services.get(SetLimit)).of_key(member, made.key.id, MUCH)
        await (await services.get(SetSeats))(Operator(), opened.workspace.id, 10)
        invitation = await (await services.get(Invite))(member, parse_email("ivy@example.org"), Role.MEMBER)
        async with (await services.get(SqlUnitOfWork))() as tx:
            joined = (await services.get(Clock)).now()
            place = Membership(
                workspace=opened.workspace.id, user=other.tokens.user, role=Role.MEMBER, joined_at=joined
            )
            await tx.members.add(place)
        return cls(
            workspace_text(opened.workspace.id),
            account_text(account.id),
            key_text(made.key.id),
            limit_text(limit.account, limit.id),
            user_text(other.tokens.user),
            invitation_text(invitation.id),
        )


@dataclass(frozen=True)
class Running:
    """``mine`` and ``other`` are two tenants, each with a million credits and keys."""

    url: str
    database: str
    mine: Demo
    other: Demo
    log: Stream
    person: Somebody
    leaver: Somebody
    """Whose session may end."""
    team: Team
    operator: Somebody


@contextmanager
def running(database: str) -> Iterator[Running]:
    stream = Stream()
    started: Future[Running] = Future()
    stop: Future[None] = Future()
    with logging_to(stream) as log, TemporaryDirectory() as mails:

        async def main() -> None:
            settings = msgspec.structs.replace(embedded(database, mails), shutdown_seconds=2)
            async with services_of(settings) as services:
                await publish_sample(services)
                tenants = [await demo(services, None) for _ in range(2)]
                people = [await Somebody.on(services, f"{each}@example.org") for each in ("ada", "eve")]
                ended = asyncio.Event()
                listener = listen("127.0.0.1", 0)
                port = listener.getsockname()[1]
                serving = asyncio.create_task(answer(services, settings, listener, log=log, stop=ended))
                started.set_result(
                    Running(
                        f"http://127.0.0.1:{port}",
                        database,
                        tenants[0],
                        tenants[1],
                        stream,
                        people[0],
                        people[1],
                        await Team.of(services, *people),
                        await Somebody.on(services, "olga@example.org", operator=True),
                    )
                )
                await asyncio.wait((asyncio.wrap_future(stop), serving), return_when=asyncio.FIRST_COMPLETED)
                ended.set()
                await serving

        def run() -> None:
            try:
                uvloop.run(main())
            except BaseException as error:
                if started.done():
                    raise
                started.set_exception(error)

        thread = threading.Thread(target=run, name="server")
        thread.start()
        try:
            yield started.result(timeout=60)
        finally:
            stop.set_result(None)
            thread.join()


def credential_of(server: Running, operation: Operation) -> str | None:
    """A right one for it."""
    if operation.scheme is None:
        return None
    name = operation.spec["operationId"]
    somebody = server.leaver if name == "sign_out" else server.person
    if TABLE[name].by == {Credential.OPERATOR}:
        somebody = server.operator
    return {
        "customer_key": server.mine.live_key,
        "service_key": server.mine.service_key,
        "access_token": somebody.tokens.access,
        "webhook_token": WEBHOOK_TOKEN,
    }[operation.scheme]
