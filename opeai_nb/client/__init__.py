"""SPEAK: the platform's wire format, as pure flows, and two thin shells over httpx.

    from opeai_nb.client import Client
    with Client() as client:                       # OPEAI_API_KEY, OPEAI_BASE_URL
        generation = client.generate("a red fox in the snow", size="1024x1024")
    generation[0].show()

Names are loaded when they are used: a value type costs neither httpx nor Pillow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opeai_nb.client.async_client import AsyncClient
    from opeai_nb.client.generation import Generation
    from opeai_nb.client.hints import RequestWarning
    from opeai_nb.client.input_image import ImageInputWarning, InputImage
    from opeai_nb.client.models import Model
    from opeai_nb.client.picture import Picture
    from opeai_nb.client.request import DEFAULT_MODEL, ImageRequest, build_request
    from opeai_nb.client.sync_client import Client
    from opeai_nb.client.task import Task

_HOMES = {
    "AsyncClient": "async_client",
    "Client": "sync_client",
    "DEFAULT_MODEL": "request",
    "Generation": "generation",
    "ImageInputWarning": "input_image",
    "ImageRequest": "request",
    "InputImage": "input_image",
    "Model": "models",
    "Picture": "picture",
    "RequestWarning": "hints",
    "Task": "task",
    "build_request": "request",
}

__all__ = [
    "DEFAULT_MODEL",
    "AsyncClient",
    "Client",
    "Generation",
    "ImageInputWarning",
    "ImageRequest",
    "InputImage",
    "Model",
    "Picture",
    "RequestWarning",
    "Task",
    "build_request",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
