"""`%imagine export`: a data set, a page or a contact sheet of what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.name_template import at_home
from opeai_nb.errors import OptionError
from opeai_nb.notebook.commands.kept_commands import query_in
from opeai_nb.notebook.display.table import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.notebook.session import Session

EXPORT: Final = (
    "TARGET [--starred] [--tag WORD] [--model NAME] [--since DATE] [--limit N] [--split SHARE] "
    "[--side N] [--replace] [WORDS]"
)
_SWITCHES: Final = {"--starred": "starred", "--replace": "replace"}
_COUNTS: Final = ("limit", "side")
_VALUES: Final = {
    f"--{name}": name for name in ("tag", "model", "since", "until", "split", *_COUNTS)
}
_USE: Final = f"The command: %imagine export {EXPORT}. Nothing was written."
_QUOTES: Final = "\"'"


def export(session: Session, *words: str) -> Text:
    """Write pictures for others: TARGET is a folder (a data set), `.html`, `.png` or `.pdf`."""
    target, query = export_query(words)
    made = session.studio.library.export(session.folder / at_home(Path(target)), **query)
    return Text(str(made))


def is_asked_by(words: Sequence[str]) -> bool:
    """Tell whether the words behind `export` name a target, and no prompt goes on there."""
    target, rest = _target(words)
    return (
        not rest
        or rest[0].startswith("--")
        or bool(set(target) & set("./\\"))
        or (target != words[0])
    )


def export_query(words: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the target, and the arguments of `Library.export` that the words ask for.

    Raises `OptionError` for words that are no order.
    """
    from opeai_nb.library.export.split import split_in

    target, rest = _target(words)
    query = query_in(rest, _SWITCHES, _VALUES, "export", _USE)
    for name in _COUNTS:
        if name in query:
            query[name] = _count(name, query[name])
    if "split" in query:
        query["split"] = split_in(query["split"])
    return target, query


def _target(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the target, which may be quoted and have spaces, and the words behind it."""
    quote = words[0][0]
    if quote not in _QUOTES:
        return words[0], words[1:]
    ends = (n for n, word in enumerate(words) if word.endswith(quote) and (n or len(word) > 1))
    last = next(ends, 0)
    return " ".join(words[: last + 1]).strip(quote), words[last + 1 :]


def _count(name: str, text: str) -> int:
    if not text.isdecimal():
        raise OptionError(f"--{name} is {text!r}, not a whole number.", advice=_USE)
    return int(text)
