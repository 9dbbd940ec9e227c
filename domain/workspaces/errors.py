from dataclasses import dataclass
from typing import ClassVar

from domain.errors import Conflict, Invalid, Missing


@dataclass(eq=False)
class SeatsTaken(Conflict):
    code: ClassVar[str] = "seats_taken"
    seats: int

    def __str__(self) -> str:
        return f"all {self.seats} seats of the workspace are taken: disable a member, or get more seats"


@dataclass(eq=False)
class SeatsNeeded(Conflict):
    code: ClassVar[str] = "seats_needed"
    enabled: int

    def __str__(self) -> str:
        return f"{self.enabled} members are enabled: disable some first, or keep as many seats"


@dataclass(eq=False)
class SeatsSold(Conflict):
    """Nobody gives by hand what is paid for at Stripe: the next word from there would undo it."""

    code: ClassVar[str] = "seats_sold"
    product: str

    def __str__(self) -> str:
        return f"the seats follow the subscription of {self.product}: change that one"


class OwnerStays(Conflict):
    code: ClassVar[str] = "owner_stays"

    def __str__(self) -> str:
        return "a workspace has an owner at all times: transfer the ownership first"


class PersonalWorkspace(Conflict):
    code: ClassVar[str] = "personal_workspace"

    def __str__(self) -> str:
        return "a personal workspace is its owner's alone, for as long as the owner has an account"


class AlreadyMember(Conflict):
    code: ClassVar[str] = "already_member"

    def __str__(self) -> str:
        return "somebody with this address is a member already"


class AlreadyInvited(Conflict):
    code: ClassVar[str] = "already_invited"

    def __str__(self) -> str:
        return "this address has an invitation already: resend it, or revoke it"


class MemberMissing(Missing):
    code: ClassVar[str] = "member_missing"

    def __str__(self) -> str:
        return "there is no such member"


class InvitationMissing(Missing):
    """Also where it is for another address, revoked, or used."""

    code: ClassVar[str] = "invitation_missing"

    def __str__(self) -> str:
        return "there is no such invitation for this address, or no longer"


class InvitationExpired(Conflict):
    code: ClassVar[str] = "invitation_expired"

    def __str__(self) -> str:
        return "the invitation is too old: ask for another one"


class SlugRefused(Invalid):
    code: ClassVar[str] = "slug_refused"

    def __str__(self) -> str:
        return "a slug has 3 to 40 small letters, digits and single hyphens between them, such as acme-labs"


class SlugTaken(Conflict):
    code: ClassVar[str] = "slug_taken"

    def __str__(self) -> str:
        return "another workspace has this slug"


class NameNotTyped(Invalid):
    code: ClassVar[str] = "name_not_typed"

    def __str__(self) -> str:
        return "type the workspace's name, exactly as it is, to delete it"
