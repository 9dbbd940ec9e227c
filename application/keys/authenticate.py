from dataclasses import dataclass

from application.actor import Customer, Service
from application.keys.ports import AccountDirectory, Keyring, KeyUses
from application.ports import Clock
from domain.errors import Denied
from domain.keys.errors import ApiKeyUnknown, CustomerKeyNeeded, ServiceKeyRefused
from domain.keys.key import Key, KeyKind, digest_of, kind_of


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Who presents a key."""

    keyring: Keyring
    directory: AccountDirectory
    clock: Clock
    uses: KeyUses

    async def customer(self, text: str, *, address: str | None = None) -> Customer:
        """``address``: where the customer calls from, where that is known.

        Raises ApiKeyUnknown, ApiKeyRevoked, ApiKeyExpired, ApiKeySuspended, CustomerKeyNeeded,
        AddressNotAllowed.
        """
        key = await self._find(text)
        if key.account is None:
            raise CustomerKeyNeeded
        if address is not None:
            key.policy.check_address(address)
        account = await self.directory.find(key.account)
        return Customer(
            key=key.id,
            test=key.kind is KeyKind.TEST,
            workspace=account.workspace,
            account=account.id,
            plan=account.plan,
            member=key.created_by,
            policy=key.policy,
        )

    async def service(self, text: str) -> Service:
        """Raises ServiceKeyRefused, whatever is wrong with the key."""
        try:
            key = await self._find(text)
        except Denied:
            raise ServiceKeyRefused from None
        if key.kind is not KeyKind.SERVICE:
            raise ServiceKeyRefused
        return Service(key=key.id)

    async def _find(self, text: str) -> Key:
        digest = digest_of(text)
        key = self.keyring.known(digest)
        if key is None:
            kind_of(text)  # the checksum spares the database whatever was mistyped or made up
            key = await self.keyring.find(digest)
        if key is None:
            raise ApiKeyUnknown
        now = self.clock.now()
        key.accept(digest, now)
        self.uses.note(key.id, now)
        return key
