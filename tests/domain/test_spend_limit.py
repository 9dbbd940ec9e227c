"""What keys and members may spend, by the calendar."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.ids import AccountId, KeyId, LimitId, UserId
from domain.usage.reserve import Extend, Fit, Reserve
from domain.usage.settle import Commit
from domain.usage.spend_limit import (
    Counted,
    Per,
    ShadowRefusal,
    SpendLimit,
    SpendLimitReached,
    SubjectKind,
    add,
    first,
    shadow_sums,
)
from tests.fakes.desks import Till, tokens

KEY = KeyId(UUID(int=77))
OTHER = KeyId(UUID(int=78))
MEMBER = UserId(UUID(int=79))
NIGHT = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
MINUTES = timedelta(minutes=2)


def a_till() -> Till:
    till = Till(now=NIGHT, anchor=NIGHT)
    till.lot(1000)
    return till


def limited(
    till: Till, amount: int, *, period: Per = Per.DAY, shadow: bool = False, subject: UUID = KEY
) -> LimitId:
    limit = SpendLimit(
        account=till.desk.account.id,
        id=LimitId(till.new_id()),
        subject=subject,
        subject_kind=SubjectKind.KEY,
        period=period,
        amount=amount,
        shadow=shadow,
        created_at=till.now,
        since=till.now,
    )
    till.desk.lay((), (), [limit])
    return limit.id


def order(till: Till, count: int, *, fit: Fit = Fit.EXACT, key: KeyId = KEY) -> Reserve:
    return Reserve(
        account=till.desk.account.id,
        id=(made := till.order(tokens(count))).id,
        request=made.request,
        fingerprint="same",
        key=key,
        member=MEMBER,
        test=False,
        feature="call",
        estimate=tokens(count),
        fit=fit,
    )


def figures(till: Till, id: LimitId) -> tuple[int, int]:
    limit = till.desk.tally.limits[id]
    return limit.held, limit.spent


@pytest.mark.parametrize(
    ("period", "start"),
    [
        (Per.DAY, datetime(2026, 11, 30, tzinfo=UTC)),
        (Per.MONTH, datetime(2026, 11, 1, tzinfo=UTC)),
        (Per.TOTAL, None),
    ],
)
def test_days_and_months_are_those_of_the_calendar_in_utc(period: Per, start: datetime | None) -> None:
    assert period.start(NIGHT) == start


def test_a_limit_out_of_balance_is_a_bug() -> None:
    till = a_till()
    limit = till.desk.tally.limits[limited(till, 5)]
    with pytest.raises(ValueError, match="out of balance"):
        limit.settle(1, spent=0)


def test_no_more_than_a_limit_is_held_and_spent() -> None:
    till = a_till()
    id = limited(till, 10)
    held = till.do(order(till, 6)).reservation
    with pytest.raises(
        SpendLimitReached, match=r"may cost 0\.000005 credits, and the limit lim_.* leaves 0\.000004"
    ) as refusal:
        till.do(order(till, 5))
    assert (refusal.value.limit, refusal.value.needed, refusal.value.available) == (id, 5, 4)
    till.do(order(till, 5, key=OTHER))
    till.do(Commit(account=till.desk.account.id, reservation=held.id, usage=tokens(2)))
    assert figures(till, id) == (0, 2)
    till.do(order(till, 8))
    assert figures(till, id) == (8, 2)


def test_a_member_s_limit_holds_for_all_keys_of_hers() -> None:
    till = a_till()
    limited(till, 10, subject=MEMBER)
    till.do(order(till, 6))
    with pytest.raises(SpendLimitReached):
        till.do(order(till, 5, key=OTHER))


def test_an_estimate_is_clamped_to_what_the_narrowest_limit_leaves() -> None:
    till = a_till()
    limited(till, 10)
    limited(till, 7, period=Per.TOTAL)
    opening = till.do(order(till, 20, fit=Fit.CLAMP)).reservation.opening
    assert (opening.held, opening.output_tokens, opening.available) == (7, 7, 993)
    assert opening.calls == 0


def test_a_new_day_begins_with_nothing_spent() -> None:
    till = a_till()
    id = limited(till, 10)
    monthly = limited(till, 100, period=Per.TOTAL)
    till.do(order(till, 10))
    till.pass_by(MINUTES)
    till.do(order(till, 10))
    assert figures(till, id) == (10, 0)
    assert figures(till, monthly) == (20, 0)


def test_a_call_that_outlasts_its_day_takes_nothing_from_the_next() -> None:
    till = a_till()
    id = limited(till, 10)
    yesterday = till.do(order(till, 10)).reservation
    till.pass_by(MINUTES)
    till.do(order(till, 4))
    till.do(Commit(account=till.desk.account.id, reservation=yesterday.id, usage=tokens(10)))
    assert figures(till, id) == (4, 0)


def test_what_it_is_extended_by_counts_in_the_next() -> None:
    till = a_till()
    id = limited(till, 10)
    account = till.desk.account.id
    yesterday = till.do(order(till, 10)).reservation
    till.pass_by(MINUTES)
    till.do(order(till, 4))
    with pytest.raises(SpendLimitReached):
        till.do(Extend(account=account, reservation=yesterday.id, estimate=tokens(17)))
    extended = till.do(Extend(account=account, reservation=yesterday.id, estimate=tokens(16))).reservation
    assert [each.amount for each in extended.counted] == [10, 6]
    assert figures(till, id) == (10, 0)
    settled = till.do(Commit(account=account, reservation=yesterday.id, usage=tokens(12))).reservation
    assert [each.amount for each in settled.counted] == [10, 2]
    assert figures(till, id) == (4, 2)


def test_what_a_call_costs_beyond_its_hold_and_its_limit_is_uncollected() -> None:
    till = a_till()
    id = limited(till, 10)
    held = till.do(order(till, 6)).reservation
    settlement = till.do(
        Commit(account=till.desk.account.id, reservation=held.id, usage=tokens(15))
    ).settlement
    assert (settlement.charged, settlement.uncollected) == (10, 5)
    assert figures(till, id) == (0, 10)


def test_a_shadow_limit_only_says_whom_it_would_have_refused() -> None:
    till = a_till()
    id = limited(till, 10, shadow=True)
    account = till.desk.account.id
    held = till.do(order(till, 12)).reservation
    till.do(Extend(account=account, reservation=held.id, estimate=tokens(13)))
    till.do(Commit(account=account, reservation=held.id, usage=tokens(14)))
    assert figures(till, id) == (0, 14)
    assert [(each.limit, each.key, each.missing) for each in till.desk.tally.refusals] == [
        (id, KEY, 2),
        (id, KEY, 1),
        (id, KEY, 1),
    ]


def test_a_limit_that_was_removed_counts_nothing_more() -> None:
    till = a_till()
    id = limited(till, 10)
    held = till.do(order(till, 6)).reservation
    del till.desk.tally.limits[id]
    till.do(Commit(account=till.desk.account.id, reservation=held.id, usage=tokens(8)))
    assert till.free() == 992


def test_a_test_call_counts_nowhere() -> None:
    till = a_till()
    id = limited(till, 0)
    till.do(replace(order(till, 5), test=True))
    assert figures(till, id) == (0, 0)


def test_a_limit_can_be_lowered_below_what_was_spent() -> None:
    till = a_till()
    id = limited(till, 10)
    till.do(order(till, 6))
    lowered = till.desk.tally.limits[id].change(amount=3)
    till.desk.lay((), (), [lowered])
    with pytest.raises(SpendLimitReached) as refusal:
        till.do(order(till, 1))
    assert refusal.value.available == 0
    assert lowered.change(shadow=True).shadow


SINCE, LATER = NIGHT, NIGHT + MINUTES
A, B = LimitId(UUID(int=1)), LimitId(UUID(int=2))


def test_counts_of_one_limit_and_period_are_added_up() -> None:
    assert add(
        [Counted(A, SINCE, 1)], [Counted(B, SINCE, 2), Counted(A, SINCE, 3), Counted(A, LATER, 4)]
    ) == (
        Counted(A, SINCE, 4),
        Counted(B, SINCE, 2),
        Counted(A, LATER, 4),
    )


def test_a_charge_takes_the_first_that_each_limit_counts() -> None:
    counted = (Counted(A, SINCE, 3), Counted(B, SINCE, 9), Counted(A, LATER, 6))
    assert first(counted, 5) == (Counted(A, SINCE, 3), Counted(B, SINCE, 5), Counted(A, LATER, 2))
    assert first(counted, 0) == ()


def test_refusals_are_summed_by_limit_and_key() -> None:
    account = AccountId(UUID(int=3))
    refusals = [
        ShadowRefusal(account, A, KEY, 2, SINCE),
        ShadowRefusal(account, A, OTHER, 1, SINCE),
        ShadowRefusal(account, A, KEY, 3, LATER),
    ]
    sums = [
        (each.key, each.count, each.missing, each.first_at, each.last_at) for each in shadow_sums(refusals)
    ]
    assert sums == [(KEY, 2, 5, SINCE, LATER), (OTHER, 1, 1, SINCE, SINCE)]
