"""The prompts of a library, newest first, each once: a few at a time, however large it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opeai_nb.library.index.index_row import folded
from opeai_nb.library.selection import FOREVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from opeai_nb.library.records.record import Record

Place = tuple[float, str]
"""The time and the id of the record at which a look ended: the next one goes on behind it."""
_STEP: Final = 100
_MOST: Final = 2_000
"""Records that one look walks past: of a long sweep all may have one prompt."""
_WORDS: Final = 50
_WALK: Final = """
    SELECT created, id, json_extract(stands, '$.request.prompt'), home, file, look, stands FROM kept
    WHERE (created, id) < (:before, :last) AND id NOT IN (SELECT value FROM json_each(:hidden)){}
    ORDER BY created DESC, id DESC LIMIT :step"""
_WORD: Final = " AND instr(words, :word{}) > 0"
"""Of each word: a list of them, looked through for each record, costs more than twice as much."""


class PastPrompts(NamedTuple):
    """The newest record of each prompt, and where to go on; None at the end of the library.

    There may be fewer than were asked for, or none, and yet a place to go on.
    """

    records: list[Record]
    before: Place | None


def past_prompts(
    rows: Callable[[str, Mapping[str, Any]], Sequence[tuple[Any, ...]]],
    sound: Callable[[Iterable[tuple[Any, ...]]], Iterator[Record]],
    *,
    hidden: Iterable[str],
    text: str,
    before: Place | None,
    limit: int,
) -> PastPrompts:
    """Walk from *before* to older records; see `Catalogue.prompts`.

    *rows* asks the index, *sound* reads the rows of records, *hidden* ids are passed over.
    """
    words = list(dict.fromkeys(folded(text).split()))[:_WORDS]
    walk = _WALK.format("".join(map(_WORD.format, range(len(words)))))
    values: dict[str, Any] = {f"word{number}": word for number, word in enumerate(words)}
    values |= {"hidden": json.dumps(sorted(hidden)), "step": _STEP}
    chosen: dict[str, tuple[Any, ...]] = {}
    place = before or (FOREVER, "")
    for _ in range(_MOST // _STEP):
        step = rows(walk, {**values, "before": place[0], "last": place[1]})
        for created, key, prompt, *row in step:
            place = (created, key)
            if prompt not in chosen and _holds(prompt, words):
                chosen[prompt] = tuple(row)
                if len(chosen) == limit:
                    return PastPrompts(list(sound(chosen.values())), place)
        if len(step) < _STEP:
            return PastPrompts(list(sound(chosen.values())), None)
    return PastPrompts(list(sound(chosen.values())), place)


def _holds(prompt: object, words: Iterable[str]) -> bool:
    """Tell whether it is a prompt with all the words: the index looks at the model, too."""
    if not isinstance(prompt, str) or not prompt.strip():
        return False
    searched = folded(prompt)
    return all(word in searched for word in words)
