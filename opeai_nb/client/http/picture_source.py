"""What the bytes of a picture say of it, in memory or in the file that they were streamed into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.client.http.picture_text import begins_as_picture
from opeai_nb.formats import sniff_format

if TYPE_CHECKING:
    from collections.abc import Collection

    from opeai_nb.client.protocol.steps import Source

_TELLING: Final = 2000
_LAST: Final = 16
_ENDS: Final = {"png": b"IEND", "jpeg": b"\xff\xd9"}


def bytes_of(source: Source) -> bytes:
    """Return all of them."""
    return source if isinstance(source, bytes) else source.read_bytes()


def is_one_of(source: Source | None, contents: Collection[bytes]) -> bool:
    """Tell whether *source* holds one of *contents*; a file of another size is not read."""
    if source is None or isinstance(source, bytes):
        return source in contents
    return source.stat().st_size in map(len, contents) and source.read_bytes() in contents


def first_bytes(source: Source) -> bytes:
    """Return enough of a picture's beginning to tell its format."""
    if isinstance(source, bytes):
        return source[:_TELLING]
    with source.open("rb") as file:
        return file.read(_TELLING)


def begins(source: Source) -> bool:
    """Tell whether *source* begins as a picture; a file was named by how it does."""
    if isinstance(source, bytes):
        return begins_as_picture(source)
    return source.suffix.lstrip(".") not in ("", "bin")


def ends_whole(source: Source) -> bool:
    """Tell a picture that ends with the mark of its end; of a file both ends alone are read."""
    if isinstance(source, bytes):
        head, tail = source[:_LAST], source[-_LAST:]
    else:
        with source.open("rb") as file:
            head = file.read(_LAST)
            file.seek(max(0, source.stat().st_size - _LAST))
            tail = file.read(_LAST)
    end = _ENDS.get(sniff_format(head) or "")
    return end is not None and end in tail


def is_cut_short(source: Source) -> bool:
    """Tell a picture whose end is missing, of the formats that have a mark there."""
    if ends_whole(source):
        return False
    data = bytes_of(source)  # something may stand behind the mark
    end = _ENDS.get(sniff_format(data[:_LAST]) or "")
    return end is not None and end not in data
