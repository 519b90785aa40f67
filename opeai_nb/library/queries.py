"""What is kept, asked in the ways in which a person and the toolkit ask for it.

The index answers in rows; a record whose pictures look otherwise than they did is read from its
file again.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack, get_args

from opeai_nb.client.values.generation import Generation
from opeai_nb.errors import LibraryError
from opeai_nb.library.dates import Moment, seconds
from opeai_nb.library.disk.files import DISK, Disk
from opeai_nb.library.disk.homes import Homes
from opeai_nb.library.documents import Origin
from opeai_nb.library.handed_on import HandedOn
from opeai_nb.library.index.index import Index
from opeai_nb.library.laid_over import Overlay, mask_of, overlays, shown_paths
from opeai_nb.library.marks import MarkFiles, Marks, tags_of
from opeai_nb.library.past_prompts import PastPrompts, Place, past_prompts
from opeai_nb.library.picks import Picks
from opeai_nb.library.records.record import Record, parse_record
from opeai_nb.library.records.validate import UnusableRecordError
from opeai_nb.library.records.write_record import facts_of, kept_pictures
from opeai_nb.library.selection import FOREVER, SEARCH, Selection, values_of
from opeai_nb.library.usage import Usage, UsageRow, dataframe, priced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pandas import DataFrame  # type: ignore[import-not-found,import-untyped,unused-ignore]  # where it is there

    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.library.export.export import Export
    from opeai_nb.library.export.split import Split
    from opeai_nb.prices.price_list import PriceList

_REMEMBERED: Final = 20  # durations: enough for a median, few enough to follow a slower day
_PAGE: Final = 500  # records in memory at once while all are iterated over: a few megabytes
_FIRST_PAGE: Final = 32
"""Records that are read at first: a gallery's page. Each lies somewhere else in a large index."""
# Copies of a record, as a sync leaves them or a folder that was copied twice, are told as one.
_NEWER: Final = """
    SELECT created, id, home, file, look, stands FROM kept WHERE (created, id) > (?, ?)
    GROUP BY created, id ORDER BY created, id LIMIT ?"""
_OLDER: Final = """
    SELECT created, id, home, file, look, stands FROM kept WHERE (created, id) < (?, ?)
    GROUP BY created, id ORDER BY created DESC, id DESC LIMIT ?"""
_HOLDING: Final = """
    SELECT home, file, look, stands FROM kept
    WHERE EXISTS (SELECT 1 FROM json_each(:sha256)
        WHERE instr(stands, value) > 0
        AND value IN (SELECT json_extract(item.value, '$.sha256')
            FROM json_each(kept.stands, '$.pictures') AS item))
    OR instr(stands, '"image"') > 0 AND EXISTS (
        SELECT 1 FROM json_each(kept.stands, '$.request.image') AS item
        WHERE json_extract(item.value, '$.name') IN (SELECT value FROM json_each(:inputs))
        OR json_extract(item.value, '$.sha256') IN (SELECT value FROM json_each(:inputs)))
    ORDER BY created DESC, id DESC"""
_AGAIN: Final = """
    SELECT file, stands FROM kept WHERE home = ? AND file IN (SELECT value FROM json_each(?))"""
_DURATIONS: Final = """
    SELECT duration FROM kept
    WHERE model = ? AND origin = ? AND task = ? AND duration IS NOT NULL
    ORDER BY created DESC LIMIT ?"""
_ORIGINS: Final = """
    SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM kept WHERE origin = value)"""
_USAGE: Final = """
    SELECT day, model, origin, count(*), sum(pictures), sum(tokens) FROM (
        SELECT day, model, origin, pictures, tokens FROM kept
        WHERE created >= :since AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
        GROUP BY created, id)
    GROUP BY day, model, origin ORDER BY day DESC, model, origin"""
# What a price depends on, too. A count that is none is NULL: what was used is not told.
_PRICED: Final = """
    WITH told AS (SELECT *,
        CASE WHEN json_type(stands, '$.request.size') = 'text'
            THEN json_extract(stands, '$.request.size') END AS asked,
        CASE WHEN json_type(stands, '$.request.quality') = 'text'
            THEN json_extract(stands, '$.request.quality') END AS quality,
        CASE WHEN json_type(stands, '$.usage.input_tokens') = 'integer'
            THEN json_extract(stands, '$.usage.input_tokens') END AS into_it,
        CASE WHEN json_type(stands, '$.usage.output_tokens') = 'integer'
            THEN json_extract(stands, '$.usage.output_tokens') END AS out_of_it,
        CASE WHEN json_type(stands, '$.usage.total_tokens') = 'integer'
            THEN json_extract(stands, '$.usage.total_tokens') END AS in_all
        FROM kept
        WHERE created >= :since AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
        GROUP BY created, id)
    SELECT day, model, origin, count(*), sum(pictures), sum(tokens), asked, quality,
        CAST(total(into_it) AS INTEGER), CAST(total(out_of_it) AS INTEGER),
        CAST(total(in_all) AS INTEGER), into_it IS NULL, out_of_it IS NULL, in_all IS NULL
    FROM told
    GROUP BY day, model, origin, asked, quality, into_it IS NULL, out_of_it IS NULL, in_all IS NULL
    ORDER BY day DESC, model, origin"""


class Catalogue:
    """The records of a library, in its folder and in its second home.

    Nothing is written but the index, which is derived.
    """

    def __init__(self, folder: str | Path, disk: Disk = DISK) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self.homes = Homes(self.folder, disk)
        self._index = Index(*self.homes.all)
        self._marks = MarkFiles(self.homes)
        self.handed_on = HandedOn(self.homes)
        self.picks = Picks(self.homes)

    def close(self) -> None:
        """Let go of the index file. The library can be used again."""
        self._index.close()

    def growth(self) -> tuple[int, int] | None:
        """Look at the folder, and return how many of how many records its index has while it grows.

        That of a very large library is made in the background, the newest records first. None
        where it is as it should be. Raises `LibraryError` when the folder cannot be read.
        """
        self._index.answers(whole=False)
        return self._index.growth

    def wait_for_index(self, tell: Callable[[], object]) -> None:
        """Wait until the index of a very large library is made.

        Meanwhile records are found by their names: one that was edited by hand may have the name of
        what it said before. *tell* is called before a wait. Raises `LibraryError` when the folder
        cannot be read.
        """
        self._index.wait(tell)

    def records(
        self, *, newest_first: bool = True, trashed: bool = False, whole: bool = True
    ) -> Iterator[Record]:
        """Iterate over the records in the order in which they were asked, *trashed* ones or not.

        Without *whole*, over those that are in the index while it is made (`growth`).
        """
        hidden = frozenset() if trashed else self._marks.trashed()
        query = _OLDER if newest_first else _NEWER
        last: tuple[Any, ...] = (FOREVER if newest_first else -FOREVER, "")
        for page in _pages():
            rows = self._index.rows(query, (*last, page), whole=whole)
            yield from self._sound(row[2:] for row in rows if row[1] not in hidden)
            if len(rows) < page:
                return
            last = rows[-1][:2]

    def record(self, id_or_prefix: str) -> Record:
        """Return one record by the beginning of its id. Raises `LibraryError`."""
        rows = self._index.rows(
            "SELECT home, file, look, stands FROM kept WHERE id >= ? AND id < ? "
            "GROUP BY id LIMIT 2",
            (id_or_prefix, f"{id_or_prefix}{chr(sys.maxunicode)}"),
        )
        found = list(self._sound(rows)) if id_or_prefix else []
        if len(found) != 1:
            raise LibraryError(
                f"{'Several records begin' if found else 'No record begins'} with "
                f"{id_or_prefix!r}.",
                advice="`%imagine history` lists what is kept.",
            )
        return found[0]

    def _sound(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Record]:
        """Yield the records of rows, without those whose pictures have been spoiled since.

        Those at whose pictures nobody has looked yet are read first, a page of them at once.
        """
        rows = [*rows]
        unseen = [number for number, row in enumerate(rows) if row[2] is None]
        again: dict[tuple[int, str], Record | None] = {}
        for number, row in enumerate(rows):
            record = self._unchanged(*row)
            if record is None and row[:2] not in again:
                start = bisect_left(unseen, number)
                others = [rows[other][:2] for other in unseen[start : start + _PAGE]]
                again |= self._read_again(dict.fromkeys([row[:2], *others]))
            if (sound := record or again[row[:2]]) is not None:
                yield sound

    def _unchanged(self, home: int, file: str, look: int | None, text: object) -> Record | None:
        """Return the record of a row whose pictures look as they did; else None."""
        if look is None or (record := self._parsed(home, file, text)) is None:
            return None
        return record if record.look() == look else None

    def _read_again(self, rows: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Record | None]:
        """Read records again and return them; None for one that is not sound."""
        found: dict[tuple[int, str], Record | None] = dict.fromkeys(rows)
        for home in sorted({home for home, _ in found}):
            files = [file for its, file in found if its == home]
            self._index.reread(home, *files)
            texts = self._index.rows(_AGAIN, (home, json.dumps(files)), whole=False)
            found |= {(home, file): self._parsed(home, file, text) for file, text in texts}
        return found

    def _parsed(self, home: int, file: str, text: object) -> Record | None:
        """Return the record of a row, checked as a file is; None when it is none."""
        try:
            return parse_record(str(text), self.homes.all[home], file)
        except UnusableRecordError:
            return None

    def names_of(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Return files as they are named in the library, their sub-folder included.

        Of a file that lies elsewhere it is the name alone.
        """
        places = [(path, self.homes.place_of(path)) for path in paths]
        return tuple(place[1] if place else path.name for path, place in places)

    def generation(self, record: Record, request: ImageRequest | None = None) -> Generation:
        """Return a record's generation; no picture is read before it is looked at.

        *request* is the one in hand, where there is one; else it is built again.
        """
        return Generation(
            pictures=kept_pictures(record),
            request=request or record.rebuilt(strict=False),
            replayed_from=record.id,
            **{**facts_of(record), "words": self.marks(record).words(record)},
        )

    def search(
        self,
        text: str = "",
        *,
        model: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        origin: str | None = None,
        starred: bool = False,
        tag: str | None = None,
        trashed: bool = False,
        limit: int | None = None,
        whole: bool = True,
    ) -> list[Record]:
        """Return the records that hold every word of *text*, newest first.

        Words are looked for in the prompt, the negative and revised prompts and the model, without
        regard to case. *model* is a name, or a pattern with `*`. *since* and *until* are
        dates (`2026-11-22`, the day included), datetimes or seconds since 1970. *starred* and
        *tag* ask for the marks; with *trashed* the trash is searched instead of the rest.
        Without *whole*, what is in the index is searched while it is made (`growth`).
        """
        asked = Selection(
            model=model,
            since=since,
            until=until,
            origin=origin,
            starred=starred,
            tag=tag,
            trashed=trashed,
            limit=limit,
        )
        rows = self._index.rows(SEARCH, values_of(text, asked, self._marks.all()), whole=whole)
        return list(self._sound(row[2:] for row in rows))

    def selected(
        self, text: str = "", *, whole: bool = True, **selection: Unpack[Selection]
    ) -> Iterator[Record]:
        """Iterate over what `search` returns, with a few hundred records in memory at once."""
        values = values_of(text, selection, self._marks.all())
        left = values["limit"]
        for page in _pages():
            values["limit"] = page if left < 0 else min(page, left)
            rows = self._index.rows(SEARCH, values, whole=whole)
            yield from self._sound(row[2:] for row in rows)
            left -= len(rows) if left > 0 else 0
            if len(rows) < values["limit"] or not left:
                return
            values["before"], values["last"] = rows[-1][:2]

    def prompts(
        self, text: str = "", *, before: Place | None = None, limit: int = 20
    ) -> PastPrompts:
        """Return the newest record of each prompt that holds every word of *text*, newest first.

        *before* is where the last look ended. What is in the trash is passed over. A prompt comes
        once in a look; further looks may bring it again.
        """
        hidden = self._marks.trashed()
        return past_prompts(
            self._index.rows, self._sound, hidden=hidden, text=text, before=before, limit=limit
        )

    def export(
        self,
        target: str | Path,
        text: str = "",
        *,
        split: Split | None = None,
        side: int | None = None,
        replace: bool = False,
        **selection: Unpack[Selection],
    ) -> Export:
        """Write pictures for others to *target*, whose name says how; return what was written.

        *text* and *selection* choose as `search` does; of a record of several pictures, *starred*
        and *tag* take those that have the mark. The library itself is left as it is.

        A folder becomes a data set that `datasets.load_dataset("imagefolder", data_dir=…)` loads:
        the files byte for byte, a `metadata.jsonl` with what was asked, and a card with the licence
        left open. *split* 0.2 makes a fifth of the prompts the part `test`, and a mapping such as
        `{"train": 8, "validation": 1, "test": 1}` other parts; all pictures of a prompt are in one,
        whatever else is exported. Input pictures of edits are named by their sha256 and stay here.

        A name with `.html` becomes a page with the pictures in it, which needs no network;
        `.png`, `.jpg` or `.pdf` a contact sheet. *side* is the longest side of a picture there, in
        pixels: by default a page has the files as they are, 200 MB at most, a sheet 320.

        An export is there whole or not at all. With *replace* it takes the place of an earlier
        export, so that a notebook can be run again. Raises `OptionError` for what cannot be asked;
        `LibraryError` where nothing matches, where there is a file or a folder with something in
        it already, and when the disk refuses.
        """
        from opeai_nb.library.export.export import export
        from opeai_nb.library.export.piece import pieces_of

        marks, records = self._marks.all(), self.selected(text, **selection)
        pieces = pieces_of(
            records,
            lambda record: marks.get(record.id, Marks()),
            starred=selection.get("starred", False),
            tag=selection.get("tag"),
        )
        return export(pieces, target, split=split, side=side, replace=replace, disk=self.homes.disk)

    def marks(self, record: Record) -> Marks:
        """Return what people say of a record: star, tags, note, and whether it is in the trash."""
        return self._marks.all().get(record.id, Marks())

    def all_marks(self) -> dict[str, Marks]:
        """Return what people say of each record that has some marks, by its id."""
        return dict(self._marks.all())

    def overlays(self, record: Record) -> list[Overlay]:
        """Return what became of a record's pictures laid over their original, oldest first."""
        return overlays(self.homes.there, record)

    def mask(self, overlay: Overlay) -> bytes | None:
        """Return the mask of an overlay, a PNG as large as its box; None where none is kept."""
        return mask_of(self.homes.there, overlay)

    def shown_paths(self, record: Record) -> list[Path]:
        """Return the picture files of a record as they are to be shown: as laid over last."""
        return list(shown_paths(self.overlays(record), record))

    def holding(self, *, sha256: Iterable[str] = (), inputs: Iterable[str] = ()) -> list[Record]:
        """Return the records with a picture of such a sha256, or with such an input, newest first.

        An input is told by its name or by its sha256.
        """
        values = {"sha256": json.dumps([*sha256]), "inputs": json.dumps([*inputs])}
        return list(self._sound(self._index.rows(_HOLDING, values)))

    def durations(self, model: str, origin: str, *, tasks: bool = True) -> tuple[float, ...]:
        """Return how many seconds the last 20 tasks of a model took, newest last.

        Without *tasks*, the last 20 requests that were answered at once.
        """
        rows = self._index.rows(_DURATIONS, (model, origin, int(tasks), _REMEMBERED), whole=False)
        return tuple(duration for (duration,) in reversed(rows))

    def usage(
        self,
        *,
        since: Moment | None = None,
        ids: Iterable[str] | None = None,
        prices: PriceList | None = None,
    ) -> Usage:
        """Return requests, pictures and tokens by day, model and origin, newest day first.

        With *ids*, of these records alone; with *prices*, also what the platform was paid.
        """
        values = {
            "since": -FOREVER if since is None else seconds(since),
            "ids": None if ids is None else json.dumps(sorted(ids)),
        }
        if prices is None:
            return Usage(UsageRow(*row) for row in self._index.rows(_USAGE, values))
        return priced(self._index.rows(_PRICED, values), prices)

    def tagged(self) -> dict[str, list[str]]:
        """Return the ids of the records that have each tag, or a picture of them, by the alphabet.

        What is in the trash counts, too.
        """
        return tags_of(self._marks.all())

    def origins(self) -> frozenset[str]:
        """Return the origins of what is kept: `platform`, `engine`, both or none."""
        rows = self._index.rows(_ORIGINS, (json.dumps(get_args(Origin)),))
        return frozenset(origin for (origin,) in rows)

    def to_dataframe(self) -> DataFrame:
        """Return all records as a pandas table, oldest first.

        Raises `LibraryError` where pandas is not there.
        """
        return dataframe(_flat(record) for record in self.records(newest_first=False))


def _pages() -> Iterator[int]:
    """Return how many records are read at once: few at first, for most look at few."""
    page = _FIRST_PAGE
    while True:
        yield page
        page = min(4 * page, _PAGE)


def _flat(record: Record) -> dict[str, Any]:
    usage = record.usage or {}
    return {
        "id": record.id,
        "created": record.stands["created"],
        "origin": record.origin,
        "model": record.model,
        "prompt": record.prompt,
        "size": record.written.get("size"),
        "pictures": len(record.files),
        "failed": len(record.pictures) - len(record.files),
        "tokens": usage.get("total_tokens"),
        "duration": record.duration,
        "cell": record.slot.cell if record.slot else None,
        "task_id": record.task_id,
        "files": record.files,
    }
