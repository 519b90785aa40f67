"""What a JPEG or WebP is told in EXIF, and in XMP where it brought an EXIF of its own."""

from __future__ import annotations

import html
import json
import re
import struct
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.library.metadata.iptc import escaped

if TYPE_CHECKING:
    from opeai_nb.library.metadata.iptc import Fields

_MARK: Final = b"opeai_nb\0"
_SOFTWARE, _EXIF_IFD, _USER_COMMENT, _OURS = 0x0131, 0x8769, 0x9286, 0xC0DE
_ASCII, _LONG, _UNDEFINED = 2, 4, 7
_ENTRY: Final = 12
_NAMESPACE: Final = "https://api-platform.ope.ai/opeai_nb/1.0/"
_NOTE: Final = "http://ns.adobe.com/xmp/note/"
_EXIF_NAMESPACE: Final = "http://ns.adobe.com/exif/1.0/"
# As we write it, or as exiftool writes it anew.
_XMP_RECORD = re.compile(rb'opeai_nb:record(?:="([^"]*)"|>([^<]*)<)')
Tag = tuple[int, int, bytes]


def tiff(told: str | None, parameters: str | None) -> bytes:
    """Return an EXIF block: *parameters* as the user comment, our JSON under a tag of our own.

    Without one of them, the block holds the other alone.

    A maker's note would be its place, but exiftool warns of one that it cannot parse, and writes no
    WebP that has one. `told_in` reads those of before.

    Big-endian throughout: readers of the comment expect UTF-16BE (piexif, A1111).
    """
    inner: list[Tag] = [] if told is None else [(_OURS, _UNDEFINED, _MARK + told.encode())]
    if parameters is not None:
        comment = b"UNICODE\0" + parameters.encode("utf-16-be")
        inner.insert(0, (_USER_COMMENT, _UNDEFINED, comment))
    software: Tag = (_SOFTWARE, _ASCII, b"opeai_nb\0")
    after = 8 + len(_directory([software, (_EXIF_IFD, _LONG, bytes(4))], 8))
    outer = _directory([software, (_EXIF_IFD, _LONG, struct.pack(">I", after))], 8)
    return b"MM\0*" + struct.pack(">I", 8) + outer + _directory(inner, after)


def _directory(tags: list[Tag], start: int) -> bytes:
    """Return an image file directory that stands at *start*, followed by its longer values."""
    place = start + 2 + _ENTRY * len(tags) + 4
    entries, values = b"", b""
    for tag, kind, value in tags:
        count = len(value) // 4 if kind == _LONG else len(value)
        if len(value) <= 4:  # noqa: PLR2004  such a value stands in the entry itself
            entries += struct.pack(">HHI", tag, kind, count) + value.ljust(4, b"\0")
            continue
        entries += struct.pack(">HHII", tag, kind, count, place + len(values))
        values += value + b"\0" * (len(value) % 2)
    return struct.pack(">H", len(tags)) + entries + bytes(4) + values


def xmp(told: str | None, fields: Fields | None = None) -> bytes:
    """Return an XMP packet that holds our JSON, and *fields* of others; without one, the other."""
    own = "" if told is None else _own(told)
    namespaces, elements = fields or ("", "")
    return _packet(" ".join(filter(None, [own, namespaces])), elements)


def xmp_of_parts(name: str) -> bytes:
    """Return an XMP packet whose content stands in further parts, by their common *name*."""
    return _packet(f'xmlns:xmpNote="{_NOTE}" xmpNote:HasExtendedXMP="{name}"')


def xmp_extension(told: str, parameters: str | None = None, fields: Fields | None = None) -> bytes:
    """Return XMP that is longer than a packet may be: our JSON, *parameters* as user comment."""
    comment = f' xmlns:exif="{_EXIF_NAMESPACE}"' if parameters is not None else ""
    inner = (
        "<exif:UserComment><rdf:Alt><rdf:li xml:lang='x-default'>"
        f"{escaped(parameters)}</rdf:li></rdf:Alt></exif:UserComment>"
        if parameters is not None
        else ""
    )
    namespaces, elements = fields or ("", "")
    own = f"{_own(told)}{comment} {namespaces}".rstrip()
    return _meta(own, inner + elements).encode()


def _own(told: str) -> str:
    return f'xmlns:opeai_nb="{_NAMESPACE}" opeai_nb:record="{escaped(told)}"'


def is_of_parts(block: bytes) -> bool:
    """Tell whether an XMP packet holds no more than the name of its parts, as ours do."""
    name = re.search(rb'xmpNote:HasExtendedXMP="([0-9A-F]{32})"', block)
    return name is not None and block.endswith(xmp_of_parts(name[1].decode()))


def _packet(attributes: str, inner: str = "") -> bytes:
    begin = '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    return f'{begin}{_meta(attributes, inner)}<?xpacket end="w"?>'.encode()


def _meta(attributes: str, inner: str = "") -> str:
    end = f">{inner}</rdf:Description>" if inner else "/>"
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        f'rdf:about="" {attributes}{end}</rdf:RDF></x:xmpmeta>'
    )


def told_in(block: bytes) -> dict[str, Any] | None:
    """Return our JSON in an EXIF or XMP block, if it is there."""
    if found := _XMP_RECORD.search(block):
        text = html.unescape((found[1] or found[2]).decode("utf-8", "replace"))
    else:
        _, mark, rest = block.partition(_MARK + b"{")
        if not mark:
            return None
        text = "{" + rest.decode("utf-8", "replace")
    try:
        told, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
