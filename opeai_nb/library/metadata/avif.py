"""Metadata in AVIF files: an XMP item put in, and taken out again; pictures are not touched.

Boxes are those of ISO/IEC 14496-12 (8.11) and 23008-12. Our item is the last in `iinf`, `iloc` and
`iref`, its packet the last of the file; what lies behind `meta` moves by what that grows. A file
with any box beside those below, such as a moving picture, is left as it is.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from opeai_nb.library.metadata import exif

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opeai_nb.library.metadata.iptc import Fields

_OUTER: Final = frozenset({b"ftyp", b"meta", b"mdat", b"free", b"skip"})
_XMP: Final = b"mime\0application/rdf+xml\0"  # the item's type, no name, its content type
_VERSION_2: Final = 2  # of `infe`, which has 16 bits for an item's number, as all here
_WITHIN: Final = 1  # how `iloc` says that an item lies in `meta` itself


class _StrangeError(ValueError):
    """The file is not of the shape that is edited here."""


class _Box(NamedTuple):
    kind: bytes
    place: int
    start: int
    end: int


class _Item(NamedTuple):
    """Where an item lies, and where in `iloc` that is said: *fields* are places and widths."""

    number: int
    method: int
    extents: tuple[tuple[int, int], ...]
    fields: tuple[tuple[int, int], ...]
    entry: int


class _Parts(NamedTuple):
    """A file: its `meta`, the contents of the boxes in that, and its last box."""

    data: bytes
    meta: _Box
    inner: dict[bytes, bytes]
    last: _Box


def insert(data: bytes, told: str, parameters: str, fields: Fields | None = None) -> bytes:
    """Return the file with an XMP packet of ours: the record, *parameters*, and *fields* of others.

    One that has an XMP packet of its own, or is of another shape, is returned as it is.
    """
    try:
        parts = _parts(data)
        if _packets(parts):
            return data
        packet = exif.xmp_extension(told, parameters, fields)
        information, locations = parts.inner[b"iinf"], parts.inner[b"iloc"]
        number = 1 + max(_number(info) for info in _infos(parts))
        own = _box(b"infe", struct.pack(">IHH", _VERSION_2 << 24, number, 0) + _XMP)
        described = struct.pack(">HHH", number, 1, *struct.unpack(">4xH", parts.inner[b"pitm"]))
        changed = {
            b"iinf": _counted(information + own, 4, 1),
            b"iloc": _counted(locations + _entry(locations, number, len(data) + 8, packet), 6, 1),
            b"iref": parts.inner.get(b"iref", bytes(4)) + _box(b"cdsc", described),
        }
        return _written(parts, {**parts.inner, **changed}, len(data)) + _box(b"mdat", packet)
    except (_StrangeError, struct.error, OverflowError):
        return data


def without(data: bytes) -> Iterator[bytes]:
    """Yield the file without our packet; without its `iref`, too, where that had no other."""
    try:
        parts = _parts(data)
        packet = (_packets(parts) or [b""])[-1]
        if exif.told_in(packet) is None or packet != data[parts.last.start : parts.last.end]:
            return
        information, locations = parts.inner[b"iinf"], parts.inner[b"iloc"]
        inner = {
            **parts.inner,
            b"iinf": _counted(information[: _boxes(information, 6)[-1].place], 4, -1),
            b"iloc": _counted(locations[: _items(locations)[-1].entry], 6, -1),
            b"iref": parts.inner[b"iref"][: _boxes(parts.inner[b"iref"], 4)[-1].place],
        }
        yield _written(parts, inner, parts.last.place)
        if len(inner.pop(b"iref")) == 4:  # noqa: PLR2004  version and flags alone
            yield _written(parts, inner, parts.last.place)
    except (_StrangeError, struct.error, OverflowError, LookupError):
        return


def blocks(data: bytes) -> Iterator[bytes]:
    """Yield the XMP packets, what was put in last first."""
    try:
        yield from reversed(_packets(_parts(data)))
    except (_StrangeError, struct.error):
        return


def _parts(data: bytes) -> _Parts:
    """Return the parts of a file. Raises `_StrangeError`, or `struct.error` where it is cut off."""
    outer = _boxes(data)
    metas = [box for box in outer if box.kind == b"meta"]
    if len(metas) != 1 or not {box.kind for box in outer} <= _OUTER:
        raise _StrangeError
    boxes = _boxes(data, metas[0].start + 4, metas[0].end)
    inner = {box.kind: data[box.start : box.end] for box in boxes}
    is_narrow = not any(inner.get(kind, b"\0")[:1] > b"\0" for kind in (b"iinf", b"iref", b"pitm"))
    parts = _Parts(data, metas[0], inner, outer[-1])
    is_whole = inner.keys() >= {b"pitm", b"iloc", b"iinf"} and is_narrow
    if not is_whole or _meta(parts, inner) != data[parts.meta.place : parts.meta.end]:
        raise _StrangeError
    outside = [item for item in _items(inner[b"iloc"]) if not item.method]
    if any(start + length > len(data) for item in outside for start, length in item.extents):
        raise _StrangeError  # it is cut off, and what is put behind it would be taken for its end
    return parts


def _boxes(data: bytes, place: int = 0, end: int | None = None) -> list[_Box]:
    boxes, end = [], len(data) if end is None else end
    while place < end:
        size, kind = struct.unpack_from(">I4s", data, place)
        start = place + 8
        if size == 1:  # it stands behind the kind, in 64 bits
            size, start = struct.unpack_from(">Q", data, start)[0], start + 8
        if size < start - place or place + size > end:  # 0 reaches to the end: nothing can follow
            raise _StrangeError
        boxes.append(_Box(kind, place, start, place + size))
        place += size
    return boxes


def _items(box: bytes) -> list[_Item]:
    """Return what an `iloc` says. Raises `_StrangeError` where it has wide numbers or indexes."""
    version, offset, length, base = box[0], box[4] >> 4, box[4] & 15, box[5] >> 4
    if version > 1 or box[5] & 15 or {offset, length} - {4, 8} or base not in {0, 4, 8}:
        raise _StrangeError
    at, items = 8, []
    for _ in range(int.from_bytes(box[6:8], "big")):
        entry, at = at, at + 4 + 2 * version + base
        number, *method, file = struct.unpack_from(">HHH" if version else ">HH", box, entry)
        if file or method > [_WITHIN]:
            raise _StrangeError
        start = int.from_bytes(box[at - base : at], "big")
        (count,) = struct.unpack_from(">H", box, at)
        places = range(at + 2, at + 2 + count * (offset + length), offset + length)
        fields = ((at - base, base),) if start else tuple((place, offset) for place in places)
        spans = (box[place : place + offset + length] for place in places)
        extents = tuple(
            (start + int.from_bytes(span[:offset], "big"), int.from_bytes(span[offset:], "big"))
            for span in spans
        )
        at = places.stop
        items.append(_Item(number, sum(method), extents, fields, entry))
    if at != len(box) or not items:
        raise _StrangeError
    return items


def _packets(parts: _Parts) -> list[bytes]:
    """Return the XMP packets in the order in which their items are described."""
    infos = (info for info in _infos(parts) if info[8:12] == _XMP[:4] and _XMP[4:] in info[12:])
    numbers = [_number(info) for info in infos]
    items = {item.number: item for item in _items(parts.inner[b"iloc"])}
    if not items.keys() >= set(numbers):
        raise _StrangeError
    return [_content(parts, items[number]) for number in numbers]


def _infos(parts: _Parts) -> list[bytes]:
    """Return what is said of each item. Raises `_StrangeError` for one with a wide number."""
    information = parts.inner[b"iinf"]
    infos = [information[box.start : box.end] for box in _boxes(information, 6)]
    if not infos or any(info[:1] != bytes([_VERSION_2]) for info in infos):
        raise _StrangeError
    return infos


def _number(info: bytes) -> int:
    return int.from_bytes(info[4:6], "big")


def _content(parts: _Parts, item: _Item) -> bytes:
    source = parts.inner.get(b"idat", b"") if item.method else parts.data
    if sum(length for _, length in item.extents) > len(source):  # they lie upon each other
        raise _StrangeError
    return b"".join(source[start : start + length] for start, length in item.extents)


def _entry(box: bytes, number: int, place: int, packet: bytes) -> bytes:
    """Return what an `iloc` of this form says of a packet at *place*."""
    version, offset, length, base = box[0], box[4] >> 4, box[4] & 15, box[5] >> 4
    head = struct.pack(">H", number) + bytes(2 * version + 2 + base) + struct.pack(">H", 1)
    return head + place.to_bytes(offset, "big") + len(packet).to_bytes(length, "big")


def _counted(box: bytes, at: int, by: int) -> bytes:
    """Return a box whose number of entries, 16 bits at *at*, is another."""
    count = int.from_bytes(box[at : at + 2], "big") + by
    return box[:at] + count.to_bytes(2, "big") + box[at + 2 :]


def _written(parts: _Parts, inner: Mapping[bytes, bytes], end: int) -> bytes:
    """Return the file up to *end* with another `meta`; what lies behind that has moved."""
    meta = parts.meta
    by = len(_meta(parts, inner)) - (meta.end - meta.place)
    moved = _meta(parts, {**inner, b"iloc": _moved(inner[b"iloc"], meta.end, by)})
    return parts.data[: meta.place] + moved + parts.data[meta.end : end]


def _moved(box: bytes, border: int, by: int) -> bytes:
    """Return an `iloc` in which all that lies behind *border* lies *by* bytes further on."""
    made = bytearray(box)
    for item in _items(box):
        behind = {place >= border for place, _ in item.extents if not item.method}
        if True not in behind:
            continue
        if False in behind or not all(length for _, length in item.extents):
            raise _StrangeError  # without a length it reaches to the end of the file
        for at, width in item.fields:
            value = int.from_bytes(box[at : at + width], "big") + by
            made[at : at + width] = value.to_bytes(width, "big")
    return bytes(made)


def _meta(parts: _Parts, inner: Mapping[bytes, bytes]) -> bytes:
    """Return a `meta` box with these boxes in it."""
    full = parts.data[parts.meta.start : parts.meta.start + 4]
    return _box(b"meta", full + b"".join(_box(*each) for each in inner.items()))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content
