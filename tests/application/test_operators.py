"""What an operator does for people."""

import pytest

from domain.email import parse_email
from domain.identity.user import AlreadyOperator, UserMissing
from domain.ids import UserId
from domain.workspaces.workspace import NameRefused
from tests.fakes.clock import NOON
from tests.fakes.hall import ADA, GOOD, HERE, Hall
from tests.fakes.office import OPERATOR

OLGA = parse_email("olga@example.org")


@pytest.fixture
def hall() -> Hall:
    return Hall()


async def test_people_are_listed_page_by_page(hall: Hall) -> None:
    first, second = await hall.confirmed(), await hall.confirmed(OLGA)
    page = await hall.list_users(OPERATOR, after=None, limit=1)
    assert (page.items, page.more) == ([first], True)
    page = await hall.list_users(OPERATOR, after=first.id, limit=1)
    assert (page.items, page.more) == ([second], False)


async def test_somebody_is_looked_up_and_signed_out(hall: Hall) -> None:
    user = await hall.confirmed()
    await hall.signed_in()
    for who in (user.id, ADA):
        me, sessions = await hall.look_up(OPERATOR, who)
        assert (me.user, len(sessions)) == (user, 1)
    assert await hall.end_sessions(OPERATOR, ADA) == user
    assert (await hall.look_up(OPERATOR, ADA))[1] == []
    for nobody in (UserId(hall.new_id()), OLGA):
        with pytest.raises(UserMissing):
            await hall.look_up(OPERATOR, nobody)


async def test_the_first_operator_gets_an_account_and_a_code_to_set_a_password(hall: Hall) -> None:
    user = await hall.create_operator(OPERATOR, OLGA, " Olga ")
    assert (user.name, user.operator, user.confirmed_at) == ("Olga", True, NOON)
    assert (hall.mail.template, hall.mail.to) == ("reset", OLGA.text)
    await hall.reset(OLGA, hall.mail.facts["code"], GOOD, address=HERE)
    assert (await hall.signed_in(OLGA))[1].user == user.id
    assert len(hall.work.workspaces) == 1
    with pytest.raises(AlreadyOperator):
        await hall.create_operator(OPERATOR, OLGA, "Olga")


async def test_who_has_an_account_is_appointed(hall: Hall) -> None:
    user = await hall.confirmed()
    hall.work.posted.clear()
    appointed = await hall.create_operator(OPERATOR, ADA, "Other")
    assert (appointed.id, appointed.name, appointed.operator) == (user.id, "Ada", True)
    assert hall.user().operator
    assert hall.mails.sent == []


async def test_a_password_that_nobody_confirmed_is_void(hall: Hall) -> None:
    await hall.sign_up(ADA, GOOD, "Mallory", address=HERE)
    appointed = await hall.create_operator(OPERATOR, ADA, "Ada")
    assert (appointed.name, appointed.password) == ("Ada", None)
    assert hall.mail.template == "reset"
    assert len(hall.work.workspaces) == 1
    with pytest.raises(NameRefused):
        await hall.create_operator(OPERATOR, OLGA, " ")
