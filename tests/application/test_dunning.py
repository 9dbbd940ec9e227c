"""Who owes is told in time: by the clock, and by the grace of the plan."""

from dataclasses import replace
from datetime import timedelta

import pytest

from application.billing.dunning import TellOverdue
from application.billing.notices import TellAdmins
from application.billing.off import NoPayments
from application.notifications.post import PostMail
from domain.catalog.plan import Plan
from domain.notifications.events import MailRequested
from tests.billing.books import FREE, Books
from tests.fakes.people import PlainSecrecy


@pytest.mark.parametrize(
    ("grace", "left", "told"),
    [(7, 3, []), (7, 1, ["payment_reminder"]), (1, 1, []), (1, 0, ["payment_overdue"])],
)
async def test_a_short_grace_has_no_reminder(grace: int, left: int, told: list[str]) -> None:
    books = Books(NoPayments())
    office = books.office
    for id, row in books.catalog.rows.items():
        if isinstance(row.item, Plan):
            books.catalog.rows[id] = replace(row, item=replace(row.item, grace_days=grace))
    office.work.freezes[office.account.id] = office.clock.now() + timedelta(days=left)
    tell = TellOverdue(
        catalog=books.catalog,
        uow=office.work,
        tell=TellAdmins(PostMail(PlainSecrecy()), office.clock),
        clock=office.clock,
    )
    assert office.account.plan == FREE
    assert await tell() == {"told": len(told)}
    mails = [each.event for each in office.work.posted]
    assert [each.template for each in mails if isinstance(each, MailRequested)] == told
