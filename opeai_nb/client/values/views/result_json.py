"""What became of a request as a line of JSON: what `--json` prints."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from opeai_nb.errors import NoPictureError
from opeai_nb.printable import escaped_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.picture import Picture
    from opeai_nb.errors import OpeaiError


def generation_json(generation: Generation, paths: Sequence[Path] | None = None) -> dict[str, Any]:
    """Return what is told of pictures that were made; *paths* are those of copies.

    `paths` are what was asked for: the copies of `--save`, else the library's own files, which are
    `kept` in any case (null for a picture that is in memory alone). All are absolute.
    """
    kept = kept_paths(generation)
    return {
        "prompt": generation.request.prompt,
        "model": generation.request.model,
        "paths": kept if paths is None else [str(path.absolute()) for path in paths],
        "kept": kept,
        "sizes": [_size(picture) for picture in generation.good],
        "differences": list(generation.differences),
        **generation.words.to_json(),
        **_only_json(generation),
        "usage": generation.usage,
        "task_id": generation.task_id,
        "origin": generation.origin,
        "replayed": generation.replayed_from is not None,
    }


def kept_paths(generation: Generation) -> list[str | None]:
    """Return where the library has the pictures; None for one that is in memory alone."""
    paths = (picture.path for picture in generation.good)
    return [None if path is None else str(path.absolute()) for path in paths]


def _size(picture: Picture) -> tuple[int, int] | None:
    """Return width and height in pixels; None for bytes that no decoder reads."""
    with suppress(NoPictureError):
        return picture.size
    return None


def _only_json(generation: Generation) -> dict[str, Any]:
    """Return the region that the pictures were laid over, and where they lie as they came."""
    if generation.only is None:
        return {}
    return {"only": dict(generation.only), "received": kept_paths(generation.received)}


def error_json(
    prompt: str, model: str | None, error: OpeaiError, kept: Generation | None = None
) -> dict[str, Any]:
    """Return what is told of a request that has no pictures, or no copies of those *kept*."""
    names = ("message", "advice", "status_code", "code", "request_id", "task_id")
    facts = {name: getattr(error, name) for name in names}
    return {
        "prompt": prompt,
        "model": model,
        "paths": [],
        "kept": [] if kept is None else kept_paths(kept),
        "error": {"type": type(error).__name__, **facts},
    }


def print_json(value: dict[str, Any]) -> None:
    """Print a line of JSON; characters that a terminal would obey are escaped."""
    print(escaped_json(json.dumps(value, ensure_ascii=False)), flush=True)  # noqa: T201  a command's output
