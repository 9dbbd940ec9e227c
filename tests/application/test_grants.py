"""Credits are granted by hand, and once for one reference."""

from dataclasses import replace
from datetime import timedelta

import pytest

from application.usage.grants import GrantByHand, GrantCredits
from domain.credits import MICRO
from domain.ids import AccountId, account_text, lot_text
from domain.usage.errors import AccountMissing, GrantReferenceReused
from domain.usage.lot import NEVER, Source
from tests.contracts.banks import MemoryBank
from tests.fakes.office import OPERATOR, FakeOffice

DAY = timedelta(days=1)


@pytest.fixture
def bank() -> MemoryBank:
    return MemoryBank()


async def test_a_grant_is_as_was_said(bank: MemoryBank) -> None:
    account = await bank.open()
    ends = await bank.now() + DAY
    granted = await GrantCredits(bank.ledger, bank.new_id)(
        account, source=Source.PROMOTION, amount=7, reference="spring", priority=3, expires_at=ends
    )
    lot = granted.lot
    assert (lot.account, lot.source, lot.granted, lot.reference) == (account, Source.PROMOTION, 7, "spring")
    assert (lot.priority, lot.expires_at) == (3, ends)
    assert (granted.available, granted.replayed) == (7, False)


async def test_without_a_reference_each_grant_is_another(bank: MemoryBank) -> None:
    account, grant = await bank.open(), GrantCredits(bank.ledger, bank.new_id)
    first = await grant(account, source=Source.TOP_UP, amount=5)
    second = await grant(account, source=Source.TOP_UP, amount=5)
    assert (second.available, second.replayed) == (10, False)
    assert first.lot.reference == str(first.lot.id)
    assert (first.lot.expires_at, first.lot.priority) == (NEVER, 40)


async def test_a_reference_grants_once(bank: MemoryBank) -> None:
    account, grant = await bank.open(), GrantCredits(bank.ledger, bank.new_id)
    first = await grant(account, source=Source.TOP_UP, amount=5, reference="invoice 7")
    again = await grant(account, source=Source.TOP_UP, amount=5, reference="invoice 7")
    assert (again.lot, again.replayed, again.available) == (first.lot, True, 5)
    with pytest.raises(GrantReferenceReused):
        await grant(account, source=Source.TOP_UP, amount=6, reference="invoice 7")


async def test_an_account_that_is_not_there_gets_nothing(bank: MemoryBank) -> None:
    with pytest.raises(AccountMissing):
        await GrantCredits(bank.ledger, bank.new_id)(AccountId(bank.new_id()), source=Source.TOP_UP, amount=5)


async def test_what_is_granted_by_hand_is_told_once_in_the_audit_log(bank: MemoryBank) -> None:
    office, account = FakeOffice(), await bank.open()
    office.work.accounts = {account: replace(office.account, id=account)}
    by_hand = GrantByHand(GrantCredits(bank.ledger, bank.new_id), office.work, office.record)
    ends = await bank.now() + DAY
    for _ in range(2):
        granted = await by_hand(
            OPERATOR,
            account,
            source=Source.TOP_UP,
            amount=5 * MICRO,
            reference="one",
            expires_at=ends,
        )
    await by_hand(OPERATOR, account, source=Source.TOP_UP, amount=MICRO)
    first, second = office.work.entries
    assert (first.action, first.target, first.workspace) == (
        "credits.granted",
        lot_text(granted.lot.id),
        office.workspace.id,
    )
    assert first.after == {
        "account": account_text(account),
        "source": "top_up",
        "amount": "5",
        "reference": "one",
        "expires_at": ends.isoformat(),
    }
    assert second.after is not None
    assert second.after["expires_at"] is None
