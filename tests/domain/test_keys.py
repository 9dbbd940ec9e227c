"""Keys tell by themselves whether they were mistyped, and what they are."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import UUID
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.ids import AccountId, KeyId, WorkspaceId
from domain.keys.errors import (
    ApiKeyExpired,
    ApiKeyRevoked,
    ApiKeyUnknown,
    CredentialMissing,
    CustomerKeyNeeded,
    KeyMissing,
    ServiceKeyRefused,
)
from domain.keys.key import PREFIX, Key, KeyKind, digest_of, key_text, kind_of
from tests.fakes.clock import NOON

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TICK = timedelta(microseconds=1)
SECRETS = st.binary(min_size=32, max_size=32)
KINDS = st.sampled_from(KeyKind)
GOOD = key_text(KeyKind.LIVE, bytes(32))
KEY = Key(
    id=KeyId(UUID(int=1)),
    kind=KeyKind.LIVE,
    digest=digest_of("cbx_live_x"),
    name="production",
    last_four="abcd",
    workspace=WorkspaceId(UUID(int=2)),
    account=AccountId(UUID(int=3)),
    created_at=NOON,
)


def number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 62 + ALPHABET.index(digit)
    return value


@given(kind=KINDS, secret=SECRETS)
@example(kind=KeyKind.LIVE, secret=b"\xff" * 32)
@example(kind=KeyKind.SERVICE, secret=b"\0" * 32)
def test_a_key_is_its_prefix_its_secret_and_a_checksum(kind: KeyKind, secret: bytes) -> None:
    text = key_text(kind, secret)
    prefix = PREFIX[kind]
    assert text.startswith(prefix)
    assert len(text) == len(prefix) + 49
    body, check = text[:-6], text[-6:]
    assert number(body.removeprefix(prefix)) == int.from_bytes(secret)
    assert number(check) == crc32(body.encode())
    assert kind_of(text) is kind


@given(kind=KINDS, secret=SECRETS, at=st.integers(0, 60), digit=st.sampled_from(ALPHABET + "-_ é\x00"))
def test_a_typo_is_told(kind: KeyKind, secret: bytes, at: int, digit: str) -> None:
    text = key_text(kind, secret)
    at %= len(text)
    if text[at] == digit:
        return
    with pytest.raises(ApiKeyUnknown):
        kind_of(text[:at] + digit + text[at + 1 :])


@given(kind=KINDS, secret=SECRETS, at=st.integers(0, 60))
def test_two_digits_changed_about_are_told(kind: KeyKind, secret: bytes, at: int) -> None:
    text = key_text(kind, secret)
    at %= len(text) - 1
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if swapped != text:
        with pytest.raises(ApiKeyUnknown):
            kind_of(swapped)


@pytest.mark.parametrize("text", ["", "x" * 58, GOOD[:-1], f"{GOOD}0", f"{GOOD}\n", f"{GOOD} ", f" {GOOD}"])
def test_what_is_no_key_is_unknown(text: str) -> None:
    with pytest.raises(ApiKeyUnknown) as refusal:
        kind_of(text)
    assert str(refusal.value) == "the API key is not known"


@pytest.mark.parametrize("rest", ["", "0" * 49, "é" * 49, "\ud800" * 49])
def test_a_prefix_alone_makes_no_key(rest: str) -> None:
    with pytest.raises(ApiKeyUnknown):
        kind_of(f"cbx_live_{rest}")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_secret_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match=f"a secret of {length} bytes"):
        key_text(KeyKind.LIVE, bytes(length))


def test_only_a_digest_is_kept() -> None:
    text = key_text(KeyKind.TEST, bytes(range(32)))
    assert digest_of(text) == sha256(text.encode()).digest()


def test_a_good_key_passes() -> None:
    KEY.check(NOON)
    replace(KEY, expires_at=NOON + TICK).check(NOON)


def test_a_key_expires_at_its_instant() -> None:
    with pytest.raises(ApiKeyExpired) as refusal:
        replace(KEY, expires_at=NOON).check(NOON)
    assert refusal.value.expired_at == NOON
    assert str(refusal.value) == "the API key has expired"


def test_a_revoked_key_is_refused_whenever_it_was_revoked() -> None:
    revoked = replace(KEY, expires_at=NOON).revoke(NOON + TICK)
    with pytest.raises(ApiKeyRevoked) as refusal:
        revoked.check(NOON)
    assert refusal.value.revoked_at == NOON + TICK
    assert str(refusal.value) == "the API key was revoked"


def test_a_key_is_revoked_once_and_for_good() -> None:
    revoked = KEY.revoke(NOON)
    assert revoked.revoke(NOON + TICK) == revoked == replace(KEY, revoked_at=NOON)


@pytest.mark.parametrize(
    ("kind", "workspace", "account"),
    [
        (KeyKind.SERVICE, KEY.workspace, KEY.account),
        (KeyKind.SERVICE, KEY.workspace, None),
        (KeyKind.LIVE, None, None),
        (KeyKind.TEST, KEY.workspace, None),
        (KeyKind.TEST, None, KEY.account),
    ],
)
def test_a_customers_key_has_an_account_and_a_service_key_none(
    kind: KeyKind, workspace: WorkspaceId | None, account: AccountId | None
) -> None:
    with pytest.raises(ValueError, match=f"a {kind} key of account"):
        replace(KEY, kind=kind, workspace=workspace, account=account)
    assert replace(KEY, kind=KeyKind.SERVICE, workspace=None, account=None).account is None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CredentialMissing(), "send the key as Authorization: Bearer cbx_..."),
        (ServiceKeyRefused(), "this needs a valid service key (cbx_svc_...)"),
        (
            CustomerKeyNeeded(),
            "this needs a customer's key (cbx_live_... or cbx_test_...), not a service key",
        ),
        (KeyMissing(), "there is no such key"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_refusal_says_what_is_needed(error: Exception, text: str) -> None:
    assert str(error) == text


GRACE = timedelta(hours=1)


def rotated(grace: timedelta = GRACE) -> tuple[Key, str, str]:
    old, new = key_text(KeyKind.LIVE, b"\x05" * 32), key_text(KeyKind.LIVE, b"\x06" * 32)
    key = replace(KEY, digest=digest_of(old), last_four=old[-4:])
    return key.rotate(new, NOON, grace), old, new


def test_a_rotated_key_is_the_same_key_and_both_secrets_work_for_a_while() -> None:
    key, old, new = rotated()
    assert (key.id, key.last_four) == (KEY.id, new[-4:])
    for text in (old, new):
        key.accept(digest_of(text), NOON + GRACE - timedelta(microseconds=1))


def test_after_the_grace_only_the_new_secret_works() -> None:
    key, old, new = rotated()
    key.accept(digest_of(new), NOON + GRACE)
    with pytest.raises(ApiKeyExpired) as refusal:
        key.accept(digest_of(old), NOON + GRACE)
    assert refusal.value.expired_at == NOON + GRACE


def test_a_second_rotation_ends_the_first_secret() -> None:
    key, old, new = rotated()
    again = key.rotate(key_text(KeyKind.LIVE, b"\x07" * 32), NOON, GRACE)
    again.accept(digest_of(new), NOON)
    with pytest.raises(ApiKeyUnknown):
        again.accept(digest_of(old), NOON)
    assert len(again.digests) == 2


def test_a_revoked_key_is_not_rotated_and_works_with_neither_secret() -> None:
    key, old, new = rotated()
    revoked = key.revoke(NOON)
    for text in (old, new):
        with pytest.raises(ApiKeyRevoked):
            revoked.accept(digest_of(text), NOON)
    with pytest.raises(ApiKeyRevoked):
        revoked.rotate(new, NOON, GRACE)
