"""What was done is read page by page."""

from collections.abc import Callable

import pytest

from application.access import OperationDenied
from application.audit.ports import Filter
from application.audit.read import ReadAuditLog
from domain.errors import DomainError
from domain.keys.key import KeyKind
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import WorkspaceMissing
from tests.fakes.clock import NOON
from tests.fakes.office import OPERATOR, FakeOffice


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


async def test_a_page_says_whether_more_follows(office: FakeOffice) -> None:
    for _ in range(3):
        await office.key()
    read, workspace = ReadAuditLog(office.work), office.workspace.id
    page = await read(OPERATOR, workspace, Filter(), after=None, limit=2)
    assert (len(page.items), page.more) == (2, True)
    rest = await read(office.member(), workspace, Filter(), after=page.items[-1].id, limit=2)
    assert (len(rest.items), rest.more) == (1, False)


async def test_the_whole_of_it_comes_page_by_page(office: FakeOffice) -> None:
    for _ in range(5):
        await office.key()
    read, workspace = ReadAuditLog(office.work), office.workspace.id
    whole = [each async for each in read.whole(OPERATOR, workspace, Filter(), page=2)]
    assert [each.id for each in whole] == [each.id for each in reversed(office.work.entries)]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda _: None, WorkspaceMissing),
        (lambda place: place.disable(NOON), WorkspaceMissing),
        (lambda place: place.become(Role.MEMBER), OperationDenied),
    ],
    ids=["removed", "disabled", "demoted"],
)
async def test_who_lost_the_place_a_moment_ago_changes_nothing(
    office: FakeOffice, change: Callable[[Membership], Membership | None], refusal: type[DomainError]
) -> None:
    key, actor = await office.key(), office.joined(Role.ADMIN)
    place = (office.workspace.id, actor.person.user)
    after = change(office.work.members.pop(place))
    if after is not None:
        office.work.members[place] = after
    told = len(office.work.entries)
    with pytest.raises(refusal):
        await office.revoke_key(actor, key.key.id)
    with pytest.raises(refusal):
        await office.create_key(actor, KeyKind.LIVE, name="mine", account=office.account.id)
    assert list(office.work.keys.values()) == [key.key]
    assert len(office.work.entries) == told
