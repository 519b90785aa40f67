"""What functions given as `then` made of the records, so that each is called once for each.

    .then/1b2c3d4e.jsonl      {"record": "3f2a9c1d", "function": "upload", "value": "https://…"}

A file is only ever added to; where it is another user's, one's own begins beside it. Git does not
see the folder: what was uploaded for one person was not for whoever has a copy.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.library.files import append_line, is_link, names_in, own_folder, write_new
from opeai_nb.library.library_warning import reason, warn
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opeai_nb.library.homes import Homes

FOLDER: Final = ".then"
_ENDING: Final = ".jsonl"
_LARGEST: Final = 64_000_000


class HandedOn:
    """The answers of functions for the records of one library, by the function's name."""

    def __init__(self, homes: Homes) -> None:
        self._homes = homes
        self._has_warned = False

    def answers(self, function: str) -> dict[str | None, Any]:
        """Return the last answer of *function* for each record that it was called for, by id."""
        return {
            line["record"]: line["value"]
            for line in self._lines()
            if line.get("function") == function and {"record", "value"} <= line.keys()
        }

    def add(self, record: str, function: str, value: Any) -> None:
        """Note an answer; one that JSON has no form for is not kept, so that it is asked anew."""
        line = {"record": record, "function": function, "value": value}
        try:
            text = json.dumps(line, ensure_ascii=False)
            if json.loads(text) != line:
                return
        except (TypeError, ValueError, RecursionError):
            return
        try:
            self._homes.write(lambda home: self._append(home, text.encode("utf-8", "replace")))
        except OSError as error:
            if not self._has_warned:
                self._has_warned = True
                warn(f"What `then` made cannot be noted: {reason(error)}. It will be called again.")

    def _append(self, home: Path, line: bytes) -> None:
        disk = self._homes.disk
        folder = own_folder(home / FOLDER, unlisted=True, disk=disk)
        for name in sorted(name for name in names_in(folder) if name.endswith(_ENDING)):
            with suppress(PermissionError):  # another user's, in a folder that is shared
                append_line(folder / name, line, durable=False, disk=disk)
                return
        own = folder / f"{secrets.token_hex(4)}{_ENDING}"
        write_new(own, b"", durable=False, disk=disk)
        append_line(own, line, durable=False, disk=disk)

    def _lines(self) -> Iterator[dict[str, Any]]:
        for home in self._homes.all:
            if is_link(home / FOLDER):
                continue
            for name in sorted(names_in(home / FOLDER)):
                if name.endswith(_ENDING):
                    yield from _read(home / FOLDER / name)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a file; one that was cut short or edited is passed over."""
    try:
        texts = read_plain(path, _LARGEST).splitlines()
    except OSError:
        return
    for text in texts:
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and isinstance(line.get("record"), str):
            yield line
