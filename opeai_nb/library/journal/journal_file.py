"""The file of an entry: lines of JSON that are only ever added to; the last word counts."""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import orjson

from opeai_nb.library.disk.files import DISK, Disk, append_line, write_empty
from opeai_nb.library.records.record import VERSION
from opeai_nb.library.records.validate import check_entry, writable
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from pathlib import Path

    from opeai_nb.library.disk.files import AnyPath

JOURNAL: Final = "journal.jsonl"
_LARGEST: Final = 16_000_000
"""Bytes of a journal: the request once, and an answer of many URLs."""


def begin_facts(folder: AnyPath, line: bytes, *, durable: bool, disk: Disk = DISK) -> None:
    """Write the first line. Raises `OSError`."""
    write_empty(f"{folder}{os.sep}{JOURNAL}", line, durable=durable, disk=disk)


def add_facts(folder: Path, changes: dict[str, Any], *, durable: bool, disk: Disk = DISK) -> None:
    """Add a line that says what has changed.

    Raises `OSError`, also where the file would be longer than what is read back.
    """
    path = f"{folder}{os.sep}{JOURNAL}"
    append_line(path, line_of(changes), most=_LARGEST, durable=durable, disk=disk)


def line_of(facts: dict[str, Any]) -> bytes:
    """Return facts as a line of the file."""
    with suppress(TypeError):  # a number of more than 64 bits, say
        return orjson.dumps(facts, option=orjson.OPT_APPEND_NEWLINE)
    return json.dumps(facts, ensure_ascii=False).encode() + b"\n"


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what the lines say together; one that a crash cut short does not count.

    Raises `OSError`, `FileNotFoundError` also where a power cut took all of it, and `ValueError`
    with the reason: from a newer version, or edited.
    """
    facts: dict[str, Any] = {}
    text = read_plain(folder / JOURNAL, _LARGEST)
    if not text.strip(b"\0\r\n "):
        # A power cut took the line before `Entry.sending` waited for the disk: nothing was sent.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), JOURNAL)
    for line in text.splitlines():
        try:
            changes = writable(json.loads(line))
        except (ValueError, RecursionError):
            continue  # empty, or a crash cut it short
        if isinstance(changes, dict) and (not facts or _is_of(changes, folder)):
            facts.update(changes)
    if not isinstance(facts.get("opeai_nb"), int) or facts["opeai_nb"] > VERSION:
        raise ValueError("it is from a newer version of opeai_nb, or none")
    try:
        check_entry(facts)
    except (TypeError, ValueError) as error:
        raise ValueError("it has been edited") from error
    if facts["id"] != folder.name:
        raise ValueError("it has been edited")
    return facts


def owner_in(folder: Path) -> dict[str, Any] | None:
    """Return the process that the last word on it names, empty once it let go; None without one."""
    try:
        lines = read_plain(folder / JOURNAL, _LARGEST).splitlines()
        notes = (json.loads(line) for line in reversed(lines) if b'"owner"' in line)
        owner = next(note["owner"] for note in notes if _is_of(note, folder))
    except (OSError, StopIteration, ValueError, TypeError, KeyError, RecursionError):
        return None
    return owner if isinstance(owner, dict) else None


def _is_of(changes: dict[str, Any], folder: Path) -> bool:
    """Tell whether a line is of this entry.

    The file was an earlier one's, perhaps (`spare_folders.py`): who took that over, in the moment
    in which its owner settled it after all, writes here.
    """
    return bool(changes.get("id", folder.name) == folder.name)
