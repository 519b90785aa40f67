"""The two dialects of the platform: how a request is written, and where a task is asked about.

What comes back is read by one reader for both (`answer.py`): gateways mix the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from opeai_nb.client.values.request import ALIYUN_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opeai_nb.client.values.request import ImageRequest

_NOT_ON_THE_WIRE: Final = frozenset({"extra", "dialect", "image", *ALIYUN_ONLY})
_ALIYUN_PARAMETERS: Final = (
    *("n", "watermark", "quality", "style", "output_format", "user"),
    *ALIYUN_ONLY,
)
ALIYUN_FIELDS: Final = frozenset(
    {"prompt", "model", "image", "size", "extra", "dialect", *_ALIYUN_PARAMETERS}
)
"""What the native endpoint has room for; other fields are not sent to it."""


@dataclass(frozen=True)
class Dialect:
    """Where to submit, what to send, and the places to ask for a task, the likeliest first."""

    name: str
    submit_path: str
    body: Callable[[ImageRequest], dict[str, Any]]
    task_paths: Callable[[str], tuple[str, ...]]


def openai_body(request: ImageRequest) -> dict[str, Any]:
    """Return the JSON of platform.md 1.2: exactly the fields that were set, and `extra`."""
    body = {k: v for k, v in request.set_fields().items() if k not in _NOT_ON_THE_WIRE}
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
    values = request.set_fields()
    parameters: dict[str, Any] = {
        name: values[name] for name in _ALIYUN_PARAMETERS if name in values
    }
    if request.size:
        parameters["size"] = request.size.replace("x", "*")
    return {
        "model": request.model,
        "input": {"messages": [{"role": "user", "content": content}]},
        "parameters": {**parameters, **request.extra},
    }


def _openai_tasks(task_id: str) -> tuple[str, ...]:
    return (f"/v1/images/generations/{quote(task_id, safe='')}",)


def _aliyun_tasks(task_id: str) -> tuple[str, ...]:
    # Only the videos' query is documented (platform.md 1.8): so the other places are tried too.
    safe = quote(task_id, safe="")
    return (
        f"/aliyun/v1/tasks/{safe}",
        f"/aliyun/v1/images/generations/{safe}",
        f"/v1/images/generations/{safe}",
    )


DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai": Dialect("openai", "/v1/images/generations", openai_body, _openai_tasks),
    "aliyun": Dialect("aliyun", "/aliyun/v1/images/generations", aliyun_body, _aliyun_tasks),
}
