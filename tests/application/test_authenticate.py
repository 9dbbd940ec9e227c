"""Who presents a key."""

from dataclasses import replace
from datetime import timedelta

import pytest

from application.actor import Customer, Service
from domain.keys.errors import (
    AddressNotAllowed,
    ApiKeyExpired,
    ApiKeyRevoked,
    ApiKeyUnknown,
    CustomerKeyNeeded,
    ServiceKeyRefused,
)
from domain.keys.key import KeyKind, key_text
from domain.keys.policy import Policy
from domain.usage.errors import AccountMissing
from tests.fakes.office import OPERATOR, FakeOffice


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


@pytest.mark.parametrize(("kind", "test"), [(KeyKind.LIVE, False), (KeyKind.TEST, True)])
async def test_a_customers_key_names_the_account_and_its_plan(
    office: FakeOffice, kind: KeyKind, *, test: bool
) -> None:
    made = await office.key(kind)
    assert await office.authenticate.customer(made.text) == Customer(
        key=made.key.id,
        test=test,
        workspace=office.workspace.id,
        account=office.account.id,
        plan=office.plan,
    )


async def test_a_service_key_names_nobody(office: FakeOffice) -> None:
    made = await office.key(KeyKind.SERVICE)
    assert await office.authenticate.service(made.text) == Service(key=made.key.id)


async def test_a_service_key_is_no_customers_and_the_other_way_round(office: FakeOffice) -> None:
    service, live = await office.key(KeyKind.SERVICE), await office.key()
    with pytest.raises(CustomerKeyNeeded):
        await office.authenticate.customer(service.text)
    with pytest.raises(ServiceKeyRefused):
        await office.authenticate.service(live.text)


async def test_a_mistyped_key_is_not_even_looked_for(office: FakeOffice) -> None:
    made = await office.key()
    last = "0" if made.text[-1] != "0" else "1"
    with pytest.raises(ApiKeyUnknown):
        await office.authenticate.customer(made.text[:-1] + last)
    assert office.keyring.looked == []


async def test_a_well_formed_key_that_nobody_made_is_unknown(office: FakeOffice) -> None:
    text = key_text(KeyKind.LIVE, office.secret(32))
    with pytest.raises(ApiKeyUnknown):
        await office.authenticate.customer(text)
    assert len(office.keyring.looked) == 1


async def test_a_key_that_is_known_is_not_looked_for(office: FakeOffice) -> None:
    made = await office.key()
    office.keyring.kept[made.key.digest] = made.key
    assert (await office.authenticate.customer(made.text)).key == made.key.id
    assert office.keyring.looked == []


async def test_a_key_that_was_found_for_another_digest_is_unknown(office: FakeOffice) -> None:
    made, other = await office.key(), await office.key()
    office.keyring.kept[made.key.digest] = other.key
    with pytest.raises(ApiKeyUnknown):
        await office.authenticate.customer(made.text)


async def test_either_secret_of_a_rotated_key_works_during_the_grace(office: FakeOffice) -> None:
    made = await office.key()
    text = key_text(KeyKind.LIVE, office.secret(32))
    rotated = made.key.rotate(text, office.clock.now(), timedelta(hours=1))
    office.work.keys[made.key.id] = rotated
    for each in (made.text, text):
        assert (await office.authenticate.customer(each)).key == made.key.id
    office.clock.pass_by(timedelta(hours=1))
    with pytest.raises(ApiKeyExpired):
        await office.authenticate.customer(made.text)


async def test_a_key_is_refused_from_another_network(office: FakeOffice) -> None:
    made = await office.key()
    policy = Policy(networks=("203.0.113.0/24",))
    office.work.keys[made.key.id] = replace(made.key, policy=policy)
    found = await office.authenticate.customer(made.text, address="203.0.113.9")
    assert found.policy == policy
    with pytest.raises(AddressNotAllowed):
        await office.authenticate.customer(made.text, address="203.0.114.9")
    assert (await office.authenticate.customer(made.text)).key == made.key.id


async def test_it_is_noted_when_a_key_is_used_and_not_when_it_is_refused(office: FakeOffice) -> None:
    made, other = await office.key(), await office.key()
    await office.authenticate.customer(made.text)
    await office.revoke_key(OPERATOR, other.key.id)
    with pytest.raises(ApiKeyRevoked):
        await office.authenticate.customer(other.text)
    assert office.uses.noted == {made.key.id: office.clock.now()}


async def test_a_revoked_key_is_refused_and_says_since_when(office: FakeOffice) -> None:
    made = await office.key()
    await office.revoke_key(OPERATOR, made.key.id)
    with pytest.raises(ApiKeyRevoked) as refusal:
        await office.authenticate.customer(made.text)
    assert refusal.value.revoked_at == office.clock.now()


async def test_a_key_expires_by_the_clock(office: FakeOffice) -> None:
    soon = office.clock.now() + timedelta(hours=1)
    made = await office.create_key(
        OPERATOR, KeyKind.LIVE, name="trial", account=office.account.id, expires_at=soon
    )
    await office.authenticate.customer(made.text)
    office.clock.pass_by(timedelta(hours=1))
    with pytest.raises(ApiKeyExpired):
        await office.authenticate.customer(made.text)


async def test_a_service_key_is_refused_in_one_way_whatever_is_wrong(office: FakeOffice) -> None:
    made = await office.key(KeyKind.SERVICE)
    await office.revoke_key(OPERATOR, made.key.id)
    unknown = key_text(KeyKind.SERVICE, office.secret(32))
    for text in (made.text, unknown, made.text[:-1], "", "cbx_svc_", "Bearer"):
        with pytest.raises(ServiceKeyRefused):
            await office.authenticate.service(text)


async def test_a_frozen_workspaces_key_is_still_known(office: FakeOffice) -> None:
    made = await office.key()
    office.work.workspaces[office.workspace.id] = office.workspace.freeze(office.clock.now())
    assert (await office.authenticate.customer(made.text)).account == office.account.id


async def test_the_account_is_found_as_it_is_now(office: FakeOffice) -> None:
    made = await office.key()
    moved = replace(office.account, plan=replace(office.plan, version=2))
    office.work.accounts[office.account.id] = moved
    assert (await office.authenticate.customer(made.text)).plan == moved.plan
    del office.work.accounts[office.account.id]
    with pytest.raises(AccountMissing):
        await office.authenticate.customer(made.text)
