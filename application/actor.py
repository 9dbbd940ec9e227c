"""Who asks. Made at the edge from a credential, and passed first."""

from dataclasses import dataclass

from domain.ids import AccountId, KeyId, PlanRef, WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer's program, known by its API key. ``test`` keys go through everything and pay nothing."""

    key: KeyId
    test: bool
    workspace: WorkspaceId
    account: AccountId
    plan: PlanRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The seller's own service, which may act on every account."""

    key: KeyId
