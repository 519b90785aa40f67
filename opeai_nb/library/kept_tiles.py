"""Tiles of picture files that were made before, in the user's own cache: read, not decoded again.

A tile lies under the name of its file as it was: whoever changes the picture changes the name. What
cannot be read or written there is made anew and told to nobody, as with every cache.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from opeai_nb.library.disk.files import discard, names_in, own_folder, write_whole
from opeai_nb.library.index.index_file import cache_folder
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from pathlib import Path

_MOST: Final = 64
"""Tiles in one of 256 folders: 16,384 in all, about 120 MB."""
_STARTS: Final = (b"\xff\xd8\xff", b"RIFF")  # as previews are encoded


def kept_tile(path: Path, time: int, look: str) -> bytes | None:
    """Return the tile of a file that was last changed at *time*; None where none is kept.

    *look* tells how it is made: its pixels and its quality.
    """
    try:
        tile = read_plain(_place(path, time, look))
    except OSError:
        return None
    return tile if tile.startswith(_STARTS) else None


def keep_tile(path: Path, time: int, look: str, tile: bytes) -> None:
    """Keep a tile for later sessions; of many in its folder the newest stay."""
    place = _place(path, time, look)
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        own_folder(place.parent)
        if len(names_in(place.parent)) >= _MOST:
            for old in sorted(place.parent.iterdir(), key=_age)[: -_MOST // 2]:
                discard(old)
        write_whole(place, tile, durable=False)
    except OSError:
        return


def _place(path: Path, time: int, look: str) -> Path:
    of = b"\0".join((os.fsencode(path.absolute()), str(time).encode(), look.encode()))
    digest = hashlib.sha256(of).hexdigest()
    return cache_folder().with_name("tiles") / digest[:2] / digest[2:34]


def _age(path: Path) -> int:
    return path.lstat().st_mtime_ns
