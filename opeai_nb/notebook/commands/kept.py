"""`%imagine info`, `history` and `usage`: what is kept, and what was used."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import LibraryError
from opeai_nb.notebook.display.table import Table, Thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opeai_nb.library import Record, UsageRow
    from opeai_nb.notebook.display.table import Cell
    from opeai_nb.notebook.session import Session

_SHOWN: Final = 20
_DAYS_SHOWN: Final = 14


def info(session: Session, *words: str) -> Table:
    """Tell where a picture file comes from."""
    from opeai_nb.library import info as told_by

    name = " ".join(words).strip("\"'")
    told = told_by(_found(session, name))
    try:
        rows = [(field, text) for field, text in _facts(told) if text]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise LibraryError(f"What {name}: its metadata has been edited.") from error
    return Table(("", ""), rows, items=(told,))


def _found(session: Session, name: str) -> Path:
    """Return the file: by its path, or by its name in the library."""
    path = Path(name).expanduser()
    kept = session.studio.library.folder / name
    return kept if not path.exists() and kept.is_file() else path


def _facts(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    request = told.get("request") or {}
    yield "prompt", str(request.get("prompt", told.get("parameters", "")))
    yield "revised prompt", str(told.get("revised_prompt") or "")
    for field, value in request.items():
        if field == "image":
            yield "input pictures", ", ".join(str(i.get("name") or i["sha256"]) for i in value)
        elif field != "prompt":
            yield field.replace("_", " "), str(value)
    width_height = told.get("size")
    yield "pixels", "x".join(map(str, width_height)) if width_height else ""
    yield "made", f"{_when_iso(told.get('created'))} by the {told.get('origin', '')}".strip()
    yield "task", str(told.get("task_id") or "")
    yield "request id", str(told.get("request_id") or "")
    yield "tokens", str((told.get("usage") or {}).get("total_tokens") or "")
    yield "toolkit", str(told.get("toolkit") or "")
    yield "sha256", str(told.get("sha256") or "")


def history(session: Session, *words: str) -> Table:
    """List what is kept, newest first, each with a small picture: all, or what has these words."""
    found = session.studio.library.search(" ".join(words), limit=_SHOWN + 1)
    records = found[:_SHOWN]
    rows = [
        (
            _tile(record),
            record.id,
            _when(record.created),
            record.model,
            len(record.paths),
            record.prompt,
        )
        for record in records
    ]
    note = "" if records else "The library is empty." if not words else "No prompt has these words."
    if len(found) > _SHOWN:
        note = f"The newest {_SHOWN}. %imagine history WORDS searches the prompts."
    head = ("", "id", "when", "model", "pictures", "prompt")
    return Table(head, rows, items=records, note=note)


def _tile(record: Record) -> Thumbnail | str:
    from opeai_nb.imaging.open_picture import UndecodableError
    from opeai_nb.notebook.display.previews import tile

    if not record.paths:
        return ""
    try:
        return Thumbnail(tile(record.paths[0]), record.prompt)
    except (OSError, UndecodableError):
        return ""


def usage(session: Session) -> Table:
    """Tell requests, pictures and tokens: of this session, by day and model, and in all."""
    studio = session.studio
    kept = studio.library.usage()
    days = list(dict.fromkeys(row.day for row in kept))
    rows = [_used("this session", row) for row in studio.usage]
    rows += [_used(row.day, row) for row in kept if row.day in days[:_DAYS_SHOWN]]
    note = "" if kept else "The library is empty."
    if kept:
        rows.append(_used("in all", kept.total))
    asked, limit = studio.ledger.asked, studio.settings.max_images_per_session
    if limit:
        note = f"{asked} of {limit} pictures asked for in this session."
    head = ("when", "model", "by", "requests", "pictures", "tokens")
    return Table(head, rows, items=kept, note=note)


def _used(when: str, row: UsageRow) -> tuple[Cell, ...]:
    return when, row.model, row.origin, row.requests, row.pictures, row.tokens


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _when_iso(text: object) -> str:
    return _when(datetime.fromisoformat(str(text)).timestamp()) if text else ""
