"""What is held about somebody, without a database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from application.identity.personal_data import Held, PersonalData
from domain.identity.user import User
from domain.ids import UserId

if TYPE_CHECKING:
    from tests.fakes.unit_of_work import FakeTx


@dataclass
class FakePersonalData(PersonalData):
    tx: FakeTx

    async def held(self, user: User) -> Held:
        tx = self.tx
        return Held(
            user=user,
            sessions=sorted(
                (each for each in tx.sessions.rows.values() if each.user == user.id), key=lambda each: each.id
            ),
            identities=await tx.identities.of(user.id),
            memberships=sorted(
                (each for each in tx.members.rows.values() if each.user == user.id),
                key=lambda each: each.workspace,
            ),
            invitations=sorted(
                (each for each in tx.invitations.rows.values() if each.email.key == user.email.key),
                key=lambda each: each.id,
            ),
            keys=sorted(
                (each for each in tx.keys.rows.values() if each.created_by == user.id),
                key=lambda each: each.id,
            ),
            entries=sorted(
                (each for each in tx.audit.entries if each.actor == user.id), key=lambda each: each.id
            ),
        )

    async def due(self, now: datetime, *, but: Collection[UserId]) -> User | None:
        waiting = [
            each
            for each in self.tx.users.rows.values()
            if each.deletes_at is not None and each.deletes_at <= now and each.id not in but
        ]
        return min(waiting, key=lambda each: each.deletes_at or now, default=None)

    async def erase(self, user: User, at: datetime) -> None:
        tx, id = self.tx, user.id
        del tx.users.rows[id]
        tx.codes.rows = {place: each for place, each in tx.codes.rows.items() if each.user != id}
        tx.sessions.rows = {key: each for key, each in tx.sessions.rows.items() if each.user != id}
        tx.sessions.tokens = {key: each for key, each in tx.sessions.tokens.items() if each.user != id}
        tx.identities.rows = {key: each for key, each in tx.identities.rows.items() if each.user != id}
        tx.second_factors.rows.pop(id, None)
        tx.second_factors.codes.pop(id, None)
        tx.invitations.rows = {
            key: each for key, each in tx.invitations.rows.items() if each.email.key != user.email.key
        }
        tx.dead_letters.rows = {
            key: each for key, each in tx.dead_letters.rows.items() if user.email.text not in each.body
        }
