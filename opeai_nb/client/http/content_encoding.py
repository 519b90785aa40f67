"""Bodies that come compressed although none was asked for: unpacked within limits."""

from __future__ import annotations

import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from opeai_nb.client.http.json_reader import MAX_RAW_BYTES
from opeai_nb.client.protocol.steps import CutAnswer, Damaged, Event, Reader, Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

    import httpx

_AT_ONCE: Final = 256 * 1024
"""Unpacked at once: a few bytes of a bomb stand for thousands, so it is opened bit by bit."""
_PLAIN: Final = (b"{", b"[", b"<", b'"', b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"data:")


def reader_for(make: Callable[[], Reader], response: httpx.Response) -> Reader:
    """Return the reader of the bytes that `chunks` or `async_chunks` give of *response*.

    `Accept-Encoding: identity` is asked for; gzip, deflate and, where a library for them is there,
    br and zstd are read all the same, several in the order in which they were undone, because
    proxies send them unasked. A word that is no coding (`UTF-8`, `none`, `aws-chunked`) stands over
    plain bytes. What cannot be undone, br and zstd without a library included, is a `CutAnswer` at
    its end, and kept as it came.
    """
    reader = unpacking(make(), "")  # what is packed once more than it says tells by its beginning
    if response.is_stream_consumed or "content-encoding" not in response.headers:
        return reader
    words = response.headers["content-encoding"].lower().split(",")
    codings = [word.partition(";")[0].strip().removeprefix("x-") for word in words]
    for coding in [word for word in codings if word in _PACKED][-_MOST_CODINGS:]:
        reader = unpacking(reader, coding)  # the coding that was applied last is undone first
    return reader


_MOST_CODINGS: Final = 4
"""Two proxies are two; a thousand would be a stack too deep."""


def unpacking(reader: Reader, coding: str) -> Reader:
    """Return what undoes *coding* for *reader*; "" undoes what tells its packing by its bytes."""
    return _Unpacking(reader, coding)


def chunks(response: httpx.Response) -> Iterator[bytes]:
    """Return the body as it arrives, still compressed; as a whole where httpx has read it."""
    if response.is_stream_consumed:
        return response.iter_bytes()
    stream: Any = response.stream  # httpx would cut it anew into chunks, which are of any size
    return iter(stream)


def async_chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the body as it arrives, still compressed; as a whole where httpx has read it."""
    if response.is_stream_consumed:
        return response.aiter_bytes()
    stream: Any = response.stream  # as its twin
    return aiter(stream)


class _Unpacking:
    """Unpacks a body for another reader, which holds the caps; what is plain stays as it is.

    The bytes decide before the label. What cannot be unpacked is read to its end all the same, and
    kept as it came: it may be paid for.
    """

    def __init__(self, reader: Reader, coding: str) -> None:
        self._reader = reader
        self._coding = coding
        self._head = b""
        self._unpack: Unpack | None = None
        self._failure: CutAnswer | None = None
        self._packed = bytearray()
        self._is_open = False

    def feed(self, chunk: bytes) -> Iterable[Event]:
        if self._unpack is None:
            self._head += chunk
            if len(self._head) < _TELLING:
                return ()
            chunk = self._begin()
        return self._passed_on(chunk)

    def finish(self) -> Iterator[Event]:
        if self._unpack is None:
            yield from self._passed_on(self._begin())
        if self._failure is None and self._unpack is not None and not self._unpack.is_whole:
            self._failure = Damaged("its compressed body is incomplete")
        if self._failure is not None:
            raise self._failure
        yield from self._reader.finish()

    def body(self, charset: str | None = None) -> Any:
        return self._reader.body(charset)

    def raw(self, pictures: Mapping[int, Source]) -> bytes:
        return bytes(self._packed) or self._reader.raw(pictures)

    def drafts(self) -> frozenset[int]:
        return self._reader.drafts()

    def _begin(self) -> bytes:
        head, self._head = self._head, b""
        self._unpack = unpacker(self._coding, head)
        return head

    def _passed_on(self, chunk: bytes) -> Iterable[Event]:
        if self._unpack is None or isinstance(self._unpack, _Plain):
            return self._reader.feed(chunk)
        if not self._is_open and len(self._packed) < MAX_RAW_BYTES:
            self._packed += chunk
        return self._unpacked(self._unpack(chunk)) if self._failure is None else ()

    def _unpacked(self, pieces: Iterator[bytes]) -> Iterator[Event]:
        while True:
            try:
                piece = next(pieces)
            except StopIteration:
                return
            except CutAnswer as failure:
                self._failure = failure
                return
            if piece and not self._is_open:
                self._is_open = True
                self._packed.clear()  # what was unpacked is kept by the reader
            yield from self._reader.feed(piece)


_PACKED: Final = frozenset({"gzip", "deflate", "br", "zstd"})
_GZIP, _ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
_ZLIB: Final = (b"\x78\x01", b"\x78\x9c", b"\x78\xda")  # no text begins so
_TELLING: Final = 8


class Unpack(Protocol):
    """Undoes one coding; a protocol, for libraries differ."""

    @property
    def is_whole(self) -> bool:
        """Whether the end of the coding was seen."""

    def __call__(self, chunk: bytes) -> Iterator[bytes]:
        """Return the plain bytes, a few at a time."""


def unpacker(coding: str, head: bytes) -> Unpack:
    """Return what undoes *coding* in a body that begins with *head*."""
    if head.startswith(_GZIP) or (coding != "br" and head.startswith(_ZLIB)):
        return _Zlib(head)
    if head.startswith(_ZSTD):
        return _by_library("zstd")
    if not coding or head.lstrip().startswith(_PLAIN) or not head:
        return _Plain()
    if coding in {"gzip", "deflate"}:
        return _Zlib(head)
    return _by_library(coding)


class _Closed:
    """A coding that nothing here undoes."""

    is_whole: bool = False

    def __init__(self, coding: str) -> None:
        self._coding = coding

    def __call__(self, chunk: bytes) -> Iterator[bytes]:  # noqa: ARG002  nobody can read it
        raise Damaged(
            f"its body is compressed with {self._coding!r}, which was not asked for and no library "
            "here reads"
        )
        yield b""  # pragma: no cover  a generator, as its like are


class _Plain:
    is_whole: bool = True

    def __call__(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Zlib:
    """gzip of one or several members, deflate with zlib's head or, as old servers send it, raw."""

    def __init__(self, head: bytes) -> None:
        is_gzip = head[:2] == b"\x1f\x8b"
        is_zlib = len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0 and head[0] & 15 == 8  # noqa: PLR2004  RFC 1950
        self._bits = 16 + zlib.MAX_WBITS if is_gzip else zlib.MAX_WBITS * (1 if is_zlib else -1)
        self._zlib = zlib.decompressobj(self._bits)
        self._parts = 1

    @property
    def is_whole(self) -> bool:
        return self._zlib.eof

    def __call__(self, chunk: bytes) -> Iterator[bytes]:
        plain = b""
        while chunk or len(plain) == _AT_ONCE:
            if self._zlib.eof:
                if self._bits < zlib.MAX_WBITS or not chunk.startswith(b"\x1f\x8b"):
                    return  # what follows the last member is padding
                self._zlib = zlib.decompressobj(self._bits)
                self._parts = _one_more(self._parts)
            try:
                plain = self._zlib.decompress(chunk, _AT_ONCE)
            except zlib.error as error:
                raise Damaged("its body is not compressed as it says") from error
            chunk = self._zlib.unconsumed_tail or self._zlib.unused_data
            yield plain


_MOST_PARTS: Final = 10_000
"""Members or frames of a body: empty ones of 9 bytes each would take three seconds a megabyte."""


def _one_more(parts: int) -> int:
    if parts >= _MOST_PARTS:
        raise Damaged("its compressed body is of too many parts")
    return parts + 1


class _Brotli:
    """br, by `brotli` or `brotlicffi`; those before 1.2 cannot be told how much to give at once."""

    def __init__(self, module: Any) -> None:
        self._unpack = module.Decompressor()
        self._error: type[Exception] = module.error
        self._is_bounded = hasattr(self._unpack, "can_accept_more_data")  # brotli 1.2

    @property
    def is_whole(self) -> bool:
        return bool(self._unpack.is_finished())

    def __call__(self, chunk: bytes) -> Iterator[bytes]:
        """Unpack a little at a time: three bytes can stand for 16 MB, and be followed by more."""
        sip = len(chunk) if self._is_bounded else 1
        for start in range(0, len(chunk), sip or 1):
            yield from self._unpacked(chunk[start : start + sip])

    def _unpacked(self, packed: bytes) -> Iterator[bytes]:
        limit = {"output_buffer_limit": _AT_ONCE} if self._is_bounded else {}
        while not self._unpack.is_finished():  # what follows the end is padding
            try:
                plain = self._unpack.process(packed, **limit)
            except self._error as error:
                raise Damaged("its body is not compressed as it says") from error
            yield plain
            packed = b""
            # It says that it takes more while it still holds some: only nothing is the end.
            if not (self._is_bounded and plain):
                return


_SIP: Final = 64
"""Bytes handed to zstd at once: four of them can stand for 128 KB."""
_WINDOW_BITS: Final = 23
"""8 MB of what came before are all that zstd over HTTP may refer to (RFC 9659)."""


class _Zstd:
    """zstd of one or several frames, by the standard library (3.14), `zstandard` or a backport."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._error: type[Exception] = module.ZstdError
        self._unpack = self._begun()
        self._parts = 1

    @property
    def is_whole(self) -> bool:
        return bool(self._unpack.eof)

    def __call__(self, chunk: bytes) -> Iterator[bytes]:
        for start in range(0, len(chunk), _SIP):
            sip = chunk[start : start + _SIP]
            while sip:
                if self._unpack.eof:
                    self._unpack = self._begun()
                    self._parts = _one_more(self._parts)
                try:
                    yield self._unpack.decompress(sip)
                except self._error as error:
                    raise Damaged("its body is not compressed as it says") from error
                sip = self._unpack.unused_data if self._unpack.eof else b""

    def _begun(self) -> Any:
        make = self._module.ZstdDecompressor
        if (limits := getattr(self._module, "DecompressionParameter", None)) is not None:
            return make(options={limits.window_log_max: _WINDOW_BITS})
        return make(max_window_size=1 << _WINDOW_BITS).decompressobj()


_LIBRARIES: Final[Mapping[str, tuple[Callable[[Any], Unpack], tuple[str, ...]]]] = {
    "br": (_Brotli, ("brotli", "brotlicffi")),
    "zstd": (_Zstd, ("compression.zstd", "zstandard", "backports.zstd")),
}


def _by_library(coding: str) -> Unpack:
    make, names = _LIBRARIES[coding]
    for name in names:
        try:
            return make(import_module(name))
        except ImportError:
            continue
    return _Closed(coding)
