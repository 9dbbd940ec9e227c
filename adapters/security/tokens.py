"""Access tokens: JWTs (RFC 7519) signed with Ed25519 (RFC 8037; ``alg`` as RFC 9864 names it)."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from application.identity.ports import AccessTokens, PublishedKeys, Secrecy
from application.identity.signing import (
    REMEMBERED,
    TOKEN_LASTS,
    MakeSigningKey,
    SigningKey,
    SigningKeys,
    signer,
)
from application.ports import Clock
from domain.identity.errors import AccessTokenRefused
from domain.ids import MalformedId, SessionId, UserId, parse_session, parse_user, session_text, user_text

ALGORITHM = "Ed25519"
ISSUER = AUDIENCE = "cuebx"
_LONGEST = 2000
_PURPOSE = "signing key"


class Ed25519Keys(MakeSigningKey):
    def __init__(self, secrecy: Secrecy, clock: Clock) -> None:
        self._secrecy = secrecy
        self._clock = clock

    def __call__(self, *, signs_from: datetime) -> SigningKey:
        private = Ed25519PrivateKey.generate()
        return SigningKey(
            kid=token_hex(8),
            public=private.public_key().public_bytes_raw(),
            sealed_private=self._secrecy.seal(_PURPOSE, private.private_bytes_raw()),
            created_at=self._clock.now(),
            signs_from=signs_from,
        )


class JwtAccessTokens(AccessTokens, PublishedKeys):
    """Remembers the keys for a minute, and looks again for one that it does not know."""

    def __init__(self, keys: SigningKeys, make: MakeSigningKey, secrecy: Secrecy, clock: Clock) -> None:
        self._keys = keys
        self._make = make
        self._secrecy = secrecy
        self._clock = clock
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock.now().timestamp()),
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            sid={"essential": True},
            exp={"essential": True},
        )
        self._known: Sequence[SigningKey] = ()
        self._read_at: datetime | None = None

    async def issue(self, user: UserId, session: SessionId) -> str:
        now = self._clock.now()
        key = signer(await self._current(now), now)
        if key is None:
            self._known = await self._keys.begin(lambda: self._make(signs_from=now))
            key = signer(self._known, now)
        if key is None:
            raise ValueError("there is no key that signs")
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_text(user),
            "sid": session_text(session),
            "iat": int(now.timestamp()),
            "exp": int((now + TOKEN_LASTS).timestamp()),
        }
        header = {"typ": "JWT", "alg": ALGORITHM, "kid": key.kid}
        return jwt.encode(header, claims, self._private(key), algorithms=[ALGORITHM])

    async def read(self, token: str) -> tuple[UserId, SessionId]:
        if len(token) > _LONGEST:
            raise AccessTokenRefused
        now = self._clock.now()
        keys = KeySet(
            [OKPKey.import_key(_jwk(each)) for each in await self._current(now) if each.verifies(now)]
        )
        try:
            read = jwt.decode(token, keys, algorithms=[ALGORITHM])
            self._claims.validate(read.claims)
            return parse_user(read.claims["sub"]), parse_session(read.claims["sid"])
        except (JoseError, MalformedId, ValueError):
            raise AccessTokenRefused from None

    async def published(self) -> dict[str, Any]:
        """The keys that verify, as a JWK Set (RFC 7517)."""
        now = self._clock.now()
        keys = [_jwk(each) for each in await self._current(now) if each.verifies(now)]
        return {"keys": keys}

    async def _current(self, now: datetime) -> Sequence[SigningKey]:
        if self._read_at is None or now - self._read_at >= REMEMBERED or not self._known:
            self._known, self._read_at = await self._keys.all(), now
        return self._known

    def _private(self, key: SigningKey) -> OKPKey:
        private = self._secrecy.open(_PURPOSE, key.sealed_private)
        return OKPKey.import_key({**_jwk(key), "d": _base64(private)})


def _jwk(key: SigningKey) -> dict[str, str | list[str]]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": ALGORITHM,
        "kid": key.kid,
        "x": _base64(key.public),
    }


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
