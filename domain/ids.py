"""Ids: UUIDv7 inside, TypeIDs outside (https://github.com/jetify-com/typeid, version 0.3).

A public id says what it names: ``acc_01h455vb4pex5vsknk084sn02q``. A reservation's carries its account's
UUID before its own, so that whoever settles it names the tenant.
"""

from base64 import b32decode, b32encode
from dataclasses import dataclass
from typing import ClassVar, NewType
from uuid import UUID

from domain.errors import Invalid

WorkspaceId = NewType("WorkspaceId", UUID)
AccountId = NewType("AccountId", UUID)
LotId = NewType("LotId", UUID)
ReservationId = NewType("ReservationId", UUID)
KeyId = NewType("KeyId", UUID)


@dataclass(frozen=True, slots=True)
class PlanRef:
    """One published version of a plan."""

    product: str
    plan: str
    version: int

    def __str__(self) -> str:
        return f"{self.product}/{self.plan}@{self.version}"


_RFC4648 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = b"0123456789abcdefghjkmnpqrstvwxyz"
_OUT = bytes.maketrans(_RFC4648, _CROCKFORD)
_IN = bytes.maketrans(_CROCKFORD, _RFC4648)
_LENGTH = 26
_FOREIGN = bytes(set(range(256)) - set(_CROCKFORD))
# 20 bytes are 32 base32 digits without padding: four zero bytes in front are 30 zero bits, six digits.
_PAD = b"\0\0\0\0"
_PAD_DIGITS = b"AAAAAA"


@dataclass(eq=False)
class MalformedId(Invalid):
    code: ClassVar[str] = "malformed_id"
    given: str
    expected: str

    def __str__(self) -> str:
        return f"{self.given!r} is not an id of the form {self.expected}_..."


def _digits(id: UUID) -> str:
    return b32encode(_PAD + id.bytes)[6:].translate(_OUT).decode()


def typeid(prefix: str, *ids: UUID) -> str:
    return prefix + "_" + "".join(map(_digits, ids))


def parse_typeid(prefix: str, text: str, *, count: int = 1) -> tuple[UUID, ...]:
    """The ``count`` UUIDs that ``text`` names. Raises MalformedId."""
    head, _, tail = text.rpartition("_")
    digits = tail.encode("ascii", "replace")
    if head != prefix or len(digits) != _LENGTH * count or digits.translate(None, _FOREIGN) != digits:
        raise MalformedId(given=text[:80], expected=prefix)
    parts = (digits[at : at + _LENGTH] for at in range(0, len(digits), _LENGTH))
    return tuple(_uuid(part, prefix, text) for part in parts)


def _uuid(digits: bytes, prefix: str, text: str) -> UUID:
    if digits[0] > ord("7"):  # 26 digits are 130 bits: the first two must be zero
        raise MalformedId(given=text[:80], expected=prefix)
    return UUID(bytes=b32decode(_PAD_DIGITS + digits.translate(_IN))[4:])


def workspace_text(id: WorkspaceId) -> str:
    return typeid("ws", id)


def account_text(id: AccountId) -> str:
    return typeid("acc", id)


def lot_text(id: LotId) -> str:
    return typeid("lot", id)


def key_text(id: KeyId) -> str:
    return typeid("key", id)


def reservation_text(account: AccountId, id: ReservationId) -> str:
    return typeid("rsv", account, id)


def parse_workspace(text: str) -> WorkspaceId:
    return WorkspaceId(parse_typeid("ws", text)[0])


def parse_account(text: str) -> AccountId:
    return AccountId(parse_typeid("acc", text)[0])


def parse_key(text: str) -> KeyId:
    return KeyId(parse_typeid("key", text)[0])


def parse_reservation(text: str) -> tuple[AccountId, ReservationId]:
    account, id = parse_typeid("rsv", text, count=2)
    return AccountId(account), ReservationId(id)
