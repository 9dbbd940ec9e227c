"""Credits whose money went back: taken where they are free, owed where they were spent."""

from dataclasses import replace

import pytest

from domain.usage.errors import LotMissing, PaymentOverdue
from domain.usage.lot import Source
from domain.usage.low import CreditsLow, decide
from domain.usage.take_back import TakeBack, TakenBack
from tests.fakes.desks import Till, tokens


def take(till: Till, amount: int, reference: str = "paid") -> TakenBack:
    return till.do(TakeBack(account=till.desk.account.id, reference=reference, amount=amount))


def sums(till: Till) -> dict[str, tuple[int, int, int, int]]:
    """Of each lot: granted, held, spent, refunded."""
    return {
        each.reference or str(each.source): (each.granted, each.held, each.spent, each.refunded)
        for each in till.desk.lots.values()
    }


def test_what_is_free_is_gone() -> None:
    till = Till()
    till.do(till.grant(10, "paid"))
    assert take(till, 4) == TakenBack(4, 0, 0)
    assert sums(till) == {"paid": (6, 0, 0, 4)}
    assert till.free() == 6


def test_a_repeat_changes_nothing() -> None:
    till = Till()
    till.do(till.grant(10, "paid"))
    take(till, 4)
    before = sums(till)
    assert take(till, 4) == TakenBack(4, 0, 0)
    assert sums(till) == before
    assert take(till, 99) == TakenBack(10, 0, 0)
    assert till.do(till.grant(10, "paid")).replayed


def test_what_was_spent_is_owed_and_the_next_credits_pay_it() -> None:
    till = Till()
    till.do(till.grant(10, "paid"))
    till.commit(till.hold(7), 7)
    assert take(till, 10) == TakenBack(10, 7, 0)
    assert sums(till) == {"paid": (0, 0, 0, 10), "overdraft": (7, 0, 7, 0)}
    assert [each.amount for each in till.desk.repayments] == [-7]
    till.do(till.grant(10, "next", source=Source.ADJUSTMENT))
    assert sums(till)["next"] == (10, 0, 7, 0)
    assert sums(till)["overdraft"] == (7, 0, 0, 0)
    assert till.free() == 3


def test_what_a_hold_keeps_is_taken_when_that_ends() -> None:
    till = Till()
    till.do(till.grant(10, "paid"))
    id = till.hold(4)
    assert take(till, 10) == TakenBack(6, 0, 4)
    till.release(id)
    assert take(till, 10) == TakenBack(10, 0, 0)
    assert till.free() == 0


def test_what_goes_back_no_more_is_given_again_and_pays_what_is_owed_first() -> None:
    till = Till()
    till.do(till.grant(10, "paid"))
    till.commit(till.hold(7), 7)
    take(till, 10)
    assert take(till, 1) == TakenBack(1, 0, 0)
    assert sums(till) == {"paid": (9, 0, 7, 1), "overdraft": (7, 0, 0, 0)}
    assert till.free() == 2
    assert take(till, 0) == TakenBack(0, 0, 0)
    assert (till.free(), sums(till)["paid"]) == (3, (10, 0, 7, 0))


def test_what_was_never_granted_cannot_be_taken() -> None:
    with pytest.raises(LotMissing, match="nothing was granted for 'other'"):
        take(Till(), 1, "other")


def test_who_has_not_paid_spends_nothing() -> None:
    till = Till()
    till.do(till.grant(10, "paid"))
    till.desk.account = replace(till.desk.account, overdue=True)
    with pytest.raises(PaymentOverdue, match="pay the open invoice"):
        till.hold(1)


def test_what_falls_below_the_mark_is_told_once() -> None:
    till = Till()
    till.desk.account = replace(till.desk.account, top_up_below=5)
    account = till.desk.account
    decide(till.grant(10, "a"), till.desk, till.now)
    decide(till.order(tokens(5)), till.desk, till.now)
    assert till.desk.events == []
    decide(till.order(tokens(1)), till.desk, till.now)
    decide(till.order(tokens(1)), till.desk, till.now)
    assert till.desk.events == [CreditsLow(account=account.id, workspace=account.workspace)]
