"""As https://developers.google.com/identity/openid-connect/openid-connect says.

Who it is comes from the userinfo endpoint, by the token that was just fetched over TLS, so that there is no
signature of an ID token to be checked.
"""

from dataclasses import dataclass
from typing import Annotated

import httpx
import msgspec

from adapters.oauth.client import OAuthClient, Registration
from application.identity.elsewhere import Provider
from domain.identity.elsewhere import Proved


@dataclass(frozen=True, slots=True)
class Endpoints:
    authorize: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    user: str = "https://openidconnect.googleapis.com/v1/userinfo"


class _User(msgspec.Struct):
    """``sub`` is as OpenID Connect Core 1.0, section 2, has it."""

    sub: Annotated[str, msgspec.Meta(pattern="^[!-~]{1,255}$")]
    email: str | None = None
    email_verified: bool = False
    name: str = ""


class Google(Provider):
    def __init__(
        self, http: httpx.AsyncClient, registration: Registration, endpoints: Endpoints | None = None
    ) -> None:
        self._client = OAuthClient(self.name, http, registration)
        self._endpoints = endpoints or Endpoints()

    @property
    def name(self) -> str:
        return "google"

    def authorization_url(self, state: str, challenge: str) -> str:
        return self._client.authorization_url(
            self._endpoints.authorize, scope="openid email profile", state=state, challenge=challenge
        )

    async def identify(self, code: str, verifier: str) -> Proved:
        token = await self._client.token(self._endpoints.token, code, verifier)
        user = await self._client.read(self._endpoints.user, token, _User)
        verified = user.email if user.email_verified else None
        return Proved(provider=self.name, subject=user.sub, email=verified, name=user.name)
