"""Who asks: one hot workspace, a crowd of others, and the seller's service; and what each of them sends."""

from dataclasses import dataclass
from uuid import UUID

import msgspec
from dishka import AsyncContainer

from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.actor import Operator
from application.identity.ports import Passwords
from application.keys.keys import CreateKey
from application.ports import Clock, NewId
from application.usage.grants import GrantCredits
from application.workspaces.workspaces import CreateWorkspace
from domain.email import parse_email
from domain.identity.user import User
from domain.ids import AccountId, KeyId, LimitId, UserId
from domain.keys.key import KeyKind
from domain.usage.lot import Source
from domain.usage.spend_limit import Per, SpendLimit, SubjectKind
from domain.workspaces.workspace import Kind
from entrypoints import container
from entrypoints.cli.demo import publish_sample
from entrypoints.settings import Profile, Settings
from migrations import schema
from tests.bench.plan import request

CROWD = 50
PEOPLE = 200
PASSWORD = "a rather long password"  # noqa: S105
CREDITS = 10**15  # microcredits: no run comes to the end of them
FEATURE = "summarize"
TEXT = "All happy families are alike; each unhappy family is unhappy in its own way."
ANSWER = msgspec.json.encode({"text": TEXT}).decode()
COMMIT = {"usage": {"input_tokens": 900, "output_tokens": 200}, "model": "m", "latency_ms": 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenants:
    """``keys`` are live keys, the hot workspace's first; ``account`` is the hot one's.

    ``limited`` is another key of the hot workspace, with a spend limit that it never reaches. ``people`` are
    e-mail addresses, all with the same password.
    """

    service: str
    keys: list[str]
    limited: str
    account: UUID
    people: list[str]

    def reserve(self, key: str) -> str:
        estimate = {"input_tokens": 1000, "max_output_tokens": 300}
        return request(
            "POST",
            "/v1/reservations",
            headers={"Authorization": f"Bearer {self.service}", "Idempotency-Key": "{nonce}"},
            body={"api_key": key, "feature": FEATURE, "estimate": estimate},
        )

    def commit(self) -> str:
        return request(
            "POST",
            "/v1/reservations/{id}/commit",
            headers={"Authorization": f"Bearer {self.service}"},
            body=COMMIT,
        )

    def sign_in(self, at: int) -> str:
        """Somebody else each time, from somewhere else, so that no throttle is met."""
        where = f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}"
        return request(
            "POST",
            "/v1/auth/sign-in",
            headers={"X-Forwarded-For": where},
            body={"email": self.people[at % len(self.people)], "password": PASSWORD},
        )

    def echo(self) -> str:
        """A run of the feature whose output is ``{"text": ...}``."""
        return request(
            "POST",
            "/v1/features/echo/runs",
            headers={"Authorization": f"Bearer {self.keys[0]}"},
            body={"input": {"text": TEXT}},
        )


async def settle_in(url: str) -> Tenants:
    """Makes the database what a seller's would be: migrated, a catalog, workspaces with credits and keys."""
    await schema.upgrade(url)
    services = container.build(Settings(database_url=url, profile=Profile.EMBEDDED))
    try:
        await publish_sample(services)
        create, create_key = await services.get(CreateWorkspace), await services.get(CreateKey)
        grant = await services.get(GrantCredits)
        keys, accounts = [], []
        for n in range(1 + CROWD):
            opened = await create(Operator(), f"bench {n}", Kind.TEAM, product="api", plan="scale")
            account = opened.accounts[0].id
            await grant(account, source=Source.TOP_UP, amount=CREDITS)
            keys.append((await create_key(Operator(), KeyKind.LIVE, name="bench", account=account)).text)
            accounts.append(account)
        limited = await create_key(Operator(), KeyKind.LIVE, name="limited", account=accounts[0])
        await bound(services, accounts[0], limited.key.id)
        service = await create_key(Operator(), KeyKind.SERVICE, name="bench")
        people = await populate(services)
    finally:
        await services.close()
    return Tenants(service=service.text, keys=keys, limited=limited.text, account=accounts[0], people=people)


async def bound(services: AsyncContainer, account: AccountId, key: KeyId) -> None:
    uow, now = await services.get(SqlUnitOfWork), (await services.get(Clock)).now()
    limit = SpendLimit(
        account=account,
        id=LimitId((await services.get(NewId))()),
        subject=key,
        subject_kind=SubjectKind.KEY,
        period=Per.MONTH,
        amount=CREDITS,
        shadow=False,
        created_at=now,
        since=now,
    )
    async with uow() as tx:
        await tx.spend_limits.lock(account)
        await tx.spend_limits.add(limit)


async def populate(services: AsyncContainer) -> list[str]:
    """People who have confirmed their addresses; all with one hash, which takes as long to verify."""
    hashed = await (await services.get(Passwords)).hash(PASSWORD)
    now, new_id = (await services.get(Clock)).now(), await services.get(NewId)
    addresses = [f"person-{at}@example.org" for at in range(PEOPLE)]
    async with (await services.get(SqlUnitOfWork))() as tx:
        for address in addresses:
            user = User(
                id=UserId(new_id()),
                email=parse_email(address),
                name="Somebody",
                password=hashed,
                created_at=now,
                confirmed_at=now,
            )
            await tx.users.add(user)
    return addresses
