"""Reads a body that is one picture, such as the one behind a picture's URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.client.http.json_reader import MAX_PICTURE_BYTES
from opeai_nb.client.protocol.steps import CutAnswer, Event, PictureEnd, Piece
from opeai_nb.formats import is_svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.protocol.steps import Source

_QUOTED: Final = 2000
"""Bytes that are enough to quote from an error page."""
_PAGES: Final = (b"", b"<", b"{")


class PictureReader:
    """Hands every byte on as picture 0.

    A page (HTML, XML, JSON) is told apart by how it begins and never kept as a picture; an SVG is
    none. Raises `CutAnswer` beyond *limit* bytes.
    """

    def __init__(self, limit: int = MAX_PICTURE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._head = b""
        self._held: bytes | None = b""

    def feed(self, chunk: bytes) -> list[Event]:
        """Take some bytes of the body; its beginning is held back until it tells what it is.

        Raises `CutAnswer` when it has become too large.
        """
        self._size += len(chunk)
        if self._size > self._limit:
            raise CutAnswer("it is larger than any picture can be, and was not read further")
        self._head = (self._head + chunk[:_QUOTED])[:_QUOTED]
        if self._held is None:
            return [Piece(0, chunk)] if chunk else []
        self._held += chunk
        if self._is_page():
            self._held = self._held[:_QUOTED]
            return []
        held, self._held = self._held, None
        return [Piece(0, held)]

    def finish(self) -> list[Event]:
        """Complete the picture: it ends with the body."""
        return [PictureEnd(0)] if self._held is None else []

    def body(self, charset: str | None = None) -> str:  # noqa: ARG002  a page may lie
        """Return the beginning of the body as text; empty when there is none."""
        return self._head.decode("utf-8", "replace")

    def raw(self, pictures: Mapping[int, Source]) -> bytes:
        """Return what came, from the *pictures*; of a page its beginning."""
        source = pictures.get(0, self._head)
        return source if isinstance(source, bytes) else source.read_bytes()

    def drafts(self) -> frozenset[int]:
        """Return none: a file is one picture."""
        return frozenset()

    def _is_page(self) -> bool:
        return self._head.lstrip()[:1] in _PAGES and not is_svg(self._head.ljust(_QUOTED))
