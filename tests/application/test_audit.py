"""What was done is read page by page."""

import pytest

from application.audit.ports import Filter
from application.audit.read import ReadAuditLog
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
