"""A second factor: enrolled, turned on, asked for, recovered from, turned off."""

from datetime import timedelta

import pytest

from application.actor import Person
from domain.errors import DomainError
from domain.identity.errors import TooManyAttempts
from domain.identity.password import PasswordRefused
from domain.identity.second_factor import (
    SecondFactorNeeded,
    SecondFactorOff,
    SecondFactorOn,
    SecondFactorRefused,
)
from domain.identity.user import SignInRefused
from tests.fakes.hall import ADA, GOOD, HERE, Hall

STEP = timedelta(seconds=30)


@pytest.fixture
async def hall() -> Hall:
    hall = Hall()
    await hall.confirmed()
    return hall


@pytest.fixture
async def person(hall: Hall) -> Person:
    _, person = await hall.signed_in()
    return person


def code(hall: Hall, steps: int = 0) -> str:
    """Of the app, so many steps from now."""
    return f"{(int(hall.clock.now().timestamp()) // 30 + steps) % 10**6:06}"


async def turned_on(hall: Hall, person: Person) -> list[str]:
    await hall.enroll(person, GOOD)
    codes = await hall.enable(person, code(hall))
    hall.clock.pass_by(STEP)
    return list(codes)


async def refused(hall: Hall, refusal: type[DomainError], given: str | None) -> None:
    with pytest.raises(refusal):
        await hall.sign_in(ADA, GOOD, given, device="curl", address=HERE)


async def test_it_is_enrolled_and_asked_for_once_it_is_on(hall: Hall, person: Person) -> None:
    enrolled = await hall.enroll(person, GOOD)
    assert enrolled.secret in enrolled.uri
    assert enrolled.secret not in repr(enrolled)
    assert ADA.text in enrolled.uri
    await hall.sign_in(ADA, GOOD, device="curl", address=HERE)
    codes = await hall.enable(person, code(hall))
    assert len(set(codes)) == 10
    assert hall.mail.template == "second_factor_on"
    assert [each.id for each in await hall.list_sessions(person)] == [person.session]
    hall.clock.pass_by(STEP)
    await refused(hall, SecondFactorNeeded, None)
    await refused(hall, SecondFactorRefused, "000000")
    me = await hall.read_me(person)
    assert (me.second_factor, me.recovery_codes) == (True, 10)
    assert await hall.sign_in(ADA, GOOD, code(hall), device="curl", address=HERE)


async def test_a_code_works_once_also_one_a_step_away(hall: Hall, person: Person) -> None:
    await turned_on(hall, person)
    ahead = code(hall, 1)
    await hall.sign_in(ADA, GOOD, ahead, device="curl", address=HERE)
    await refused(hall, SecondFactorRefused, ahead)
    await refused(hall, SecondFactorRefused, code(hall))
    await refused(hall, SecondFactorRefused, code(hall, 2))
    hall.clock.pass_by(STEP)
    await hall.sign_in(ADA, GOOD, code(hall, 1), device="curl", address=HERE)


async def test_a_recovery_code_works_once_and_the_owner_is_told(hall: Hall, person: Person) -> None:
    codes = await turned_on(hall, person)
    await hall.sign_in(ADA, GOOD, codes[0].upper(), device="curl", address=HERE)
    assert (hall.mail.template, hall.mail.facts["address"]) == ("recovery_code_used", HERE)
    await refused(hall, SecondFactorRefused, codes[0])
    assert (await hall.read_me(person)).recovery_codes == 9


async def test_without_the_password_a_second_factor_tells_nothing(hall: Hall, person: Person) -> None:
    await turned_on(hall, person)
    with pytest.raises(SignInRefused):
        await hall.sign_in(ADA, "quite another password", code(hall), device="curl", address=HERE)
    assert ("second_factor", str(person.user)) not in hall.throttle.tries[-2:]


async def test_new_recovery_codes_void_the_old(hall: Hall, person: Person) -> None:
    old = await turned_on(hall, person)
    new = await hall.change_second.renew_codes(person, GOOD, code(hall))
    assert not set(new) & set(old)
    await refused(hall, SecondFactorRefused, old[0])
    await hall.sign_in(ADA, GOOD, new[0], device="curl", address=HERE)


async def test_it_is_turned_off_by_password_and_code(hall: Hall, person: Person) -> None:
    codes = await turned_on(hall, person)
    with pytest.raises(PasswordRefused, match="the password is wrong"):
        await hall.change_second.disable(person, "quite another password", code(hall))
    with pytest.raises(SecondFactorRefused):
        await hall.change_second.disable(person, GOOD, "000000")
    await hall.change_second.disable(person, GOOD, codes[0])
    assert hall.mail.template == "second_factor_off"
    assert await hall.sign_in(ADA, GOOD, device="curl", address=HERE)
    me = await hall.read_me(person)
    assert (me.second_factor, me.recovery_codes) == (False, 0)


async def test_what_is_not_there_is_not_changed(hall: Hall, person: Person) -> None:
    with pytest.raises(SecondFactorOff):
        await hall.enable(person, code(hall))
    await hall.enroll(person, GOOD)
    for change in (hall.change_second.disable, hall.change_second.renew_codes):
        with pytest.raises(SecondFactorOff):
            await change(person, GOOD, code(hall))
    await hall.enable(person, code(hall))
    with pytest.raises(SecondFactorOn):
        await hall.enroll(person, GOOD)
    with pytest.raises(SecondFactorOn):
        await hall.enable(person, code(hall, 1))


async def test_tries_are_counted(hall: Hall, person: Person) -> None:
    await turned_on(hall, person)
    hall.throttle.used_up.add("second_factor")
    await refused(hall, TooManyAttempts, code(hall))
    with pytest.raises(TooManyAttempts):
        await hall.enable(person, code(hall))
    with pytest.raises(TooManyAttempts):
        await hall.change_second.disable(person, GOOD, code(hall))
