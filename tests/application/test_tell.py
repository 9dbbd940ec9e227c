"""Who asked for it hears how a queued run, or a batch, has ended."""

from dataclasses import dataclass, field, replace
from uuid import uuid4

import pytest

from adapters.memory.ledger import MemoryLedger
from application.features.tell import TellRunEnd
from application.notifications.post import PostMail
from domain.credits import MICRO
from domain.events import EventId
from domain.identity.mail import Mail
from domain.ids import BatchId, KeyId, PlanRef, ReservationId
from domain.keys.key import KeyKind
from domain.usage.queue import failure
from domain.usage.queued_run import QueuedRun, RunBatch, RunSettled, RunState
from domain.usage.terms import Terms
from domain.workspaces.role import Role
from tests.fakes.clock import NOON
from tests.fakes.desks import PLAN, Till
from tests.fakes.events import Mails
from tests.fakes.office import OPERATOR, FakeOffice
from tests.fakes.people import PlainSecrecy
from tests.fakes.queued import FakeQueuedRuns


async def no_terms(_: PlanRef) -> Terms:
    return Terms(plan=PLAN)


@dataclass
class Ended:
    office: FakeOffice = field(default_factory=FakeOffice)

    def __post_init__(self) -> None:
        ledger = MemoryLedger(no_terms, self.office.clock, self.office.new_id)
        self.desk = Till().desk
        self.desk.account = self.office.account
        ledger.desks[self.office.account.id] = self.desk
        self.tell = TellRunEnd(
            self.office.work, FakeQueuedRuns(ledger, self.office.clock), PostMail(PlainSecrecy())
        )
        self.owner = self.address(Role.OWNER)
        self.mails = Mails(self.office.work)

    def address(self, role: Role) -> str:
        person = self.office.joined(role, name=role).person
        return self.office.work.users[person.user].email.text

    def run(
        self, state: RunState = RunState.DONE, *, key: KeyId | None = None, batch: BatchId | None = None
    ) -> RunSettled:
        run = QueuedRun(
            account=self.office.account.id,
            id=ReservationId(self.office.new_id()),
            workspace=self.office.workspace.id,
            batch=batch,
            key=key,
            feature="echo",
            state=state,
            outcome=failure("c", "it broke") if state is RunState.FAILED else "{}",
            charged=MICRO // 2 if state is RunState.DONE else 0,
            created_at=NOON,
        )
        self.desk.runs[run.id] = run
        return RunSettled(account=run.account, run=run.id, batch=batch, workspace=run.workspace)

    def batch(self) -> BatchId:
        id = BatchId(self.office.new_id())
        batch = RunBatch(account=self.office.account.id, id=id, feature="echo", total=2, created_at=NOON)
        self.desk.batches.append(batch)
        return id

    async def told(self, event: RunSettled, id: EventId | None = None) -> list[Mail]:
        self.office.work.posted.clear()
        await self.tell("run-ends", id or EventId(uuid4()), event)
        return self.mails.sent


@pytest.fixture
def ended() -> Ended:
    return Ended()


async def test_whoever_made_the_key_hears_of_it_once(ended: Ended) -> None:
    admin = ended.office.joined(Role.ADMIN, name="Ada")
    made = await ended.office.create_key(admin, KeyKind.LIVE, name="k", account=ended.office.account.id)
    event, id = ended.run(key=made.key.id), EventId(uuid4())
    (mail,) = await ended.told(event, id)
    assert (mail.to, mail.template) == (ended.office.work.users[admin.person.user].email.text, "run_finished")
    assert (mail.facts["charged"], mail.facts["workspace"], mail.facts["feature"]) == ("0.5", "Acme", "echo")
    assert await ended.told(event, id) == []


@pytest.mark.parametrize("made_by_operator", [True, False, None])
async def test_where_nobody_made_the_key_the_owner_hears(ended: Ended, made_by_operator: bool | None) -> None:  # noqa: FBT001
    key = None
    if made_by_operator is not None:
        made = await ended.office.create_key(
            OPERATOR, KeyKind.LIVE, name="k", account=ended.office.account.id
        )
        key = made.key.id if made_by_operator else KeyId(uuid4())
    ended.address(Role.ADMIN)
    assert [each.to for each in await ended.told(ended.run(key=key))] == [ended.owner]


@pytest.mark.parametrize(
    ("state", "reason"), [(RunState.FAILED, "it broke"), (RunState.CANCELLED, "cancelled")]
)
async def test_a_failure_says_why(ended: Ended, state: RunState, reason: str) -> None:
    (mail,) = await ended.told(ended.run(state))
    assert (mail.template, mail.facts["reason"]) == ("run_failed", reason)


async def test_a_batch_is_told_once_when_all_of_it_has_ended(ended: Ended) -> None:
    batch = ended.batch()
    first = ended.run(batch=batch)
    waiting = ended.run(RunState.QUEUED, batch=batch)
    assert await ended.told(first) == []
    ended.desk.runs[waiting.run] = replace(
        ended.desk.runs[waiting.run], state=RunState.FAILED, outcome=failure("c", "it broke")
    )
    (mail,) = await ended.told(waiting)
    assert (mail.template, mail.facts["done"], mail.facts["failed"]) == ("batch_finished", "1", "1")
    assert mail.facts["charged"] == "0.5"
    assert await ended.told(first) == []


async def test_nobody_hears_of_what_is_gone(ended: Ended) -> None:
    event = ended.run()
    assert await ended.told(replace(event, run=ReservationId(uuid4()))) == []
    ended.office.work.workspaces.clear()
    assert await ended.told(event) == []
