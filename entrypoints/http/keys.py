"""API keys of a workspace, for those of its members who may."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType, field

from application.actor import Member
from application.keys.keys import ChangeKey, CreateKey, KeyChange, ListKeys, NewKey, RevokeKey, RotateKey
from application.usage.spend_limits import SetLimit, WantedLimit
from domain.credits import MalformedAmount, parse_credits
from domain.ids import account_text, key_text, parse_account, parse_key, user_text
from domain.keys.errors import ApiKeyExpired, ApiKeyRevoked, KeyMissing, NetworkRefused
from domain.keys.key import LONGEST_GRACE, PREFIX, Key, KeyKind
from domain.keys.policy import Policy, check_network
from domain.usage.errors import AccountMissing
from domain.usage.spend_limit import Per
from entrypoints.http.fields import Credits, Line, id_path
from entrypoints.http.lean import Reply, lean_patch, lean_post
from entrypoints.http.problems import invalid
from entrypoints.http.refusals import AS_MEMBER
from entrypoints.http.routes import deleting, reading
from entrypoints.http.workspaces import PATH as WORKSPACE
from entrypoints.http.workspaces import TAG, WorkspacePath

PATH = WORKSPACE + "/keys"
KeyPath = Annotated[str, id_path("key")]
MOST = 2**53  # microcredits
Calls = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Features = Annotated[list[Line], Meta(max_length=1000)]
Networks = Annotated[list[Line], Meta(max_length=100)]
Grace = Annotated[int, Meta(ge=0, le=int(LONGEST_GRACE.total_seconds()))]


class LimitRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """At most ``amount`` credits in a calendar ``day`` or ``month`` (UTC), or in all, from now on.

    A ``shadow`` one refuses nothing, and notes what it would have refused.
    """

    period: Per
    amount: Credits
    shadow: bool = False

    def wanted(self) -> WantedLimit:
        """Raises MalformedAmount, Refusal."""
        return wanted_limit(self.period, self.amount, shadow=self.shadow)


def wanted_limit(period: Per, text: str, *, shadow: bool) -> WantedLimit:
    """Raises MalformedAmount, Refusal."""
    amount = parse_credits(text)
    if not 0 <= amount <= MOST:
        raise invalid("the amount of a limit is from 0 to 9007199254 credits")
    return WantedLimit(period=period, amount=amount, shadow=shadow)


class KeyRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out is not bounded. ``networks`` are in CIDR form, `203.0.113.0/24`."""

    name: Line
    account_id: Line
    test: bool = False
    expires_at: datetime | None = None
    features: Features | None = None
    networks: Networks | None = None
    per_minute: Calls | None = None
    per_day: Calls | None = None
    limits: Annotated[list[LimitRequest], Meta(max_length=6)] = field(default_factory=list)

    def policy(self) -> Policy:
        """Raises NetworkRefused."""
        return Policy(
            features=None if self.features is None else tuple(self.features),
            networks=None if self.networks is None else tuple(map(check_network, self.networks)),
            per_minute=self.per_minute,
            per_day=self.per_day,
        )


class KeyChangeRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is; a bound that is null is lifted."""

    name: Line | UnsetType = UNSET
    features: Features | UnsetType | None = UNSET
    networks: Networks | UnsetType | None = UNSET
    per_minute: Calls | UnsetType | None = UNSET
    per_day: Calls | UnsetType | None = UNSET

    def change(self) -> KeyChange:
        """Raises NetworkRefused."""
        bounds: dict[str, Any] = {
            name: tuple(given) if isinstance(given, list) else given
            for name in ("features", "networks", "per_minute", "per_day")
            if (given := getattr(self, name)) is not UNSET
        }
        if bounds.get("networks") is not None:
            bounds["networks"] = tuple(map(check_network, bounds["networks"]))
        return KeyChange(name=None if self.name is UNSET else self.name, bounds=bounds)


class RotateRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many seconds the old secret still works."""

    grace_seconds: Grace = 86_400


class KeyAnswer(Struct, frozen=True, kw_only=True):
    """``shown`` is how the key begins and ends."""

    id: str
    name: str
    shown: str
    account_id: str | None
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    old_secret_works_until: datetime | None
    features: list[str] | None
    networks: list[str] | None
    per_minute: int | None
    per_day: int | None

    @classmethod
    def of(cls, key: Key) -> "KeyAnswer":
        policy = key.policy
        return cls(
            id=key_text(key.id),
            name=key.name,
            shown=f"{PREFIX[key.kind]}...{key.last_four}",
            account_id=None if key.account is None else account_text(key.account),
            created_by=None if key.created_by is None else user_text(key.created_by),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
            old_secret_works_until=None if key.previous is None else key.previous.until,
            features=None if policy.features is None else list(policy.features),
            networks=None if policy.networks is None else list(policy.networks),
            per_minute=policy.per_minute,
            per_day=policy.per_day,
        )


class NewKeyAnswer(Struct, frozen=True, kw_only=True):
    """``secret`` is shown now, and never again."""

    secret: str
    key: KeyAnswer

    @classmethod
    def of(cls, made: NewKey) -> "NewKeyAnswer":
        return cls(secret=made.text, key=KeyAnswer.of(made.key))


class KeysAnswer(Struct, frozen=True, kw_only=True):
    """The oldest first."""

    items: list[KeyAnswer]


@lean_post(PATH, tag=TAG, status=201, refuses=(*AS_MEMBER, AccountMissing, NetworkRefused, MalformedAmount))
async def create_key(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - the guard has read it
    data: JSONBody[KeyRequest],
    create: FromDishka[CreateKey],
    set_limit: FromDishka[SetLimit],
) -> Reply[NewKeyAnswer]:
    """Make a key, with its bounds and its spend limits."""
    policy, wanted = data.policy(), [each.wanted() for each in data.limits]
    if len({(each.period, each.shadow) for each in wanted}) < len(wanted):
        raise invalid("a key has one limit for each period, and a shadow one beside it")
    made = await create(
        member,
        KeyKind.TEST if data.test else KeyKind.LIVE,
        name=data.name,
        account=parse_account(data.account_id),
        expires_at=data.expires_at,
        policy=policy,
    )
    for each in wanted:  # nobody has the key yet, so nothing is spent meanwhile
        await set_limit.of_key(member, made.key.id, each)
    return Reply(NewKeyAnswer.of(made))


@reading(
    PATH,
    by=Member,
    tag=TAG,
)
async def list_keys(
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    member: NamedDependency[Member],
    use: FromDishka[ListKeys],
) -> KeysAnswer:
    """The keys of a workspace, with who made them and when they were last used."""
    return KeysAnswer(items=[KeyAnswer.of(each) for each in await use(member, member.workspace)])


@lean_patch(PATH + "/{key:str}", tag=TAG, refuses=(KeyMissing, NetworkRefused))
async def change_key(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    key: KeyPath,
    data: JSONBody[KeyChangeRequest],
    use: FromDishka[ChangeKey],
) -> Reply[KeyAnswer]:
    """Rename a key, or change its bounds. Every process obeys within a second."""
    return Reply(KeyAnswer.of(await use(member, parse_key(key), data.change())))


@lean_post(
    PATH + "/{key:str}/rotate",
    tag=TAG,
    refuses=(*AS_MEMBER, KeyMissing, ApiKeyRevoked, ApiKeyExpired),
)
async def rotate_key(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    key: KeyPath,
    data: JSONBody[RotateRequest],
    use: FromDishka[RotateKey],
) -> Reply[NewKeyAnswer]:
    """Give a key a new secret. The old one works for a while; limits and usage go on."""
    grace = timedelta(seconds=data.grace_seconds)
    return Reply(NewKeyAnswer.of(await use(member, parse_key(key), grace=grace)))


@deleting(
    PATH + "/{key:str}",
    by=Member,
    tag=TAG,
    refuses=(KeyMissing,),
    status=HTTPStatus.OK,
)
async def revoke_key(
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    key: KeyPath,
    member: NamedDependency[Member],
    use: FromDishka[RevokeKey],
) -> KeyAnswer:
    """Refuse a key everywhere within a second, for good."""
    return KeyAnswer.of(await use(member, parse_key(key)))


HANDLERS = [create_key, list_keys, rotate_key, change_key, revoke_key]
