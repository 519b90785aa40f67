"""Answers as the platform gives them (platform.md 1.3, 1.4, 1.5), for scripts."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.testing.replies import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

CREATED: Final = 1_777_440_000


@cache
def png(width: int = 64, height: int = 64, colour: tuple[int, int, int] = (70, 130, 180)) -> bytes:
    """Return a PNG of one *colour*: red, green and blue from 0 to 255."""
    rows = (b"\0" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def pictures_answer(*pictures: bytes | str, **fields: Any) -> Answer:
    """Return a synchronous answer; bytes travel in b64_json, text is a URL.

    *fields* stand beside `data`: `usage`, `model`…
    """
    items = [
        {"url": picture, "b64_json": "", "revised_prompt": ""}
        if isinstance(picture, str)
        else {"url": "", "b64_json": b64encode(picture).decode(), "revised_prompt": ""}
        for picture in pictures
    ]
    return Answer({"created": CREATED, "data": items, **fields})


def task_answer(
    status: str = "QUEUED",
    *,
    id: str = "image_1",  # noqa: A002  the API's own name
    **fields: Any,
) -> Answer:
    """Return an answer about a task; *fields* stand beside its status (`data`, `progress`)."""
    body = {
        "id": id,
        "task_id": id,
        "object": "image.generation.task",
        "status": status,
        "created_at": CREATED,
    }
    return Answer({**body, **fields})


def error_answer(
    message: str,
    *,
    status: int = 400,
    code: object = "invalid_image_request",
    type: str = "invalid_request_error",  # noqa: A002  the API's own name
    headers: Iterable[tuple[str, str]] = (),
) -> Answer:
    """Return an error in the platform's envelope."""
    body = {"error": {"message": message, "type": type, "code": code}}
    return Answer(body, status=status, headers=dict(headers))
