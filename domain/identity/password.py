"""What a password must be (NIST SP 800-63B-4, 3.1.1; OWASP ASVS 5.0, 6.2): long, and not a usual one."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from domain.email import Email
from domain.errors import Invalid

SHORTEST = 12  # characters
LONGEST = 1024  # bytes of UTF-8: what a slow hash is asked to read has an end
CONTEXT_WORDS = ("cuebx",)
"""What somebody who guesses would begin with here (OWASP ASVS 5.0, 6.1.2 and 6.2.11)."""
_TELLING = 4  # a local part of fewer characters stands in many words


@dataclass(eq=False)
class PasswordRefused(Invalid):
    code: ClassVar[str] = "password_refused"
    reason: str

    def __str__(self) -> str:
        return self.reason


def normal(password: str) -> str:
    """The same for all keyboards that write it differently (RFC 8265 asks for NFC; NIST for NFKC or NFKD)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, email: Email, *, common: Callable[[str], bool]) -> str:
    """The password as it is hashed. Raises PasswordRefused."""
    text = normal(password)
    if len(text) < SHORTEST:
        raise PasswordRefused(f"a password has at least {SHORTEST} characters")
    if len(text.encode(errors="surrogatepass")) > LONGEST:
        raise PasswordRefused(f"a password has at most {LONGEST} bytes")
    folded = text.casefold()
    local = email.key.partition("@")[0]
    if email.key in folded or (len(local) >= _TELLING and local in folded):
        raise PasswordRefused("a password must not hold the e-mail address")
    if any(word in folded for word in CONTEXT_WORDS):
        raise PasswordRefused("a password must not hold the name of this service")
    if common(folded):
        raise PasswordRefused("this password is among those that are guessed first")
    return text
