"""The two dialects of the platform: how a request is written, and where a task is asked about.

What comes back is read by one reader for both (`answer.py`): gateways mix the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from opeai_nb.fields import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opeai_nb.client.values.request import ImageRequest

# Of these each dialect makes something of its own.
_WRITTEN_APART: Final = frozenset({"prompt", "model", "image", "extra", "dialect"})


@dataclass(frozen=True)
class Dialect:
    """Where to submit, what to send, and the places to ask for a task, the likeliest first."""

    name: str
    submit_path: str
    body: Callable[[ImageRequest], dict[str, Any]]
    task_paths: Callable[[str], tuple[str, ...]]


def openai_body(request: ImageRequest) -> dict[str, Any]:
    """Return the JSON of platform.md 1.2: exactly the fields that were set, and `extra`."""
    body = _parameters(request)
    images = [image.wire() for image in request.image]
    if images:
        body["image"] = images[0] if len(images) == 1 else images
    return {"model": request.model, "prompt": request.prompt, **body, **request.extra}


def aliyun_body(request: ImageRequest) -> dict[str, Any]:
    """Return the JSON of platform.md 1.8 and 3.2: `input.messages`, images before the text.

    The size is written with `*`; `extra` goes into `parameters`.
    """
    content: list[dict[str, Any]] = [{"image": image.wire()} for image in request.image]
    content.append({"text": request.prompt})
    parameters = _parameters(request)
    if request.size:
        parameters["size"] = request.size.replace("x", "*")
    return {
        "model": request.model,
        "input": {"messages": [{"role": "user", "content": content}]},
        "parameters": {**parameters, **request.extra},
    }


def _parameters(request: ImageRequest) -> dict[str, Any]:
    """Return the fields that were set, that this dialect has a place for and writes as they are."""
    return {
        name: value
        for name, value in request.set_fields().items()
        if name not in _WRITTEN_APART and BY_NAME[name].fits(request.dialect)
    }


def _quoted(task_id: str) -> str:
    return quote(task_id, safe="", errors="surrogatepass")  # a server may send half a letter


def _openai_tasks(task_id: str) -> tuple[str, ...]:
    return (f"/v1/images/generations/{_quoted(task_id)}",)


def _aliyun_tasks(task_id: str) -> tuple[str, ...]:
    # Only the videos' query is documented (platform.md 1.8): so the other places are tried too.
    safe = _quoted(task_id)
    return (
        f"/aliyun/v1/tasks/{safe}",
        f"/aliyun/v1/images/generations/{safe}",
        f"/v1/images/generations/{safe}",
    )


DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai": Dialect("openai", "/v1/images/generations", openai_body, _openai_tasks),
    "aliyun": Dialect("aliyun", "/aliyun/v1/images/generations", aliyun_body, _aliyun_tasks),
}
