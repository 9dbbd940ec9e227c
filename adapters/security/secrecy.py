"""What the process's own secret is for: digests that only it can make, and seals that only it can open."""

from base64 import urlsafe_b64decode
from collections.abc import Sequence
from functools import lru_cache
from hmac import digest
from os import urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.identity.ports import Secrecy

SECRET_BYTES = 32
_NONCE_BYTES = 12


def read_secrets(setting: str) -> list[bytes]:
    """Secrets of 32 bytes in base64, separated by commas. Raises ValueError."""
    plain = setting.replace("+", "-").replace("/", "_")
    found = [urlsafe_b64decode(each.strip() + "==") for each in plain.split(",")]
    if any(len(each) != SECRET_BYTES for each in found):
        raise ValueError("a secret has 32 bytes")
    return found


class KeyedSecrecy(Secrecy):
    """The first of ``secrets`` makes digests and seals; all of them open, so that it can be replaced."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = secrets

    def digest(self, purpose: str, text: str) -> bytes:
        return digest(_derived(self._secrets[0], "digest"), f"{purpose}\0{text}".encode(), "sha256")

    def seal(self, purpose: str, plain: bytes) -> bytes:
        nonce = urandom(_NONCE_BYTES)
        return nonce + AESGCM(_derived(self._secrets[0], "seal")).encrypt(nonce, plain, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Raises ValueError for what another secret, or another purpose, has sealed."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for secret in self._secrets:
            try:
                return AESGCM(_derived(secret, "seal")).decrypt(nonce, text, purpose.encode())
            except InvalidTag:
                continue
        raise ValueError("that was sealed with another secret")


@lru_cache(16)
def _derived(secret: bytes, use: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"cuebx {use}".encode()).derive(secret)
