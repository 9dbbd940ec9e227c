"""An installation without Stripe: everything about money is refused, and the jobs have nothing to do."""

from inspect import iscoroutine
from typing import Any, get_type_hints

import pytest

from application.billing.off import NoPayments
from application.billing.ports import Payments
from application.billing.told import NoSignature
from domain.billing.errors import BillingOff, SignatureRefused

ASKED = [name for name in vars(Payments) if not name.startswith("_")]


@pytest.mark.parametrize("name", ASKED)
async def test_nothing_is_sold(name: str) -> None:
    ask: Any = getattr(NoPayments(), name)
    given = {each: None for each in get_type_hints(ask) if each != "return"}

    async def asked() -> None:
        answer = ask(**given)
        assert iscoroutine(answer)
        await answer

    with pytest.raises(BillingOff):
        await asked()


def test_nobody_is_believed() -> None:
    with pytest.raises(SignatureRefused):
        NoSignature()(b"{}", "t=1,v1=1")
