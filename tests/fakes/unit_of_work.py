"""Workspaces, accounts and keys without a database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from application.audit.ports import AuditLog, Filter
from application.keys.ports import Keys
from application.usage.alerts import CreditAlerts
from application.usage.parking import Parked
from application.usage.spend_limits import SpendLimits
from domain.audit.entry import Entry
from domain.billing.top_up import AutoTopUp
from domain.events import DeadLetter, EventId
from domain.identity.code import Code, Purpose
from domain.identity.elsewhere import LinkedIdentity
from domain.identity.second_factor import SecondFactor
from domain.identity.session import RefreshToken, Session
from domain.identity.user import User
from domain.ids import (
    AccountId,
    BatchId,
    EntryId,
    InvitationId,
    KeyId,
    LimitId,
    SessionId,
    UserId,
    WorkspaceId,
)
from domain.keys.errors import KeyMissing
from domain.keys.key import Key
from domain.usage.account import Account
from domain.usage.consumption import Consumption
from domain.usage.spend_limit import LimitMissing, ShadowSum, SpendLimit
from domain.workspaces.invitation import Invitation
from domain.workspaces.member import Membership
from domain.workspaces.workspace import Workspace
from tests.fakes.accounts import FakeAccounts, FakeWorkspaces
from tests.fakes.events import FakeDeadLetters, FakeInbox, FakeOutbox, Posted
from tests.fakes.people import FakeCodes, FakeInvitations, FakeMembers, FakeUsers, FakeUserSessions
from tests.fakes.personal_data import FakePersonalData
from tests.fakes.proofs import FakeLinkedIdentities, FakeSecondFactors
from tests.fakes.queued import FakeRunBatches
from tests.fakes.till import (
    FakeCheckouts,
    FakeCustomers,
    FakeInvoices,
    FakeNotices,
    FakeQuotes,
    FakeStripeEvents,
    FakeSubscriptions,
    FakeTopUps,
    TillRows,
)


@dataclass
class FakeKeys(Keys):
    rows: dict[KeyId, Key]

    async def add(self, key: Key) -> None:
        self.rows[key.id] = key

    async def get(self, id: KeyId) -> Key:
        if id not in self.rows:
            raise KeyMissing
        return self.rows[id]

    async def save(self, key: Key) -> None:
        self.rows[key.id] = key

    async def of(self, workspace: WorkspaceId | None) -> Sequence[Key]:
        return [self.rows[id] for id in sorted(self.rows) if self.rows[id].workspace == workspace]


@dataclass
class FakeSpendLimits(SpendLimits):
    rows: dict[LimitId, SpendLimit]
    sums: list[ShadowSum]
    accounts: FakeAccounts

    async def lock(self, account: AccountId) -> None:
        await self.accounts.get(account)

    async def add(self, limit: SpendLimit) -> None:
        self.rows[limit.id] = limit

    async def get(self, account: AccountId, id: LimitId) -> SpendLimit:
        found = self.rows.get(id)
        if found is None or found.account != account:
            raise LimitMissing
        return found

    async def save(self, limit: SpendLimit) -> None:
        kept = self.rows[limit.id]
        self.rows[limit.id] = replace(kept, amount=limit.amount, shadow=limit.shadow)

    async def remove(self, account: AccountId, id: LimitId) -> None:
        if id in self.rows and self.rows[id].account == account:
            del self.rows[id]
            self.sums = [each for each in self.sums if each.limit != id]

    async def of(self, account: AccountId) -> Sequence[SpendLimit]:
        return [self.rows[id] for id in sorted(self.rows) if self.rows[id].account == account]

    async def shadow(self, account: AccountId, id: LimitId) -> Sequence[ShadowSum]:
        found = [each for each in self.sums if (each.account, each.limit) == (account, id)]
        return sorted(found, key=lambda each: -each.count)


@dataclass
class FakeAuditLog(AuditLog):
    entries: list[Entry]

    async def add(self, entry: Entry) -> None:
        self.entries.append(entry)

    async def of(
        self, workspace: WorkspaceId, wanted: Filter, *, after: EntryId | None, limit: int
    ) -> Sequence[Entry]:
        found = [
            each
            for each in sorted(self.entries, key=lambda each: each.id, reverse=True)
            if each.workspace == workspace
            and (wanted.action is None or each.action == wanted.action)
            and (wanted.actor is None or each.actor == wanted.actor)
            and (wanted.start is None or each.at >= wanted.start)
            and (wanted.end is None or each.at < wanted.end)
            and (after is None or each.id < after)
        ]
        return found[:limit]


@dataclass
class FakeCreditAlerts(CreditAlerts):
    rows: set[tuple[AccountId, datetime, int]]

    async def mark(self, of: Consumption, thresholds: Sequence[int], at: datetime) -> bool:
        new = (of.account, of.since, thresholds[-1]) not in self.rows
        self.rows |= {(of.account, of.since, each) for each in thresholds}
        return new


class FakeTx:
    def __init__(self, committed: "FakeUnitOfWork") -> None:
        self.users = FakeUsers(dict(committed.users))
        workspaces = dict(committed.workspaces)
        self.members = FakeMembers(dict(committed.members), self.users, workspaces)
        self.workspaces = FakeWorkspaces(workspaces, self.members.rows)
        self.accounts = FakeAccounts(
            dict(committed.accounts),
            self.workspaces,
            dict(committed.parked),
            dict(committed.automatic),
            dict(committed.freezes),
        )
        self.till = committed.till.copy()
        self.customers, self.subscriptions = FakeCustomers(self.till), FakeSubscriptions(self.till)
        self.invoices, self.stripe_events = FakeInvoices(self.till), FakeStripeEvents(self.till)
        self.checkouts, self.quotes = FakeCheckouts(self.till), FakeQuotes(self.till)
        self.notices, self.top_ups = FakeNotices(self.till), FakeTopUps(self.till)
        self.keys = FakeKeys(dict(committed.keys))
        self.spend_limits = FakeSpendLimits(
            dict(committed.spend_limits), list(committed.shadow_sums), self.accounts
        )
        self.alerts = FakeCreditAlerts(set(committed.alerts))
        self.audit = FakeAuditLog(list(committed.entries))
        self.codes = FakeCodes(dict(committed.codes))
        self.sessions = FakeUserSessions(dict(committed.sessions), dict(committed.tokens))
        self.second_factors = FakeSecondFactors(
            dict(committed.second_factors), dict(committed.recovery_codes)
        )
        self.identities = FakeLinkedIdentities(dict(committed.identities))
        self.personal = FakePersonalData(self)
        self.invitations = FakeInvitations(dict(committed.invitations))
        self.outbox = FakeOutbox(list(committed.posted))
        self.replays = self.outbox
        self.inbox = FakeInbox(set(committed.inbox))
        self.dead_letters = FakeDeadLetters(dict(committed.letters))
        self.run_batches = FakeRunBatches(set(committed.told_batches))


@dataclass
class FakeUnitOfWork:
    """One transaction at a time, on a copy that becomes the state when the block ends well.

    Entities are frozen, so copying the dictionaries copies everything.
    """

    workspaces: dict[WorkspaceId, Workspace] = field(default_factory=dict)
    accounts: dict[AccountId, Account] = field(default_factory=dict)
    parked: dict[AccountId, Parked] = field(default_factory=dict)
    automatic: dict[AccountId, AutoTopUp] = field(default_factory=dict)
    freezes: dict[AccountId, datetime] = field(default_factory=dict)
    till: TillRows = field(default_factory=TillRows)
    keys: dict[KeyId, Key] = field(default_factory=dict)
    spend_limits: dict[LimitId, SpendLimit] = field(default_factory=dict)
    shadow_sums: list[ShadowSum] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    alerts: set[tuple[AccountId, datetime, int]] = field(default_factory=set)
    users: dict[UserId, User] = field(default_factory=dict)
    codes: dict[tuple[UserId, Purpose], Code] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    tokens: dict[bytes, RefreshToken] = field(default_factory=dict)
    members: dict[tuple[WorkspaceId, UserId], Membership] = field(default_factory=dict)
    invitations: dict[InvitationId, Invitation] = field(default_factory=dict)
    second_factors: dict[UserId, SecondFactor] = field(default_factory=dict)
    recovery_codes: dict[UserId, dict[bytes, bool]] = field(default_factory=dict)
    identities: dict[tuple[str, str], LinkedIdentity] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    inbox: set[tuple[str, EventId]] = field(default_factory=set)
    letters: dict[tuple[str, EventId], DeadLetter] = field(default_factory=dict)
    told_batches: set[tuple[AccountId, BatchId]] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[FakeTx]:
        async with self._turn:
            tx = FakeTx(self)
            yield tx
            self.workspaces = tx.workspaces.rows
            self.accounts, self.parked = tx.accounts.rows, tx.accounts.reasons
            self.automatic, self.freezes, self.till = tx.accounts.automatic, tx.accounts.freezes, tx.till
            self.keys = tx.keys.rows
            self.spend_limits, self.shadow_sums = tx.spend_limits.rows, tx.spend_limits.sums
            self.entries, self.alerts = tx.audit.entries, tx.alerts.rows
            self.users, self.codes = tx.users.rows, tx.codes.rows
            self.sessions, self.tokens = tx.sessions.rows, tx.sessions.tokens
            self.members = tx.members.rows
            self.second_factors, self.recovery_codes = tx.second_factors.rows, tx.second_factors.codes
            self.identities = tx.identities.rows
            self.invitations = tx.invitations.rows
            self.posted, self.inbox, self.letters = tx.outbox.rows, tx.inbox.rows, tx.dead_letters.rows
            self.told_batches = tx.run_batches.told
