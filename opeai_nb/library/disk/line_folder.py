"""A folder of lines of JSON that is only ever added to; what is said last counts.

Where a file is another user's, one's own begins beside it.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.library.disk.files import append_line, is_link, names_in, own_folder, write_new
from opeai_nb.library.documents import document_in
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from opeai_nb.library.disk.homes import Homes

_ENDING: Final = ".jsonl"
_LARGEST: Final = 64_000_000


class LineFolder:
    """The folder *name* in the homes of a library; git does not see it where it is *unlisted*."""

    def __init__(self, homes: Homes, name: str, *, unlisted: bool) -> None:
        self._homes, self._name, self._unlisted = homes, name, unlisted

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield each line that is an object; one that was cut short or edited is passed over."""
        for home in self._homes.all:
            folder = home / self._name
            if is_link(folder):
                continue
            for name in sorted(names_in(folder)):
                if name.endswith(_ENDING):
                    yield from _lines_in(folder / name)

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line. Raises `OSError` where no home takes it."""
        data = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace")
        self._homes.write(lambda home: self._append(home, data))

    def _append(self, home: Path, line: bytes) -> None:
        disk = self._homes.disk
        folder = own_folder(home / self._name, unlisted=self._unlisted, disk=disk)
        for name in sorted(name for name in names_in(folder) if name.endswith(_ENDING)):
            with suppress(PermissionError):  # another user's, in a folder that is shared
                append_line(folder / name, line, durable=False, disk=disk)
                return
        own = folder / f"{secrets.token_hex(4)}{_ENDING}"
        write_new(own, b"", durable=False, disk=disk)
        append_line(own, line, durable=False, disk=disk)


def _lines_in(path: Path) -> Iterator[dict[str, Any]]:
    try:
        texts = read_plain(path, _LARGEST).splitlines()
    except OSError:
        return
    yield from filter(None, map(document_in, texts))
