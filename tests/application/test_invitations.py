"""People are invited by mail, and accept as whom they were invited."""

from datetime import timedelta

import pytest

from application.notifications.post import PostMail
from application.workspaces.invitations import (
    AcceptInvitation,
    Invite,
    ListInvitations,
    RevokeInvitation,
    SendInvitation,
)
from domain.email import Email
from domain.errors import DomainError
from domain.ids import UserId, WorkspaceId, user_text
from domain.workspaces.errors import (
    AlreadyInvited,
    AlreadyMember,
    InvitationExpired,
    InvitationMissing,
    PersonalWorkspace,
    SeatsTaken,
)
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes.clock import NOON
from tests.fakes.events import Mails
from tests.fakes.office import FakeOffice
from tests.fakes.people import CountedTries, PlainSecrecy

WEEK = timedelta(days=7)


class Lobby:
    """An office of three seats with its owner, and Eve, who has an account elsewhere."""

    def __init__(self) -> None:
        self.office = FakeOffice()
        self.office.seat(3)
        self.owner = self.office.joined(Role.OWNER, name="Olga")
        self.eve = self.office.stranger()
        self.address: Email = self.office.work.users[self.eve.user].email
        self.mails, self.tries = Mails(self.office.work), CountedTries()
        office = self.office
        self.invite = Invite(
            uow=office.work,
            secrets=office.secret,
            throttle=self.tries,
            send=SendInvitation(PostMail(PlainSecrecy())),
            clock=office.clock,
            new_id=office.new_id,
            record=office.record,
        )
        self.revoke = RevokeInvitation(office.work, office.clock, office.record)
        self.list = ListInvitations(office.work)
        self.accept = AcceptInvitation(office.work, office.clock, office.record)

    @property
    def token(self) -> str:
        return self.mails.sent[-1].facts["token"]

    async def refuses(self, refusal: type[DomainError], token: str | None = None) -> None:
        with pytest.raises(refusal):
            await self.accept(self.eve, token or self.token)


@pytest.fixture
def lobby() -> Lobby:
    return Lobby()


async def test_who_is_invited_accepts_and_is_a_member(lobby: Lobby) -> None:
    invitation = await lobby.invite(lobby.owner, lobby.address, Role.ADMIN)
    mail = lobby.mails.sent[-1]
    assert (mail.to, mail.facts["inviter"], mail.facts["workspace"]) == (lobby.address.text, "Olga", "Acme")
    assert lobby.token.encode() not in invitation.digest
    assert list(await lobby.list(lobby.owner)) == [invitation]
    workspace, member = await lobby.accept(lobby.eve, lobby.token)
    assert (workspace, member.role, member.joined_at) == (lobby.office.workspace, Role.ADMIN, NOON)
    assert await lobby.list(lobby.owner) == []
    sent, joined = lobby.office.work.entries
    assert (sent.action, sent.after) == ("invitation.sent", {"role": "admin"})
    assert (joined.action, joined.actor) == ("member.joined", lobby.eve.user)
    assert joined.after == {"role": "admin", "invited_by": user_text(lobby.owner.person.user)}
    await lobby.refuses(InvitationMissing)


async def test_nobody_else_can_accept_nor_without_the_token(lobby: Lobby) -> None:
    await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    stranger = lobby.office.stranger()
    with pytest.raises(InvitationMissing):
        await lobby.accept(stranger, lobby.token)
    await lobby.refuses(InvitationMissing, "cbx_inv_" + "0" * 64)
    await lobby.accept(lobby.eve, lobby.token)


async def test_an_invitation_is_resent_and_only_the_new_token_works(lobby: Lobby) -> None:
    invitation = await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    old = lobby.token
    lobby.office.clock.pass_by(WEEK)
    await lobby.refuses(InvitationExpired)
    again = await lobby.invite.again(lobby.owner, invitation.id)
    assert again.expires_at == NOON + 2 * WEEK
    await lobby.refuses(InvitationMissing, old)
    assert lobby.office.work.entries[-1].action == "invitation.resent"
    await lobby.accept(lobby.eve, lobby.token)


async def test_a_revoked_invitation_is_gone(lobby: Lobby) -> None:
    invitation = await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    await lobby.revoke(lobby.owner, invitation.id)
    assert lobby.office.work.entries[-1].action == "invitation.revoked"
    await lobby.refuses(InvitationMissing)
    with pytest.raises(InvitationMissing):
        await lobby.revoke(lobby.owner, invitation.id)
    stranger = lobby.office.member(workspace=WorkspaceId(lobby.office.new_id()))
    for actor in (lobby.owner, stranger):
        with pytest.raises(InvitationMissing):
            await lobby.invite.again(actor, invitation.id)


async def test_one_invitation_for_an_address_until_it_is_too_old(lobby: Lobby) -> None:
    first = await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    with pytest.raises(AlreadyInvited):
        await lobby.invite(lobby.owner, lobby.address, Role.ADMIN)
    lobby.office.clock.pass_by(WEEK)
    second = await lobby.invite(lobby.owner, lobby.address, Role.ADMIN)
    assert [each.id for each in await lobby.list(lobby.owner)] == [second.id]
    assert not lobby.office.work.invitations[first.id].open


async def test_a_member_is_not_invited_and_joins_once(lobby: Lobby) -> None:
    await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    token = lobby.token
    member = lobby.office.joined()
    lobby.office.work.members[lobby.office.workspace.id, lobby.eve.user] = lobby.office.work.members[
        lobby.office.workspace.id, member.person.user
    ]
    await lobby.refuses(AlreadyMember, token)
    with pytest.raises(AlreadyMember):
        await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)


async def test_an_open_invitation_keeps_a_seat(lobby: Lobby) -> None:
    office = lobby.office
    first = await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    others = [office.sign_up(UserId(office.new_id())).email for _ in range(2)]
    await lobby.invite(lobby.owner, others[0], Role.MEMBER)
    with pytest.raises(SeatsTaken):
        await lobby.invite(lobby.owner, others[1], Role.MEMBER)
    await lobby.invite.again(lobby.owner, first.id)
    office.clock.pass_by(WEEK)
    office.joined()
    await lobby.invite(lobby.owner, others[1], Role.MEMBER)
    with pytest.raises(SeatsTaken):
        await lobby.invite.again(lobby.owner, first.id)


async def test_nobody_sits_where_no_seat_is(lobby: Lobby) -> None:
    await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    lobby.office.seat(1)
    await lobby.refuses(SeatsTaken)


async def test_a_deleted_workspace_has_no_invitations(lobby: Lobby) -> None:
    await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    workspace = lobby.office.workspace
    lobby.office.work.workspaces[workspace.id] = workspace.delete(workspace.name, NOON)
    await lobby.refuses(InvitationMissing)


async def test_nobody_is_invited_into_a_personal_workspace(lobby: Lobby) -> None:
    id = lobby.office.workspace.id
    personal = Workspace(id=id, name="Olga", kind=Kind.PERSONAL, created_at=NOON)
    lobby.office.work.workspaces[id] = personal
    with pytest.raises(PersonalWorkspace):
        await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    assert lobby.mails.sent == []


async def test_invitations_are_counted_by_workspace_and_by_address(lobby: Lobby) -> None:
    invitation = await lobby.invite(lobby.owner, lobby.address, Role.MEMBER)
    workspace = str(lobby.office.workspace.id)
    counted = [("invitation", workspace), ("invitation_to", f"{workspace} {lobby.address.key}")]
    assert lobby.tries.tries == counted
    await lobby.invite.again(lobby.owner, invitation.id)
    assert lobby.tries.tries == counted * 2
