"""Keys are shown once, and revoked for good."""

from dataclasses import replace
from datetime import timedelta

import pytest

from application.keys.keys import KeyChange
from domain.ids import AccountId, KeyId, WorkspaceId, key_text
from domain.keys.errors import KeyMissing
from domain.keys.key import PREFIX, KeyKind, digest_of, kind_of
from domain.keys.policy import Policy
from domain.usage.errors import AccountMissing
from domain.workspaces.role import Role
from tests.fakes.clock import NOON
from tests.fakes.events import Mails
from tests.fakes.office import OPERATOR, FakeOffice

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
    made = await office.create_key(
        OPERATOR, KeyKind.TEST, name="ci", account=office.account.id, expires_at=NOON + HOUR
    )
    assert (made.key.workspace, made.key.account) == (office.workspace.id, office.account.id)
    assert (made.key.expires_at, made.key.revoked_at) == (NOON + HOUR, None)


async def test_a_service_key_belongs_to_nobody(office: FakeOffice) -> None:
    made = await office.key(KeyKind.SERVICE)
    assert (made.key.workspace, made.key.account) == (None, None)


async def test_a_key_of_an_account_that_is_not_there_is_not_made(office: FakeOffice) -> None:
    with pytest.raises(AccountMissing):
        await office.create_key(OPERATOR, KeyKind.LIVE, name="x", account=AccountId(office.new_id()))
    assert office.work.keys == {}


async def test_every_key_has_its_own_secret(office: FakeOffice) -> None:
    assert (await office.key()).text != (await office.key()).text


async def test_a_key_is_revoked_once(office: FakeOffice) -> None:
    made = await office.key()
    revoked = await office.revoke_key(OPERATOR, made.key.id)
    assert revoked.revoked_at == NOON
    office.clock.pass_by(HOUR)
    assert await office.revoke_key(OPERATOR, made.key.id) == revoked == office.work.keys[made.key.id]


async def test_a_key_that_is_not_there_cannot_be_revoked(office: FakeOffice) -> None:
    with pytest.raises(KeyMissing):
        await office.revoke_key(OPERATOR, KeyId(office.new_id()))


async def test_keys_are_listed_by_workspace(office: FakeOffice) -> None:
    first, service, second = await office.key(), await office.key(KeyKind.SERVICE), await office.key()
    assert await office.list_keys(OPERATOR, office.workspace.id) == [first.key, second.key]
    assert await office.list_keys(OPERATOR, None) == [service.key]
    assert await office.list_keys(OPERATOR, WorkspaceId(office.new_id())) == []


GRACE = timedelta(hours=24)


async def test_a_member_makes_keys_of_the_workspaces_own_accounts(office: FakeOffice) -> None:
    member = office.joined(Role.ADMIN)
    made = await office.create_key(member, KeyKind.LIVE, name="mine", account=office.account.id)
    assert made.key.created_by == member.person.user
    (entry,) = office.work.entries
    assert (entry.action, entry.actor, entry.address) == ("key.created", member.person.user, "203.0.113.9")
    assert entry.target == key_text(made.key.id)
    assert entry.after is not None
    assert (entry.after["name"], entry.before) == ("mine", None)
    assert made.text not in repr(entry)


async def test_a_member_makes_no_key_of_another_workspace_and_no_service_key(office: FakeOffice) -> None:
    stranger = office.member(workspace=WorkspaceId(office.new_id()))
    with pytest.raises(AccountMissing):
        await office.create_key(stranger, KeyKind.LIVE, name="x", account=office.account.id)
    with pytest.raises(AccountMissing):
        await office.create_key(office.member(), KeyKind.SERVICE, name="x")
    assert (office.work.keys, office.work.entries) == ({}, [])


async def test_another_workspaces_key_is_missing(office: FakeOffice) -> None:
    made, service = await office.key(), await office.key(KeyKind.SERVICE)
    stranger = office.member(workspace=WorkspaceId(office.new_id()))
    for actor, id in ((stranger, made.key.id), (office.member(), service.key.id)):
        with pytest.raises(KeyMissing):
            await office.revoke_key(actor, id)
        with pytest.raises(KeyMissing):
            await office.rotate_key(actor, id, grace=GRACE)
        with pytest.raises(KeyMissing):
            await office.change_key(actor, id, KeyChange(name="mine now"))


async def test_a_key_is_rotated_and_stays_itself(office: FakeOffice) -> None:
    made = await office.key()
    rotated = await office.rotate_key(office.joined(Role.ADMIN), made.key.id, grace=GRACE)
    assert rotated.text != made.text
    assert rotated.key.id == made.key.id
    assert rotated.key.previous == (made.key.digest, NOON + GRACE)
    assert office.work.keys[made.key.id] == rotated.key
    assert rotated.key.digest == digest_of(rotated.text)
    entry = office.work.entries[-1]
    assert (entry.action, entry.before) == (
        "key.rotated",
        {"last_four": made.text[-4:], "previous_until": None},
    )


@pytest.mark.parametrize("grace", [-HOUR, timedelta(days=31)])
async def test_a_grace_is_at_most_a_month(office: FakeOffice, grace: timedelta) -> None:
    made = await office.key()
    with pytest.raises(ValueError, match="a grace of"):
        await office.rotate_key(OPERATOR, made.key.id, grace=grace)


async def test_a_key_is_renamed_and_bounded(office: FakeOffice) -> None:
    made = await office.key()
    policy = Policy(features=("echo",), networks=("10.0.0.0/8",), per_minute=5)
    await office.change_key(OPERATOR, made.key.id, KeyChange(name="ci"))
    bounds = {"features": policy.features, "networks": policy.networks, "per_minute": 5}
    changed = await office.change_key(OPERATOR, made.key.id, KeyChange(bounds=bounds))
    assert (changed.name, changed.policy) == ("ci", policy)
    entry = office.work.entries[-1]
    assert entry.after == {"features": ["echo"], "networks": ["10.0.0.0/8"], "per_minute": 5}
    lifted = await office.change_key(OPERATOR, made.key.id, KeyChange(bounds={"networks": None}))
    assert lifted.policy == replace(policy, networks=None)


async def test_what_changes_nothing_is_not_told(office: FakeOffice) -> None:
    made = await office.key()
    await office.change_key(OPERATOR, made.key.id, KeyChange())
    await office.revoke_key(OPERATOR, made.key.id)
    await office.revoke_key(OPERATOR, made.key.id)
    assert [each.action for each in office.work.entries] == ["key.created", "key.revoked"]


async def test_what_is_done_to_a_service_key_is_no_workspaces(office: FakeOffice) -> None:
    made = await office.key(KeyKind.SERVICE)
    await office.revoke_key(OPERATOR, made.key.id)
    assert office.work.entries == []


async def test_owner_and_admins_hear_of_each_new_secret(office: FakeOffice) -> None:
    owner, admin = office.joined(Role.OWNER, name="Olga"), office.joined(Role.ADMIN, name="Ada")
    office.joined(Role.MEMBER, name="Mia")
    made = await office.create_key(admin, KeyKind.LIVE, name="production", account=office.account.id)
    await office.rotate_key(OPERATOR, made.key.id, grace=GRACE)
    await office.change_key(admin, made.key.id, KeyChange(name="other"))
    mails = Mails(office.work).sent
    people = [office.work.users[each.person.user].email.text for each in (owner, admin)]
    assert [(each.to, each.template) for each in mails] == [
        *((to, "key_made") for to in people),
        *((to, "key_rotated") for to in people),
    ]
    assert mails[0].facts == {
        "key": f"production (...{made.key.last_four})",
        "workspace": "Acme",
        "by": "Ada",
    }
    assert mails[2].facts["by"] == "An operator"


async def test_nobody_hears_of_a_service_key(office: FakeOffice) -> None:
    await office.key(KeyKind.SERVICE)
    assert Mails(office.work).sent == []
