"""Where a request comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from litestar.types import Scope

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Caller:
    """``device`` is what the client calls itself."""

    address: str
    device: str
    cookies: str = field(default="", repr=False)

    def cookie(self, name: str) -> str:
        """Empty where there is none. Other cookies may be of any form (RFC 6265, section 5.4)."""
        for each in self.cookies.split(";"):
            key, _, value = each.partition("=")
            if key.strip() == name:
                return value.strip()
        return ""


@lru_cache(8)
def read_networks(text: str) -> tuple[Network, ...]:
    """A comma list. Raises ValueError."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The peer's; behind proxies that are trusted, the last in X-Forwarded-For that is none of them.

    What stands before that in the header, anybody may have written.
    """
    client: Any = scope.get("client")
    address = client[0] if client else ""
    if not trusted or not _in(address, trusted):
        return str(address)
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    for hop in reversed(b",".join(values).decode("latin-1").split(",")):
        address = hop.strip() or address
        if not _in(address, trusted):
            break
    return str(address)


def _in(address: str, networks: Sequence[Network]) -> bool:
    try:
        given = ip_address(address)
    except ValueError:
        return False
    return any(given in each for each in networks)
