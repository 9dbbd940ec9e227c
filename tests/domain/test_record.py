"""The sums of an hour."""

from datetime import timedelta

from domain.credits import Quantity
from domain.ids import KeyId
from domain.usage.record import Sums, by_hour
from domain.usage.settle import Commit
from tests.fakes.clock import NOON
from tests.fakes.desks import SURE, Till, tokens


def test_records_are_summed_by_hour_feature_key_and_kind() -> None:
    till = Till()
    till.lot(5)
    key = KeyId(till.new_id())
    till.commit(till.hold(1), 2)
    till.pass_by(timedelta(minutes=59, seconds=59))
    till.commit(till.hold(1), 1)
    till.commit(till.hold(1, test=True), 8)
    till.commit(till.hold(1, feature=SURE), 4)
    till.commit(till.do(till.order(tokens(0), key=key)).reservation.id, 0)
    till.pass_by(timedelta(seconds=1))
    id = till.hold(0)
    usage = Quantity(input_tokens=3, output_tokens=5, units=7)
    till.do(Commit(account=till.desk.account.id, reservation=id, usage=usage))

    sums = {tuple(at)[1:]: each for at, each in by_hour(till.desk.records).items()}
    assert {at.account for at in by_hour(till.desk.records)} == {till.desk.account.id}
    assert sums == {
        (NOON, "call", None, False): Sums(calls=2, output_tokens=3, charged=3),
        (NOON, "call", None, True): Sums(calls=1, output_tokens=8),
        (NOON, "sure", None, False): Sums(calls=1, output_tokens=4, charged=2, uncollected=2),
        (NOON, "call", key, False): Sums(calls=1),
        (NOON + timedelta(hours=1), "call", None, False): Sums(
            calls=1, input_tokens=3, output_tokens=5, units=7, uncollected=5
        ),
    }


def test_no_records_have_no_sums() -> None:
    assert by_hour([]) == {}
