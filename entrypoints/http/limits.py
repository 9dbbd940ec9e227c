"""What keys and members may spend, and whom a shadow limit would have refused."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from application.actor import Member, Person
from application.usage.spend_limits import ListLimits, ReadShadow, RemoveLimit, SetLimit, subject_text
from domain.credits import MalformedAmount, format_credits
from domain.ids import account_text, key_text, limit_text, parse_account, parse_key, parse_limit, parse_user
from domain.keys.errors import KeyMissing
from domain.usage.errors import AccountMissing
from domain.usage.spend_limit import Per, ShadowSum, SpendLimit
from domain.workspaces.errors import MemberMissing
from entrypoints.http.fields import Credits, Line, id_path
from entrypoints.http.keys import wanted_limit
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.problems import invalid
from entrypoints.http.refusals import OF_LIMIT
from entrypoints.http.routes import deleting, reading
from entrypoints.http.workspaces import PATH as WORKSPACE
from entrypoints.http.workspaces import TAG, WorkspacePath

PATH = "/v1/limits/{limit:str}"
LimitPath = Annotated[str, id_path("lim", ids=2)]


class SetLimitRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of a key: `key_id`. Of all keys that a member made for an account: `user_id` and `account_id`.

    Where there is such a limit for the period already, its amount changes.
    """

    period: Per
    amount: Credits
    shadow: bool = False
    key_id: Line | None = None
    user_id: Line | None = None
    account_id: Line | None = None


class LimitAnswer(Struct, frozen=True, kw_only=True):
    """``held`` and ``spent`` are since ``since``; ``subject_id`` is a key's or a member's."""

    id: str
    account_id: str
    subject_id: str
    period: str
    amount: Credits
    held: Credits
    spent: Credits
    shadow: bool
    since: datetime
    created_at: datetime

    @classmethod
    def of(cls, limit: SpendLimit) -> "LimitAnswer":
        return cls(
            id=limit_text(limit.account, limit.id),
            account_id=account_text(limit.account),
            subject_id=subject_text(limit),
            period=limit.period,
            amount=format_credits(limit.amount),
            held=format_credits(limit.held),
            spent=format_credits(limit.spent),
            shadow=limit.shadow,
            since=limit.since,
            created_at=limit.created_at,
        )


class LimitsAnswer(Struct, frozen=True, kw_only=True):
    items: list[LimitAnswer]


class ShadowItem(Struct, frozen=True, kw_only=True):
    """``missing`` is the sum of what the calls lacked. ``key_id`` is null where no key asked."""

    key_id: str | None
    calls: int
    missing: Credits
    first_at: datetime
    last_at: datetime

    @classmethod
    def of(cls, each: ShadowSum) -> "ShadowItem":
        return cls(
            key_id=None if each.key is None else key_text(each.key),
            calls=each.count,
            missing=format_credits(each.missing),
            first_at=each.first_at,
            last_at=each.last_at,
        )


class ShadowAnswer(Struct, frozen=True, kw_only=True):
    """Of a limit that is no shadow, too: what it noted while it was one."""

    limit: LimitAnswer
    calls: int
    items: list[ShadowItem]


@lean_post(
    WORKSPACE + "/limits",
    tag=TAG,
    refuses=(KeyMissing, AccountMissing, MemberMissing, MalformedAmount),
)
async def set_limit(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - the guard has read it
    data: JSONBody[SetLimitRequest],
    use: FromDishka[SetLimit],
) -> Reply[LimitAnswer]:
    """Bound what a key, or all keys of a member, may spend; from now on."""
    wanted = wanted_limit(data.period, data.amount, shadow=data.shadow)
    if data.key_id is not None and data.user_id is None and data.account_id is None:
        return Reply(LimitAnswer.of(await use.of_key(member, parse_key(data.key_id), wanted)))
    if data.key_id is None and data.user_id is not None and data.account_id is not None:
        account, user = parse_account(data.account_id), parse_user(data.user_id)
        return Reply(LimitAnswer.of(await use.of_member(member, account, user, wanted)))
    raise invalid("a limit is of a key (key_id), or of a member (user_id and account_id)")


@reading(
    WORKSPACE + "/limits",
    by=Member,
    tag=TAG,
)
async def list_limits(
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    member: NamedDependency[Member],
    use: FromDishka[ListLimits],
) -> LimitsAnswer:
    """The limits of a workspace, and where they stand."""
    return LimitsAnswer(items=[LimitAnswer.of(each) for each in await use.of_workspace(member)])


@deleting(
    PATH,
    by=Person,
    tag=TAG,
    refuses=OF_LIMIT,
)
async def remove_limit(
    limit: LimitPath, member: NamedDependency[Member], use: FromDishka[RemoveLimit]
) -> None:
    """Forget a limit, and what it noted."""
    await use(member, *parse_limit(limit))


@reading(
    PATH + "/shadow",
    by=Person,
    tag=TAG,
    refuses=OF_LIMIT,
)
async def read_shadow(
    limit: LimitPath, member: NamedDependency[Member], use: FromDishka[ReadShadow]
) -> ShadowAnswer:
    """How often a shadow limit would have refused, and whom; the most often refused first."""
    found, sums = await use(member, *parse_limit(limit))
    return ShadowAnswer(
        limit=LimitAnswer.of(found),
        calls=sum(each.count for each in sums),
        items=[ShadowItem.of(each) for each in sums],
    )


HANDLERS = [set_limit, list_limits, remove_limit, read_shadow]
