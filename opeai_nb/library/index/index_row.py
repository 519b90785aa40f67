"""A record as a row of the index."""

from __future__ import annotations

import time
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opeai_nb.library.records.record import moment_of
from opeai_nb.library.records.request_json import identity_of
from opeai_nb.library.replay.slot import cell_of

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final = (
    *("home", "file", "mtime", "size", "problem", "id", "identity", "created", "origin", "cell"),
    *("call", "model", "task", "duration", "pictures", "tokens", "day", "words", "look", "stands"),
)
_MOST_TOKENS: Final = 2**40
"""More are no account, and their sum would be more than SQLite counts."""
TABLES: Final = (
    f"""CREATE TABLE IF NOT EXISTS records (
    {", ".join(COLUMNS)}, PRIMARY KEY (home, file))""",
    """CREATE VIEW IF NOT EXISTS kept AS SELECT * FROM records WHERE problem IS NULL
    AND (home = 0 OR NOT EXISTS (SELECT 1 FROM records AS own
        WHERE own.home = 0 AND own.file = records.file AND own.problem IS NULL))""",
    """CREATE TABLE IF NOT EXISTS folder (
    home INTEGER, subfolder TEXT, time INTEGER, mark INTEGER, PRIMARY KEY (home, subfolder))""",
)
_BY: Final = {
    "identity": "records (identity, origin)",
    "id": "records (id)",
    "model": "records (origin, model, task, created)",
    "time": "records (created, id)",
    "problem": "records (home, file) WHERE problem IS NOT NULL",
}
ORDERS: Final = tuple(f"CREATE INDEX IF NOT EXISTS records_by_{n} ON {on}" for n, on in _BY.items())
"""What makes questions quick. Of many records they are cheaper to make once all are there."""
DISORDER: Final = tuple(f"DROP INDEX IF EXISTS records_by_{name}" for name in _BY)
_QUARTER: Final = 900
"""Seconds: no two moments of a quarter of an hour are on two days, in any time zone."""


class FileStat(NamedTuple):
    """What tells whether a file has changed: its time in ns, and its size in bytes."""

    mtime: int
    size: int


def row_of(
    home: int, file: str, stands: Mapping[str, Any], text: str, stat: FileStat, *, look: int | None
) -> tuple[Any, ...]:
    """Return the row of a sound record: the number of its *home*, and its *file* there.

    *stands* is what *text* says, *look* what its pictures look like (`Record.look`), or None when
    nobody has looked at them yet. Raises `ValueError`, `TypeError` or `KeyError` for another one.
    """
    request, slot = stands["request"], stands.get("slot")
    created = moment_of(stands["created"])
    return (
        home,
        file,
        *stat,
        None,
        stands["id"],
        identity_of(request),
        created,
        stands["origin"],
        None if slot is None else cell_of(slot.get("cell")),
        None if slot is None else slot.get("call", 1),
        request["model"],
        int(stands.get("task_id") is not None),
        stands.get("duration"),
        len([1 for item in stands["pictures"] if item.get("file")]),
        tokens(usage) if (usage := stands.get("usage")) else 0,
        _day(int(created // _QUARTER)),
        _words(stands),
        look,
        text,
    )


def tokens(usage: Mapping[str, Any]) -> int:
    """Return the tokens of an answer: the total, else input and output together, else 0."""
    total = usage.get("total_tokens")
    if isinstance(total, int) and total > 0:
        return min(total, _MOST_TOKENS)
    parts = (usage.get("input_tokens"), usage.get("output_tokens"))
    return min(sum(part for part in parts if isinstance(part, int) and part > 0), _MOST_TOKENS)


def folded(text: str) -> str:
    """Return *text* as it is searched: without case, each letter in one form."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


@lru_cache(4096)
def _day(quarter: int) -> str:
    """Return the local day of a quarter of an hour, counted from 1970."""
    return time.strftime("%Y-%m-%d", time.localtime(quarter * _QUARTER))


def _words(stands: Mapping[str, Any]) -> str:
    request = stands["request"]
    said = [request["model"], request["prompt"], request.get("negative_prompt")]
    said += [item.get("revised_prompt") for item in stands["pictures"]]
    return folded("\n".join([str(text) for text in said if text]))
