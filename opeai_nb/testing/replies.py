"""What a scripted server can do with a request: answer it, or fail at any stage."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Refuse:
    """The connection is refused: the request never arrives."""


@dataclass(frozen=True)
class Drop:
    """The request arrives, and the connection drops before any answer."""


@dataclass(frozen=True)
class Stall:
    """The request arrives, and nothing comes until the client's patience ends."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    *body* is bytes (sent as they are), text (as UTF-8) or any other JSON value. After *drop_after*
    bytes of it the connection drops, after *stall_after* bytes nothing more comes. *chunk* is how
    many bytes arrive at a time (default: all at once). A Content-Type is added unless one is given.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drop_after: int | None = None
    stall_after: int | None = None
    chunk: int | None = None

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, (bytes, bytearray)):
            return bytes(self.body)
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()

    def half(self) -> Answer:
        """Return this answer, dropping in the middle of its body."""
        return replace(self, drop_after=len(self.content) // 2)

    def all_headers(self) -> dict[str, str]:
        """Return the headers as they are sent."""
        if any(name.lower() == "content-type" for name in self.headers):
            return dict(self.headers)
        if isinstance(self.body, (bytes, bytearray)):
            kind = "application/octet-stream"
        else:
            kind = "text/html" if isinstance(self.body, str) else "application/json"
        return {"Content-Type": kind, **self.headers}

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives, up to where it is cut."""
        ends = [end for end in (self.drop_after, self.stall_after) if end is not None]
        content = self.content[: min(ends)] if ends else self.content
        step = self.chunk or max(1, len(content))
        for start in range(0, len(content), step):
            yield content[start : start + step]


Reply = Answer | Refuse | Drop | Stall
