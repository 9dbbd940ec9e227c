"""A deleted workspace: nothing works any more, what is held is given back, the books stay."""

import pytest

from adapters.memory.ledger import MemoryLedger
from adapters.memory.usage import MemoryUsageReader
from application.workspaces.deletion import DeleteWorkspace
from domain.billing.errors import StillSubscribed
from domain.billing.events import CustomerGone
from domain.billing.subscription import Status
from domain.email import parse_email
from domain.ids import InvitationId, LotId, PlanRef, ReservationId
from domain.usage.desk import Command, T_co
from domain.usage.grant import Grant
from domain.usage.lot import Source
from domain.usage.reservation import State
from domain.usage.reserve import Reserve
from domain.usage.settle import Commit, Release, Start
from domain.usage.terms import Terms
from domain.workspaces.errors import NameNotTyped
from domain.workspaces.invitation import LASTS, Invitation
from domain.workspaces.role import Role
from domain.workspaces.workspace import WorkspaceMissing
from tests.fakes.clock import NOON
from tests.fakes.desks import CALL, RATES, tokens
from tests.fakes.office import FakeOffice
from tests.fakes.till import subscribed


async def terms_of(plan: PlanRef) -> Terms:
    return Terms(plan=plan, rates=RATES)


class Bureau:
    """An office whose account has a hundred microcredits, and who deletes it."""

    def __init__(self) -> None:
        self.office = FakeOffice()
        self.owner = self.office.joined(Role.OWNER)
        self.ledger = MemoryLedger(terms_of, self.office.clock, self.office.new_id)
        self.reader = MemoryUsageReader(self.ledger, self.office.clock)

    async def open(self) -> None:
        await self.ledger.open(self.office.account)
        new_id = self.office.new_id
        await self.ledger.execute(
            Grant(
                account=self.office.account.id,
                id=LotId(new_id()),
                source=Source.TOP_UP,
                amount=10_000,
                reference="one",
            )
        )

    async def hold(self) -> ReservationId:
        id = ReservationId(self.office.new_id())
        await self.ledger.execute(
            Reserve(
                account=self.office.account.id,
                id=id,
                request=str(id),
                fingerprint="same",
                key=None,
                test=False,
                feature=CALL,
                estimate=tokens(10),
            )
        )
        return id

    async def delete(self, typed: str = "Acme", ledger: MemoryLedger | None = None) -> int:
        office = self.office
        deleting = DeleteWorkspace(
            uow=office.work,
            ledger=ledger or self.ledger,
            reader=self.reader,
            revoke_keys=office.revoke_keys,
            clock=office.clock,
            record=office.record,
        )
        return (await deleting(self.owner, typed)).released


class SlowLedger(MemoryLedger):
    """Somebody else releases whatever it is asked to, a moment before."""

    async def execute(self, command: Command[T_co]) -> T_co:
        desk = self.desks[command.account]
        if isinstance(command, Release):
            start = Start(account=command.account, reservation=command.reservation)
            commit = Commit(account=command.account, reservation=command.reservation, usage=tokens(1))
            for each in (start, commit):
                each.decide(desk, NOON)
        return await super().execute(command)


@pytest.fixture
async def bureau() -> Bureau:
    bureau = Bureau()
    await bureau.open()
    return bureau


async def test_holds_are_given_back_and_a_call_that_runs_is_still_charged(bureau: Bureau) -> None:
    held = [await bureau.hold() for _ in range(150)]
    running = await bureau.hold()
    account = bureau.office.account.id
    await bureau.ledger.execute(Start(account=account, reservation=running))
    assert await bureau.delete() == 150
    desk = bureau.ledger.desks[account]
    assert {desk.reservations[each].state for each in held} == {State.RELEASED}
    settled = await bureau.ledger.execute(Commit(account=account, reservation=running, usage=tokens(7)))
    assert settled.settlement.charged == 7
    assert desk.available(NOON) == 10_000 - 7


async def test_keys_and_invitations_end_with_it(bureau: Bureau) -> None:
    office = bureau.office
    key = await office.key()
    invitation = Invitation(
        workspace=office.workspace.id,
        id=InvitationId(office.new_id()),
        email=parse_email("eve@example.org"),
        role=Role.MEMBER,
        digest=b"",
        invited_by=bureau.owner.person.user,
        created_at=NOON,
        expires_at=NOON + LASTS,
    )
    office.work.invitations[invitation.id] = invitation
    assert await bureau.delete() == 0
    workspace = office.work.workspaces[office.workspace.id]
    assert (workspace.deleted_at, workspace.frozen_at) == (NOON, NOON)
    assert office.work.keys[key.key.id].revoked_at == NOON
    assert not office.work.invitations[invitation.id].open
    entry = office.work.entries[-1]
    assert (entry.action, entry.before) == ("workspace.deleted", {"name": "Acme", "slug": None})
    with pytest.raises(WorkspaceMissing):
        await bureau.delete()


async def test_another_name_deletes_nothing(bureau: Bureau) -> None:
    await bureau.hold()
    with pytest.raises(NameNotTyped):
        await bureau.delete("Acme ")
    assert bureau.office.work.workspaces == {bureau.office.workspace.id: bureau.office.workspace}
    assert bureau.office.work.entries == []


async def test_what_was_settled_meanwhile_stays_settled(bureau: Bureau) -> None:
    id = await bureau.hold()
    slow = SlowLedger(terms_of, bureau.office.clock, bureau.office.new_id)
    slow.desks = bureau.ledger.desks
    assert await bureau.delete(ledger=slow) == 0
    assert bureau.ledger.desks[bureau.office.account.id].reservations[id].state is State.COMMITTED


async def test_what_is_still_paid_for_is_cancelled_first() -> None:
    bureau = Bureau()
    await bureau.open()
    till = bureau.office.work.till
    one = subscribed(bureau.office.account.id)
    till.subscriptions[one.id] = (one, 1)
    with pytest.raises(StillSubscribed, match="still pays for api"):
        await bureau.delete()
    assert bureau.office.work.workspaces[bureau.office.workspace.id].deleted_at is None
    ended = subscribed(one.account, id=one.id, status=Status.CANCELED)
    till.subscriptions[one.id] = (ended, 2)
    till.customers[bureau.office.workspace.id] = ("cus_1", None)
    await bureau.delete()
    assert bureau.office.work.posted[-1].event == CustomerGone(workspace=bureau.office.workspace.id)
