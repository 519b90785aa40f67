"""Whether a library can be kept where it lies: writable, with locks and with room."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Final

from opeai_nb.client.values.finding import Finding
from opeai_nb.library.disk.locks import try_lock

if TYPE_CHECKING:
    from pathlib import Path

_ELSE: Final = (
    "Give it write permission, or name another folder: OPEAI_NB_LIBRARY or %config Imagine.library."
)
_ROOM_NOTED: Final = 500_000_000
_ROOM_WRONG: Final = 50_000_000
"""Bytes: a picture has 2 MB, and a request of ten is written beside its copies for a moment."""


def condition_of(folder: Path) -> list[Finding]:
    """Return what there is to say of the library in *folder*; leaves nothing behind there."""
    try:
        place = next((p for p in (folder, *folder.parents) if p.exists() or p.is_symlink()), folder)
        is_folder = place.is_dir()
    except OSError as error:  # a folder on the way that may not be entered, or a dead disk
        return [
            Finding("library", f"{folder} cannot be reached ({error.strerror})", "wrong", _ELSE)
        ]
    if not is_folder:
        remedy = "Remove it, or name another folder: OPEAI_NB_LIBRARY or %config Imagine.library."
        what = "is a link that leads nowhere" if place.is_symlink() else "is no folder"
        return [Finding("library", f"{place} {what}", "wrong", remedy)]
    try:
        locks = _tried(place)
    except OSError as error:
        text = f"{folder} cannot be written ({error.strerror})"
        return [Finding("library", text, "wrong", _ELSE), *_room(place)]
    text = f"{folder} can be written" if place == folder else f"{folder} can be made"
    return [Finding("library", text), locks, *_room(place)]


def _tried(place: Path) -> Finding:
    """Write, flush and lock a file in *place*, and remove it. Raises `OSError`."""
    handle, name = tempfile.mkstemp(prefix=".opeai_nb-doctor-", dir=place)
    try:
        os.write(handle, b"x")
        try:
            os.fsync(handle)
        except OSError as error:
            remedy = "It works; after a power cut the newest pictures may be gone."
            return Finding("disk", f"does not flush ({error.strerror})", "note", remedy)
        try:
            held = try_lock(handle)
        except OSError as error:
            remedy = "It works; let one kernel at a time use this folder, or choose a local disk."
            return Finding("locks", f"none on this disk ({error.strerror})", "note", remedy)
        return Finding("locks", "work" if held else "are taken by somebody")
    finally:
        os.close(handle)
        os.unlink(name)  # noqa: PTH108  the name is as mkstemp gave it


def _room(place: Path) -> list[Finding]:
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return [Finding("room", f"not known ({error.strerror})", "note", "Look at the disk.")]
    text = f"{free / 1e9:.1f} GB free"
    if free >= _ROOM_NOTED:
        return [Finding("room", text)]
    remedy = "Make room, or name another folder: OPEAI_NB_LIBRARY."
    return [Finding("room", text, "wrong" if free < _ROOM_WRONG else "note", remedy)]
