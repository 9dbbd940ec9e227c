import click
from dishka import AsyncContainer

from application.actor import Operator
from application.events.dead_letters import ListDeadLetters, ReplayAll, SettleDeadLetters, ShowDeadLetter
from domain.events import DeadLetter, EventId
from domain.ids import event_text, workspace_text
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one
from entrypoints.cli.types import EVENT


@click.group("dead-letters")
def dead_letters() -> None:
    """Messages that were given up: list, show, replay, discard."""


def _row(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": event_text(letter.id),
        "consumer": letter.consumer,
        "kind": letter.kind,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "died_at": letter.died_at,
        "workspace_id": None if letter.workspace is None else workspace_text(letter.workspace),
    }


@dead_letters.command("list")
@click.option("--consumer", help="Only this one's.")
@click.option("--kind", help="Only of this kind.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@as_json
@with_services("list_dead_letters")
async def list_(
    services: AsyncContainer, *, consumer: str | None, kind: str | None, limit: int, as_json: bool
) -> None:
    """The oldest first."""
    use = await services.get(ListDeadLetters)
    page = await use(Operator(), consumer=consumer, kind=kind, after=None, limit=limit)
    show([_row(each) for each in page.items], as_json=as_json, empty="There are none.")
    if page.more and not as_json:
        click.echo("There are more: raise --limit, or narrow by --consumer and --kind")


@dead_letters.command("show")
@click.argument("consumer")
@click.argument("event", type=EVENT)
@as_json
@with_services("show_dead_letter")
async def show_(services: AsyncContainer, consumer: str, event: EventId, *, as_json: bool) -> None:
    """One of CONSUMER's, with its body. What is secret in that is sealed."""
    letter = await (await services.get(ShowDeadLetter))(Operator(), consumer, event)
    show_one({**_row(letter), "occurred_at": letter.occurred_at, "body": letter.body}, as_json=as_json)


@dead_letters.command()
@click.argument("consumer")
@click.argument("event", type=EVENT)
@as_json
@with_services("replay_dead_letter")
async def replay(services: AsyncContainer, consumer: str, event: EventId, *, as_json: bool) -> None:
    """Send one to its CONSUMER again."""
    letter = await (await services.get(SettleDeadLetters)).replay(Operator(), consumer, event)
    show_one(_row(letter), as_json=as_json)


@dead_letters.command("replay-all")
@click.option("--consumer", help="Only this one's.")
@click.option("--kind", help="Only of this kind.")
@as_json
@with_services("replay_dead_letters")
async def replay_all(
    services: AsyncContainer, *, consumer: str | None, kind: str | None, as_json: bool
) -> None:
    """Send all of them again, or those of one consumer or kind."""
    count = await (await services.get(ReplayAll))(Operator(), consumer=consumer, kind=kind)
    show_one({"replayed": count}, as_json=as_json)


@dead_letters.command()
@click.argument("consumer")
@click.argument("event", type=EVENT)
@as_json
@with_services("discard_dead_letter")
async def discard(services: AsyncContainer, consumer: str, event: EventId, *, as_json: bool) -> None:
    """Throw one of CONSUMER's away."""
    letter = await (await services.get(SettleDeadLetters)).discard(Operator(), consumer, event)
    show_one(_row(letter), as_json=as_json)
