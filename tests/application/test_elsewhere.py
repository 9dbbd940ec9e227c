"""People sign in with accounts elsewhere, and nobody gets into somebody else's by that."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from application.actor import Person
from domain.email import parse_email
from domain.errors import DomainError
from domain.identity.elsewhere import (
    AddressNotVerified,
    ElsewhereRefused,
    IdentityMissing,
    LastWayIn,
    Proved,
    ProviderMissing,
)
from domain.identity.errors import TooManyAttempts
from domain.identity.second_factor import SecondFactorNeeded
from domain.identity.user import SignInRefused
from domain.workspaces.role import Role
from tests.fakes.hall import ADA, GOOD, HERE, Hall
from tests.fakes.proofs import PlainProvider

GOOGLE = Proved(provider="google", subject="117", email=ADA.text, name="Ada L.")


@pytest.fixture
def hall() -> Hall:
    hall = Hall()
    hall.providers.known = {"google": PlainProvider(GOOGLE)}
    return hall


def says(hall: Hall, proved: Proved) -> None:
    hall.providers.known[proved.provider] = PlainProvider(proved)


async def finish(hall: Hall, provider: str = "google", **changed: str) -> Person:
    begun = await hall.begin_elsewhere(provider, address=HERE)
    state = begun.url.partition("state=")[2].partition("&")[0]
    given: dict[str, Any] = {"code": "good", "state": state, "kept": begun.kept, "second": None, **changed}
    tokens = await hall.finish_elsewhere(provider, **given, device="curl", address=HERE)
    return await hall.authenticate(tokens.access, address=HERE)


async def refused(hall: Hall, refusal: type[DomainError], **changed: str) -> None:
    with pytest.raises(refusal):
        await finish(hall, **changed)
    assert hall.work.sessions == {}


async def test_somebody_new_gets_an_account_with_a_workspace(hall: Hall) -> None:
    person = await finish(hall)
    me = await hall.read_me(person)
    assert (me.user.email, me.user.name, me.user.password) == (ADA, "Ada L.", None)
    assert me.user.confirmed_at is not None
    assert [each.role for each in me.places] == [Role.OWNER]
    assert hall.mails.sent == []
    again = await finish(hall)
    assert again.user == person.user
    assert len(hall.work.identities) == len(hall.work.workspaces) == 1


async def test_an_account_with_the_verified_address_is_linked_and_its_owner_told(hall: Hall) -> None:
    user = await hall.confirmed()
    person = await finish(hall)
    assert person.user == user.id
    assert (hall.mail.template, hall.mail.facts) == ("identity_linked", {"provider": "google"})
    assert len(hall.work.workspaces) == 1
    says(hall, replace(GOOGLE, email="other@example.org"))
    assert (await finish(hall)).user == user.id, "by the provider's own name for it"


async def test_who_signed_up_before_with_an_address_not_theirs_is_locked_out(hall: Hall) -> None:
    await hall.sign_up(ADA, GOOD, "Mallory", address=HERE)
    code = hall.mail.facts["code"]
    person = await finish(hall)
    assert hall.user().name == "Ada L."
    assert (await hall.read_me(person)).places != []
    with pytest.raises(SignInRefused):
        await hall.sign_in(ADA, GOOD, device="curl", address=HERE)
    assert hall.work.codes == {}
    assert code


@pytest.mark.parametrize("email", [None, "", "no address"])
async def test_an_address_that_is_not_verified_links_nothing(hall: Hall, email: str | None) -> None:
    await hall.confirmed()
    says(hall, replace(GOOGLE, email=email))
    await refused(hall, AddressNotVerified)
    assert hall.work.identities == {}


@pytest.mark.parametrize(
    "changed", [{"state": "other"}, {"kept": ""}, {"kept": "00"}, {"kept": "x"}, {"code": "bad"}]
)
async def test_what_was_not_begun_here_is_refused(hall: Hall, changed: dict[str, str]) -> None:
    await refused(hall, ElsewhereRefused, **changed)
    assert hall.work.users == {}


async def test_another_browsers_or_providers_beginning_is_of_no_use(hall: Hall) -> None:
    says(hall, replace(GOOGLE, provider="github"))
    other = await hall.begin_elsewhere("github", address=HERE)
    await refused(hall, ElsewhereRefused, kept=other.kept)
    state = other.url.partition("state=")[2].partition("&")[0]
    await refused(hall, ElsewhereRefused, kept=other.kept, state=state)


async def test_it_has_to_be_finished_in_time(hall: Hall) -> None:
    begun = await hall.begin_elsewhere("google", address=HERE)
    state = begun.url.partition("state=")[2].partition("&")[0]
    assert begun.kept not in repr(begun)
    hall.clock.pass_by(timedelta(minutes=10))
    await refused(hall, ElsewhereRefused, kept=begun.kept, state=state)


async def test_the_verifier_belongs_to_the_challenge_and_is_another_each_time(hall: Hall) -> None:
    await finish(hall)
    await finish(hall)
    provider: Any = hall.providers.known["google"]
    assert len(set(provider.verifiers)) == 2
    begun = await hall.begin_elsewhere("google", address=HERE)
    _, _, verifier, _ = json.loads(bytes.fromhex(begun.kept).removeprefix(b"elsewhere"))
    assert len(verifier) == 43
    assert verifier not in begun.url


async def test_a_second_factor_is_asked_for_here_too(hall: Hall) -> None:
    await hall.confirmed()
    _, person = await hall.signed_in()
    await hall.enroll(person, GOOD)
    now = int(hall.clock.now().timestamp()) // 30 % 10**6
    codes = await hall.enable(person, f"{now:06}")
    with pytest.raises(SecondFactorNeeded):
        await finish(hall)
    assert hall.work.identities == {}
    assert (await finish(hall, second=codes[0])).user == person.user
    told = {each.template: each for each in hall.mails.sent[-2:]}
    assert set(told) == {"recovery_code_used", "identity_linked"}
    assert told["recovery_code_used"].facts == {"device": "curl", "address": HERE}


async def test_tries_are_counted(hall: Hall) -> None:
    hall.throttle.used_up.add("second_factor")
    await refused(hall, TooManyAttempts, second="123456")
    hall.throttle.used_up = {"sign_in_from"}
    await refused(hall, TooManyAttempts)


async def test_a_provider_that_is_not_configured_is_missing(hall: Hall) -> None:
    with pytest.raises(ProviderMissing):
        await hall.begin_elsewhere("gitlab", address=HERE)
    await refused(hall, ProviderMissing, provider="gitlab")


async def test_an_account_is_unlinked_but_not_the_last_way_in(hall: Hall) -> None:
    person = await finish(hall)
    says(hall, replace(GOOGLE, provider="github"))
    await finish(hall, "github")
    assert [each.provider for each in await hall.linked(person)] == ["github", "google"]
    await hall.linked.unlink(person, "google")
    with pytest.raises(IdentityMissing):
        await hall.linked.unlink(person, "google")
    with pytest.raises(LastWayIn):
        await hall.linked.unlink(person, "github")
    hall.work.users[person.user] = hall.work.users[person.user].with_password("hashed")
    await hall.linked.unlink(person, "github")
    assert await hall.linked(person) == []


@pytest.mark.parametrize(
    ("name", "shown"), [("", ADA.text), (" \n ", ADA.text), ("A\x00da", "Ada"), ("x" * 300, "x" * 100)]
)
async def test_a_name_from_elsewhere_will_do(hall: Hall, name: str, shown: str) -> None:
    says(hall, replace(GOOGLE, name=name))
    await finish(hall)
    assert hall.user(parse_email(ADA.text)).name == shown
