"""Messages on their way: relayed, waited for, given up, sent again; and mails among them."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.access import OperationDenied
from application.actor import MailService
from application.events.bell import Bell
from application.events.dead_letters import (
    Bury,
    ListDeadLetters,
    ReplayAll,
    SettleDeadLetters,
    ShowDeadLetter,
)
from application.events.errors import BrokerClash, BrokerUnavailable
from application.events.ports import Claimed, Envelope, OutboxQueue, Publisher
from application.events.relay import Relay
from application.identity.authenticate import AuthenticateOperator
from application.notifications.ports import MailTransport
from application.notifications.post import PostMail
from application.notifications.send import MailUnreadable, SendMail
from application.notifications.suppressions import (
    CheckWebhook,
    NoteMailEvent,
    UnsuppressedMail,
    WebhookRefused,
)
from domain.events import DeadLetterMissing, EventId
from domain.identity.mail import Mail
from domain.notifications.errors import MailDelayed, MailRefused
from domain.notifications.events import MailRequested
from tests.fakes.clock import NOON
from tests.fakes.events import Posted
from tests.fakes.hall import ADA, HERE, Hall
from tests.fakes.office import OPERATOR, FakeOffice
from tests.fakes.people import PlainSecrecy
from tests.fakes.suppressions import FakeSuppressions

MAIL = Mail(to="ada@example.org", template="confirm", facts={"code": "1", "name": "Ada"})


def an_envelope(kind: str = "a.happened") -> Envelope:
    return Envelope(id=EventId(uuid4()), kind=kind, version=1, workspace=None, occurred_at=NOON, body="{}")


@dataclass
class Rows(OutboxQueue):
    waiting: dict[int, Envelope] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)

    async def claim(self, limit: int) -> Sequence[Claimed]:
        free = [each for each in sorted(self.waiting) if each not in self.claimed][:limit]
        self.claimed |= set(free)
        return [Claimed(each, self.waiting[each]) for each in free]

    async def remove(self, positions: Collection[int]) -> None:
        for each in positions:
            del self.waiting[each]

    async def give_back(self, positions: Collection[int]) -> None:
        self.claimed -= set(positions)


@dataclass
class Wire(Publisher):
    away: bool = False
    published: list[Envelope] = field(default_factory=list)

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        if self.away:
            raise BrokerUnavailable("ConnectionRefusedError")
        self.published += envelopes


async def test_a_relay_moves_batch_by_batch() -> None:
    rows, wire = Rows({nth: an_envelope() for nth in range(5)}), Wire()
    sent = list(rows.waiting.values())
    relay = Relay(rows, wire)
    assert [await relay(2) for _ in range(4)] == [2, 2, 1, 0]
    assert (wire.published, rows.waiting) == (sent, {})


async def test_what_could_not_be_published_is_to_be_had_again() -> None:
    rows, wire = Rows({1: an_envelope()}), Wire(away=True)
    relay = Relay(rows, wire)
    with pytest.raises(BrokerUnavailable, match="cannot be reached"):
        await relay()
    wire.away = False
    assert await relay() == 1
    assert "drain and delete it" in str(BrokerClash("cuebx.mail", "inequivalent arg"))


async def test_a_bell_is_heard_though_it_rang_before() -> None:
    bell = Bell()
    one, other = bell.ear(), bell.ear()
    bell.ring()
    await asyncio.wait_for(one.heard(within=60), 5)
    await asyncio.wait_for(other.heard(within=60), 5)
    await one.heard(within=0.01)
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    await asyncio.wait_for(one.heard(done, within=60), 5)


@dataclass
class Graveyard:
    office: FakeOffice = field(default_factory=FakeOffice)

    def __post_init__(self) -> None:
        work, clock = self.office.work, self.office.clock
        for name, operator in (("Olga", True), ("Ada", False)):
            user = self.office.sign_up(self.office.member().person.user, name)
            work.users[user.id] = replace(user, operator=operator)
        self.bury = Bury(uow=work, post=PostMail(PlainSecrecy()), clock=clock)
        self.list = ListDeadLetters(work)
        self.show = ShowDeadLetter(work)
        self.settle = SettleDeadLetters(work)
        self.replay_all = ReplayAll(work, clock)

    async def dead(self, *, consumer: str = "mail", kind: str = "a.happened") -> EventId:
        envelope = an_envelope(kind)
        await self.bury(consumer, envelope, 4, "upstream_failed, 4 times")
        self.office.clock.pass_by(timedelta(seconds=1))
        return envelope.id

    @property
    def posted(self) -> list[Posted]:
        return self.office.work.posted


@pytest.fixture
def graveyard() -> Graveyard:
    return Graveyard()


async def test_operators_hear_of_the_first_dead_letter_and_of_no_other(graveyard: Graveyard) -> None:
    first, second = await graveyard.dead(), await graveyard.dead()
    (mail,) = [each.event for each in graveyard.posted]
    assert isinstance(mail, MailRequested)
    assert mail.template == "dead_letter"
    for id in (first, second):
        await graveyard.settle.discard(OPERATOR, "mail", id)
    await graveyard.dead()
    assert len(graveyard.posted) == 2


async def test_dead_letters_are_paged_and_shown(graveyard: Graveyard) -> None:
    ids = [await graveyard.dead(), await graveyard.dead(consumer="runs", kind="b.happened")]
    page = await graveyard.list(OPERATOR, consumer=None, kind=None, after=None, limit=1)
    assert ([each.id for each in page.items], page.more) == (ids[:1], True)
    last = page.items[-1]
    page = await graveyard.list(OPERATOR, consumer=None, kind=None, after=(last.died_at, last.id), limit=5)
    assert ([each.id for each in page.items], page.more) == (ids[1:], False)
    for narrow in ({"consumer": "runs", "kind": None}, {"consumer": None, "kind": "b.happened"}):
        found = await graveyard.list(OPERATOR, after=None, limit=5, **narrow)
        assert [each.id for each in found.items] == ids[1:]
    shown = await graveyard.show(OPERATOR, "runs", ids[1])
    assert (shown.attempts, shown.reason, shown.died_at) == (
        4,
        "upstream_failed, 4 times",
        NOON + timedelta(seconds=1),
    )


async def test_a_replayed_one_goes_to_its_consumer_alone_and_is_no_dead_letter_any_more(
    graveyard: Graveyard,
) -> None:
    id = await graveyard.dead()
    graveyard.posted.clear()
    await graveyard.settle.replay(OPERATOR, "mail", id)
    (again,) = graveyard.posted
    assert (again.id, again.consumer) == (id, "mail")
    for ask in (graveyard.settle.replay, graveyard.settle.discard, graveyard.show):
        with pytest.raises(DeadLetterMissing):
            await ask(OPERATOR, "mail", id)


async def test_all_of_a_kind_are_replayed_at_once(graveyard: Graveyard) -> None:
    for kind in ("a.happened", "b.happened", "a.happened", "a.happened"):
        await graveyard.dead(kind=kind)
    assert await graveyard.replay_all(OPERATOR, consumer=None, kind="a.happened", page=2) == 3
    left = await graveyard.list(OPERATOR, consumer=None, kind=None, after=None, limit=9)
    assert [each.kind for each in left.items] == ["b.happened"]


async def test_what_dies_meanwhile_is_not_replayed(graveyard: Graveyard) -> None:
    await graveyard.dead()
    graveyard.office.clock.pass_by(timedelta(hours=-1))
    assert await graveyard.replay_all(OPERATOR, consumer=None, kind=None) == 0


@dataclass
class Post(MailTransport):
    fault: Exception | None = None
    sent: list[tuple[UUID, Mail]] = field(default_factory=list)

    async def deliver(self, id: UUID, mail: Mail) -> None:
        if self.fault is not None:
            raise self.fault
        self.sent.append((id, mail))


async def requested(office: FakeOffice) -> tuple[EventId, MailRequested]:
    async with office.work() as tx:
        await PostMail(PlainSecrecy())(tx, MAIL)
    posted = office.work.posted[-1]
    assert isinstance(posted.event, MailRequested)
    return posted.id, posted.event


async def test_a_mail_is_sealed_until_it_leaves_and_leaves_once(office: FakeOffice) -> None:
    id, event = await requested(office)
    assert "Ada" not in event.sealed
    post = Post()
    send = SendMail(uow=office.work, secrecy=PlainSecrecy(), transport=post)
    for _ in range(2):
        await send("mail", id, event)
    assert post.sent == [(id, MAIL)]


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


@pytest.mark.parametrize("fault", [MailRefused("bad"), MailDelayed("busy", 5)])
async def test_one_that_did_not_leave_is_not_marked(office: FakeOffice, fault: Exception) -> None:
    id, event = await requested(office)
    post = Post(fault)
    send = SendMail(uow=office.work, secrecy=PlainSecrecy(), transport=post)
    with pytest.raises(type(fault), match=r"bad|busy"):
        await send("mail", id, event)
    post.fault = None
    await send("mail", id, event)
    assert len(post.sent) == 1


async def test_one_that_nobody_can_unseal_never_leaves(office: FakeOffice) -> None:
    id, event = await requested(office)
    send = SendMail(uow=office.work, secrecy=PlainSecrecy(), transport=Post())
    with pytest.raises(MailUnreadable, match="CUEBX_SECRET"):
        await send("mail", id, replace(event, sealed="AAAA"))


async def test_an_address_that_bounced_gets_no_more_mail() -> None:
    suppressions, post = FakeSuppressions(), Post()
    note, transport = NoteMailEvent(suppressions), UnsuppressedMail(post, suppressions)
    for event in ("delivered", "soft_bounce", "opened"):
        await note(MailService(), event, MAIL.to)
    await note(MailService(), "hard_bounce", "no address")
    await transport.deliver(uuid4(), MAIL)
    await note(MailService(), "spam", "ADA@example.org")
    await note(MailService(), "hard_bounce", MAIL.to)
    await transport.deliver(uuid4(), MAIL)
    assert (len(post.sent), suppressions.rows) == (1, {"ada@example.org": "spam"})


def test_a_webhook_shows_its_token() -> None:
    assert CheckWebhook("a good token")("a good token") == MailService()
    for token, shown in (("a good token", "another"), ("a good token", "\u00e9"), (None, ""), (None, "None")):
        with pytest.raises(WebhookRefused, match="CUEBX_BREVO_WEBHOOK_TOKEN"):
            CheckWebhook(token)(shown)


async def test_an_operator_is_somebody_who_was_appointed() -> None:
    hall = Hall()
    await hall.confirmed()
    tokens, _ = await hall.signed_in()
    authenticate = AuthenticateOperator(hall.authenticate, hall.work)
    with pytest.raises(OperationDenied):
        await authenticate(tokens.access, address=HERE)
    user = hall.user(ADA)
    hall.work.users[user.id] = replace(user, operator=True)
    assert await authenticate(tokens.access, address=HERE) == OPERATOR
