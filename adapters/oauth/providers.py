from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import httpx

from adapters.oauth.client import Registration
from adapters.oauth.github import GitHub
from adapters.oauth.google import Google
from adapters.oauth.registered import RegisteredProviders
from application.identity.elsewhere import Provider, Providers

SECONDS = 10.0
KNOWN: Mapping[str, Callable[[httpx.AsyncClient, Registration], Provider]] = {
    "google": Google,
    "github": GitHub,
}


@asynccontextmanager
async def registered(
    apps: Mapping[str, tuple[str, str]], *, redirect_url: str | None
) -> AsyncIterator[Providers]:
    """Those of KNOWN that have an app: its id, its secret. No redirect is followed: none sends one."""
    async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as http:
        yield RegisteredProviders(
            KNOWN[name](http, Registration(id, secret, f"{redirect_url}/{name}"))
            for name, (id, secret) in apps.items()
        )
