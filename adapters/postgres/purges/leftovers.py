from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.purges.people import CODES, INVITATIONS, SESSIONS
from adapters.postgres.purges.reservations import purge_reservations
from adapters.postgres.purges.runs import BATCHES, INBOX, QUEUED_RUNS, RUNS
from adapters.postgres.purges.steps import in_steps, step
from application.jobs.purge import Kind, Leftovers

_ALERTS = step("""
    DELETE FROM credit_alert WHERE (account_id, since, threshold) IN (
        SELECT account_id, since, threshold FROM credit_alert WHERE told_at < now() - :keep
        LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
_STRIPE_EVENTS = step("""
    DELETE FROM stripe_event WHERE id IN (
        SELECT id FROM stripe_event WHERE received_at < now() - :keep LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
_QUOTES = step("""
    DELETE FROM quote WHERE (account_id, id) IN (
        SELECT account_id, id FROM quote WHERE expires_at < now() - :keep
        LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
_STEPS = {
    Kind.RUNS: RUNS,
    Kind.SESSIONS: SESSIONS,
    Kind.CODES: CODES,
    Kind.INVITATIONS: INVITATIONS,
    Kind.ALERTS: _ALERTS,
    Kind.QUEUED_RUNS: QUEUED_RUNS,
    Kind.BATCHES: BATCHES,
    Kind.INBOX: INBOX,
    Kind.STRIPE_EVENTS: _STRIPE_EVENTS,
    Kind.QUOTES: _QUOTES,
}
_TOKENS = 20
"""Refresh tokens that go with a session, about."""


class SqlLeftovers(Leftovers):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    def purge(self, kind: Kind, *, keep: timedelta, most: int) -> AsyncIterator[int]:
        if kind is Kind.RESERVATIONS:
            return purge_reservations(self._engine, keep=keep, most=most)
        if kind is Kind.SESSIONS:
            most = max(1, most // _TOKENS)
        return in_steps(self._engine, _STEPS[kind], keep=keep, most=most)
