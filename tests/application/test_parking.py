"""The broken account alone is parked, and operators are told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from application.notifications.post import PostMail
from application.usage.parking import (
    AccountStillBroken,
    ListParked,
    ParkAccount,
    ParkBroken,
    UnparkAccount,
)
from application.usage.ports import CHARGED_TWICE, Auditor, AuditTooSlow, Finding
from domain.audit.entry import ActorKind
from domain.credits import MICRO
from domain.ids import AccountId, UserId, account_text, workspace_text
from domain.usage.errors import AccountMissing
from tests.fakes.clock import NOON
from tests.fakes.events import Mails
from tests.fakes.meter import CountingMeter
from tests.fakes.office import OPERATOR, FakeOffice
from tests.fakes.people import PlainSecrecy

FAULT = "spent is not what was charged and repaid"


@dataclass
class SetAuditor(Auditor):
    findings: list[Finding] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)

    async def audit(self, *, seconds: float) -> Sequence[Finding]:
        self.asked.append(seconds)
        if seconds < 1:
            raise AuditTooSlow(seconds)
        return self.findings


@dataclass
class Checked:
    """An office with two accounts, of which the first is broken, and an operator."""

    office: FakeOffice = field(default_factory=FakeOffice)
    auditor: SetAuditor = field(default_factory=SetAuditor)
    meter: CountingMeter = field(default_factory=CountingMeter)

    def __post_init__(self) -> None:
        office = self.office
        self.mails = Mails(office.work)
        self.broken, self.other = office.account.id, AccountId(office.new_id())
        office.work.accounts[self.other] = replace(office.account, id=self.other)
        office.sign_up(UserId(office.new_id()), "Ada")
        olga = office.sign_up(UserId(office.new_id()), "Olga")
        office.work.users[olga.id] = self.olga = replace(olga, operator=True)
        self.spoil(self.broken)
        self.park = ParkAccount(uow=office.work, clock=office.clock, record=office.record)
        self.unpark = UnparkAccount(uow=office.work, auditor=self.auditor, record=office.record)
        self.park_broken = ParkBroken(
            auditor=self.auditor,
            uow=office.work,
            park=self.park,
            post=PostMail(PlainSecrecy()),
            meter=self.meter,
        )
        self.parked = ListParked(office.work)

    def spoil(self, account: AccountId) -> None:
        self.auditor.findings.append(
            Finding(account=account, fault=FAULT, expected=2 * MICRO, found=5 * MICRO // 2)
        )


@pytest.fixture
def checked() -> Checked:
    return Checked()


async def test_the_broken_one_alone_is_parked_and_operators_are_told_once(
    checked: Checked, caplog: pytest.LogCaptureFixture
) -> None:
    office = checked.office
    checked.spoil(checked.broken)
    assert await checked.park_broken() == {"broken": 1, "parked": 1}
    assert (await office.directory.find(checked.broken)).parked
    assert not (await office.directory.find(checked.other)).parked
    (mail,) = checked.mails.sent
    assert (mail.to, mail.template) == (checked.olga.email.text, "account_parked")
    assert mail.facts == {
        "account": account_text(checked.broken),
        "workspace": workspace_text(office.workspace.id),
        "fault": FAULT,
        "expected": "2",
        "found": "2.5",
    }
    assert "ALARM" in caplog.text
    (entry,) = office.work.entries
    assert (entry.action, entry.actor_kind) == ("account.parked", ActorKind.OPERATOR)
    assert entry.after == {"reason": f"{FAULT}: expected 2, found 2.5"}
    caplog.clear()
    assert await checked.park_broken() == {"broken": 1, "parked": 0}
    assert len(checked.mails.sent) == 1
    assert "ALARM" in caplog.text
    assert checked.meter.broken_accounts == 2


async def test_books_in_order_park_nobody(checked: Checked) -> None:
    checked.auditor.findings = []
    assert await checked.park_broken() == {"broken": 0, "parked": 0}
    assert await checked.parked(OPERATOR) == []


async def test_books_of_no_account_are_an_alarm_and_stop_nobody(
    checked: Checked, caplog: pytest.LogCaptureFixture
) -> None:
    checked.auditor.findings.insert(
        0, Finding(account=AccountId(checked.office.new_id()), fault=CHARGED_TWICE, expected=1, found=2)
    )
    assert await checked.park_broken() == {"broken": 2, "parked": 1}
    assert caplog.text.count("ALARM") == 2


def test_how_often_something_was_charged_is_no_amount(checked: Checked) -> None:
    finding = Finding(account=checked.broken, fault=CHARGED_TWICE, expected=1, found=2)
    assert finding.figures == ("1", "2")


async def test_by_hand_it_is_parked_for_a_reason_and_stays_for_the_first(checked: Checked) -> None:
    for reason in ("odd", "odder"):
        assert (await checked.park(OPERATOR, checked.other, reason)).parked
    (parked,) = await checked.parked(OPERATOR)
    assert (parked.account, parked.at, parked.reason) == (checked.other, NOON, "odd")
    assert len(checked.office.work.entries) == 1
    with pytest.raises(AccountMissing):
        await checked.park(OPERATOR, AccountId(checked.office.new_id()), "odd")


async def test_it_is_unparked_once_its_books_add_up(checked: Checked) -> None:
    await checked.park_broken()
    with pytest.raises(AccountStillBroken) as refused:
        await checked.unpark(OPERATOR, checked.broken, seconds=60)
    assert str(refused.value) == f"the books of {account_text(checked.broken)} do not add up: {FAULT}"
    with pytest.raises(AuditTooSlow):
        await checked.unpark(OPERATOR, checked.broken, seconds=0.1)
    checked.auditor.findings = [replace(checked.auditor.findings[0], account=checked.other)]
    for _ in range(2):
        assert not (await checked.unpark(OPERATOR, checked.broken, seconds=60)).parked
    assert [each.action for each in checked.office.work.entries] == ["account.parked", "account.unparked"]
    with pytest.raises(AccountMissing):
        await checked.unpark(OPERATOR, AccountId(checked.office.new_id()), seconds=60)


async def test_by_force_it_is_unparked_until_the_next_audit(checked: Checked) -> None:
    await checked.park_broken()
    assert not (await checked.unpark(OPERATOR, checked.broken, seconds=60, force=True)).parked
    assert checked.office.work.entries[-1].after == {"forced": True}
    assert await checked.park_broken() == {"broken": 1, "parked": 1}
    assert len(checked.mails.sent) == 2
