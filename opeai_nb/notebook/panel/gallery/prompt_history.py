"""The history of prompts, as the page shows it: a few of them at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import InputError
from opeai_nb.notebook.panel.gallery.finds import finds_of, when
from opeai_nb.notebook.panel.gallery.gallery import tiles_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.library import Library, Record
    from opeai_nb.library.past_prompts import Place
    from opeai_nb.notebook.panel.gallery.finds import Find

PAGE: Final = 20


def history_page(
    library: Library, text: str = "", after: Sequence[Any] = ()
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the newest prompts with all words of *text*, and their tiles by key.

    *after* is where the last page ended, as it says in *after*; empty there at the library's end.
    Raises `InputError` for one that no page said.
    """
    records, before = library.prompts(text, before=_place(after), limit=PAGE)
    finds = {record.id: find for record in records for find in finds_of(record, library)[:1]}
    rows = [_row(record, finds.get(record.id)) for record in records]
    return {"prompts": rows, "after": list(before or ())}, tiles_of(finds.values())


def _place(after: Sequence[Any]) -> Place | None:
    if not after:
        return None
    try:
        moment, key = after
        return float(moment), str(key)
    except (TypeError, ValueError) as error:
        raise InputError(f"The page asked for prompts after {after!r}.") from error


def _row(record: Record, find: Find | None) -> dict[str, Any]:
    return {
        "record": record.id,
        "key": find.key if find else "",
        "prompt": record.prompt,
        "model": record.model,
        "made": when(record),
    }
