"""`%imagine info`, `history` and `usage`: what is kept, and what was used."""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.name_template import at_home
from opeai_nb.client.values.views.text_output import is_text_alone
from opeai_nb.errors import LibraryError, OptionError, did_you_mean
from opeai_nb.library.disk.subfolder import named_file
from opeai_nb.library.records.input_files import changed_inputs
from opeai_nb.library.usage import Usage, summed
from opeai_nb.notebook.display.growth import growth_text
from opeai_nb.notebook.display.table import Table, Thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opeai_nb.library import Library, Record, UsageRow
    from opeai_nb.notebook.display.table import Cell
    from opeai_nb.notebook.session import Session
    from opeai_nb.prices.price_list import PriceList
    from opeai_nb.studio import Studio

HISTORY: Final = "[--starred] [--trash] [--tag WORD] [--model NAME] [WORDS]"
USAGE: Final = "[--by day|model|tag] [--csv FILE]"
_SHOWN: Final = 20
_SWITCHES: Final = {"--starred": "starred", "--trash": "trashed"}
_VALUES: Final = {"--tag": "tag", "--model": "model"}
_DAYS_SHOWN: Final = 14
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_USE: Final = f"The command: %imagine history {HISTORY}. Nothing was sent."
_OPTION: Final = re.compile(r"--|-[a-z]\b")
_QUOTED: Final = re.compile(r"""^(["'])(.*)\1$""")  # as one writes it for a shell
_ID: Final = re.compile(r"([0-9a-f]{4,8})(?:-(\d+))?")


def info(session: Session, *words: str) -> Table:
    """Tell how a picture file was made. Raises `LibraryError` where it does not say."""
    from opeai_nb.library import info as told_by
    from opeai_nb.library.lineage import told_of

    name = " ".join(words).strip("\"'")
    library = session.studio.library
    told = _with_words(library, told_of(_found(session, name), library, told_by))
    try:
        rows = [(field, text) for field, text in _facts(told, session.folder) if text]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise LibraryError(f"{name}: its metadata has been edited.") from error
    return Table(("", ""), rows, items=(told,))


def _with_words(library: Library, told: dict[str, Any]) -> dict[str, Any]:
    """Return what a file tells, with what is said of its picture now."""
    try:
        record = library.record(str(told.get("id", "-")))
    except LibraryError:  # another library's
        return told
    return {**told, "words": library.marks(record).words(record).to_json()}


def _found(session: Session, name: str) -> Path:
    """Return the file: by its path, by its name in the library, or by its record's id."""
    path, library = Path(name).expanduser(), session.studio.library
    if path.exists():
        return path
    for home in library.homes.all:
        if (found := named_file(home, name)) is not None:
            return found
    if (named := _ID.fullmatch(name)) is None:
        return path
    pictures = library.record(named[1]).pictures
    number = int(named[2] or 1)
    file = pictures[number - 1].file if 0 < number <= len(pictures) else None
    return library.record(named[1]).path_of(file) if file else path


def _facts(told: dict[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    request = told.get("request") or {}
    yield "prompt", str(request.get("prompt", told.get("parameters", "")))
    yield "revised prompt", str(told.get("revised_prompt") or "")
    for field, value in request.items():
        if field == "image":
            changed = changed_inputs(value, folder)
            yield "input pictures", ", ".join(_input(image, changed) for image in value)
        elif field != "prompt":
            yield field.replace("_", " "), str(value)
    for name, text in (told.get("words") or {}).items():
        yield name, ", ".join(text) if isinstance(text, list) else str(text)
    width_height = told.get("size")
    yield "pixels", "x".join(map(str, width_height)) if width_height else ""
    yield "only", _region(told.get("only"))
    yield "otherwise", " ".join(map(str, told.get("differences") or ()))
    yield "made", f"{_when_iso(told.get('created'))} by the {told.get('origin', '')}".strip()
    yield "task", str(told.get("task_id") or "")
    yield "request id", str(told.get("request_id") or "")
    yield "tokens", str((told.get("usage") or {}).get("total_tokens") or "")
    yield "toolkit", str(told.get("toolkit") or "")
    yield "sha256", str(told.get("sha256") or "")
    yield "content credentials", str(told.get("content_credentials") or "")
    yield "marks", _marks_in(told)
    yield "made from", ", ".join(told.get("made_from") or ())
    for number, line in enumerate(_tree(told.get("edits") or ())):
        yield "" if number else "edits", line


def _input(image: dict[str, Any], changed: frozenset[str]) -> str:
    name = str(image.get("name") or image["sha256"])
    return f"{name} (changed since)" if name in changed else name


def _region(only: dict[str, Any] | None) -> str:
    """Return where a picture was laid over the one that was edited: `100,80,400,300`."""
    if only is None:
        return ""
    return ",".join(map(str, only["box"])) + (" by a mask" if only.get("mask") else "")


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
    return query_in(words, _SWITCHES, _VALUES, "history", _USE)


def query_in(
    words: Sequence[str],
    switches: Mapping[str, str],
    values: Mapping[str, str],
    command: str,
    use: str,
) -> dict[str, Any]:
    """Return what the words behind a command ask for, under the names that options stand for.

    The other words are the `text`. Raises `OptionError`; *use* is how the command is written.
    """
    query: dict[str, Any] = {}
    text: list[str] = []
    rest = iter(words)
    for word in rest:
        name, has_value, value = word.partition("=")
        if word in switches:
            query[switches[word]] = True
        elif name in values:
            given = value if has_value else next(rest, "")
            if not given or given.startswith("--"):
                raise OptionError(f"{name} needs a value.", advice=use)
            query[values[name]] = given
        elif _OPTION.match(word):
            hint = did_you_mean(name, [*switches, *values])
            raise OptionError(f"{name} is no option of {command}.{hint}", advice=use)
        else:
            text.append(word)
    return {"text": _QUOTED.sub(r"\2", " ".join(text)), **query}


def history(session: Session, *words: str) -> Table:
    """List what is kept, newest first, each with a small picture: all, or what is asked for."""
    library = session.studio.library
    query, growth = history_query(words), library.growth()
    found = library.search(**query, limit=_SHOWN + 1, whole=False)
    records = found[:_SHOWN]
    rows = [
        (
            _tile(library, record),
            record.id,
            _when(record.created),
            record.model,
            len(record.paths),
            str(library.marks(record)),
            record.prompt,
        )
        for record in records
    ]
    note = "" if records or growth else _nothing(library, words)
    if len(found) > _SHOWN:
        note = f"The newest {_SHOWN}. %imagine history WORDS searches the prompts."
    if growth is not None:
        note = " ".join(filter(None, (note, growth_text(*growth))))
    head = ("", "id", "when", "model", "pictures", "marks", "prompt")
    return Table(head, rows, items=records, note=note)


def _nothing(library: Library, words: Sequence[str]) -> str:
    if words:
        return "Nothing kept matches this."
    if library.search(trashed=True, limit=1):
        return "Everything is in the trash: %imagine history --trash."
    return "The library is empty."


def _tile(library: Library, record: Record) -> Thumbnail | str:
    from opeai_nb.imaging.open_picture import UndecodableError
    from opeai_nb.notebook.display.previews import data_url, tile

    if is_text_alone() or not (paths := library.shown_paths(record)):
        return ""
    try:
        alt = library.marks(record).words(record).alt
        return Thumbnail(data_url(tile(paths[0])), alt or record.prompt)
    except (OSError, UndecodableError):
        return ""


def usage(session: Session, *words: str) -> Table:
    """Tell requests, pictures, tokens and, by the prices, money: of this session, and of all."""
    by, file = usage_orders(words)
    studio = session.studio
    prices = studio.prices
    kept = studio.library.usage(prices=prices)
    rows = _WAYS[by](studio, kept, prices)
    if file:
        rows.save(session.folder / at_home(Path(file)))
    shown = [_used("this session", row) for row in studio.usage]
    shown += [_used(row.day, row) for row in _newest(rows)]
    if kept:
        shown.append(_used("in all", kept.total))
    note = " ".join(filter(None, [_of_limit(studio), f"Written: {file}." if file else ""]))
    head = ("tag" if by == "tag" else "when", "model", "by", "requests", "pictures", "tokens")
    return Table(
        (*head, "cost"), shown, items=rows, note=note or ("" if kept else "The library is empty.")
    )


def usage_orders(words: Sequence[str]) -> tuple[str, str]:
    """Return how `usage` puts together, and the file that gets the rows; empty: none.

    Raises `OptionError` for words that are no order.
    """
    use = f"As a prompt: %imagine -- usage {' '.join(words)}. {_USE_USAGE}"
    orders = query_in(words, {}, {"--by": "by", "--csv": "csv"}, "usage", use)
    if orders["text"]:
        raise OptionError(f"{orders['text'].split()[0]} is no option of usage.", advice=use)
    by, file = orders.get("by", "day"), orders.get("csv", "").strip("\"'")
    if by not in _WAYS:
        raise OptionError(f"--by is {by!r}, not one of {', '.join(_WAYS)}.", advice=_USE_USAGE)
    if file and not file.lower().endswith(".csv"):
        raise OptionError(f"{file!r} is no name of a CSV file.", advice="Give one such as use.csv.")
    return by, file


_USE_USAGE: Final = f"The command: %imagine usage {USAGE}. Nothing was sent."


def _by_day(_: Studio, kept: Usage, __: PriceList | None) -> Usage:
    return kept


def _by_model(_: Studio, kept: Usage, __: PriceList | None) -> Usage:
    names = sorted({(row.model, row.origin) for row in kept})
    return Usage(
        summed((row for row in kept if (row.model, row.origin) == name), "all days", *name)
        for name in names
    )


def _by_tag(studio: Studio, _: Usage, prices: PriceList | None) -> Usage:
    library = studio.library
    tagged = library.tagged().items()
    return Usage(summed(library.usage(ids=ids, prices=prices), tag) for tag, ids in tagged)


_WAYS: Final = {"day": _by_day, "model": _by_model, "tag": _by_tag}


def _newest(rows: Usage) -> list[UsageRow]:
    """Return the rows of the newest days; all others are counted in the last line."""
    days = list(dict.fromkeys(row.day for row in rows if _DAY.fullmatch(row.day)))
    return [row for row in rows if row.day not in days[_DAYS_SHOWN:]]


def _of_limit(studio: Studio) -> str:
    ledger, settings = studio.ledger, studio.settings
    told = []
    if limit := settings.max_images_per_session:
        told.append(f"{ledger.asked} of {limit} pictures asked for in this session.")
    if settings.max_cost_per_session:
        told.append(f"{ledger.cost} of {settings.max_cost_per_session} spent in this session.")
    return " ".join(told)


def _used(when: str, row: UsageRow) -> tuple[Cell, ...]:
    cost = "" if row.cost is None else str(row.cost)
    return when, row.model, row.origin, row.requests, row.pictures, row.tokens, cost


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _when_iso(text: object) -> str:
    return _when(datetime.fromisoformat(str(text)).timestamp()) if text else ""
