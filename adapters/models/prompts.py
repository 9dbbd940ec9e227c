import json
from collections.abc import Mapping
from typing import Any

from jinja2 import ChainableUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from application.features.ports import Prompts
from domain.catalog.feature import Feature
from domain.features.errors import PromptUnrenderable


class _Environment(ImmutableSandboxedEnvironment):
    """``input.items`` is the member "items" of the input where it has one, not the dictionary's method."""

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - as jinja2 declares it
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _tojson(value: object) -> str:
    """Unlike jinja2's own, not escaped for HTML: a model reads it."""
    return json.dumps(value, ensure_ascii=False)


def _environment() -> _Environment:
    environment = _Environment(
        undefined=ChainableUndefined,  # an optional member that is not there reads as nothing
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        enable_async=False,
    )
    environment.filters["tojson"] = _tojson
    return environment


class JinjaPrompts(Prompts):
    """Templates in jinja2's sandbox. A feature's version never changes, so each is compiled once."""

    def __init__(self) -> None:
        self._environment = _environment()
        self._compiled: dict[str, tuple[int, Template]] = {}

    def render(self, feature: Feature, document: Mapping[str, object]) -> str:
        # Whatever a template of the seller's does with some input, it is not the server that failed.
        try:
            return self._of(feature).render(input=document)
        except Exception as error:
            raise PromptUnrenderable from error

    def _of(self, feature: Feature) -> Template:
        version, template = self._compiled.get(feature.key, (0, None))
        if template is None or version != feature.version:
            template = self._environment.from_string(feature.prompt)
            self._compiled[feature.key] = feature.version, template
        return template
