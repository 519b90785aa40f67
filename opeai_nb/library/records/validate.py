"""Whether JSON of ours is what it should be: it may have been edited, or come from afar."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import orjson

from opeai_nb.library.disk.files import is_plain_name
from opeai_nb.library.disk.subfolder import is_subfolder
from opeai_nb.library.documents import EntryDocument, RecordDocument, check

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PICTURES: Final = 1024
"""A request has 128 at most (platform.md 2.4); more would be GETs to wherever a stranger likes."""
_MOST: Final = 2**53
"""No number of ours is larger; SQLite takes none of 64 bits and more."""


class UnusableRecordError(ValueError):
    """A file that is no record that can be shown; the text is the reason, for a person."""


def writable(value: Any) -> Any:
    """Return JSON as a file takes it: half a letter (a lone surrogate) becomes a question mark.

    An emoji that a server cut in two is one, and so is a file name that is not UTF-8.
    """
    if value is None or (isinstance(value, str) and value.isascii()):
        return value
    with suppress(TypeError):  # half a letter, or what takes a longer look
        orjson.dumps(value)
        return value
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace"))
    return value


def check_record(stands: Mapping[str, Any]) -> None:
    """Raise `UnusableRecordError`, `TypeError` or `ValueError` for a record that is unsound."""
    check(stands, RecordDocument)
    _check_texts(stands, "id", "created", "origin")
    _check_request(stands["request"])
    if not 0 <= (stands.get("duration") or 0) < _MOST:
        raise ValueError("duration")
    if (slot := stands.get("slot")) is not None and not 1 <= slot["call"] < _MOST:
        raise ValueError("slot")
    if not 0 < len(stands["pictures"]) <= MOST_PICTURES:
        raise ValueError("pictures")
    for item in stands["pictures"]:
        _check_picture(item)


def check_entry(facts: Mapping[str, Any]) -> None:
    """Raise `TypeError` or `ValueError` for facts of the journal that are unsound."""
    check(facts, EntryDocument)
    _check_request(facts["request"])
    for moment in (facts["created"], facts.get("deadline")):
        if moment is not None and not math.isfinite(moment):
            raise ValueError("a time that is none")
    if not is_plain_name(facts["name"]):
        raise ValueError("name")
    if (subfolder := facts.get("subfolder")) is not None and not is_subfolder(subfolder):
        raise ValueError("subfolder")
    if (answer := facts.get("answer")) is not None and not (
        0 < len(answer["pictures"]) <= MOST_PICTURES
    ):
        raise ValueError("pictures")


def _check_request(request: Mapping[str, Any]) -> None:
    _check_texts(request, "prompt", "model")
    for image in request.get("image", ()):
        _check_texts(image, "sha256")


def _check_picture(item: Mapping[str, Any]) -> None:
    name = item.get("file")
    if name is None and item.get("error") is None:
        raise ValueError("a picture has neither a file nor an error")
    if name is not None and not is_plain_name(name):
        raise UnusableRecordError("it names a picture outside the library")
    if len(item.get("size") or (0, 0)) != 2:  # noqa: PLR2004  width, height
        raise ValueError("size")


def _check_texts(document: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if not document[name]:
            raise ValueError(f"{name} is empty")
