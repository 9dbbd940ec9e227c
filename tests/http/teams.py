"""A team's workspace, with whoever sits in it."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from application.actor import Operator
from application.usage.grants import GrantCredits
from application.workspaces.members import SetSeats
from domain.credits import MICRO
from domain.ids import parse_account, parse_workspace
from domain.usage.lot import Source
from tests.http.test_identity import Neighbour, Town


@dataclass
class Team:
    town: Town
    owner: Neighbour
    workspace: str
    account: str
    members: dict[str, Neighbour] = field(default_factory=dict)

    @classmethod
    async def of(cls, town: Town, name: str = "olga", *, seats: int = 10) -> "Team":
        owner = await town.neighbour(name)
        made = (await town.post("/v1/workspaces", owner.token, name="Acme")).json()
        setting = await town.services.get(SetSeats)
        await setting(Operator(), parse_workspace(made["id"]), seats)
        return cls(town, owner, made["id"], made["accounts"][0]["id"])

    @property
    def path(self) -> str:
        return f"/v1/workspaces/{self.workspace}"

    async def invite(self, neighbour: Neighbour, role: str = "member") -> str:
        """The token from the mail."""
        body = {"email": neighbour.email, "role": role}
        answer = await self.town.post(f"{self.path}/invitations", self.owner.token, **body)
        assert answer.status_code == 201, answer.text
        return self.town.mail()[1]

    async def join(self, name: str, role: str = "member") -> Neighbour:
        neighbour = await self.town.neighbour(name)
        token = await self.invite(neighbour, role)
        answer = await self.town.post("/v1/invitations/accept", neighbour.token, token=token)
        assert answer.status_code == 200, answer.text
        self.members[name] = neighbour
        return neighbour

    async def key(self, by: Neighbour | None = None, **body: object) -> dict[str, Any]:
        body = {"name": "CI", "account_id": self.account, **body}
        answer = await self.town.post(f"{self.path}/keys", (by or self.owner).token, **body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def subscribe(self) -> None:
        """To a plan without limits of calls, with credits enough."""
        id = parse_account(self.account)
        async with (await self.town.services.get(AsyncEngine)).begin() as connection:
            moved = sa.text("UPDATE account SET plan = 'scale' WHERE id = :id")
            await connection.execute(moved, {"id": id})
        await (await self.town.services.get(GrantCredits))(id, source=Source.TOP_UP, amount=1000 * MICRO)
