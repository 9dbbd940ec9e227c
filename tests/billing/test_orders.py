"""A subscription's whole life, told over HTTP in some order and doubled: the books come out right."""

import random

from application.actor import Operator
from application.billing.reconcile import Reconcile
from tests.billing.conftest import Till
from tests.billing.lives import Life, expected


async def test_a_life_told_out_of_order_and_doubled(till: Till) -> None:
    order = random.Random(1)  # noqa: S311 - nothing is kept secret by it
    id = await till.subscribe("team")
    told = till.there.events()
    for _ in Life(till.there, id).whole():
        told += till.there.events()
        await till.hear(order.sample(told, k=min(4, len(told))))
    rest = [*told, *told]
    order.shuffle(rest)
    await till.hear(rest)
    await till.overdue()
    lots = {each.reference: each.granted for each in await till.lots()}
    assert lots == expected(till.there.state)
    assert (len(lots), 0 in lots.values()) == (7, True)
    shown = await till.shown()
    assert (shown["plan"], shown["status"], shown["frozen"]) == ("free", None, False)
    assert await (await till.services.get(Reconcile))(Operator()) == []
    await till.is_in_order()
