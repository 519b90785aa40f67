from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from opeai_nb.engine import Engine
from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import FIELD_TYPES


@pytest.fixture
def description(client: httpx.Client) -> dict[str, Any]:
    client.headers.pop("Authorization")
    return client.get("/openapi.json").json()


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_it_describes_every_api_route_and_no_other(
    description: dict[str, Any], engine: Engine
) -> None:
    described = {
        (path, method.upper())
        for path, operations in description["paths"].items()
        for method in operations
    }
    served = {
        (route.path.replace("{model:path}", "{model}"), method)
        for route in engine._router.routes
        for method in route.methods - {"HEAD"}
        if route.path.startswith(("/v1/", "/aliyun/"))
        and not route.path.endswith(("/edits", "/variations"))  # answered with "not implemented"
    }
    assert described == served


def test_every_reference_leads_to_a_schema(description: dict[str, Any]) -> None:
    found = set(references(description))
    schemas = description["components"]["schemas"]
    assert found == {f"#/components/schemas/{name}" for name in schemas}


def test_it_names_every_model(description: dict[str, Any]) -> None:
    schema = description["components"]["schemas"]["ImageRequest"]
    assert schema["properties"]["model"]["examples"] == list(MODELS)


def test_it_describes_the_fields_that_are_read_and_their_types(description: dict[str, Any]) -> None:
    schema = description["components"]["schemas"]["ImageRequest"]
    names = {"string": str, "integer": int, "boolean": bool}
    types = {
        name: names[field.get("type", "string")]
        for name, field in schema["properties"].items()
        if name != "image"
    }
    assert types == FIELD_TYPES
