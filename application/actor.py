"""Who asks. Made at the edge from a credential, and passed first."""

from dataclasses import dataclass

from domain.ids import AccountId, KeyId, PlanRef, SessionId, UserId, WorkspaceId
from domain.keys.policy import ANYTHING, Policy
from domain.workspaces.role import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer's program, known by its API key. ``test`` keys go through everything and pay nothing."""

    key: KeyId
    test: bool
    workspace: WorkspaceId
    account: AccountId
    plan: PlanRef
    member: UserId | None = None
    """Who made the key."""
    policy: Policy = ANYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The seller's own service, which may act on every account."""

    key: KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who has signed in. ``address`` is where the request came from, for the audit log."""

    user: UserId
    session: SessionId
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in one workspace, with the role that was enabled there when the request came in."""

    person: Person
    workspace: WorkspaceId
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Whoever runs CueBX: at the command line, or as somebody who was appointed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailService:
    """Whoever sends our mails, and tells what became of them."""
