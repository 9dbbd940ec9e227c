"""An account of one's own, confirmed by a code, without telling anybody who has one."""

import pytest

from domain.email import parse_email
from domain.identity.code import ATTEMPTS, LASTS, CodeRefused
from domain.identity.errors import TooManyAttempts
from domain.identity.password import PasswordRefused
from domain.identity.user import User
from domain.ids import PlanRef, UserId
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, NameRefused
from tests.fakes.clock import NOON
from tests.fakes.hall import ADA, GOOD, HERE, Hall
from tests.fakes.people import FakeUsers

OTHER = "quite another password"


@pytest.fixture
def hall() -> Hall:
    return Hall()


async def test_a_code_comes_by_mail_and_confirms_with_the_password(hall: Hall) -> None:
    await hall.sign_up(ADA, GOOD, " Ada ", address=HERE)
    assert (hall.mail.to, hall.mail.template) == ("ada@example.org", "confirm")
    assert hall.user().confirmed_at is None
    user = await hall.confirm(ADA, hall.mail.facts["code"], GOOD, address=HERE)
    assert (user.name, user.confirmed_at) == ("Ada", NOON)
    assert hall.user() == user
    assert hall.work.codes == {}


async def test_a_personal_workspace_comes_with_it(hall: Hall) -> None:
    user = await hall.confirmed()
    (workspace,) = hall.work.workspaces.values()
    assert (workspace.name, workspace.kind) == ("Ada", Kind.PERSONAL)
    (account,) = hall.work.accounts.values()
    assert (account.workspace, account.plan) == (workspace.id, PlanRef("personal", "free", 1))
    (member,) = hall.work.members.values()
    assert (member.workspace, member.user, member.role) == (workspace.id, user.id, Role.OWNER)


async def test_who_has_an_account_is_told_by_mail_alone_and_nothing_is_changed(hall: Hall) -> None:
    user = await hall.confirmed()
    work = hall.passwords.work
    await hall.sign_up(parse_email("ADA@example.org"), OTHER, "Eve", address=HERE)
    assert hall.mail.template == "already_registered"
    assert hall.user() == user
    assert hall.passwords.work == work + 1, "as much as for somebody new"


async def test_who_is_not_confirmed_signs_up_again_with_a_new_code(hall: Hall) -> None:
    await hall.sign_up(ADA, GOOD, "Ada", address=HERE)
    first = hall.mail.facts["code"]
    await hall.sign_up(ADA, OTHER, "Ada", address=HERE)
    assert len(hall.work.users) == 1
    with pytest.raises(CodeRefused):
        await hall.confirm(ADA, first, OTHER, address=HERE)
    await hall.confirm(ADA, hall.mail.facts["code"], OTHER, address=HERE)


async def test_nobody_confirms_what_somebody_else_signed_up(hall: Hall) -> None:
    await hall.sign_up(ADA, GOOD, "Ada", address=HERE)
    await hall.sign_up(ADA, OTHER, "Eve", address=HERE)
    with pytest.raises(CodeRefused):
        await hall.confirm(ADA, hall.mail.facts["code"], GOOD, address=HERE)
    assert hall.user().confirmed_at is None


async def test_of_two_who_sign_up_at_once_one_is_first(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    first = User(id=UserId(hall.new_id()), email=ADA, name="Ada", password="x", created_at=NOON)  # noqa: S106
    add = FakeUsers.add

    async def late(self: FakeUsers, user: User) -> bool:
        self.rows[first.id] = first
        return await add(self, user)

    monkeypatch.setattr(FakeUsers, "add", late)
    await hall.sign_up(ADA, GOOD, "Ada", address=HERE)
    assert list(hall.work.users) == [first.id]
    monkeypatch.undo()
    await hall.confirm(ADA, hall.mail.facts["code"], GOOD, address=HERE)


async def test_attempts_are_counted(hall: Hall) -> None:
    await hall.sign_up(ADA, GOOD, "Ada", address=HERE)
    code = hall.mail.facts["code"]
    for _ in range(ATTEMPTS):
        with pytest.raises(CodeRefused):
            await hall.confirm(ADA, "x", GOOD, address=HERE)
    with pytest.raises(CodeRefused):
        await hall.confirm(ADA, code, GOOD, address=HERE)


async def test_a_code_ends_and_another_is_sent(hall: Hall) -> None:
    await hall.sign_up(ADA, GOOD, "Ada", address=HERE)
    first = hall.mail.facts["code"]
    hall.clock.pass_by(LASTS)
    with pytest.raises(CodeRefused):
        await hall.confirm(ADA, first, GOOD, address=HERE)
    await hall.resend(ADA, address=HERE)
    await hall.confirm(ADA, hall.mail.facts["code"], GOOD, address=HERE)


async def test_a_code_works_once(hall: Hall) -> None:
    await hall.confirmed()
    with pytest.raises(CodeRefused):
        await hall.confirm(ADA, hall.mail.facts["code"], GOOD, address=HERE)


async def test_who_is_unknown_or_confirmed_is_sent_no_code(hall: Hall) -> None:
    await hall.resend(ADA, address=HERE)
    assert hall.mails.sent == []
    await hall.confirmed()
    await hall.resend(ADA, address=HERE)
    assert len(hall.mails.sent) == 1


async def test_nobody_unknown_confirms(hall: Hall) -> None:
    with pytest.raises(CodeRefused):
        await hall.confirm(ADA, "123456", GOOD, address=HERE)
    assert hall.passwords.work == 1, "as much as for somebody known"


async def test_a_password_changed_while_it_was_checked_confirms_nothing(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hall.sign_up(ADA, GOOD, "Ada", address=HERE)
    verify = hall.passwords.verify

    async def meanwhile(password: str, hashed: str | None) -> bool:
        hall.work.users[hall.user().id] = hall.user().with_password("hashed other")
        return await verify(password, hashed)

    monkeypatch.setattr(hall.passwords, "verify", meanwhile)
    with pytest.raises(CodeRefused):
        await hall.confirm(ADA, hall.mail.facts["code"], GOOD, address=HERE)


async def test_what_cannot_be_is_refused_before_anything_is_done(hall: Hall) -> None:
    with pytest.raises(PasswordRefused):
        await hall.sign_up(ADA, "short", "Ada", address=HERE)
    with pytest.raises(NameRefused):
        await hall.sign_up(ADA, GOOD, "\x00", address=HERE)
    assert (hall.work.users, hall.throttle.tries) == ({}, [])


@pytest.mark.parametrize("what", ["mail", "sign_up"])
async def test_mails_are_throttled_by_mailbox_and_by_address(hall: Hall, what: str) -> None:
    hall.throttle.used_up.add(what)
    with pytest.raises(TooManyAttempts):
        await hall.sign_up(ADA, GOOD, "Ada", address=HERE)
    with pytest.raises(TooManyAttempts):
        await hall.resend(ADA, address=HERE)
    assert (hall.mails.sent, hall.passwords.work) == ([], 0)


@pytest.mark.parametrize("what", ["code", "code_from"])
async def test_codes_are_throttled_by_mailbox_and_by_address(hall: Hall, what: str) -> None:
    hall.throttle.used_up.add(what)
    with pytest.raises(TooManyAttempts):
        await hall.confirm(ADA, "123456", GOOD, address=HERE)
