"""Addresses, passwords, codes and sessions."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.email import EmailRefused, parse_email
from domain.identity.code import ATTEMPTS, LASTS, Code, CodeRefused, Purpose, code_text
from domain.identity.errors import AccessTokenNeeded, AccessTokenRefused, TooBusy, TooManyAttempts
from domain.identity.password import PasswordRefused, check_password, normal
from domain.identity.session import IDLE, LONGEST, RefreshToken, RefreshTokenRefused, Session, SessionMissing
from domain.identity.user import SignInRefused, User, UserMissing
from domain.ids import SessionId, UserId
from tests.fakes.clock import NOON

ADA = parse_email("Ada.Lovelace@Example.org")
USER = User(id=UserId(UUID(int=1)), email=ADA, name="Ada", password="hashed", created_at=NOON)  # noqa: S106
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("given", "text", "key"),
    [
        (" Ada@Example.ORG ", "Ada@Example.ORG", "ada@example.org"),
        ("a.b+c@sub.example.org", "a.b+c@sub.example.org", "a.b+c@sub.example.org"),
        ("ada@b\u00fccher.example", "ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
        ("\uff41da@example.org", "ada@example.org", "ada@example.org"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(given: str, text: str, key: str) -> None:
    assert parse_email(given) == (text, key)


@pytest.mark.parametrize(
    "given",
    [
        *("", "ada", "@example.org", "ada@", "ada@example", "ada@@example.org", "ada@exa mple.org"),
        *("a\x00da@example.org", '"a b"@example.org', "ada@.org", "ada@example..org", "ada@example.o"),
        *("a" * 65 + "@example.org", "ada@" + "a" * 64 + ".org", "ada@" + "a." * 125 + "org"),
        *("ada@" + ".".join(["a" * 60] * 4) + ".example.org", "ada@example.org\nBcc: x@example.org"),
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(EmailRefused, match="no e-mail address"):
        parse_email(given)


def nothing_is_common(_: str) -> bool:
    return False


@pytest.mark.parametrize(
    "password", ["a" * 12, "\u00e4" * 512, " twelve chars", "\U0001f4a9" * 12, "ad a lovelace!"]
)
def test_a_long_password_will_do(password: str) -> None:
    assert check_password(password, ADA, common=nothing_is_common) == normal(password)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("a" * 11, "at least 12 characters"),
        ("\u00e4" * 513, "at most 1024 bytes"),
        ("\ud800" * 400, "at most 1024 bytes"),
        ("xxADA.lovelace@example.ORGxx", "must not hold the e-mail address"),
        ("my ada.Lovelace password", "must not hold the e-mail address"),
        ("Passw0rd1234", "guessed first"),
        ("my CueBX password", "the name of this service"),
    ],
)
def test_a_bad_password_is_refused_with_its_reason(password: str, reason: str) -> None:
    with pytest.raises(PasswordRefused, match=reason):
        check_password(password, ADA, common={"passw0rd1234"}.__contains__)


def test_a_short_local_part_may_stand_in_a_password() -> None:
    check_password("adamant and more", parse_email("ada@example.org"), common=nothing_is_common)


def test_a_password_is_the_same_on_every_keyboard() -> None:
    assert normal("caf\u00e9 latte one") == normal("cafe\u0301 latte one")


CODE = Code(user=USER.id, purpose=Purpose.CONFIRM, digest=b"right", expires_at=NOON + LASTS)


def test_a_code_has_six_digits() -> None:
    assert code_text(7) == "000007"
    assert code_text(12_345_678) == "345678"


def test_a_code_works_until_its_time() -> None:
    assert CODE.accepts(b"right", NOON + LASTS - TICK)
    assert not CODE.accepts(b"right", NOON + LASTS)
    assert not CODE.accepts(b"wrong", NOON)


def test_after_so_many_attempts_even_the_right_code_is_refused() -> None:
    code = CODE
    for _ in range(ATTEMPTS):
        assert code.accepts(b"right", NOON)
        code = code.failed()
    assert not code.accepts(b"right", NOON)
    assert code.failed().attempts_left == 0


SESSION = Session.begin(
    USER.id, SessionId(UUID(int=2)), device="curl\n/8" + "x" * 300, address="::1", now=NOON
)


def test_a_device_is_shown_on_one_line() -> None:
    assert SESSION.device == "curl/8" + "x" * 194


def test_a_session_goes_on_while_it_is_used_but_not_for_ever() -> None:
    assert SESSION.live(NOON + IDLE - TICK)
    assert not SESSION.live(NOON + IDLE)
    session, now = SESSION, NOON
    for _ in range(3):
        now += IDLE - TICK
        session = session.see("203.0.113.9", now)
    assert (session.address, session.last_seen_at) == ("203.0.113.9", now)
    assert session.expires_at == NOON + LONGEST
    with pytest.raises(RefreshTokenRefused):
        session.see("::1", NOON + LONGEST)


def test_what_is_ended_stays_ended() -> None:
    ended = SESSION.end(NOON)
    assert not ended.live(NOON)
    assert ended.end(NOON + TICK) is ended


def test_a_refresh_token_is_used_once() -> None:
    token = RefreshToken(digest=b"d", user=USER.id, session=SESSION.id, created_at=NOON)
    used = token.use(NOON)
    assert used.used_at == NOON
    with pytest.raises(ValueError, match="used before"):
        used.use(NOON)


def test_an_address_is_confirmed_once() -> None:
    confirmed = USER.confirm(NOON)
    assert confirmed.confirm(NOON + TICK) is confirmed
    assert USER.with_password("new") == replace(USER, password="new")  # noqa: S106 - no password


@pytest.mark.parametrize(
    "error",
    [
        AccessTokenRefused(),
        AccessTokenNeeded(),
        TooManyAttempts(5),
        TooBusy(),
        CodeRefused(),
        SessionMissing(),
        RefreshTokenRefused(),
        SignInRefused(),
        UserMissing(),
    ],
)
def test_every_refusal_says_why(error: Exception) -> None:
    assert len(str(error)) > 20
