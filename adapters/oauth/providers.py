from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

import httpx

from adapters.oauth.client import Registration
from adapters.oauth.github import GitHub
from adapters.oauth.google import Google
from application.identity.elsewhere import Provider, Providers
from domain.identity.elsewhere import ProviderMissing

SECONDS = 10.0
KNOWN: Mapping[str, Callable[[httpx.AsyncClient, Registration], Provider]] = {
    "google": Google,
    "github": GitHub,
}


class ConfiguredProviders(Providers):
    def __init__(self, providers: Iterable[Provider]) -> None:
        self._providers = {each.name: each for each in providers}

    def get(self, name: str) -> Provider:
        found = self._providers.get(name)
        if found is None:
            raise ProviderMissing
        return found


@asynccontextmanager
async def configured(registrations: Mapping[str, Registration]) -> AsyncIterator[Providers]:
    """Those of KNOWN that have a registration. No redirect is followed: none of them sends one."""
    async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as http:
        yield ConfiguredProviders(KNOWN[name](http, each) for name, each in registrations.items())
