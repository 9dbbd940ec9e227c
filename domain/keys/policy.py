from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

from domain.keys.errors import AddressNotAllowed, FeatureNotAllowed, NetworkRefused

_network = lru_cache(10_000)(ip_network)


def check_network(text: str) -> str:
    """A network in its usual form. Raises NetworkRefused, also where bits behind the prefix are set."""
    try:
        return str(ip_network(text))
    except ValueError:
        raise NetworkRefused(text[:60]) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a key may do within its plan; what is None is not bounded.

    ``networks`` are in CIDR form (RFC 4632, RFC 4291); ``per_minute`` and ``per_day`` bound the key's own
    calls, beside those of its workspace.
    """

    features: tuple[str, ...] | None = None
    networks: tuple[str, ...] | None = None
    per_minute: int | None = None
    per_day: int | None = None

    def permits(self, feature: str) -> bool:
        return self.features is None or feature in self.features

    def check_feature(self, feature: str) -> None:
        """Raises FeatureNotAllowed."""
        if not self.permits(feature):
            raise FeatureNotAllowed(feature)

    def check_address(self, address: str) -> None:
        """Raises AddressNotAllowed. An IPv4 address may come in the form that IPv6 has for it (RFC 4291)."""
        if self.networks is None:
            return
        try:
            given = ip_address(address)
        except ValueError:
            raise AddressNotAllowed(address) from None
        plain = getattr(given, "ipv4_mapped", None) or given
        if not any(plain in _network(each) for each in self.networks):
            raise AddressNotAllowed(str(plain))


ANYTHING = Policy()
