from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.accounts import SqlAccounts
from adapters.postgres.audit_log import SqlAuditLog
from adapters.postgres.billing import (
    SqlCheckouts,
    SqlCustomers,
    SqlInvoices,
    SqlNotices,
    SqlQuotes,
    SqlStripeEvents,
    SqlSubscriptions,
    SqlTopUps,
)
from adapters.postgres.catalog import SqlCatalogEntries
from adapters.postgres.credit_alerts import SqlCreditAlerts
from adapters.postgres.faults import reaching
from adapters.postgres.identities import SqlLinkedIdentities
from adapters.postgres.inbox import SqlDeadLetters, SqlInbox
from adapters.postgres.invitations import SqlInvitations
from adapters.postgres.keys import SqlKeys
from adapters.postgres.members import SqlMembers
from adapters.postgres.outbox import SqlOutbox
from adapters.postgres.personal_data import SqlPersonalData
from adapters.postgres.queued_runs import SqlRunBatches
from adapters.postgres.second_factors import SqlSecondFactors
from adapters.postgres.spend_limits import SqlSpendLimits
from adapters.postgres.users import SqlCodes, SqlUsers, SqlUserSessions
from adapters.postgres.workspaces import SqlWorkspaces


class SqlTx:
    """One open transaction, and every repository that writes through it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    @cached_property
    def accounts(self) -> SqlAccounts:
        return SqlAccounts(self._session)

    @cached_property
    def alerts(self) -> SqlCreditAlerts:
        return SqlCreditAlerts(self._session)

    @cached_property
    def audit(self) -> SqlAuditLog:
        return SqlAuditLog(self._session)

    @cached_property
    def catalog(self) -> SqlCatalogEntries:
        return SqlCatalogEntries(self._session)

    @cached_property
    def checkouts(self) -> SqlCheckouts:
        return SqlCheckouts(self._session)

    @cached_property
    def codes(self) -> SqlCodes:
        return SqlCodes(self._session)

    @cached_property
    def customers(self) -> SqlCustomers:
        return SqlCustomers(self._session)

    @cached_property
    def dead_letters(self) -> SqlDeadLetters:
        return SqlDeadLetters(self._session)

    @cached_property
    def identities(self) -> SqlLinkedIdentities:
        return SqlLinkedIdentities(self._session)

    @cached_property
    def inbox(self) -> SqlInbox:
        return SqlInbox(self._session)

    @cached_property
    def invitations(self) -> SqlInvitations:
        return SqlInvitations(self._session)

    @cached_property
    def invoices(self) -> SqlInvoices:
        return SqlInvoices(self._session)

    @cached_property
    def members(self) -> SqlMembers:
        return SqlMembers(self._session)

    @cached_property
    def notices(self) -> SqlNotices:
        return SqlNotices(self._session)

    @cached_property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self._session)

    @cached_property
    def quotes(self) -> SqlQuotes:
        return SqlQuotes(self._session)

    @property
    def replays(self) -> SqlOutbox:
        return self.outbox

    @cached_property
    def run_batches(self) -> SqlRunBatches:
        return SqlRunBatches(self._session)

    @cached_property
    def personal(self) -> SqlPersonalData:
        return SqlPersonalData(self._session)

    @cached_property
    def second_factors(self) -> SqlSecondFactors:
        return SqlSecondFactors(self._session)

    @cached_property
    def sessions(self) -> SqlUserSessions:
        return SqlUserSessions(self._session)

    @cached_property
    def stripe_events(self) -> SqlStripeEvents:
        return SqlStripeEvents(self._session)

    @cached_property
    def subscriptions(self) -> SqlSubscriptions:
        return SqlSubscriptions(self._session)

    @cached_property
    def top_ups(self) -> SqlTopUps:
        return SqlTopUps(self._session)

    @cached_property
    def users(self) -> SqlUsers:
        return SqlUsers(self._session)

    @cached_property
    def keys(self) -> SqlKeys:
        return SqlKeys(self._session)

    @cached_property
    def spend_limits(self) -> SqlSpendLimits:
        return SqlSpendLimits(self._session)

    @cached_property
    def workspaces(self) -> SqlWorkspaces:
        return SqlWorkspaces(self._session)


class SqlUnitOfWork:
    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[SqlTx]:
        with reaching():
            async with self._sessions.begin() as session:
                yield SqlTx(session)
