"""What commands take: ids, credits, instants. A wrong one is a usage error that names the fault."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from domain.credits import parse_credits
from domain.email import Email, parse_email
from domain.errors import DomainError
from domain.ids import UserId, parse_account, parse_event, parse_key, parse_limit, parse_user, parse_workspace
from domain.keys.key import LONGEST_GRACE
from domain.keys.policy import check_network

T = TypeVar("T")
_LONGEST = 100
_SPAN = re.compile(r"([0-9]{1,4})([hd])")


class Parsed(click.ParamType[T]):
    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:  # noqa: ANN401
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return] # a default, of the right type already
        try:
            return self._parse(value)
        except (DomainError, ValueError) as error:
            self.fail(str(error), param, ctx)


def _instant(text: str) -> datetime:
    """A day is its first instant in UTC."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is neither a day, 2026-12-31, nor an instant, 2026-12-31T12:00Z"
        ) from None


def _coming(text: str) -> datetime:
    at = _instant(text)
    if at <= datetime.now(UTC):
        raise ValueError(f"{text!r} is over")
    return at


def _line(text: str) -> str:
    """Something that a table can show, and a database keep."""
    if not 0 < len(text) <= _LONGEST or not text.isprintable():
        raise ValueError(f"{text[:_LONGEST]!r} is not of 1 to {_LONGEST} printable characters")
    return text


def _somebody(text: str) -> UserId | Email:
    return parse_email(text) if "@" in text else parse_user(text)


def _positive(text: str) -> int:
    amount = parse_credits(text)
    if amount <= 0:
        raise ValueError("an amount of credits is more than 0")
    if amount > 2**53:
        raise ValueError("an amount of credits is at most 9007199254")
    return amount


def _bound(text: str) -> int:
    return parse_credits(text) and _positive(text)


def _grace(text: str) -> timedelta:
    """Hours, such as 24h, or days, such as 7d."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not of the form 24h or 7d")
    span = int(found[1]) * (timedelta(days=1) if found[2] == "d" else timedelta(hours=1))
    if span > LONGEST_GRACE:
        raise ValueError(f"a grace is at most {LONGEST_GRACE.days} days")
    return span


def _plan(text: str) -> tuple[str, str]:
    product, _, plan = text.partition("/")
    if not product or not plan:
        raise ValueError(f"{text!r} is not of the form product/plan, such as api/free")
    return product, plan


USER = Parsed("USER", parse_user)
EVENT = Parsed("EVENT", parse_event)
EMAIL = Parsed("EMAIL", parse_email)
SOMEBODY = Parsed("WHO", _somebody)
WORKSPACE = Parsed("WORKSPACE", parse_workspace)
ACCOUNT = Parsed("ACCOUNT", parse_account)
KEY = Parsed("KEY", parse_key)
BOUND = Parsed("CREDITS", _bound)
LIMIT = Parsed("LIMIT", parse_limit)
NETWORK = Parsed("NETWORK", check_network)
PAST = Parsed("INSTANT", _instant)
GRACE = Parsed("SPAN", _grace)
CREDITS = Parsed("CREDITS", _positive)
INSTANT = Parsed("INSTANT", _coming)
LINE = Parsed("TEXT", _line)
PLAN = Parsed("PRODUCT/PLAN", _plan)
