"""Addresses as people write them, and what makes two of them the same."""

import re
import unicodedata
from typing import ClassVar, NamedTuple

from domain.errors import Invalid

LONGEST = 254  # RFC 5321, section 4.5.3.1.3, without the angle brackets
_LONGEST_LOCAL = 64  # octets, section 4.5.3.1.1
_FORM = re.compile(r"[^\s@\"(),:;<>\[\]\\]+@([^\s@.]+\.)+[^\s@.]{2,}")


class EmailRefused(Invalid):
    code: ClassVar[str] = "email_refused"

    def __str__(self) -> str:
        return "that is no e-mail address such as ada@example.org"


class Email(NamedTuple):
    """``key`` is the same for all ways to write one address that reach one mailbox nearly everywhere."""

    text: str
    key: str


def parse_email(given: str) -> Email:
    """Raises EmailRefused. Quoted local parts and addresses without a domain's dot are not taken."""
    text = unicodedata.normalize("NFKC", given.strip())
    local, _, domain = text.rpartition("@")
    if not _FORM.fullmatch(text) or not text.isprintable() or len(local.encode()) > _LONGEST_LOCAL:
        raise EmailRefused
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        raise EmailRefused from None
    if len(f"{local}@{ascii_domain}".encode()) > LONGEST:
        raise EmailRefused
    return Email(text, f"{local}@{ascii_domain}".casefold())
