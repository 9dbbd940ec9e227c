"""Sign-in with an account at another provider."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct

from application.actor import Person
from application.identity.elsewhere import LASTS, BeginElsewhere, FinishElsewhere, LinkedAccounts
from domain.catalog.errors import PlanMissing
from domain.identity.elsewhere import (
    AddressNotVerified,
    ElsewhereRefused,
    IdentityMissing,
    LastWayIn,
    LinkedIdentity,
    ProviderFailed,
    ProviderMissing,
)
from domain.identity.errors import TooManyAttempts
from domain.identity.second_factor import SecondFactorNeeded, SecondFactorRefused
from domain.identity.user import UserMissing
from entrypoints.http.client import Caller
from entrypoints.http.identity import NO_STORE, PATH, TAG, SecondCode, TokensAnswer
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.routes import deleting, reading

COOKIE = "__Host-cuebx-elsewhere"
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"
ProviderPath = Annotated[
    str,
    PathParameter(description="`google` or `github`", schema_extra={"pattern": "^[a-z]{1,20}$"}),
]
Given = Annotated[str, Meta(min_length=1, max_length=2000)]


class FinishRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``code`` and ``state`` as the provider sent them back; a code of the second factor where one is on."""

    code: Given
    state: Given
    second_factor: SecondCode | None = None


class BegunAnswer(Struct, frozen=True, kw_only=True):
    """Send the browser there. What it has to bring back is in a cookie."""

    authorization_url: str


class IdentityAnswer(Struct, frozen=True, kw_only=True):
    provider: str
    linked_at: datetime

    @classmethod
    def of(cls, identity: LinkedIdentity) -> "IdentityAnswer":
        return cls(provider=identity.provider, linked_at=identity.linked_at)


class IdentitiesAnswer(Struct, frozen=True, kw_only=True):
    items: list[IdentityAnswer]


@lean_post(PATH + "/elsewhere/{provider:str}", tag=TAG, refuses=(ProviderMissing, TooManyAttempts))
async def begin_elsewhere(
    caller: Caller, provider: ProviderPath, use: FromDishka[BeginElsewhere]
) -> Reply[BegunAnswer]:
    """Begin a sign-in with an account at another provider. It has to be finished within 10 minutes."""
    begun = await use(provider, address=caller.address)
    cookie = f"{COOKIE}={begun.kept}; Max-Age={int(LASTS.total_seconds())}; {_ATTRIBUTES}"
    return Reply(BegunAnswer(authorization_url=begun.url), {"Set-Cookie": cookie})


@lean_post(
    PATH + "/elsewhere/{provider:str}/finish",
    tag=TAG,
    refuses=(
        *(ProviderMissing, ElsewhereRefused, ProviderFailed, AddressNotVerified, PlanMissing),
        *(SecondFactorNeeded, SecondFactorRefused, TooManyAttempts),
    ),
)
async def finish_elsewhere(
    caller: Caller,
    provider: ProviderPath,
    data: JSONBody[FinishRequest],
    use: FromDishka[FinishElsewhere],
) -> Reply[TokensAnswer]:
    """Finish it, in the browser that began, with what the provider sent back. A session begins."""
    tokens = await use(
        provider,
        code=data.code,
        state=data.state,
        kept=caller.cookie(COOKIE),
        second=data.second_factor,
        device=caller.device,
        address=caller.address,
    )
    cookie = f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}"
    return Reply(TokensAnswer.of(tokens), {**NO_STORE, "Set-Cookie": cookie})


@reading(
    "/v1/me/identities",
    by=Person,
    tag=TAG,
)
async def list_identities(
    person: NamedDependency[Person], use: FromDishka[LinkedAccounts]
) -> IdentitiesAnswer:
    """The accounts elsewhere by which one can sign in."""
    return IdentitiesAnswer(items=[IdentityAnswer.of(each) for each in await use(person)])


@deleting(
    "/v1/me/identities/{provider:str}",
    by=Person,
    tag=TAG,
    refuses=(IdentityMissing, LastWayIn, UserMissing),
)
async def unlink_identity(
    provider: ProviderPath, person: NamedDependency[Person], use: FromDishka[LinkedAccounts]
) -> None:
    """Sign in by it no longer. Not for the last way in: set a password first."""
    await use.unlink(person, provider)


HANDLERS = [begin_elsewhere, finish_elsewhere, list_identities, unlink_identity]
