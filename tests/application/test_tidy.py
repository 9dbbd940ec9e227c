"""Holds that ran out are ended, and one account that cannot be stops no other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import pytest

from application.usage.ports import Ledger
from application.usage.tidy import TOGETHER, OverdueHolds, TidyReservations
from domain.errors import DatabaseUnavailable
from domain.ids import AccountId
from domain.usage.desk import Command

T = TypeVar("T")


@dataclass
class SetHolds(OverdueHolds):
    of: list[AccountId]

    async def accounts(self, *, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        return [each for each in self.of if after is None or each > after][:limit]


@dataclass
class NotingLedger(Ledger):
    broken: dict[AccountId, Exception] = field(default_factory=dict)
    opened: list[AccountId] = field(default_factory=list)

    async def execute(self, command: Command[T]) -> T:
        if command.account in self.broken:
            raise self.broken[command.account]
        self.opened.append(command.account)
        return command.decide(None, None)  # type: ignore[arg-type] # it looks at neither


ACCOUNTS = [AccountId(UUID(int=number)) for number in range(TOGETHER + 2)]


async def test_one_account_that_cannot_be_tidied_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    ledger = NotingLedger({ACCOUNTS[1]: ValueError("a lot out of balance")})
    done = await TidyReservations(SetHolds(ACCOUNTS), ledger)()
    assert done == {"accounts": TOGETHER + 1, "failed": 1}
    assert set(ledger.opened) == set(ACCOUNTS) - {ACCOUNTS[1]}
    assert "could not be tidied" in caplog.text


async def test_without_a_database_it_fails() -> None:
    ledger = NotingLedger({ACCOUNTS[1]: DatabaseUnavailable()})
    with pytest.raises(DatabaseUnavailable):
        await TidyReservations(SetHolds(ACCOUNTS), ledger)()
