"""A record as a row of the index."""

from __future__ import annotations

import time
import unicodedata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.library.records.record import Record

COLUMNS: Final = (
    *("home", "file", "mtime", "size", "problem", "id", "identity", "created", "origin", "cell"),
    *("call", "model", "task", "duration", "pictures", "tokens", "day", "words", "look", "stands"),
)
_MOST_TOKENS: Final = 2**40
"""More are no account, and their sum would be more than SQLite counts."""
SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS records (
    {", ".join(COLUMNS)}, PRIMARY KEY (home, file));
CREATE INDEX IF NOT EXISTS records_by_file ON records (home, file, mtime, size, problem);
CREATE INDEX IF NOT EXISTS records_by_origin ON records (origin);
CREATE INDEX IF NOT EXISTS records_by_identity ON records (identity, origin);
CREATE INDEX IF NOT EXISTS records_by_id ON records (id);
CREATE INDEX IF NOT EXISTS records_by_model ON records (model, origin, task, created);
CREATE VIEW IF NOT EXISTS kept AS SELECT * FROM records WHERE problem IS NULL
    AND (home = 0 OR NOT EXISTS (SELECT 1 FROM records AS own
        WHERE own.home = 0 AND own.file = records.file AND own.problem IS NULL));
CREATE INDEX IF NOT EXISTS records_by_time ON records (created, id);
CREATE TABLE IF NOT EXISTS folder (home INTEGER PRIMARY KEY, time INTEGER);
"""  # noqa: S608  the names of our own columns


def row_of(home: int, record: Record, text: str, mtime: int, size: int) -> tuple[Any, ...]:
    """Return the row of a record, the number of its home, and its file's text, time (ns), size."""
    usage, slot = record.usage or {}, record.slot
    return (
        home,
        record.file,
        mtime,
        size,
        None,
        record.id,
        record.identity,
        record.created,
        record.origin,
        slot.cell if slot else None,
        slot.call if slot else None,
        record.model,
        int(record.task_id is not None),
        record.duration,
        len(record.files),
        tokens(usage),
        time.strftime("%Y-%m-%d", time.localtime(record.created)),
        _words(record),
        record.look(),
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
    return unicodedata.normalize("NFKC", text).casefold()


def _words(record: Record) -> str:
    said = [record.model, record.prompt, record.written.get("negative_prompt")]
    said += [item.get("revised_prompt") for item in record.stands["pictures"]]
    return folded("\n".join(str(text) for text in said if text))
