"""Keys and accounts as requests ask for them, from what a fake unit of work has committed."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from application.keys.ports import AccountDirectory, Keyring, KeyUses
from domain.ids import AccountId, KeyId
from domain.keys.key import Key
from domain.usage.account import Account
from tests.fakes.unit_of_work import FakeTx, FakeUnitOfWork


@dataclass
class FakeKeyring(Keyring):
    work: FakeUnitOfWork
    kept: dict[bytes, Key] = field(default_factory=dict)
    """What is known without looking."""
    looked: list[bytes] = field(default_factory=list)

    def known(self, digest: bytes) -> Key | None:
        return self.kept.get(digest)

    async def find(self, digest: bytes) -> Key | None:
        self.looked.append(digest)
        key = next((key for key in self.work.keys.values() if digest in key.digests), None)
        if key is None or key.workspace is None or key.created_by is None:
            return key
        maker = self.work.members.get((key.workspace, key.created_by))
        return replace(key, suspended=maker is not None and not maker.enabled)


@dataclass
class NotedUses(KeyUses):
    noted: dict[KeyId, datetime] = field(default_factory=dict)

    def note(self, key: KeyId, at: datetime) -> None:
        self.noted[key] = at


@dataclass
class FakeDirectory(AccountDirectory):
    work: FakeUnitOfWork

    async def find(self, id: AccountId) -> Account:
        return await FakeTx(self.work).accounts.get(id)
