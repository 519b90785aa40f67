"""The OpenAPI description of what the engine answers, at `/openapi.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

from opeai_nb.engine.api.model_catalogue import MODELS

if TYPE_CHECKING:
    from starlette.requests import Request

_STRING: Final = {"type": "string"}
_INTEGER: Final = {"type": "integer"}
_ERRORS: Final = {
    "400": "a mistake in the request",
    "401": "no key, or a wrong one",
    "409": "an Idempotency-Key sent with another body",
    "413": "a body of more than 64 MB",
    "429": "too many requests; the body may be empty",
    "500": "an error of the engine, or a rehearsed one",
    "502": "a rehearsed error of a proxy, in HTML",
    "503": "no channel for the model, or a rehearsed error",
}


async def openapi(_http: Request) -> JSONResponse:
    """Answer GET /openapi.json."""
    return JSONResponse(description())


def description() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "opeai_nb engine",
            "version": "1",
            "description": "The OPE.AI image API in miniature, for rehearsal and tests.",
        },
        "security": [{"bearer": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _paths() -> dict[str, Any]:
    task_id = _parameter("task_id")
    return {
        "/v1/images/generations": {
            "post": _operation("Generate or edit images", ["Generation", "Task"], "ImageRequest")
        },
        "/v1/images/generations/{task_id}": {
            "get": _operation("Get an image task", ["Task"], None, task_id, missing=True)
        },
        "/v1/models": {"get": _operation("List models", ["Models"], None)},
        "/v1/models/{model}": {
            "get": _operation("Get a model", ["Model", "Error"], None, _parameter("model"))
        },
        "/aliyun/v1/images/generations": {
            "post": _operation("Generate images, Aliyun-native", ["Native"], "NativeRequest")
        },
        "/aliyun/v1/tasks/{task_id}": {
            "get": _operation("Get a task, Aliyun-native", ["Native"], None, task_id)
        },
    }


def _operation(
    summary: str,
    answers: list[str],
    body: str | None,
    *parameters: dict[str, Any],
    missing: bool = False,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": _response("the answer", {"anyOf": [_ref(name) for name in answers]}),
            **{code: {"description": text} for code, text in _ERRORS.items()},
        },
    }
    if missing:
        operation["responses"]["404"] = _response("unknown or expired", _ref("Error"))
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(body)}},
        }
    return operation


def _response(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _STRING}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _schemas() -> dict[str, Any]:
    error = _object(["message", "type"], message=_STRING, type=_STRING, param=_STRING, code=_STRING)
    item = _object([], url=_STRING, b64_json=_STRING, revised_prompt=_STRING)
    model = _object(["id", "object"], id=_STRING, object={"const": "model"}, owned_by=_STRING)
    return {
        "ImageRequest": _image_request(),
        "NativeRequest": _object(
            ["model", "input"],
            model=_STRING,
            input=_object(["messages"], messages=_array({"type": "object"})),
            parameters={"type": "object"},
        ),
        "Generation": _object(
            ["created", "data"], created=_INTEGER, data=_array(item), usage={"type": "object"}
        ),
        "Task": _object(
            ["id", "task_id", "object", "status"],
            id=_STRING,
            task_id=_STRING,
            object={"const": "image.generation.task"},
            status={"enum": ["QUEUED", "IN_PROGRESS", "SUCCESS", "FAILURE"]},
            progress=_INTEGER,
            data=_array(item),
            error={"type": "object"},
        ),
        "Native": _object(["request_id", "output"], request_id=_STRING, output={"type": "object"}),
        "Model": model,
        "Models": _object(["object", "data"], object={"const": "list"}, data=_array(_ref("Model"))),
        "Error": _object(["error"], error=error),
    }


def _image_request() -> dict[str, Any]:
    """Return the schema of the documented request (platform.md 1.2)."""
    image = {"anyOf": [_STRING, {"type": "array"}, {"type": "object"}]}
    return _object(
        ["model", "prompt"],
        model={"type": "string", "examples": list(MODELS)},
        prompt=_STRING,
        n={"type": "integer", "minimum": 0, "default": 1},
        size={"type": "string", "default": "1024x1024"},
        quality={"type": "string", "default": "auto"},
        response_format={"enum": ["b64_json", "url"], "default": "b64_json"},
        image=image,
        output_format={"enum": ["png", "jpeg", "webp"]},
        output_compression={"type": "integer", "minimum": 0, "maximum": 100},
        background={"enum": ["auto", "transparent", "opaque"]},
        moderation=_STRING,
        style=_STRING,
        user=_STRING,
        sequential_image_generation={"enum": ["disabled", "auto"]},
        watermark={"type": "boolean", "default": False},
        stream={"type": "boolean", "default": False},
    )
