"""Templates: MJML for those who see it, plain text for all, filled in by Jinja2."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2
import mjml

from application.notifications.ports import Rendered
from domain.identity.mail import Mail
from domain.notifications.errors import MailRefused

_HERE = Path(__file__).parent
_FOLDER = _HERE / "templates"
# Facts hold names that anybody chose. Line ends would make headers or paragraphs of their own; marks of
# direction would turn around what is read after them; a lone surrogate cannot be sent at all.
_UNSEEN = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)


@cache
def samples() -> Mapping[str, Mapping[str, str]]:
    """By template, facts to look at it with: the names that it asks for, and no others."""
    found: dict[str, dict[str, str]] = tomllib.loads((_HERE / "samples.toml").read_text(encoding="utf-8"))
    return found


def rendered(mail: Mail) -> Rendered:
    """Names may hold anything: in HTML they are escaped, and nowhere do they break a line.

    Raises MailRefused where the facts are not the template's.
    """
    wanted = samples().get(mail.template)
    if wanted is None:
        raise MailRefused(f"there is no mail {mail.template!r}")
    if mail.facts.keys() != wanted.keys():
        odd = ", ".join(sorted(mail.facts.keys() ^ wanted.keys()))
        raise MailRefused(f"the mail {mail.template!r} is told too much, or not enough: {odd}")
    facts = {name: _UNSEEN.sub(" ", fact).strip() for name, fact in mail.facts.items()}
    plain = _environment(html=False).get_template(f"{mail.template}.txt").render(facts)
    subject, _, text = plain.partition("\n")
    source = _environment(html=True).get_template(f"{mail.template}.mjml").render(facts)
    return Rendered(subject=subject, text=text.lstrip("\n"), html=mjml.mjml2html(source))


@cache
def _environment(*, html: bool) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER, encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        autoescape=html,  # noqa: S701 - the other half is plain text
        keep_trailing_newline=True,
    )
