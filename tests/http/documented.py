"""Whether what is answered is what the OpenAPI document says."""

import re
from typing import Any

import httpx
import jsonschema_rs

from tests.http.document import DOCUMENT, OPERATIONS, Operation

NO_CONTENT = 204
JSON_LINES = "application/jsonl"
NOWHERE = {"not_found", "method_not_allowed"}


def operation_of(request: httpx.Request) -> Operation | None:
    def matches(path: str) -> bool:
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        return re.fullmatch(pattern + "/?", request.url.path) is not None

    return next((each for each in OPERATIONS if each.method == request.method and matches(each.path)), None)


async def is_documented(response: httpx.Response) -> None:
    """For httpx, as a hook: an answer has a status, a code, a form and headers that its operation names."""
    await response.aread()
    operation = operation_of(response.request)
    if operation is None:
        assert response.request.url.path.startswith("/docs") or response.json()["code"] in NOWHERE
        return
    documented: dict[str, Any] = operation.spec["responses"][str(response.status_code)]
    if response.is_error:
        code = response.json()["code"]
        assert f"`{code}`" in documented["description"], f"{operation.name} does not name {code}"
    if response.status_code == NO_CONTENT:
        assert response.content == b""
        assert "content" not in documented
        return
    kind = response.headers["content-type"].partition(";")[0]
    schema = documented["content"][kind]["schema"]
    if kind == JSON_LINES:
        return
    jsonschema_rs.validate({**schema, "components": DOCUMENT["components"]}, response.json())
    told = {"idempotency-replayed", "ratelimit", "ratelimit-policy"} & response.headers.keys()
    if response.is_success:
        assert told <= {name.lower() for name in documented.get("headers", {})}
