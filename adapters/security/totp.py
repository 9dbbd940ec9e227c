"""Time-based one-time passwords (RFC 6238)."""

from base64 import b32encode
from datetime import datetime

from pyotp import TOTP
from pyotp.utils import strings_equal

from application.identity.second_factor import OneTimePasswords

ISSUER = "CueBX"
STEP = 30  # seconds
_DRIFT = (0, -1, 1)
"""Steps: a code may be typed as the next one begins, and clocks are not quite alike (section 5.2)."""


class Totp(OneTimePasswords):
    def text(self, secret: bytes) -> str:
        return b32encode(secret).decode().rstrip("=")

    def uri(self, secret: bytes, account: str) -> str:
        return self._of(secret).provisioning_uri(name=account, issuer_name=ISSUER)

    def step(self, secret: bytes, code: str, at: datetime) -> int | None:
        one_time, now = self._of(secret), int(at.timestamp()) // STEP
        typed = code.replace(" ", "")
        near = [now + drift for drift in _DRIFT]
        return next((step for step in near if strings_equal(typed, one_time.generate_otp(step))), None)

    def _of(self, secret: bytes) -> TOTP:
        return TOTP(self.text(secret), interval=STEP)
