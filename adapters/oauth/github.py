"""As https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps says."""

from dataclasses import dataclass

import httpx
import msgspec

from adapters.oauth.client import OAuthClient, Registration
from application.identity.elsewhere import Provider
from domain.identity.elsewhere import Proved


@dataclass(frozen=True, slots=True)
class Endpoints:
    authorize: str = "https://github.com/login/oauth/authorize"
    token: str = "https://github.com/login/oauth/access_token"  # noqa: S105 - an address
    user: str = "https://api.github.com/user"
    emails: str = "https://api.github.com/user/emails"


class _User(msgspec.Struct):
    """A login can be given up, and go to another; the number cannot."""

    id: int
    login: str
    name: str | None = None


class _Email(msgspec.Struct):
    email: str
    primary: bool
    verified: bool


class GitHub(Provider):
    def __init__(
        self, http: httpx.AsyncClient, registration: Registration, endpoints: Endpoints | None = None
    ) -> None:
        self._client = OAuthClient(self.name, http, registration)
        self._endpoints = endpoints or Endpoints()

    @property
    def name(self) -> str:
        return "github"

    def authorization_url(self, state: str, challenge: str) -> str:
        return self._client.authorization_url(
            self._endpoints.authorize, scope="read:user user:email", state=state, challenge=challenge
        )

    async def identify(self, code: str, verifier: str) -> Proved:
        token = await self._client.token(self._endpoints.token, code, verifier)
        user = await self._client.read(self._endpoints.user, token, _User)
        emails = await self._client.read(self._endpoints.emails, token, list[_Email])
        verified = next((each.email for each in emails if each.primary and each.verified), None)
        return Proved(provider=self.name, subject=str(user.id), email=verified, name=user.name or user.login)
