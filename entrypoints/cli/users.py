import click
from dishka import AsyncContainer

from application.actor import Operator
from application.identity.operators import CreateOperator, EndSessions, ListUsers, LookUpUser
from application.identity.personal_data import EraseUsers
from domain.email import Email
from domain.identity.user import User
from domain.ids import UserId, user_text, workspace_text
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one
from entrypoints.cli.types import EMAIL, LINE, SOMEBODY, USER


@click.group()
def users() -> None:
    """People: find them, sign them out, appoint operators."""


def _row(user: User) -> dict[str, object]:
    return {
        "user_id": user_text(user.id),
        "email": user.email.text,
        "name": user.name,
        "created_at": user.created_at,
        "confirmed_at": user.confirmed_at,
        "operator": user.operator,
        "deletes_at": user.deletes_at,
    }


@users.command("list")
@click.option("--after", type=USER, help="Only those behind this user.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@as_json
@with_services("list_users")
async def list_(services: AsyncContainer, *, after: UserId | None, limit: int, as_json: bool) -> None:
    """Everybody, the oldest first."""
    page = await (await services.get(ListUsers))(Operator(), after=after, limit=limit)
    show([_row(each) for each in page.items], as_json=as_json, empty="There is nobody.")
    if page.more and not as_json:
        click.echo(f"There are more: --after {user_text(page.items[-1].id)}")


@users.command("show")
@click.argument("who", type=SOMEBODY)
@as_json
@with_services("show_user")
async def show_(services: AsyncContainer, who: UserId | Email, *, as_json: bool) -> None:
    """WHO, by id or e-mail address: workspaces, sessions, second factor."""
    me, sessions = await (await services.get(LookUpUser))(Operator(), who)
    places = [f"{workspace_text(each.workspace)} ({each.role})" for each in me.places]
    row = {
        **_row(me.user),
        "password": me.user.password is not None,
        "second_factor": me.second_factor,
        "recovery_codes_left": me.recovery_codes,
        "workspaces": places if as_json else ", ".join(places),
        "sessions": len(sessions),
        "last_seen_at": sessions[0].last_seen_at if sessions else None,
    }
    show_one(row, as_json=as_json)


@users.command("create-operator")
@click.argument("email", type=EMAIL)
@click.option("--name", type=LINE, default="Operator", show_default=True)
@as_json
@with_services("create_operator")
async def create_operator(services: AsyncContainer, email: Email, *, name: str, as_json: bool) -> None:
    """Make whoever has an EMAIL address an operator.

    Who has no account gets one, and a code by mail, to set a password with
    (POST /v1/auth/password-reset/confirm).
    """
    user = await (await services.get(CreateOperator))(Operator(), email, name)
    show_one(_row(user), as_json=as_json)
    if user.password is None and not as_json:
        click.echo("A code to set the password with was mailed; it works for 10 minutes.")


@users.command("end-sessions")
@click.argument("who", type=SOMEBODY)
@as_json
@with_services("end_sessions")
async def end_sessions(services: AsyncContainer, who: UserId | Email, *, as_json: bool) -> None:
    """Sign WHO out everywhere, within a second."""
    show_one(_row(await (await services.get(EndSessions))(Operator(), who)), as_json=as_json)


@users.command("erase-due")
@as_json
@with_services("erase_users")
async def erase_due(services: AsyncContainer, *, as_json: bool) -> None:
    """Erase everybody who asked for it, and whose 30 days are over."""
    done = await (await services.get(EraseUsers))()
    outcomes = [*((each, "erased") for each in done.erased), *((each, "owns a team") for each in done.kept)]
    rows = [{"user_id": user_text(each), "outcome": outcome} for each, outcome in outcomes]
    show(rows, as_json=as_json, empty="Nobody is due.")
