"""A request as it is written down, and what makes two requests the same."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from opeai_nb.client.values.request import ImageRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.values.image_input.input_image import InputImage

_WITHOUT_EFFECT: Final = ("response_format", "user")
_TEXTS: Final = ("prompt", "negative_prompt")
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_PLAIN: Final = frozenset({str, int, bool, type(None)})
_FIELDS: Final = frozenset(item.name for item in fields(ImageRequest))


def canonical(value: object) -> str:
    """Return *value* as JSON that is the same on every machine: sorted, without spaces."""
    return _CANONICAL.encode(value)


def identity(request: ImageRequest) -> str:
    """Return the sha256 of every field that changes the result.

    Input pictures count by their content, not by path or name. *response_format* (how the bytes
    travel) and *user* (whose they are) change no picture and do not count.
    """
    return identity_of(write_request(request))


def identity_of(written: Mapping[str, Any]) -> str:
    """Return the identity of a request that is written down.

    Texts are the same however an editor has saved them (`_compared`).
    """
    telling = dict(written)
    for name in _WITHOUT_EFFECT:
        telling.pop(name, None)
    for name in _TEXTS:
        if isinstance(text := telling.get(name), str) and ("\n" in text or not text.isascii()):
            telling[name] = _compared(text)
    if "image" in telling:
        telling["image"] = [_telling(image) for image in telling["image"]]
    return hashlib.sha256(_canonical_bytes(telling)).hexdigest()


def _compared(text: str) -> str:
    """Return *text* without what editors change and nobody sees.

    On Windows they save other line breaks, many take off the blanks before one, and a file that was
    on a Mac may have its accents apart from their letters.
    """
    lines = [line.rstrip(" \t\r") for line in text.split("\n")]
    return unicodedata.normalize("NFC", "\n".join(lines))


def _telling(image: Mapping[str, str]) -> list[str | None]:
    """Return what an input picture counts by: one that was given decoded by its pixels."""
    if pixels := image.get("pixels"):
        return ["pixels", pixels]
    return [image.get("kind"), image["sha256"]]


def earlier_identity(request: ImageRequest) -> str | None:
    """Return the identity by the bytes that decoded input pictures were encoded to.

    So earlier versions named a request. None where it has no such picture.
    """
    if not any(image.pixels for image in request.image):
        return None
    return identity(replace(request, image=[replace(i, pixels=None) for i in request.image]))


def is_plain(written: Mapping[str, Any]) -> bool:
    """Tell whether all fields are texts, whole numbers or none, as of most requests."""
    return _PLAIN.issuperset(map(type, written.values()))


def _canonical_bytes(telling: dict[str, Any]) -> bytes:
    """Return `canonical` in UTF-8; of plain fields alone in a sixth of the time.

    Floats are left to `json`, which writes some of them otherwise.
    """
    if is_plain(telling):
        with suppress(TypeError):  # half a letter, a number of more than 64 bits
            return orjson.dumps(telling, option=orjson.OPT_SORT_KEYS)
    return canonical(telling).encode()


def write_request(request: ImageRequest) -> dict[str, Any]:
    """Return the fields that were set, as JSON; input pictures by kind, sha256 and basename."""
    written = request.set_fields()
    if request.image:
        written["image"] = [_write_image(image) for image in request.image]
    return written


def read_request(written: Mapping[str, Any], images: tuple[InputImage, ...]) -> ImageRequest:
    """Return the request again, with its input pictures.

    Fields of a later version are passed over. Raises `InputError` or `TypeError` when it has been
    edited into something that cannot be asked.
    """
    known = {name: value for name, value in written.items() if name in _FIELDS}
    return ImageRequest(**{**known, "image": images})


def content_of(image: InputImage) -> tuple[str, bytes]:
    """Return the kind of an input picture (`file`, `url`, `object`) and its defining bytes."""
    if image.data is not None:
        return "file", image.data
    if image.raw is not None:
        return "object", canonical(dict(image.raw)).encode()
    return "url", (image.url or "").encode()


def _write_image(image: InputImage) -> dict[str, str]:
    kind, content = content_of(image)
    written = {"kind": kind, "sha256": hashlib.sha256(content).hexdigest()}
    more = {"name": image.name, "pixels": image.pixels}
    return {**written, **{name: text for name, text in more.items() if text}}
