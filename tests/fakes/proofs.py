"""What else than a password shows who somebody is, without a database, an app, or another provider."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from application.identity.elsewhere import LinkedIdentities, Provider, Providers
from application.identity.second_factor import OneTimePasswords, SecondFactors
from domain.identity.elsewhere import ElsewhereRefused, LinkedIdentity, Proved, ProviderMissing
from domain.identity.second_factor import SecondFactor
from domain.ids import UserId


@dataclass
class FakeSecondFactors(SecondFactors):
    rows: dict[UserId, SecondFactor]
    codes: dict[UserId, dict[bytes, bool]]
    """Whether each was used."""

    async def get(self, user: UserId, *, lock: bool = True) -> SecondFactor | None:
        return self.rows.get(user)

    async def save(self, factor: SecondFactor) -> None:
        self.rows[factor.user] = factor

    async def remove(self, user: UserId) -> None:
        self.rows.pop(user, None)
        await self.put_codes(user, ())

    async def put_codes(self, user: UserId, digests: Sequence[bytes]) -> None:
        self.codes[user] = dict.fromkeys(digests, False)

    async def use_code(self, user: UserId, digest: bytes, at: datetime) -> bool:
        if self.codes.get(user, {}).get(digest, True):
            return False
        self.codes[user] = {**self.codes[user], digest: True}
        return True

    async def codes_left(self, user: UserId) -> int:
        return sum(not used for used in self.codes.get(user, {}).values())


@dataclass
class FakeLinkedIdentities(LinkedIdentities):
    rows: dict[tuple[str, str], LinkedIdentity]

    async def get(self, provider: str, subject: str) -> LinkedIdentity | None:
        return self.rows.get((provider, subject))

    async def add(self, identity: LinkedIdentity) -> None:
        self.rows.setdefault((identity.provider, identity.subject), identity)

    async def of(self, user: UserId) -> Sequence[LinkedIdentity]:
        found = [each for each in self.rows.values() if each.user == user]
        return sorted(found, key=lambda each: (each.linked_at, each.provider))

    async def remove(self, identity: LinkedIdentity) -> None:
        del self.rows[identity.provider, identity.subject]


class PlainOneTimePasswords(OneTimePasswords):
    """The code of a step of 30 seconds is its number's last six digits."""

    def text(self, secret: bytes) -> str:
        return secret.hex()

    def uri(self, secret: bytes, account: str) -> str:
        return f"otpauth://{account}/{secret.hex()}"

    def step(self, secret: bytes, code: str, at: datetime) -> int | None:
        now = int(at.timestamp()) // 30
        return next((step for step in (now, now - 1, now + 1) if code == f"{step % 10**6:06}"), None)


@dataclass
class PlainProvider(Provider):
    """Whoever brings back the code ``good`` is ``proved``."""

    proved: Proved
    verifiers: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.proved.provider

    def authorization_url(self, state: str, challenge: str) -> str:
        return f"https://{self.name}.example/authorize?state={state}&challenge={challenge}"

    async def identify(self, code: str, verifier: str) -> Proved:
        if code != "good":
            raise ElsewhereRefused
        self.verifiers.append(verifier)
        return self.proved


@dataclass
class PlainProviders(Providers):
    known: dict[str, Provider] = field(default_factory=dict)

    def get(self, name: str) -> Provider:
        if name not in self.known:
            raise ProviderMissing
        return self.known[name]
