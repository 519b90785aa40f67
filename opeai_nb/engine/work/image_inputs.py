"""The `image` field: URLs, data URLs, base64, arrays and objects of them, read into bytes."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, TypeGuard

from opeai_nb.engine.api.error_envelope import ApiError

_BYTES_MAX: Final = {"aliyun": 10 * 2**20}  # of one input image, platform.md 3.5
_BYTES_MAX_ELSEWHERE: Final = 20 * 2**20  # OpenAI takes 50 MB: more than a body here may have
_COUNT_MAX: Final = 16  # the most of any model, platform.md 4.1
_DEPTH_MAX: Final = 4  # an array of objects of objects of strings
_DATA_URL: Final = re.compile(r"data:image/[\w.+-]{1,40}(;[\w=.+-]{1,40})*;base64,", re.IGNORECASE)
_SPACE: Final = str.maketrans("", "", " \t\r\n")


Reference = str | bytes
"""A URL, a data URL or base64; or a file's bytes, from a form."""


def references(image: object) -> list[Reference]:
    """Return the images in an `image` field, in order: [] where it is absent, null or empty.

    Objects may be `{"url"}`, `{"image_url"}` (a string or again an object) and `{"b64_json"}`
    (platform.md 1.2: their shape is not documented). Raises ApiError 400 for anything else.
    """
    strings = list(_strings(image, _DEPTH_MAX))
    if len(strings) > _COUNT_MAX:
        raise _bad(f"at most {_COUNT_MAX} images are accepted")
    return strings


def _strings(value: object, depth: int) -> list[Reference]:
    if value is None or value in ("", b"", []):
        return []
    if depth == 0:
        raise _bad("image is nested too deeply")
    if isinstance(value, str | bytes):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in (_strings(item, depth - 1) or [_missing()])]
    if isinstance(value, dict):
        for name in ("url", "image_url", "b64_json"):
            if value.get(name):
                return _strings(value[name], depth - 1)
        if value.get("file_id"):
            raise _bad("files are not kept here: send image_url, a URL or data URL, not file_id")
        raise _bad("an image object needs url, image_url or b64_json")
    raise _bad("image must be a string, an array or an object")


def _missing() -> str:
    raise _bad("image holds an empty item")


def bytes_max(vendor: str) -> int:
    """Return how many bytes one input image may have for a vendor's models."""
    return _BYTES_MAX.get(vendor, _BYTES_MAX_ELSEWHERE)


def is_url(reference: Reference) -> TypeGuard[str]:
    """Tell whether *reference* is to be fetched; all else holds the image itself."""
    return isinstance(reference, str) and reference[:8].lower().startswith(("http://", "https://"))


def decoded(reference: Reference, most: int) -> bytes:
    """Return the bytes, at most *most*, of a file, a data URL or bare base64, padded or not.

    Raises `ApiError` 400 for what is none of these, or larger.
    """
    if isinstance(reference, bytes):
        if len(reference) > most:
            raise _too_large(most)
        return reference
    text = reference
    if reference[:5].lower() == "data:":
        match = _DATA_URL.match(reference)
        if match is None:
            raise _bad("a data URL must be data:image/…;base64,…")
        text = reference[match.end() :]
    elif "://" in reference[:40]:
        raise _bad("only http and https image URLs are accepted")
    text = text.translate(_SPACE).rstrip("=")
    if len(text) > most * 4 // 3 + 4:
        raise _too_large(most)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("image is neither a URL, a data URL nor base64") from error


def _too_large(most: int) -> ApiError:
    return _bad(f"an input image may have at most {most // 2**20} MB")


def _bad(message: str) -> ApiError:
    return ApiError(message, code="invalid_image", param="image")
