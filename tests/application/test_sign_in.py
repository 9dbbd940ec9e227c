"""Sessions begin with a password, go on by refresh tokens, and end."""

from datetime import timedelta

import pytest

from domain.email import parse_email
from domain.identity.code import CodeRefused
from domain.identity.errors import AccessTokenRefused, TooManyAttempts
from domain.identity.password import PasswordRefused
from domain.identity.session import IDLE, RefreshTokenRefused, SessionMissing
from domain.identity.user import SignInRefused
from domain.ids import SessionId
from domain.workspaces.role import Role
from tests.fakes.hall import ADA, GOOD, HERE, Hall

NEW = "quite another password"


@pytest.fixture
async def hall() -> Hall:
    hall = Hall()
    await hall.confirmed()
    return hall


async def test_a_session_says_where_it_began(hall: Hall) -> None:
    tokens, person = await hall.signed_in()
    session = hall.work.sessions[person.session]
    assert (session.device, session.address, session.user) == ("curl", HERE, person.user)
    assert tokens.user == person.user
    assert tokens.refresh not in repr(tokens)


async def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(hall: Hall) -> None:
    unconfirmed, unknown = parse_email("new@example.org"), parse_email("nobody@example.org")
    await hall.sign_up(unconfirmed, GOOD, "New", address=HERE)
    for email, password in ((ADA, NEW), (unconfirmed, GOOD), (unknown, GOOD)):
        work = hall.passwords.work
        with pytest.raises(SignInRefused):
            await hall.sign_in(email, password, device="curl", address=HERE)
        assert hall.passwords.work == work + 1
    assert hall.work.sessions == {}


async def test_a_password_changed_while_it_was_checked_opens_nothing(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = hall.passwords.verify

    async def meanwhile(password: str, hashed: str | None) -> bool:
        hall.work.users[hall.user().id] = hall.user().with_password("hashed other")
        return await verify(password, hashed)

    monkeypatch.setattr(hall.passwords, "verify", meanwhile)
    with pytest.raises(SignInRefused):
        await hall.signed_in()
    assert hall.work.sessions == {}


async def test_somebody_erased_while_the_password_was_checked_gets_no_session(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = hall.passwords.verify

    async def meanwhile(password: str, hashed: str | None) -> bool:
        hall.work.users = {}
        return await verify(password, hashed)

    monkeypatch.setattr(hall.passwords, "verify", meanwhile)
    with pytest.raises(SignInRefused):
        await hall.signed_in()
    assert hall.work.sessions == {}


@pytest.mark.parametrize("what", ["sign_in", "sign_in_account", "sign_in_from"])
async def test_guessing_is_throttled_by_account_and_by_address(hall: Hall, what: str) -> None:
    hall.throttle.used_up.add(what)
    work = hall.passwords.work
    with pytest.raises(TooManyAttempts):
        await hall.signed_in()
    assert hall.passwords.work == work


async def test_a_refresh_token_is_exchanged_for_a_new_one(hall: Hall) -> None:
    first, person = await hall.signed_in()
    hall.clock.pass_by(timedelta(hours=1))
    second = await hall.refresh(first.refresh, address="::1")
    assert second.refresh != first.refresh
    session = hall.work.sessions[person.session]
    assert (session.address, session.last_seen_at) == ("::1", hall.clock.now())
    assert (await hall.authenticate(second.access, address="::1")).session == person.session
    await hall.refresh(second.refresh, address="::1")


async def test_a_refresh_token_that_comes_again_ends_the_session_and_is_told_once(hall: Hall) -> None:
    first, person = await hall.signed_in()
    second = await hall.refresh(first.refresh, address=HERE)
    sent = len(hall.mails.sent)
    for token in (first, second, first):
        with pytest.raises(RefreshTokenRefused):
            await hall.refresh(token.refresh, address="198.51.100.1")
    assert hall.work.sessions[person.session].ended_at is not None
    assert len(hall.mails.sent) == sent + 1
    assert (hall.mail.to, hall.mail.template) == (ADA.text, "refresh_reuse")
    assert hall.mail.facts == {"device": "curl", "address": "198.51.100.1"}


async def test_what_is_no_refresh_token_or_too_old_is_refused(hall: Hall) -> None:
    tokens, _ = await hall.signed_in()
    with pytest.raises(RefreshTokenRefused):
        await hall.refresh("nothing", address=HERE)
    hall.clock.pass_by(IDLE)
    with pytest.raises(RefreshTokenRefused):
        await hall.refresh(tokens.refresh, address=HERE)


async def test_an_access_token_of_a_session_that_is_over_is_refused(hall: Hall) -> None:
    tokens, person = await hall.signed_in()
    assert person.address == HERE
    hall.live.over.add(person.session)
    for token in (tokens.access, "nothing"):
        with pytest.raises(AccessTokenRefused):
            await hall.authenticate(token, address=HERE)


async def test_sessions_are_listed_and_ended(hall: Hall) -> None:
    _, first = await hall.signed_in()
    hall.clock.pass_by(timedelta(minutes=1))
    _, second = await hall.signed_in()
    assert [each.id for each in await hall.list_sessions(first)] == [second.session, first.session]
    await hall.end(first, second.session)
    assert [each.id for each in await hall.list_sessions(first)] == [first.session]
    for id in (second.session, SessionId(hall.new_id())):
        with pytest.raises(SessionMissing):
            await hall.end(first, id)
    hall.clock.pass_by(IDLE)
    assert await hall.list_sessions(first) == []


async def test_nobody_ends_a_session_of_somebody_else(hall: Hall) -> None:
    eve = parse_email("eve@example.org")
    await hall.confirmed(eve)
    _, ada = await hall.signed_in()
    _, other = await hall.signed_in(eve)
    with pytest.raises(SessionMissing):
        await hall.end(other, ada.session)


async def test_all_other_sessions_end_at_once(hall: Hall) -> None:
    _, first = await hall.signed_in()
    await hall.signed_in()
    await hall.signed_in()
    await hall.end.others(first)
    assert [each.id for each in await hall.list_sessions(first)] == [first.session]


async def test_a_new_password_ends_the_other_sessions(hall: Hall) -> None:
    _, first = await hall.signed_in()
    await hall.signed_in()
    await hall.change_password(first, GOOD, NEW)
    assert [each.id for each in await hall.list_sessions(first)] == [first.session]
    await hall.signed_in(password=NEW)
    with pytest.raises(SignInRefused):
        await hall.signed_in(password=GOOD)


async def test_the_current_password_is_asked_for(hall: Hall) -> None:
    _, person = await hall.signed_in()
    with pytest.raises(PasswordRefused, match="current password is wrong"):
        await hall.change_password(person, NEW, NEW)
    with pytest.raises(PasswordRefused, match="at least 12"):
        await hall.change_password(person, GOOD, "short")
    await hall.signed_in()


async def test_a_forgotten_password_is_reset_by_a_code_and_every_session_ends(hall: Hall) -> None:
    _, person = await hall.signed_in()
    await hall.request_reset(ADA, address=HERE)
    assert hall.mail.template == "reset"
    await hall.reset(ADA, hall.mail.facts["code"], NEW, address=HERE)
    assert await hall.list_sessions(person) == []
    await hall.signed_in(password=NEW)


async def test_a_code_for_something_else_resets_nothing(hall: Hall) -> None:
    confirming = hall.mail.facts["code"]
    await hall.request_reset(ADA, address=HERE)
    for email, code in ((ADA, confirming), (parse_email("nobody@example.org"), "123456")):
        with pytest.raises(CodeRefused):
            await hall.reset(email, code, NEW, address=HERE)
    await hall.signed_in()


async def test_who_is_unknown_or_unconfirmed_gets_no_code_for_a_new_password(hall: Hall) -> None:
    new = parse_email("new@example.org")
    await hall.sign_up(new, GOOD, "New", address=HERE)
    sent = len(hall.mails.sent)
    for email in (new, parse_email("nobody@example.org")):
        await hall.request_reset(email, address=HERE)
    assert len(hall.mails.sent) == sent


async def test_one_sees_oneself_and_where_one_belongs(hall: Hall) -> None:
    _, person = await hall.signed_in()
    me = await hall.read_me(person)
    (place,) = me.places
    assert (me.user.email, place.role, place.user) == (ADA, Role.OWNER, person.user)


async def test_a_sign_in_from_another_device_is_told_and_the_first_of_all_is_not(hall: Hall) -> None:
    hall.work.posted.clear()
    for device in ("curl", "curl", "Firefox"):
        await hall.sign_in(ADA, GOOD, device=device, address=HERE)
    (mail,) = hall.mails.sent
    assert (mail.to, mail.template) == (ADA.text, "new_sign_in")
    assert mail.facts == {"device": "Firefox", "address": HERE, "at": "2026-11-23 12:00 UTC"}


async def test_a_changed_password_is_told(hall: Hall) -> None:
    _, person = await hall.signed_in()
    hall.work.posted.clear()
    await hall.change_password(person, GOOD, "quite another password")
    assert [(each.to, each.template) for each in hall.mails.sent] == [(ADA.text, "password_changed")]
    await hall.request_reset(ADA, address=HERE)
    await hall.reset(ADA, hall.mail.facts["code"], "a third good password", address=HERE)
    assert [each.template for each in hall.mails.sent] == ["password_changed", "reset", "password_changed"]
