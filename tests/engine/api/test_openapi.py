from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.engine import Engine
from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import FIELD_TYPES
from opeai_nb.engine.server.uvicorn_server import serving
from tests.engine.conftest import Swatches


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
    routes: Any = engine._router.routes
    served = {
        (route.path.replace("{model:path}", "{model}"), method)
        for route in routes
        for method in route.methods - {"HEAD"}
        if route.path.startswith(("/v1/", "/aliyun/"))
        and not route.path.endswith(("/variations", "/models/"))  # a refusal, and a twin
    }
    assert described == served


def test_every_reference_leads_somewhere_and_nothing_is_idle(description: dict[str, Any]) -> None:
    components = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in description["components"][kind]
    }
    assert set(references(description)) == components


def test_every_operation_has_a_name_typed_errors_and_an_example(
    description: dict[str, Any],
) -> None:
    operations = [one for path in description["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for one in operations:
        assert {"401", "429", "500", "502"} <= set(one["responses"])
    for response in description["components"]["responses"].values():
        assert response["content"]


def test_errors_have_the_form_of_their_dialect(description: dict[str, Any]) -> None:
    responses = description["components"]["responses"]
    for path, operations in description["paths"].items():
        wanted = "NativeError" if path.startswith("/aliyun/") else "Error"
        for one in operations.values():
            for status, response in one["responses"].items():
                if status not in {"200", "502"}:  # a proxy's page is nobody's dialect
                    name = response.get("$ref", "").rpartition("/")[2]
                    content = responses.get(name, response)["content"]
                    schema = content["application/json"]["schema"]
                    assert schema["$ref"].rpartition("/")[2] == wanted, (path, status)


def test_it_names_every_model(description: dict[str, Any]) -> None:
    schema = description["components"]["schemas"]["ImageRequest"]
    assert schema["properties"]["model"]["examples"] == list(MODELS)


@pytest.mark.parametrize("schema", ["ImageRequest", "EditRequest"])
def test_it_describes_the_fields_that_are_read_and_their_types(
    description: dict[str, Any], schema: str
) -> None:
    properties = description["components"]["schemas"][schema]["properties"]
    names = {"string": str, "integer": int, "boolean": bool}
    types = {
        name: names[field["type"]]
        for name, field in properties.items()
        if name not in {"image", "images", "mask"}
    }
    assert types == FIELD_TYPES


def test_a_client_generated_from_it_makes_a_picture(tmp_path: Path, painter: Swatches) -> None:
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    source = files("opeai_nb.engine.api") / "openapi.json"
    done = subprocess.run(
        [*generate, "--path", str(source), "--output-path", str(tmp_path / "generated")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "WARNING" in done.stdout) == (0, False), done.stdout + done.stderr
    code = """if True:
        import sys
        from generated import AuthenticatedClient
        from generated.api.images import create_image
        from generated.models import Error, ImageRequest, Pictures
        client = AuthenticatedClient(base_url=sys.argv[1], token="sk-any")
        answer = create_image.sync(client=client, body=ImageRequest("qwen-image-2.0", "a cat"))
        assert isinstance(answer, Pictures) and answer.data[0].b64_json
        answer = create_image.sync(client=client, body=ImageRequest("qwen-image-2.0", ""))
        assert isinstance(answer, Error) and "prompt" in answer.error.message
    """
    with serving(Engine(painter=painter)) as url:
        command = [sys.executable, "-c", code, url]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
