"""What Litestar does not say of itself in the OpenAPI document."""

from dataclasses import dataclass
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIResponse, Operation, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition
from litestar.typing import FieldDefinition
from msgspec import Struct


def operation_id(
    handler: HTTPRouteHandler, _method: Method, _path: list[str | PathParameterDefinition]
) -> str:
    """The name of the handler, which is short and does not change with the path."""
    return handler.handler_name


@dataclass
class AlikeAnswers(Operation):
    """Every answer that is no refusal has the same headers."""

    def __post_init__(self) -> None:
        answers = [
            each
            for status, each in (self.responses or {}).items()
            if status.startswith("2") and isinstance(each, OpenAPIResponse)
        ]
        headers = next((each.headers for each in answers if each.headers), None)
        for each in answers:
            each.headers = each.headers or headers


class ClosedStructs(OpenAPISchemaPlugin):
    """A struct that refuses unknown fields says so."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        return (
            not field_definition.is_union
            and field_definition.is_subclass_of(Struct)
            and field_definition.annotation.__struct_config__.forbid_unknown_fields
        )

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:  # noqa: ANN401 - its class is Litestar's own
        structs = next(
            each
            for each in schema_creator.plugins
            if isinstance(each, OpenAPISchemaPlugin)
            and each is not self
            and each.is_plugin_supported_field(field_definition)
        )
        schema: Schema = structs.to_openapi_schema(field_definition, schema_creator)
        schema.additional_properties = False
        return schema
