"""Secrets, slow hashes, signed tokens, and where a request comes from."""

import asyncio
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from adapters.security.passwords import Argon2Passwords
from adapters.security.secrecy import KeyedSecrecy, read_secrets
from adapters.security.tokens import Ed25519Keys, JwtAccessTokens
from application.identity.signing import REMEMBERED, TOKEN_LASTS, RotateSigningKey, SigningKey, SigningKeys
from domain.identity.errors import AccessTokenRefused, TooBusy
from domain.ids import SessionId, UserId
from tests.fakes.clock import SetClock

OLD, NEW = b"\x01" * 32, b"\x02" * 32
SECRECY = KeyedSecrecy([NEW])


def test_secrets_are_a_list_in_either_base64() -> None:
    assert read_secrets(f"{b64encode(NEW).decode()},{urlsafe_b64encode(OLD).decode().rstrip('=')}") == [
        NEW,
        OLD,
    ]
    with pytest.raises(ValueError, match="32 bytes"):
        read_secrets(b64encode(b"short").decode())


def test_what_the_old_secret_sealed_the_new_list_still_opens() -> None:
    sealed = KeyedSecrecy([OLD]).seal("totp", b"plain")
    assert b"plain" not in sealed
    assert KeyedSecrecy([NEW, OLD]).open("totp", sealed) == b"plain"
    for other, purpose in ((KeyedSecrecy([NEW]), "totp"), (KeyedSecrecy([OLD]), "signing key")):
        with pytest.raises(ValueError, match="another secret"):
            other.open(purpose, sealed)


def test_a_digest_is_of_its_secret_and_its_purpose() -> None:
    same = SECRECY.digest("code", "123456")
    assert same == KeyedSecrecy([NEW, OLD]).digest("code", "123456")
    assert len({same, SECRECY.digest("other", "123456"), KeyedSecrecy([OLD]).digest("code", "123456")}) == 3


async def test_a_password_is_hashed_with_argon2id_at_owasps_parameters() -> None:
    passwords = Argon2Passwords()
    hashed = await passwords.hash("a rather long password")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify("a rather long password", hashed)
    assert not await passwords.verify("another long password", hashed)
    assert not await passwords.verify("nobody has this password", None)
    assert not await passwords.verify("\ud800 long password", hashed)
    passwords.close()


def test_the_usual_long_passwords_are_known() -> None:
    passwords = Argon2Passwords()
    for each in ("password1234", "qwertyuiop123", "aaaaaaaaaaaa", "passwordpassword"):
        assert passwords.common(each)
    assert not passwords.common("a rather long password")
    assert not passwords.common("# passwords of 12 characters")
    passwords.close()


async def test_the_loop_goes_on_while_passwords_are_hashed_and_too_many_are_told() -> None:
    passwords = Argon2Passwords(threads=1, waiting=2)
    hashing = [asyncio.create_task(passwords.hash("a rather long password")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TooBusy):
        await passwords.hash("a rather long password")
    assert not any(each.done() for each in hashing)
    await asyncio.gather(*hashing)
    await passwords.hash("a rather long password")
    passwords.close()


@dataclass
class KeptKeys(SigningKeys):
    rows: list[SigningKey] = field(default_factory=list)
    reads: int = 0

    async def all(self) -> Sequence[SigningKey]:
        self.reads += 1
        return list(self.rows)

    async def begin(self, make: Callable[[], SigningKey]) -> Sequence[SigningKey]:
        self.rows = self.rows or [make()]
        return list(self.rows)

    async def rotate(self, new: SigningKey, ended: Sequence[SigningKey]) -> None:
        changed = {each.kid: each for each in ended}
        self.rows = [changed.get(each.kid, each) for each in self.rows] + [new]


USER, SESSION = UserId(UUID(int=1)), SessionId(UUID(int=2))


@dataclass
class Mint:
    clock: SetClock = field(default_factory=SetClock)
    keys: KeptKeys = field(default_factory=KeptKeys)

    def __post_init__(self) -> None:
        self.make = Ed25519Keys(SECRECY, self.clock)
        self.rotate = RotateSigningKey(self.keys, self.make, self.clock)

    def process(self) -> JwtAccessTokens:
        return JwtAccessTokens(self.keys, self.make, SECRECY, self.clock)


async def test_a_token_says_who_and_lasts_ten_minutes() -> None:
    mint = Mint()
    tokens = mint.process()
    token = await tokens.issue(USER, SESSION)
    assert await tokens.read(token) == (USER, SESSION)
    mint.clock.pass_by(TOKEN_LASTS - timedelta(seconds=1))
    assert await mint.process().read(token) == (USER, SESSION)
    mint.clock.pass_by(timedelta(seconds=1))
    with pytest.raises(AccessTokenRefused):
        await tokens.read(token)


async def test_keys_are_read_once_a_minute_however_many_tokens_come() -> None:
    mint = Mint()
    tokens = mint.process()
    token = await tokens.issue(USER, SESSION)
    reads = mint.keys.reads
    for _ in range(20):
        await tokens.read(token)
    assert mint.keys.reads == reads
    mint.clock.pass_by(REMEMBERED)
    await tokens.read(token)
    assert mint.keys.reads == reads + 1


async def test_a_key_is_replaced_without_anybody_noticing() -> None:
    mint = Mint()
    one, other = mint.process(), mint.process()
    before = await one.issue(USER, SESSION)
    await other.read(before)
    await mint.rotate()
    seen = set()
    for _ in range(40):
        mint.clock.pass_by(timedelta(seconds=20))
        token = await one.issue(USER, SESSION)
        assert await other.read(token) == (USER, SESSION)
        seen.add(part(token, 0)["kid"])
    assert len(seen) == 2
    published: Any = (await other.published())["keys"]
    assert {each["kid"] for each in published} == {mint.keys.rows[1].kid}


async def test_what_is_published_verifies_and_tells_no_secret() -> None:
    mint = Mint()
    tokens = mint.process()
    await tokens.issue(USER, SESSION)
    published: Any = (await tokens.published())["keys"]
    (key,) = published
    assert set(key) == {"kty", "crv", "use", "alg", "kid", "x"}


def part(token: str, index: int) -> dict[str, Any]:
    text = token.split(".")[index]
    read: dict[str, Any] = msgspec.json.decode(urlsafe_b64decode(text + "=="))
    return read


def coded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=")


async def test_whatever_is_wrong_with_a_token_it_is_refused() -> None:
    mint = Mint()
    tokens = mint.process()
    good = await tokens.issue(USER, SESSION)
    head, claims, signature = good.split(".")
    header, body = part(good, 0), part(good, 1)
    stranger = Mint()
    stranger.clock = mint.clock
    wrong = [
        *("", "x", "a.b.c", "..", good + "x", f"{head}.{claims}.", f"{head}.{claims}", "x" * 3000, "ü.ü.ü"),
        f"{coded({**header, 'alg': 'none'})}.{claims}.",
        f"{coded({**header, 'alg': 'HS256'})}.{claims}.{signature}",
        f"{coded({**header, 'kid': 'other'})}.{claims}.{signature}",
        f"{coded({'alg': header['alg']})}.{coded(body)}.{signature}",
        f"{head}.{coded({**body, 'sub': 'usr_' + '0' * 26})}.{signature}",
        await Mint().process().issue(USER, SESSION),
    ]
    for token in wrong:
        with pytest.raises(AccessTokenRefused):
            await tokens.read(token)


async def test_a_token_for_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    mint = Mint()
    monkeypatch.setattr("adapters.security.tokens.AUDIENCE", "another service")
    token = await mint.process().issue(USER, SESSION)
    monkeypatch.undo()
    with pytest.raises(AccessTokenRefused):
        await mint.process().read(token)


async def test_without_a_key_that_signs_nobody_gets_a_token() -> None:
    mint = Mint()
    later = mint.make(signs_from=mint.clock.now() + timedelta(hours=1))
    mint.keys.rows = [replace(later)]
    with pytest.raises(ValueError, match="no key that signs"):
        await mint.process().issue(USER, SESSION)
