from collections.abc import Mapping
from dataclasses import dataclass

from application.catalog.ports import SchemaRules, TemplateRules
from application.catalog.section import Section, hint
from application.catalog.values import json_object
from domain.catalog.bounds import (
    ALIAS,
    CALL_PRICE,
    DESCRIPTION_LENGTH,
    NAME_LENGTH,
    OUTPUT_TOKENS,
    PROMPT_LENGTH,
    TIMEOUT,
    TOKEN_PRICE,
    UNIT_PRICE,
)
from domain.catalog.feature import Feature, OnTimeout
from domain.credits import Price

_PLACES = 12
_PRICES = {
    "per_call": CALL_PRICE,
    "per_input_token": TOKEN_PRICE,
    "per_output_token": TOKEN_PRICE,
    "per_unit": UNIT_PRICE,
}
_RULES = {each.value for each in OnTimeout}


@dataclass(frozen=True, slots=True)
class ReadFeature:
    schemas: SchemaRules
    templates: TemplateRules

    def __call__(self, section: Section) -> Feature:
        input_schema = self._schema(section, "input")
        output_schema = self._schema(section, "output")
        feature = Feature(
            key=str(section.path[-1]),
            version=1,
            price_version=1,
            name=section.text("name", most=NAME_LENGTH),
            description=section.text("description", most=DESCRIPTION_LENGTH, default=""),
            price=_price(section),
            model=section.text("model", most=63, pattern=ALIAS, called='an alias such as "default"'),
            prompt=section.text("prompt", most=PROMPT_LENGTH),
            max_output_tokens=section.whole("max_output_tokens", most=OUTPUT_TOKENS),
            timeout=section.whole("timeout", most=TIMEOUT, default=60),
            units_from=_units_from(section, input_schema),
            on_timeout=_on_timeout(section),
            input_schema=input_schema,
            output_schema=output_schema,
        )
        self._check_prompt(section, feature)
        section.close()
        return feature

    def _schema(self, section: Section, key: str) -> Mapping[str, object]:
        table = section.child(key)
        if table is None:
            return {}
        schema = json_object(table)
        if schema is None:
            return {}
        if schema.get("type") != "object":
            section.fault(key, 'the schema must say type = "object"')
        for path, message in self.schemas.faults(schema):
            section.report.add((*table.path, *path), message)
        return schema

    def _check_prompt(self, section: Section, feature: Feature) -> None:
        for fault in self.templates.faults(feature.prompt):
            section.fault("prompt", fault.message, within=fault.line)
        properties = _properties(feature.input_schema)
        if feature.input_schema.get("additionalProperties") is not False:
            return
        for read in self.templates.reads(feature.prompt):
            if read.name not in properties:
                message = f'the input has no property "{read.name}"{hint(read.name, properties)}'
                section.fault("prompt", message, within=read.line)


def _price(section: Section) -> Price:
    table = section.child("price")
    if table is None:
        return Price()
    prices = {key: table.amount(key, places=_PLACES, most=most, default=0) for key, most in _PRICES.items()}
    if not table.table:
        section.fault("price", f"must hold at least one of {', '.join(_PRICES)}")
    table.close()
    return Price(**prices)


def _on_timeout(section: Section) -> OnTimeout:
    rule = section.text("on_timeout", most=100, default=OnTimeout.RELEASE)
    if rule in _RULES:
        return OnTimeout(rule)
    section.fault("on_timeout", f'must be "release" or "charge"{hint(rule, _RULES)}')
    return OnTimeout.RELEASE


def _units_from(section: Section, schema: Mapping[str, object]) -> str | None:
    if not section.has("units_from"):
        return None
    name = section.text("units_from", most=NAME_LENGTH)
    if not schema:
        return name
    properties = _properties(schema)
    if name not in properties:
        section.fault("units_from", f'the input has no property "{name}"{hint(name, properties)}')
    elif _type_of(properties[name]) != "array":
        section.fault("units_from", f'the property "{name}" of the input must say type = "array"')
    return name


def _properties(schema: Mapping[str, object]) -> Mapping[str, object]:
    properties = schema.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _type_of(schema: object) -> object:
    return schema.get("type") if isinstance(schema, Mapping) else None
