"""Whether a picture ends as its format does, in memory or in the file that holds it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from opeai_nb.errors import NoPictureError
from opeai_nb.formats import sniff_format
from opeai_nb.plain_file import open_plain, read_plain

if TYPE_CHECKING:
    from pathlib import Path

    from opeai_nb.client.values.picture import Picture

_LAST: Final = 16
_ENDS: Final = {"png": b"IEND", "jpeg": b"\xff\xd9"}


def ends_whole(source: bytes | Path) -> bool:
    """Tell a picture that ends as its format says; of a file both ends alone are read."""
    head, tail, size = _ends_of(source)
    found = sniff_format(head)
    if found == "webp":
        return size >= _length_told(head)
    end = _ENDS.get(found or "")
    return end is not None and end in tail


def is_cut_short(source: bytes | Path) -> bool:
    """Tell a picture whose end is missing, of the formats that have a mark or a length there."""
    if ends_whole(source):
        return False
    data = source if isinstance(source, bytes) else read_plain(source)
    found = sniff_format(data[:_LAST])
    end = _ENDS.get(found or "")  # something may stand behind the mark
    return found == "webp" or (end is not None and end not in data)


def is_in_part(picture: Picture) -> bool:
    """Tell a picture that is cut short and cannot be opened; the mark alone may be missing."""
    try:
        if picture.source is None or not is_cut_short(picture.source):
            return False
        picture.image  # noqa: B018  it is decoded
    except NoPictureError:
        return True
    except OSError:  # its file is gone: whoever opens it says so
        return False
    return False


def _length_told(head: bytes) -> int:
    """Return how long RIFF says that a file is, less what may be padding."""
    return int.from_bytes(head[4:8], "little") + 7


def _ends_of(source: bytes | Path) -> tuple[bytes, bytes, int]:
    """Return a picture's first and last bytes, and its length."""
    if isinstance(source, bytes):
        return source[:_LAST], source[-_LAST:], len(source)
    with os.fdopen(open_plain(source), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_LAST)
        file.seek(max(0, size - _LAST))
        return head, file.read(_LAST), size
