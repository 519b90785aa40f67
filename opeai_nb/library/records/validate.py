"""Whether JSON of ours is what it should be: it may have been edited, or come from afar."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.library.files import is_plain_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST: Final = 2**53
"""No number of ours is larger; SQLite takes none of 64 bits and more."""
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
_OF_AN_ENTRY: Final[Mapping[str, type | tuple[type, ...]]] = {
    "task_id": str,
    "poll_path": str,
    "request_id": str,
    "deadline": (int, float),
    "duration": (int, float),
    "error": str,
    "owner": dict,
    "metadata": bool,
    "answer": dict,
}
_OF_AN_ANSWER: Final[Mapping[str, type | tuple[type, ...]]] = {
    "usage": dict,
    "created": (int, float),
    "model": str,
    "request_id": str,
    "task_id": str,
}


class UnusableRecordError(ValueError):
    """A file that is no record that can be shown; the text is the reason, for a person."""


def writable(value: Any) -> Any:
    """Return JSON as a file takes it: half a letter (a lone surrogate) becomes a question mark.

    An emoji that a server cut in two is one, and so is a file name that is not UTF-8.
    """
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace"))
    return value


def check_record(stands: Mapping[str, Any]) -> None:
    """Raise `UnusableRecordError`, or `KeyError`, `TypeError` and the like, for what is unsound."""
    for name in _TEXTS:
        _require(stands[name], str, name)
    _check_kinds(stands, _OPTIONAL)
    _check_request(stands["request"])
    if not 0 <= (stands.get("duration") or 0) < _MOST:
        raise ValueError("duration")
    if (slot := stands.get("slot")) is not None:
        _check_kinds(slot, {"cell": str})
        if not isinstance(slot["call"], int) or not 1 <= slot["call"] < _MOST:
            raise ValueError("slot")
    _require(stands["pictures"], list, "pictures")
    for item in stands["pictures"]:
        _check_picture(item)


def check_entry(facts: Mapping[str, Any]) -> None:
    """Raise `KeyError`, `TypeError` and the like for facts of the journal that are unsound."""
    _check_kinds(facts, _OF_AN_ENTRY)
    _check_request(facts["request"])
    if (answer := facts.get("answer")) is not None:
        _check_kinds(answer, _OF_AN_ANSWER)
        _require(answer["pictures"], list, "pictures")
        for item in answer["pictures"]:
            _check_kinds(item, _OF_A_PICTURE)


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
