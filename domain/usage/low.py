"""What tells that an account runs low, for whoever buys more for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

from domain.ids import AccountId, WorkspaceId
from domain.usage.desk import Command, Desk

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsLow:
    kind: ClassVar[str] = "credits.low"
    version: ClassVar[int] = 1

    account: AccountId
    workspace: WorkspaceId


def decide(command: Command[T], desk: Desk, now: datetime) -> T:
    """Do it. Whatever takes what is free below the account's mark is told of, once each time."""
    mark = desk.account.top_up_below
    if mark is None:
        return command.decide(desk, now)
    before = desk.available(now)
    answer = command.decide(desk, now)
    if desk.available(now) < mark <= before:
        desk.tell(CreditsLow(account=desk.account.id, workspace=desk.account.workspace))
    return answer
