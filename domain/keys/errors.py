from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.errors import Denied, Invalid, Missing, Unauthenticated


class ApiKeyUnknown(Denied):
    """Also for one that is mistyped, which the checksum tells."""

    code: ClassVar[str] = "api_key_unknown"

    def __str__(self) -> str:
        return "the API key is not known"


@dataclass(eq=False)
class ApiKeyRevoked(Denied):
    code: ClassVar[str] = "api_key_revoked"
    revoked_at: datetime

    def __str__(self) -> str:
        return "the API key was revoked"


@dataclass(eq=False)
class ApiKeyExpired(Denied):
    code: ClassVar[str] = "api_key_expired"
    expired_at: datetime

    def __str__(self) -> str:
        return "the API key has expired"


class ApiKeySuspended(Denied):
    code: ClassVar[str] = "api_key_suspended"

    def __str__(self) -> str:
        return "whoever made the API key is disabled in its workspace"


@dataclass(eq=False)
class AddressNotAllowed(Denied):
    code: ClassVar[str] = "address_not_allowed"
    address: str

    def __str__(self) -> str:
        return f"this API key is not for use from {self.address}"


@dataclass(eq=False)
class FeatureNotAllowed(Denied):
    code: ClassVar[str] = "feature_not_allowed"
    feature: str

    def __str__(self) -> str:
        return f"this API key is not for the feature {self.feature!r}"


@dataclass(eq=False)
class NetworkRefused(Invalid):
    code: ClassVar[str] = "network_refused"
    given: str

    def __str__(self) -> str:
        return f"{self.given!r} is no network such as 203.0.113.0/24 or 2001:db8::/32"


class CredentialMissing(Unauthenticated):
    code: ClassVar[str] = "credential_missing"

    def __str__(self) -> str:
        return "send the key as Authorization: Bearer cbx_..."


class ServiceKeyRefused(Unauthenticated):
    code: ClassVar[str] = "service_key_refused"

    def __str__(self) -> str:
        return "this needs a valid service key (cbx_svc_...)"


class CustomerKeyNeeded(Unauthenticated):
    code: ClassVar[str] = "customer_key_needed"

    def __str__(self) -> str:
        return "this needs a customer's key (cbx_live_... or cbx_test_...), not a service key"


class KeyMissing(Missing):
    code: ClassVar[str] = "key_missing"

    def __str__(self) -> str:
        return "there is no such key"
