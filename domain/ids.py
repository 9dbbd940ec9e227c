"""Ids: UUIDv7 inside, TypeIDs outside (https://github.com/jetify-com/typeid, version 0.3).

A public id says what it names: ``acc_01h455vb4pex5vsknk084sn02q``. A reservation's and a
limit's carry their account's UUID before their own, so that whoever names them names the tenant.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NewType
from uuid import UUID

from domain.errors import Invalid

WorkspaceId = NewType("WorkspaceId", UUID)
AccountId = NewType("AccountId", UUID)
LotId = NewType("LotId", UUID)
ReservationId = NewType("ReservationId", UUID)
KeyId = NewType("KeyId", UUID)
LimitId = NewType("LimitId", UUID)
UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
EntryId = NewType("EntryId", UUID)
InvitationId = NewType("InvitationId", UUID)
BatchId = NewType("BatchId", UUID)


@dataclass(frozen=True, slots=True)
class PlanRef:
    """One published version of a plan."""

    product: str
    plan: str
    version: int

    def __str__(self) -> str:
        return f"{self.product}/{self.plan}@{self.version}"


_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32, in lower case
_PAIRS = tuple(first + second for first in _DIGITS for second in _DIGITS)
_TO_BASE_32 = str.maketrans(_DIGITS, "0123456789abcdefghijklmnopqrstuv")  # as int() reads it
_LENGTH = 26  # 130 bits for 128: the first digit is at most 7
_ID = re.compile(f"[0-7][{_DIGITS}]{{{_LENGTH - 1}}}")
_SHIFTS = tuple(range(120, -1, -10))
_PAIR = 0x3FF


@dataclass(eq=False)
class MalformedId(Invalid):
    code: ClassVar[str] = "malformed_id"
    given: str
    expected: str

    def __str__(self) -> str:
        return f"{self.given!r} is not an id of the form {self.expected}_..."


def _digits(id: UUID) -> str:
    number = id.int
    return "".join([_PAIRS[number >> shift & _PAIR] for shift in _SHIFTS])


def typeid(prefix: str, *ids: UUID) -> str:
    return prefix + "_" + "".join(map(_digits, ids))


def parse_typeid(prefix: str, text: str, *, count: int = 1) -> tuple[UUID, ...]:
    """The ``count`` UUIDs that ``text`` names. Raises MalformedId."""
    head, _, digits = text.rpartition("_")
    parts = _ID.findall(digits)
    if head != prefix or len(parts) != count or len(digits) != _LENGTH * count:
        raise MalformedId(given=text[:80], expected=prefix)
    return tuple(UUID(int=int(part.translate(_TO_BASE_32), 32)) for part in parts)


def workspace_text(id: WorkspaceId) -> str:
    return typeid("ws", id)


@lru_cache(10_000)  # the same few accounts, over and over
def account_text(id: AccountId) -> str:
    return typeid("acc", id)


def lot_text(id: LotId) -> str:
    return typeid("lot", id)


def key_text(id: KeyId) -> str:
    return typeid("key", id)


def limit_text(account: AccountId, id: LimitId) -> str:
    return typeid("lim", account, id)


def user_text(id: UserId) -> str:
    return typeid("usr", id)


def session_text(id: SessionId) -> str:
    return typeid("ses", id)


def entry_text(id: EntryId) -> str:
    return typeid("log", id)


def invitation_text(id: InvitationId) -> str:
    return typeid("inv", id)


def reservation_text(account: AccountId, id: ReservationId) -> str:
    return "rsv" + account_text(account)[3:] + _digits(id)


def batch_text(account: AccountId, id: BatchId) -> str:
    return typeid("bat", account, id)


def quote_text(account: AccountId, id: UUID) -> str:
    return typeid("quo", account, id)


def event_text(id: UUID) -> str:
    return typeid("evt", id)


def parse_workspace(text: str) -> WorkspaceId:
    return WorkspaceId(parse_typeid("ws", text)[0])


def parse_account(text: str) -> AccountId:
    return AccountId(parse_typeid("acc", text)[0])


def parse_key(text: str) -> KeyId:
    return KeyId(parse_typeid("key", text)[0])


def parse_limit(text: str) -> tuple[AccountId, LimitId]:
    account, id = parse_typeid("lim", text, count=2)
    return AccountId(account), LimitId(id)


def parse_run(text: str) -> tuple[AccountId, ReservationId]:
    account, id = parse_typeid("run", text, count=2)
    return AccountId(account), ReservationId(id)


def parse_batch(text: str) -> tuple[AccountId, BatchId]:
    account, id = parse_typeid("bat", text, count=2)
    return AccountId(account), BatchId(id)


def parse_quote(text: str) -> tuple[AccountId, UUID]:
    account, id = parse_typeid("quo", text, count=2)
    return AccountId(account), id


def parse_event(text: str) -> UUID:
    return parse_typeid("evt", text)[0]


def parse_user(text: str) -> UserId:
    return UserId(parse_typeid("usr", text)[0])


def parse_session(text: str) -> SessionId:
    return SessionId(parse_typeid("ses", text)[0])


def parse_entry(text: str) -> EntryId:
    return EntryId(parse_typeid("log", text)[0])


def parse_invitation(text: str) -> InvitationId:
    return InvitationId(parse_typeid("inv", text)[0])


def parse_reservation(text: str) -> tuple[AccountId, ReservationId]:
    account, id = parse_typeid("rsv", text, count=2)
    return AccountId(account), ReservationId(id)
