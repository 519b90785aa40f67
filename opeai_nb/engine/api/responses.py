"""Sync answers: `created`, `data` and `usage`, sent in pieces so that a batch is never copied."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import ApiRequest
from opeai_nb.engine.faults.rehearsal import item_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.types import Receive, Scope, Send


_SLICE: Final = 3 * 65_536  # bytes of a picture encoded at a time: 256 KiB of base64


class Base64:
    """A picture's bytes that become base64 only when they are sent."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return (len(self._data) + 2) // 3 * 4

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._data), _SLICE):
            yield base64.b64encode(self._data[start : start + _SLICE])


Piece = bytes | Base64


class PiecesResponse(Response):
    """A JSON body in pieces with its Content-Length; *cut* sends that many bytes and returns.

    An ASGI server closes the connection of an application that returns before its body is whole.
    """

    media_type = "application/json"

    def __init__(self, pieces: Sequence[Piece], *, cut: int | None = None) -> None:
        super().__init__(None)
        self._pieces = pieces
        self._cut = cut
        self.length = sum(len(piece) for piece in pieces)
        self.headers["content-length"] = str(self.length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        """Send the head and then slice by slice."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        left = self.length if self._cut is None else self._cut
        for part in self._parts():
            body = part[:left]
            left -= len(body)
            await send({"type": "http.response.body", "body": body, "more_body": True})
            if left <= 0:
                break
        if self._cut is None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _parts(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from piece


def usage(request: ApiRequest, edits: int, count: int) -> dict[str, Any]:
    """Return `usage` in the documented mixture (platform.md 1.3); the counts are invented."""
    text = max(1, len(request.prompt) // 4)
    image = 256 * edits
    output = max(1, request.width * request.height // 1024) * count
    return {
        "generated_images": count,
        "total_tokens": text + image + output,
        "input_tokens": text + image,
        "output_tokens": output,
        "input_tokens_details": {"text_tokens": text, "image_tokens": image},
    }


def sync_pieces(
    request: ApiRequest,
    created: float,
    pictures: Sequence[bytes],
    urls: Sequence[str],
    *,
    edits: int,
) -> list[Piece]:
    """Return the 200 answer of a sync model; *urls* are used where `request.form` is `url`."""
    vendor = MODELS[request.model].family.vendor
    pieces: list[Piece] = [_head(request, vendor, created)]
    good = 0
    for position, picture in enumerate(pictures):
        pieces.append(b", " if position else b"")
        fault = item_fault(request.model, position)
        good += not fault
        if fault:
            pieces.append(_dumps(_failed_item(fault)))
        elif request.form == "url":
            pieces.append(_dumps(_url_item(request, vendor, urls[position])))
        else:
            pieces += _base64_item(request, vendor, picture)
    spent = usage(request, edits, good)
    if vendor == "ark":  # passed through byte for byte, platform.md 2.3, 4.2
        spent = {
            name: spent[name] for name in ("generated_images", "output_tokens", "total_tokens")
        }
    pieces.append(b'], "usage": ' + _dumps(spent) + b"}")
    return pieces


def _head(request: ApiRequest, vendor: str, created: float) -> bytes:
    head: dict[str, Any] = {"created": int(created)}
    if vendor == "ark":
        head["model"] = MODELS[request.model].echo
    elif request.model.startswith("gpt-image"):  # passed through, platform.md 4.1
        head |= {
            "background": "transparent" if request.transparent else "opaque",
            "output_format": request.output_format,
            "size": f"{request.width}x{request.height}",
            "quality": "medium" if request.quality == "auto" else request.quality,
        }
    return _dumps(head)[:-1] + b', "data": ['


def _failed_item(fault: str) -> dict[str, Any]:
    if fault == "error":  # platform.md 4.2
        return {
            "error": {
                "code": "OutputImageSensitiveContentDetected",
                "message": "rehearsal: this picture of the batch has failed",
            }
        }
    return {"url": "", "b64_json": "", "revised_prompt": ""}  # platform.md 2.3


def _url_item(request: ApiRequest, vendor: str, url: str) -> dict[str, Any]:
    if vendor == "ark":
        return {"url": url, "size": f"{request.width}x{request.height}"}
    if vendor == "openai":
        return {"url": url, "revised_prompt": request.prompt}
    return {"url": url, "b64_json": "", "revised_prompt": request.prompt}


def _base64_item(request: ApiRequest, vendor: str, picture: bytes) -> list[Piece]:
    if vendor == "ark":
        return [
            b'{"b64_json": "',
            Base64(picture),
            f'", "size": "{request.width}x{request.height}"}}'.encode(),
        ]
    if request.model.startswith("gpt-image"):
        return [b'{"b64_json": "', Base64(picture), b'"}']
    head = b'{"b64_json": "' if vendor == "openai" else b'{"url": "", "b64_json": "'
    tail = b'", "revised_prompt": ' + _dumps(request.prompt) + b"}"
    return [head, Base64(picture), tail]


def _dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
