"""Keys are shown once, and revoked for good."""

from datetime import timedelta

import pytest

from domain.ids import AccountId, KeyId, WorkspaceId
from domain.keys.errors import KeyMissing
from domain.keys.key import PREFIX, KeyKind, digest_of, kind_of
from domain.usage.errors import AccountMissing
from tests.fakes.clock import NOON
from tests.fakes.office import FakeOffice

HOUR = timedelta(hours=1)


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


@pytest.mark.parametrize("kind", KeyKind)
async def test_a_new_key_is_kept_by_its_digest_only(office: FakeOffice, kind: KeyKind) -> None:
    made = await office.key(kind)
    assert made.text.startswith(PREFIX[kind])
    assert kind_of(made.text) is kind
    kept = office.work.keys[made.key.id]
    assert kept == made.key
    assert (kept.digest, kept.last_four) == (digest_of(made.text), made.text[-4:])
    assert (kept.kind, kept.name, kept.created_at) == (kind, "production", NOON)
    assert made.text not in repr(kept)


async def test_a_customers_key_belongs_to_the_accounts_workspace(office: FakeOffice) -> None:
    made = await office.create_key(KeyKind.TEST, name="ci", account=office.account.id, expires_at=NOON + HOUR)
    assert (made.key.workspace, made.key.account) == (office.workspace.id, office.account.id)
    assert (made.key.expires_at, made.key.revoked_at) == (NOON + HOUR, None)


async def test_a_service_key_belongs_to_nobody(office: FakeOffice) -> None:
    made = await office.key(KeyKind.SERVICE)
    assert (made.key.workspace, made.key.account) == (None, None)


async def test_a_key_of_an_account_that_is_not_there_is_not_made(office: FakeOffice) -> None:
    with pytest.raises(AccountMissing):
        await office.create_key(KeyKind.LIVE, name="x", account=AccountId(office.new_id()))
    assert office.work.keys == {}


async def test_every_key_has_its_own_secret(office: FakeOffice) -> None:
    assert (await office.key()).text != (await office.key()).text


async def test_a_key_is_revoked_once(office: FakeOffice) -> None:
    made = await office.key()
    revoked = await office.revoke_key(made.key.id)
    assert revoked.revoked_at == NOON
    office.clock.pass_by(HOUR)
    assert await office.revoke_key(made.key.id) == revoked == office.work.keys[made.key.id]


async def test_a_key_that_is_not_there_cannot_be_revoked(office: FakeOffice) -> None:
    with pytest.raises(KeyMissing):
        await office.revoke_key(KeyId(office.new_id()))


async def test_keys_are_listed_by_workspace(office: FakeOffice) -> None:
    first, service, second = await office.key(), await office.key(KeyKind.SERVICE), await office.key()
    assert await office.list_keys(office.workspace.id) == [first.key, second.key]
    assert await office.list_keys(None) == [service.key]
    assert await office.list_keys(WorkspaceId(office.new_id())) == []
