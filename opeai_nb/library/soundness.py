"""Whether the JSON of a record is what it should be: it may have been edited, or come from afar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.library.files import is_plain_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS: Final = ("id", "created", "origin")
_OPTIONAL: Final[Mapping[str, type | tuple[type, ...]]] = {
    "usage": dict,
    "task_id": str,
    "request_id": str,
    "duration": (int, float),
    "answered_model": str,
    "platform_created": int,
    "toolkit": str,
    "slot": dict,
}
_OF_A_PICTURE: Final[Mapping[str, type]] = {
    "format": str,
    "size": list,
    "bytes": int,
    "sha256": str,
    "revised_prompt": str,
    "error": dict,
    "url": str,
}


class UnusableRecordError(ValueError):
    """A file that is no record that can be shown; the text is the reason, for a person."""


def check_record(stands: Mapping[str, Any]) -> None:
    """Raise `UnusableRecordError`, or `KeyError`, `TypeError` and the like, for what is unsound."""
    for name in _TEXTS:
        _require(stands[name], str, name)
    _check_kinds(stands, _OPTIONAL)
    _check_request(stands["request"])
    if not math.isfinite(stands.get("duration") or 0):
        raise ValueError("duration")
    if (slot := stands.get("slot")) is not None:
        _check_kinds(slot, {"cell": str})
        if not isinstance(slot["call"], int) or slot["call"] < 1:
            raise ValueError("slot")
    _require(stands["pictures"], list, "pictures")
    for item in stands["pictures"]:
        _check_picture(item)


def _check_request(request: Mapping[str, Any]) -> None:
    _require(request["prompt"], str, "prompt")
    _require(request["model"], str, "model")
    for image in request.get("image", ()):
        _require(image["sha256"], str, "image")


def _check_picture(item: Mapping[str, Any]) -> None:
    _check_kinds(item, _OF_A_PICTURE)
    name = item.get("file")
    if name is None and item.get("error") is None:
        raise ValueError("a picture has neither a file nor an error")
    if name is not None and not is_plain_name(name):
        raise UnusableRecordError("it names a picture outside the library")
    size = item.get("size")
    if size is not None and not (len(size) == 2 and all(isinstance(side, int) for side in size)):  # noqa: PLR2004  width, height
        raise ValueError("size")


def _check_kinds(stands: Mapping[str, Any], kinds: Mapping[str, type | tuple[type, ...]]) -> None:
    for name, kind in kinds.items():
        value = stands.get(name)
        if value is not None and not isinstance(value, kind):
            raise TypeError(name)


def _require(value: object, kind: type, name: str) -> None:
    if not isinstance(value, kind) or not value:
        raise TypeError(name)
