"""What of an answer has reached us: picture files that are complete, in an entry's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opeai_nb.library.disk.files import PART, is_link, is_plain_file, is_plain_name, names_in
from opeai_nb.library.journal.journal_file import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ANSWER: Final = ".answer"
"""An answer that could not be read, as it came; hidden, so that it is never taken for a picture."""
MOST_OF_AN_ANSWER: Final = 64 * 1024 * 1024


def received_in(folder: Path, answer: Mapping[str, Any] | None) -> dict[int, Path]:
    """Return the complete pictures by their place in the answer.

    Picture *i* lies in the folder *i*, or where the *answer* has it noted. Before there is an
    answer, what lies in the folder itself is numbered in the order in which it came.
    """
    places = answer["pictures"] if answer else ()
    noted = {
        place: path
        for place, item in enumerate(places)
        if (path := _noted(folder, item.get("file"))) is not None
    }
    if noted and len(noted) == len(places):
        return noted
    found = {
        int(name): files[0]
        for name in names_in(folder)
        if name.isascii() and name.isdigit() and (files := _complete(folder / name))
    }
    found = {**noted, **found}
    if answer is None:
        loose = _complete(folder)
        free = [n for n in range(len(found) + len(loose)) if n not in found]
        found.update(zip(free, loose, strict=False))
    return dict(sorted(found.items()))


def _noted(folder: Path, name: object) -> Path | None:
    """Return a file by the name that the journal has for it; None if it leads elsewhere."""
    parts = name.split("/") if isinstance(name, str) else []
    if not all(is_plain_name(part) for part in parts) or len(parts) not in (1, 2):
        return None
    path = folder.joinpath(*parts)
    is_led_away = len(parts) > 1 and is_link(path.parent)
    return path if is_plain_file(path) and not is_led_away else None


def _complete(folder: Path) -> list[Path]:
    """Return the files in *folder* that are complete, in the order in which they came."""
    if is_link(folder):
        return []
    whole = [
        folder / name
        for name in names_in(folder)
        if not name.startswith(".") and not name.endswith(PART) and name != JOURNAL
    ]
    return sorted(filter(is_plain_file, whole), key=lambda path: (path.stat().st_mtime_ns, path))
