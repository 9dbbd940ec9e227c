"""The OpenAPI document as a page for people, which needs nothing from anywhere else.

The pages that Litestar brings load their scripts from other hosts, which a closed network does not reach.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment
from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin
from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`]+)`")
_BOUNDS = {"minimum": "at least", "maximum": "at most", "minLength": "from", "maxLength": "to"}


def marked(text: str) -> Markup:
    """What stands between backticks is code; an empty line ends a paragraph."""
    paragraphs = str(escape(text)).split("\n\n")
    return Markup("<br>").join(Markup(_CODE.sub(r"<code>\1</code>", each)) for each in paragraphs)  # noqa: S704 - escaped


def form(schema: Mapping[str, Any]) -> Markup:
    """What a value looks like, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if "oneOf" in schema:
        return Markup(" or ").join(form(each) for each in schema["oneOf"])
    if "enum" in schema:
        return Markup(", ").join(Markup("<code>{}</code>").format(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return Markup("list of ") + form(schema.get("items", {}))
    return escape(schema.get("format") or schema.get("type") or "anything")


def bounds(schema: Mapping[str, Any]) -> str:
    """Its limits, and what it is unless said."""
    said = [f"{words} {schema[name]:g}" for name, words in _BOUNDS.items() if name in schema]
    if schema.get("default") is not None:
        said.append(f"{schema['default']} unless said")
    return ", ".join(said)


def _template() -> Any:  # noqa: ANN401 - a template is whatever it is given
    pages = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pages.filters.update(marked=marked, form=form, bounds=bounds)
    return pages.from_string(Path(__file__).with_name("reference.html").read_text())


class Reference(OpenAPIRenderPlugin):
    def __init__(self) -> None:
        super().__init__(path="/")
        self._page: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._page is None:
            document = self.get_openapi_json_route(request)
            self._page = _template().render(api=openapi_schema, document=document).encode()
        return self._page
