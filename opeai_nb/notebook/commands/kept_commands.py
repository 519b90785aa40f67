"""`%imagine info`, `history` and `usage`: what is kept, and what was used."""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import LibraryError, OptionError, did_you_mean
from opeai_nb.notebook.display.table import Table, Thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from opeai_nb.library import Library, Record, UsageRow
    from opeai_nb.notebook.display.table import Cell
    from opeai_nb.notebook.session import Session

HISTORY: Final = "[--starred] [--trash] [--tag WORD] [--model NAME] [WORDS]"
_SHOWN: Final = 20
_SWITCHES: Final = {"--starred": "starred", "--trash": "trashed"}
_VALUES: Final = {"--tag": "tag", "--model": "model"}
_DAYS_SHOWN: Final = 14
_USE: Final = f"The command: %imagine history {HISTORY}. Nothing was sent."
_ID: Final = re.compile(r"[0-9a-f]{4,8}")


def info(session: Session, *words: str) -> Table:
    """Tell how a picture file was made."""
    from opeai_nb.library import info as told_by

    name = " ".join(words).strip("\"'")
    told = told_by(_found(session, name))
    try:
        rows = [(field, text) for field, text in _facts(told) if text]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise LibraryError(f"{name}: its metadata has been edited.") from error
    return Table(("", ""), rows, items=(told,))


def _found(session: Session, name: str) -> Path:
    """Return the file: by its path, by its name in the library, or by its record's id."""
    path, library = Path(name).expanduser(), session.studio.library
    kept = library.folder / name
    if path.exists() or kept.is_file() or not _ID.fullmatch(name):
        return path if path.exists() else kept if kept.is_file() else path
    return next(iter(library.record(name).paths), path)


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
    yield "marks", _marks_in(told)
    yield "made from", ", ".join(told.get("made_from") or ())
    for number, line in enumerate(_tree(told.get("edits") or ())):
        yield "" if number else "edits", line


def _marks_in(told: dict[str, Any]) -> str:
    from opeai_nb.library import Marks

    tags, note = tuple(told.get("tags") or ()), told.get("note") or ""
    return str(Marks(bool(told.get("starred")), tags, note, bool(told.get("trashed"))))


def _tree(edits: Iterable[dict[str, Any]], depth: int = 0) -> Iterator[str]:
    """Yield a line for each edit, what was made from it below it and further to the right."""
    for edit in edits:
        yield f"{'· ' * depth}{edit['id']} {edit['prompt'][:60]}"
        yield from _tree(edit["edits"], depth + 1)


def history_query(words: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of `Library.search` that the words behind `history` ask for.

    Raises `OptionError` for an option that is none, or that lacks its value.
    """
    query: dict[str, Any] = {}
    text: list[str] = []
    rest = iter(words)
    for word in rest:
        name, has_value, value = word.partition("=")
        if word in _SWITCHES:
            query[_SWITCHES[word]] = True
        elif name in _VALUES:
            query[_VALUES[name]] = _value(name, value if has_value else next(rest, ""))
        elif word.startswith("--"):
            hint = did_you_mean(name, [*_SWITCHES, *_VALUES])
            raise OptionError(f"{name} is no option of history.{hint}", advice=_USE)
        else:
            text.append(word)
    return {"text": " ".join(text), **query}


def _value(name: str, value: str) -> str:
    if not value or value.startswith("--"):
        raise OptionError(f"{name} needs a value.", advice=_USE)
    return value


def history(session: Session, *words: str) -> Table:
    """List what is kept, newest first, each with a small picture: all, or what is asked for."""
    library = session.studio.library
    found = library.search(**history_query(words), limit=_SHOWN + 1)
    records = found[:_SHOWN]
    rows = [
        (
            _tile(record),
            record.id,
            _when(record.created),
            record.model,
            len(record.paths),
            str(library.marks(record)),
            record.prompt,
        )
        for record in records
    ]
    note = "" if records else _nothing(library, words)
    if len(found) > _SHOWN:
        note = f"The newest {_SHOWN}. %imagine history WORDS searches the prompts."
    head = ("", "id", "when", "model", "pictures", "marks", "prompt")
    return Table(head, rows, items=records, note=note)


def _nothing(library: Library, words: Sequence[str]) -> str:
    if words:
        return "Nothing kept matches this."
    if library.search(trashed=True, limit=1):
        return "Everything is in the trash: %imagine history --trash."
    return "The library is empty."


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
