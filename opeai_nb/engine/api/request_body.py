"""The body of a request, within bounds: JSON, or a form with files."""

from __future__ import annotations

import asyncio
import hashlib
import re
import zlib
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from opeai_nb.engine.api.error_envelope import ApiError
from opeai_nb.engine.api.openai_request import FIELD_TYPES, loads

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

BODY_MAX: Final = 64 * 1024 * 1024  # two input images of 20 MB in base64, and some room
_CODINGS: Final = ("gzip", "x-gzip", "deflate")
_LAYERS_MAX: Final = 4  # codings of one body
_MEMBERS_MAX: Final = 16  # of a gzip body (RFC 1952 2.2): each costs a copy of what follows it
_SMALL: Final = 64 * 1024  # bytes parsed on the loop: a thread costs more than so short a body
_PIECE: Final = 256 * 1024  # bytes of a form parsed at a time: between two of them polls get a turn
_FILES_MAX: Final = 32  # more than sixteen images and a mask (platform.md 4.1), which are counted
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_LISTS: Final = {"image": "image", "images": "image", "mask": "mask"}
_DRAIN_MAX: Final = 256 * 1024 * 1024  # read and dropped, so that the client hears the 413


async def read_body(http: Request) -> bytes:
    """Return the body of *http*; ApiError 413 above 64 MB, of which no more is held in memory."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in http.stream():
        size += len(chunk)
        if size <= BODY_MAX:
            chunks.append(chunk)
        else:
            chunks.clear()
        if size > _DRAIN_MAX:
            break
    if size > BODY_MAX:
        raise _too_large()
    named = [one.strip() for one in http.headers.get("content-encoding", "").lower().split(",")]
    if len(named) > _LAYERS_MAX:
        named = ["too many"]
    body = b"".join(chunks)
    for coding in reversed(named):  # the last one was applied last
        if coding not in {"", "identity"}:
            body = await asyncio.to_thread(_decompressed, body, coding)
    return body


def _decompressed(body: bytes, encoding: str) -> bytes:
    """Return the plain *body*; ApiError 413 as soon as it is too large, however small it came."""
    if encoding not in _CODINGS:
        raise ApiError(
            "a request body may be sent as it is, or with Content-Encoding gzip or deflate",
            status=415,
            code="read_request_body_failed",
        )
    plain, rest = b"", body
    for _ in range(_MEMBERS_MAX):
        decoder = zlib.decompressobj(_window_bits(rest, encoding))
        try:
            plain += decoder.decompress(rest, BODY_MAX + 1 - len(plain))
        except zlib.error as error:
            raise ApiError("the compressed body is broken", code="bad_request_body") from error
        if len(plain) > BODY_MAX:
            raise _too_large()
        if not decoder.eof:
            raise ApiError("the compressed body is cut short", code="bad_request_body")
        rest = decoder.unused_data.lstrip(b"\0")  # zeros: what fills a block of a tape or a disk
        if not rest:
            return plain
    raise ApiError("the compressed body has too many members", code="bad_request_body")


def _window_bits(body: bytes, encoding: str) -> int:
    """Return zlib's `wbits` for *body*: many clients send `deflate` without the header it needs."""
    has_zlibs = body[:1] == b"\x78" and int.from_bytes(body[:2], "big") % 31 == 0  # RFC 1950 2.2
    is_bare = encoding == "deflate" and not has_zlibs and body[:2] != b"\x1f\x8b"
    return (
        -zlib.MAX_WBITS if is_bare else zlib.MAX_WBITS | 32
    )  # 32: the header tells gzip from zlib


def _too_large() -> ApiError:
    return ApiError(
        "request body too large",
        status=413,
        type="new_api_error",
        code="read_request_body_failed",
    )


async def read_fields(http: Request, *, forms: bool) -> tuple[dict[str, Any], str]:
    """Return the fields of a JSON body, or of a multipart form, and their digest.

    In a form files are bytes, and `image`, `image[]` and `image[0]` are one list under `image`.
    Raises ApiError 400 for a body that is neither, or a form where *forms* are not taken.
    """
    body = await read_body(http)
    kind = http.headers.get("content-type", "").lower()
    if kind.startswith("multipart/"):
        if not forms:
            raise ApiError(
                "send the request as JSON (Content-Type: application/json), with an input picture "
                "as a URL or data URL in `image`; /v1/images/edits takes multipart forms",
                code="bad_request_body",
            )
        return await _form(http.headers, body)
    if kind.startswith("application/x-www-form-urlencoded") and not body.lstrip().startswith(b"{"):
        raise ApiError(
            "send JSON (Content-Type: application/json) rather than a form of this kind"
            + ("; files travel in a multipart form" if forms else ""),
            code="bad_request_body",
        )
    fields = loads(body) if len(body) <= _SMALL else await asyncio.to_thread(loads, body)
    return fields, hashlib.sha256(body).hexdigest()


async def _form(headers: Headers, body: bytes) -> tuple[dict[str, Any], str]:
    """Return a form's fields; their digest leaves out the boundary, which each repeat changes."""
    fields: dict[str, Any] = {}
    digest = hashlib.sha256()
    parser = MultiPartParser(headers, _pieces(body), max_files=_FILES_MAX, max_part_size=BODY_MAX)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        message = f"the form could not be read: {error.message}"
        raise ApiError(message, code="bad_request_body") from error
    except KeyError as error:
        message = "the form could not be read: its Content-Type names no boundary"
        raise ApiError(message, code="bad_request_body") from error
    for name, value in form.multi_items():
        name = re.sub(r"\[\d*\]$", "", name)  # noqa: PLW2901  each client names lists its own way
        if value == "":  # a field that a page left empty: nothing is asked
            continue
        item = await value.read() if isinstance(value, UploadFile) else value
        digest.update(repr((name, len(item))).encode())
        digest.update(item if isinstance(item, bytes) else item.encode())
        if name in _LISTS:
            fields.setdefault(_LISTS[name], []).append(item)
        else:
            fields[name] = _typed(name, item)
    await form.close()
    return fields, digest.hexdigest()


async def _pieces(body: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]
        await asyncio.sleep(0)


def _typed(name: str, value: str | bytes) -> object:
    """Return a form's text as the JSON value that it stands for, or unchanged where it is none."""
    kind = FIELD_TYPES.get(name, str)
    if kind is int and isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return {"true": True, "false": False}.get(str(value), value) if kind is bool else value
