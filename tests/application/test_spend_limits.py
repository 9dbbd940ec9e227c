"""What keys and members may spend is set by whoever may, and told in the audit log."""

from dataclasses import replace

import pytest

from application.usage.spend_limits import ListLimits, ReadShadow, RemoveLimit, SetLimit, WantedLimit
from domain.ids import AccountId, KeyId, LimitId, UserId, WorkspaceId, key_text, limit_text, user_text
from domain.keys.errors import KeyMissing
from domain.keys.key import KeyKind
from domain.usage.errors import AccountMissing
from domain.usage.spend_limit import LimitMissing, Per, ShadowSum
from tests.fakes.clock import NOON
from tests.fakes.office import OPERATOR, FakeOffice

FIVE = WantedLimit(period=Per.DAY, amount=5_000_000)


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


@pytest.fixture
def set_limit(office: FakeOffice) -> SetLimit:
    return SetLimit(office.work, office.clock, office.new_id, office.record)


async def test_a_key_gets_a_limit(office: FakeOffice, set_limit: SetLimit) -> None:
    made, member = await office.key(), office.member()
    limit = await set_limit.of_key(member, made.key.id, FIVE)
    assert (limit.account, limit.subject, limit.created_at) == (office.account.id, made.key.id, NOON)
    assert office.work.spend_limits == {limit.id: limit}
    entry = office.work.entries[-1]
    assert (entry.action, entry.target) == ("limit.set", limit_text(office.account.id, limit.id))
    assert (entry.before, entry.after) == (
        None,
        {"subject": key_text(made.key.id), "period": "day", "amount": "5", "shadow": False},
    )


async def test_a_member_gets_one_for_all_keys(office: FakeOffice, set_limit: SetLimit) -> None:
    user = office.joined().person.user
    limit = await set_limit.of_member(OPERATOR, office.account.id, user, FIVE)
    assert limit.subject == user
    after = office.work.entries[-1].after
    assert after is not None
    assert after["subject"] == user_text(user)


async def test_the_same_limit_again_changes_its_amount_and_forgets_nothing(
    office: FakeOffice, set_limit: SetLimit
) -> None:
    made = await office.key()
    first = await set_limit.of_key(OPERATOR, made.key.id, FIVE)
    office.work.spend_limits[first.id] = replace(first, spent=3)
    await set_limit.of_key(OPERATOR, made.key.id, FIVE)
    again = await set_limit.of_key(OPERATOR, made.key.id, replace(FIVE, amount=7_000_000))
    assert office.work.spend_limits == {first.id: replace(first, amount=7_000_000, spent=3)}
    assert again.id == first.id
    assert [each.action for each in office.work.entries] == ["key.created", "limit.set", "limit.set"]


async def test_a_shadow_and_another_period_stand_beside_it(office: FakeOffice, set_limit: SetLimit) -> None:
    made = await office.key()
    for wanted in (FIVE, replace(FIVE, shadow=True), replace(FIVE, period=Per.MONTH)):
        await set_limit.of_key(OPERATOR, made.key.id, wanted)
    listed = await ListLimits(office.work, office.clock)(office.member(), office.account.id)
    assert [(each.period, each.shadow) for each in listed] == [
        (Per.DAY, False),
        (Per.DAY, True),
        (Per.MONTH, False),
    ]


def test_nothing_can_be_limited_to_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="a limit of -1"):
        WantedLimit(period=Per.DAY, amount=-1)


async def test_a_listed_limit_is_of_the_period_that_goes_on(office: FakeOffice, set_limit: SetLimit) -> None:
    made = await office.key()
    limit = await set_limit.of_key(OPERATOR, made.key.id, FIVE)
    yesterday = NOON.replace(day=NOON.day - 1)
    office.work.spend_limits[limit.id] = replace(limit, spent=3, since=yesterday, created_at=yesterday)
    (listed,) = await ListLimits(office.work, office.clock)(OPERATOR, office.account.id)
    assert listed.spent == 0


async def test_a_limit_is_removed_with_what_it_noted(office: FakeOffice, set_limit: SetLimit) -> None:
    made = await office.key()
    limit = await set_limit.of_key(OPERATOR, made.key.id, replace(FIVE, shadow=True))
    noted = ShadowSum(
        account=office.account.id,
        limit=limit.id,
        key=made.key.id,
        count=2,
        missing=9,
        first_at=NOON,
        last_at=NOON,
    )
    office.work.shadow_sums.append(noted)
    read = ReadShadow(office.work)
    assert await read(OPERATOR, office.account.id, limit.id) == (limit, [noted])
    await RemoveLimit(office.work, office.record)(OPERATOR, office.account.id, limit.id)
    assert (office.work.spend_limits, office.work.shadow_sums) == ({}, [])
    assert office.work.entries[-1].action == "limit.removed"
    with pytest.raises(LimitMissing):
        await read(OPERATOR, office.account.id, limit.id)


async def test_another_workspaces_limits_are_missing(office: FakeOffice, set_limit: SetLimit) -> None:
    made = await office.key()
    limit = await set_limit.of_key(OPERATOR, made.key.id, FIVE)
    stranger, account = office.member(workspace=WorkspaceId(office.new_id())), office.account.id
    with pytest.raises(KeyMissing):
        await set_limit.of_key(stranger, made.key.id, FIVE)
    with pytest.raises(AccountMissing):
        await set_limit.of_member(stranger, account, UserId(office.new_id()), FIVE)
    with pytest.raises(AccountMissing):
        await ListLimits(office.work, office.clock)(stranger, account)
    with pytest.raises(LimitMissing):
        await ReadShadow(office.work)(stranger, account, limit.id)
    with pytest.raises(LimitMissing):
        await RemoveLimit(office.work, office.record)(stranger, account, limit.id)
    assert office.work.spend_limits == {limit.id: limit}


async def test_what_is_not_there_is_missing(office: FakeOffice, set_limit: SetLimit) -> None:
    service = await office.key(KeyKind.SERVICE)
    for key in (service.key.id, KeyId(office.new_id())):
        with pytest.raises(KeyMissing):
            await set_limit.of_key(OPERATOR, key, FIVE)
    nobody = AccountId(office.new_id())
    with pytest.raises(LimitMissing):
        await ReadShadow(office.work)(OPERATOR, nobody, LimitId(office.new_id()))
