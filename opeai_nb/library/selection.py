"""Which records are meant: what a search asks for, and the query's values that stand for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypedDict

from opeai_nb.errors import OptionError
from opeai_nb.library.dates import Moment, seconds
from opeai_nb.library.index.index_row import folded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.library.marks import Marks

FOREVER: Final = 1e12
"""Seconds since 1970: the year 33658."""
SEARCH: Final = """
    SELECT created, id, home, file, look, stands FROM kept
    WHERE (:model IS NULL OR model GLOB :model) AND (:origin IS NULL OR origin = :origin)
    AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
    AND id NOT IN (SELECT value FROM json_each(:hidden))
    AND created >= :since AND created < :until AND (created, id) < (:before, :last)
    AND NOT EXISTS (SELECT 1 FROM json_each(:words) WHERE instr(kept.words, value) = 0)
    GROUP BY created, id ORDER BY created DESC, id DESC LIMIT :limit"""


class Selection(TypedDict, total=False):
    """Which records are meant, as `Library.search` takes it beside the words."""

    model: str | None
    since: Moment | None
    until: Moment | None
    origin: str | None
    starred: bool
    tag: str | None
    trashed: bool
    limit: int | None


def values_of(text: str, asked: Selection, marks: Mapping[str, Marks]) -> dict[str, Any]:
    """Return the values of `SEARCH`; *marks* are those of the records that have some.

    Raises `OptionError` for a date or a limit that is none.
    """
    starred, tag = asked.get("starred", False), asked.get("tag")
    since, until, limit = asked.get("since"), asked.get("until"), asked.get("limit")
    if limit is not None and limit < 0:
        raise OptionError(f"limit is {limit}, and cannot be below 0.", advice="None is no limit.")
    trash = {record for record, each in marks.items() if each.trashed}
    ids = None
    if starred or tag is not None:
        ids = [record for record, each in marks.items() if _is_marked(each, starred, tag)]
    elif asked.get("trashed"):
        ids = sorted(trash)
    return {
        "words": json.dumps(folded(text).split()),
        "model": asked.get("model"),
        "origin": asked.get("origin"),
        "since": -FOREVER if since is None else seconds(since),
        "until": FOREVER if until is None else seconds(until, end=True),
        "ids": None if ids is None else json.dumps(ids),
        "hidden": json.dumps(sorted(set(marks) - trash if asked.get("trashed") else trash)),
        "limit": -1 if limit is None else limit,
        "before": FOREVER,
        "last": "",
    }


def _is_marked(marks: Marks, starred: bool, tag: str | None) -> bool:
    return (marks.has_star() or not starred) and (tag is None or marks.has_tag(tag))
