"""Credits that are bought when an account runs low."""

from typing import Annotated

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from application.actor import Member
from application.billing.auto import SetAutoTopUp
from domain.billing.errors import NotSubscribed, PackMissing
from domain.billing.top_up import AutoTopUp, AutoTopUpMissing
from domain.catalog.bounds import CREDITS
from domain.credits import MalformedAmount, format_credits, parse_credits
from domain.ids import account_text
from entrypoints.http.fields import Credits, Key
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.plans import TAG
from entrypoints.http.problems import invalid
from entrypoints.http.routes import deleting, reading
from entrypoints.http.subscriptions import ProductPath
from entrypoints.http.workspaces import PATH as WORKSPACE
from entrypoints.http.workspaces import WorkspacePath

PATH = WORKSPACE + "/auto-top-ups"
Amount = Annotated[str, Meta(min_length=1, max_length=30, pattern=r"^[0-9]+(\.[0-9]{1,6})?$")]


class AutoTopUpRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """With less than ``below`` credits free, ``pack`` is bought: ``monthly`` times in 30 days at most."""

    product: Key
    below: Amount
    pack: Key
    monthly: Annotated[int, Meta(ge=1, le=100)]


class AutoTopUpAnswer(Struct, frozen=True, kw_only=True):
    account_id: str
    product: str
    below: Credits
    pack: str
    monthly: int


class AutoTopUpsAnswer(Struct, frozen=True, kw_only=True):
    items: list[AutoTopUpAnswer]


@lean_post(PATH, tag=TAG, refuses=(PackMissing, NotSubscribed))
async def set_auto_top_up(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - whoever it is has read it
    data: JSONBody[AutoTopUpRequest],
    use: FromDishka[SetAutoTopUp],
) -> Reply[AutoTopUpAnswer]:
    """Have a pack bought whenever credits run low, with the card that pays the subscription."""
    try:
        wanted = AutoTopUp(parse_credits(data.below), data.pack, data.monthly)
    except MalformedAmount as error:
        raise invalid(str(error)) from error
    if wanted.below > CREDITS:
        raise invalid(f"below: must be at most {format_credits(CREDITS)}")
    account = await use(member, data.product, wanted)
    return Reply(
        AutoTopUpAnswer(
            account_id=account_text(account.id),
            product=data.product,
            below=format_credits(wanted.below),
            pack=wanted.pack,
            monthly=wanted.monthly,
        )
    )


@reading(PATH, by=Member, tag=TAG)
async def list_auto_top_ups(
    workspace: WorkspacePath,  # noqa: ARG001 - the guard has read it
    member: NamedDependency[Member],
    use: FromDishka[SetAutoTopUp],
) -> AutoTopUpsAnswer:
    """What is bought automatically."""
    return AutoTopUpsAnswer(
        items=[
            AutoTopUpAnswer(
                account_id=account_text(account.id),
                product=account.plan.product,
                below=format_credits(wanted.below),
                pack=wanted.pack,
                monthly=wanted.monthly,
            )
            for account, wanted in await use.all(member)
        ]
    )


@deleting(PATH + "/{product:str}", by=Member, tag=TAG, refuses=(AutoTopUpMissing,))
async def remove_auto_top_up(
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    product: ProductPath,
    member: NamedDependency[Member],
    use: FromDishka[SetAutoTopUp],
) -> None:
    """Buy nothing more by itself."""
    await use.remove(member, product)


HANDLERS = [set_auto_top_up, list_auto_top_ups, remove_auto_top_up]
