"""Bodies that come compressed although none was asked for: unpacked within limits."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.protocol.steps import CutAnswer, Event, Reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    import httpx

_ANY_ZLIB: Final = 32 + zlib.MAX_WBITS
_AT_ONCE: Final = 256 * 1024
"""Unpacked at once: a few bytes of a bomb stand for thousands, so it is opened bit by bit."""


def reader_for(make: Callable[[], Reader], response: httpx.Response) -> Reader:
    """Return the reader of the bytes that `chunks` or `async_chunks` give of *response*.

    `Accept-Encoding: identity` is asked for; gzip and deflate are read all the same, because
    proxies send them unasked. Raises `CutAnswer` for any other Content-Encoding.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"", "identity"} or response.is_stream_consumed:
        return make()
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _Unpacking(make())
    raise CutAnswer(f"its body is encoded as {encoding[:20]!r}, which was not asked for")


def chunks(response: httpx.Response) -> Iterator[bytes]:
    """Return the body as it arrives, still compressed; as a whole where httpx has read it."""
    return response.iter_bytes() if response.is_stream_consumed else response.iter_raw()


def async_chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the body as it arrives, still compressed; as a whole where httpx has read it."""
    return response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw()


class _Unpacking:
    """Unpacks a body for another reader, which holds the caps."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._zlib = zlib.decompressobj(_ANY_ZLIB)

    def feed(self, chunk: bytes) -> Iterator[Event]:
        plain = b""
        while not self._zlib.eof and (chunk or len(plain) == _AT_ONCE):
            try:
                plain = self._zlib.decompress(chunk, _AT_ONCE)
            except zlib.error as error:
                raise CutAnswer("its body is not compressed as it says") from error
            chunk = self._zlib.unconsumed_tail
            yield from self._reader.feed(plain)

    def finish(self) -> Iterator[Event]:
        if not self._zlib.eof:
            raise CutAnswer("its compressed body is incomplete")
        yield from self._reader.finish()

    def rest(self) -> bytes:
        return self._reader.rest()

    def body(self) -> Any:
        return self._reader.body()
