"""Whoever may pay for more is told when most of the credits, or all, are spent."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from application.notifications.post import PostMail
from application.usage.alerts import CreditUse, TellThresholds
from domain.credits import MICRO
from domain.ids import AccountId, WorkspaceId
from domain.usage.consumption import Consumption
from domain.workspaces.role import Role
from tests.fakes.clock import NOON
from tests.fakes.events import Mails
from tests.fakes.office import FakeOffice
from tests.fakes.people import PlainSecrecy

MONTH = timedelta(days=30)


@dataclass
class SetUse(CreditUse):
    of: list[Consumption] = field(default_factory=list)

    async def page(self, *, after: AccountId | None, limit: int) -> Sequence[Consumption]:
        return [each for each in self.of if after is None or each.account > after][:limit]


@dataclass
class Spent:
    office: FakeOffice = field(default_factory=FakeOffice)
    use: SetUse = field(default_factory=SetUse)

    def __post_init__(self) -> None:
        office = self.office
        self.mails = Mails(office.work)
        self.tell = TellThresholds(
            use=self.use, uow=office.work, post=PostMail(PlainSecrecy()), clock=office.clock
        )
        self.addresses = set()
        for role in Role:
            member = office.joined(role, name=role)
            if role is not Role.MEMBER:
                self.addresses.add(office.work.users[member.person.user].email.text)
        self.now = Consumption(
            account=office.account.id,
            workspace=office.workspace.id,
            product="api",
            since=NOON,
            left=100 * MICRO,
            spent=0,
        )

    async def at(self, left: float, spent: float, **changed: object) -> list[str]:
        """The templates of what is sent then."""
        self.office.work.posted.clear()
        told = max((of for *_, of in self.office.work.alerts), default=0) if not changed else 0
        facts = {"left": int(left * MICRO), "spent": int(spent * MICRO), "told": told, **changed}
        self.use.of = [replace(self.now, **facts)]  # type: ignore[arg-type] # as a test wants
        done = await self.tell()
        assert done["told"] == bool(self.mails.sent)
        return sorted({each.template for each in self.mails.sent})


@pytest.fixture
def spent() -> Spent:
    return Spent()


async def test_each_threshold_is_told_of_once_to_the_owner_and_admins(spent: Spent) -> None:
    assert await spent.at(21, 79) == []
    assert await spent.at(19.5, 80.5) == ["credits_80"]
    assert {each.to for each in spent.mails.sent} == spent.addresses
    assert spent.mails.sent[0].facts == {
        "workspace": "Acme",
        "product": "api",
        "left": "19.5",
        "granted": "100",
    }
    assert await spent.at(10, 90) == []
    assert await spent.at(0, 100) == ["credits_100"]
    assert spent.mails.sent[0].facts == {"workspace": "Acme", "product": "api"}
    assert await spent.at(0, 100) == []


async def test_of_two_at_once_the_higher_is_told_of_and_the_other_never(spent: Spent) -> None:
    assert await spent.at(0, 100) == ["credits_100"]
    assert {of for *_, of in spent.office.work.alerts} == {80, 100}
    assert await spent.at(20, 100) == []


async def test_in_another_month_it_is_told_of_again(spent: Spent) -> None:
    assert await spent.at(0, 100) == ["credits_100"]
    assert await spent.at(10, 90, since=NOON + MONTH) == ["credits_80"]


async def test_two_processes_tell_once_between_them(spent: Spent) -> None:
    assert await spent.at(0, 100) == ["credits_100"]
    assert await spent.at(0, 100, told=0) == []


async def test_of_a_workspace_that_is_deleted_meanwhile_nobody_is_told(spent: Spent) -> None:
    assert await spent.at(0, 100, workspace=WorkspaceId(spent.office.new_id())) == []
    assert spent.office.work.alerts == set()
