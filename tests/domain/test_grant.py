"""Credits are granted once for one reference."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.ids import LotId
from domain.usage.errors import AccountMissing, GrantReferenceReused
from domain.usage.lot import NEVER, Source
from domain.usage.terms import Terms
from tests.fakes.clock import NOON
from tests.fakes.desks import PLAN, RATES, Till

HOUR = timedelta(hours=1)


def test_it_can_be_spent_at_once() -> None:
    till = Till()
    grant = till.grant(10, "invoice 7")
    answer = till.do(grant)
    assert (answer.available, answer.replayed) == (10, False)
    lot = answer.lot
    assert (lot.account, lot.id, lot.source) == (till.desk.account.id, grant.id, Source.TOP_UP)
    assert (lot.granted, lot.free, lot.reference) == (10, 10, "invoice 7")
    assert (lot.starts_at, lot.created_at, lot.expires_at) == (NOON, NOON, NEVER)
    assert till.desk.changed_lots == {lot.id}


@pytest.mark.parametrize(
    ("source", "priority"),
    [(Source.PROMOTION, 10), (Source.ALLOCATION, 20), (Source.ADJUSTMENT, 30), (Source.TOP_UP, 40)],
)
def test_what_was_given_burns_before_what_was_paid_for(source: Source, priority: int) -> None:
    till = Till()
    assert till.do(till.grant(1, "a", source=source)).lot.priority == priority


def test_a_grant_may_say_when_and_in_which_order_it_burns() -> None:
    till = Till()
    grant = replace(till.grant(10, "a"), priority=0, starts_at=NOON + HOUR, expires_at=NOON + 2 * HOUR)
    answer = till.do(grant)
    assert (answer.lot.priority, answer.available) == (0, 0)
    till.pass_by(HOUR)
    assert till.free() == 10
    till.pass_by(HOUR)
    assert till.free() == 0


def test_a_reference_grants_once() -> None:
    till = Till()
    first = till.do(till.grant(10, "invoice 7"))
    till.hold(4)
    again = till.do(till.grant(10, "invoice 7"))
    assert (again.replayed, again.lot.id, again.available) == (True, first.lot.id, 6)
    assert till.do(till.grant(10, "invoice 8")).available == 16


@pytest.mark.parametrize(("amount", "source"), [(11, Source.TOP_UP), (10, Source.ADJUSTMENT)])
def test_a_reference_of_another_grant_is_refused(amount: int, source: Source) -> None:
    till = Till()
    till.do(till.grant(10, "invoice 7"))
    with pytest.raises(GrantReferenceReused) as refusal:
        till.do(till.grant(amount, "invoice 7", source=source))
    assert str(refusal.value) == "the reference 'invoice 7' names an earlier grant of another kind or amount"
    assert till.free() == 10


@pytest.mark.parametrize(
    ("amount", "source"), [(0, Source.TOP_UP), (-1, Source.TOP_UP), (1, Source.OVERDRAFT)]
)
def test_nobody_grants_nothing_or_an_overdraft(amount: int, source: Source) -> None:
    till = Till()
    with pytest.raises(ValueError, match="a grant of"):
        till.grant(amount, "a", source=source)


def till_that_owes(amount: int) -> tuple[Till, LotId]:
    till = Till(Terms(plan=PLAN, rates=RATES, overdraft=10))
    till.commit(till.hold(0), amount)
    return till, next(iter(till.desk.lots))


@pytest.mark.parametrize(("owed", "granted", "left"), [(4, 10, 6), (4, 4, 0), (4, 3, 0), (0, 10, 10)])
def test_what_is_owed_is_paid_back_first(owed: int, granted: int, left: int) -> None:
    till, overdraft = till_that_owes(owed) if owed else (Till(), LotId(Till().new_id()))
    answer = till.do(till.grant(granted, "a"))
    paid = min(owed, granted)
    assert (answer.available, answer.lot.free, answer.lot.spent) == (left, left, paid)
    assert [each.amount for each in till.desk.repayments] == ([paid] if paid else [])
    if owed:
        (repayment,) = till.desk.repayments
        assert (repayment.account, repayment.lot) == (till.desk.account.id, answer.lot.id)
        assert (repayment.overdraft, repayment.at) == (overdraft, NOON)
        assert till.figures(overdraft) == (10 - owed + paid, 0, owed - paid)


def test_an_overdraft_that_is_paid_back_lends_again() -> None:
    till, overdraft = till_that_owes(10)
    till.do(till.grant(7, "a"))
    assert till.commit(till.hold(0), 9).settlement.uncollected == 2
    assert till.figures(overdraft) == (0, 0, 10)


def test_an_overdraft_that_nobody_used_is_not_paid_back() -> None:
    till, _ = till_that_owes(4)
    till.do(till.grant(4, "a"))
    assert till.do(till.grant(5, "b")).available == 5
    assert len(till.desk.repayments) == 1


def test_a_grant_that_has_not_begun_pays_nothing_back() -> None:
    till, overdraft = till_that_owes(4)
    till.do(replace(till.grant(10, "a"), starts_at=NOON + HOUR))
    assert till.desk.repayments == []
    assert till.figures(overdraft) == (6, 0, 4)


def test_a_repeated_grant_pays_back_once() -> None:
    till, _ = till_that_owes(4)
    grant = till.grant(10, "a")
    till.do(grant)
    assert till.do(grant).available == 6
    assert len(till.desk.repayments) == 1


def test_an_account_that_is_not_there_is_said() -> None:
    assert str(AccountMissing()) == "there is no such account"
