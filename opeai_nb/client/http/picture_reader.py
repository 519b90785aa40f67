"""Reads a body that is one picture, such as the one behind a picture's URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.client.http.json_reader import MAX_PICTURE_BYTES
from opeai_nb.client.protocol.steps import CutAnswer, Event, PictureEnd, Piece

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.protocol.steps import Source

_QUOTED: Final = 2000
"""Bytes that are enough to quote from an error page."""
_PAGES: Final = (b"", b"<", b"{")


class PictureReader:
    """Hands every byte on as picture 0.

    A page (HTML, XML, JSON) is told apart by its first character and never kept as a picture.
    Raises `CutAnswer` beyond *limit* bytes.
    """

    def __init__(self, limit: int = MAX_PICTURE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._head = b""

    def feed(self, chunk: bytes) -> list[Event]:
        """Take some bytes of the body."""
        self._size += len(chunk)
        if self._size > self._limit:
            raise CutAnswer("it is larger than any picture can be, and was not read further")
        known, self._head = self._is_page(), (self._head + chunk[:_QUOTED])[:_QUOTED]
        if not chunk or self._is_page():
            return []
        # White space before the first letter was held back: it might have been that of a page.
        return [Piece(0, self._head if known and self._size <= _QUOTED else chunk)]

    def finish(self) -> list[Event]:
        """Complete the picture: it ends with the body."""
        return [] if self._is_page() else [PictureEnd(0)]

    def rest(self) -> bytes:
        """Return the beginning of the body, to tell a picture from an error page."""
        return self._head

    def body(self, charset: str | None = None) -> str:  # noqa: ARG002  a page may lie
        """Return the beginning of the body as text; empty when there is none."""
        return self._head.decode("utf-8", "replace")

    def raw(self, pictures: Mapping[int, Source]) -> bytes:
        """Return what came, from the *pictures*; of a page its beginning."""
        source = pictures.get(0, self._head)
        return source if isinstance(source, bytes) else source.read_bytes()

    def _is_page(self) -> bool:
        return self._head.lstrip()[:1] in _PAGES
