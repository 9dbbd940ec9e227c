"""Members, invitations, and what a team's workspace allows."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.email import parse_email
from domain.ids import InvitationId, UserId, WorkspaceId
from domain.workspaces.errors import (
    InvitationExpired,
    InvitationMissing,
    NameNotTyped,
    OwnerStays,
    PersonalWorkspace,
    SeatsNeeded,
    SeatsTaken,
    SlugRefused,
)
from domain.workspaces.invitation import LASTS, Invitation, token_digest, token_text
from domain.workspaces.member import Membership, transfer
from domain.workspaces.role import Role
from domain.workspaces.workspace import LONGEST_SLUG, Kind, Workspace, check_slug
from tests.fakes.clock import NOON

HOUR = timedelta(hours=1)
ADA, EVE = parse_email("ada@example.org"), parse_email("eve@example.org")
TEAM = Workspace(id=WorkspaceId(UUID(int=1)), name="Acme", kind=Kind.TEAM, created_at=NOON, seats=2)
OWN = replace(TEAM, kind=Kind.PERSONAL)
OWNER = Membership(workspace=TEAM.id, user=UserId(UUID(int=2)), role=Role.OWNER, joined_at=NOON)
MEMBER = Membership(workspace=TEAM.id, user=UserId(UUID(int=3)), role=Role.MEMBER, joined_at=NOON)
INVITATION = Invitation(
    workspace=TEAM.id,
    id=InvitationId(UUID(int=4)),
    email=EVE,
    role=Role.MEMBER,
    digest=b"one",
    invited_by=OWNER.user,
    created_at=NOON,
    expires_at=NOON + LASTS,
)


def test_a_member_gets_another_role() -> None:
    assert MEMBER.become(Role.ADMIN) == replace(MEMBER, role=Role.ADMIN)
    with pytest.raises(OwnerStays):
        MEMBER.become(Role.OWNER)


def test_a_member_is_disabled_since_the_first_time_and_enabled_again() -> None:
    disabled = MEMBER.disable(NOON)
    assert not disabled.enabled
    assert disabled.disable(NOON + HOUR) == disabled
    assert disabled.enable() == MEMBER


def test_the_owner_stays() -> None:
    for change in (lambda: OWNER.disable(NOON), lambda: OWNER.become(Role.ADMIN), OWNER.check_not_owner):
        with pytest.raises(OwnerStays, match="transfer the ownership first"):
            change()
    MEMBER.check_not_owner()


def test_who_owned_is_an_admin_after_the_transfer() -> None:
    before, after = transfer(OWNER, MEMBER)
    assert (before.user, before.role) == (OWNER.user, Role.ADMIN)
    assert (after.user, after.role) == (MEMBER.user, Role.OWNER)


def test_seats_are_for_so_many() -> None:
    TEAM.check_seat(1)
    with pytest.raises(SeatsTaken, match="all 2 seats of the workspace are taken"):
        TEAM.check_seat(2)
    assert TEAM.with_seats(5, 2).seats == 5
    with pytest.raises(SeatsNeeded, match="3 members are enabled"):
        TEAM.with_seats(2, 3)
    with pytest.raises(PersonalWorkspace):
        OWN.with_seats(2, 1)


@pytest.mark.parametrize("slug", ["abc", "acme-labs-2", "0-0", "a" * LONGEST_SLUG])
def test_a_slug(slug: str) -> None:
    assert check_slug(slug) == slug


@pytest.mark.parametrize(
    "slug", ["", "ab", "a" * (LONGEST_SLUG + 1), "Acme", "-acme", "acme-", "a--b", "a b", "ä-b", "abc\n"]
)
def test_no_slug(slug: str) -> None:
    with pytest.raises(SlugRefused, match="a slug has 3 to 40"):
        check_slug(slug)


def test_a_workspace_is_deleted_by_its_name() -> None:
    named = replace(TEAM, slug="acme")
    deleted = named.delete("Acme", NOON + HOUR)
    assert (deleted.deleted_at, deleted.frozen_at, deleted.slug) == (NOON + HOUR, NOON + HOUR, None)
    frozen = named.freeze(NOON).delete("Acme", NOON + HOUR)
    assert frozen.frozen_at == NOON
    with pytest.raises(NameNotTyped, match="exactly as it is"):
        TEAM.delete("acme", NOON)
    with pytest.raises(PersonalWorkspace, match="its owner's alone"):
        OWN.delete("Acme", NOON)


def test_a_token_is_known_by_its_digest_alone() -> None:
    token = token_text(bytes(32))
    assert token == "cbx_inv_" + "00" * 32
    assert token_digest(token) != token_digest(token + "0")
    assert len(token_digest(token)) == 32


def test_an_invitation_is_accepted_once_by_whom_it_is_for() -> None:
    accepted = INVITATION.accept(EVE, b"one", NOON + HOUR)
    assert (accepted.open, accepted.accepted_at) == (False, NOON + HOUR)
    for invitation, email, digest in (
        (accepted, EVE, b"one"),
        (INVITATION, ADA, b"one"),
        (INVITATION, EVE, b"two"),
        (INVITATION.revoke(NOON), EVE, b"one"),
    ):
        with pytest.raises(InvitationMissing):
            invitation.accept(email, digest, NOON + HOUR)


def test_an_invitation_lasts_seven_days_and_is_renewed() -> None:
    last = NOON + LASTS
    assert INVITATION.waits(last - HOUR)
    assert not INVITATION.waits(last)
    with pytest.raises(InvitationExpired, match="too old"):
        INVITATION.accept(EVE, b"one", last)
    with pytest.raises(InvitationMissing):
        INVITATION.accept(ADA, b"one", last)
    renewed = INVITATION.renew(b"two", last)
    assert renewed.accept(EVE, b"two", last + HOUR).accepted_at == last + HOUR
    with pytest.raises(InvitationMissing):
        INVITATION.revoke(NOON).renew(b"two", NOON)


def test_nobody_is_invited_to_own() -> None:
    with pytest.raises(ValueError, match="nobody is invited to own"):
        replace(INVITATION, role=Role.OWNER)
