"""Where a kept picture was made from, and what was made from it: edits form a tree.

An input picture is known again by its bytes, as received or as they lie in the library, by what its
own file tells, or by its name in the library.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from opeai_nb.errors import LibraryError
from opeai_nb.library.disk.homes import library_of
from opeai_nb.library.disk.subfolder import is_subfolder
from opeai_nb.library.laid_over import record_number
from opeai_nb.library.metadata.provenance import file_info, told_in
from opeai_nb.library.queries import Catalogue
from opeai_nb.library.records.input_files import find_inputs
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opeai_nb.library.records.record import Record

Told = TypeVar("Told")

_LARGEST: Final = 256_000_000  # bytes: a picture that the library keeps
_DEEPEST: Final = 20  # edits of edits of edits
_ID_IN_NAME: Final = slice(-8, None)


class Edit(NamedTuple):
    """A record that was made from another, and what was made from it in turn."""

    record: Record
    edits: tuple[Edit, ...]


def sources(library: Catalogue, record: Record) -> list[Record]:
    """Return the records whose pictures were the inputs of *record*, each once, in order."""
    inputs = record.written.get("image", ())
    found = [_source(library, record, image) for image in inputs]
    others = (one for one in found if one is not None and one.id != record.id)
    return list({one.id: one for one in others}.values())


def _source(library: Catalogue, record: Record, image: Mapping[str, Any]) -> Record | None:
    for holder in library.holding(sha256=[str(image["sha256"])]):
        if holder.created < record.created:
            return holder
    stem = str(image.get("name", "")).rpartition(".")[0].rpartition("-")[0]
    (kept,) = find_inputs(record.folder, [image], strict=False)
    told = told_in(kept.data) if kept.data else None
    for known in (told.get("id") if told else None, stem[_ID_IN_NAME]):
        try:
            if known and (source := library.record(str(known))).id == known:
                return source
        except LibraryError:
            continue
    return None


def edits(library: Catalogue, record: Record) -> tuple[Edit, ...]:
    """Return what was made from the pictures of *record*, oldest first, as a tree."""
    return _edits(library, record, (record.id,))


def _edits(library: Catalogue, record: Record, above: tuple[str, ...]) -> tuple[Edit, ...]:
    if len(above) > _DEEPEST:
        return ()
    laid = [path.name for it in library.overlays(record) for path in it.paths.values()]
    made = library.holding(inputs=[*(path.name for path in record.paths), *laid, *_digests(record)])
    return tuple(
        Edit(one, _edits(library, one, (*above, one.id)))
        for one in reversed(made)
        if one.id not in above  # a record that was edited by hand may name itself
    )


def _digests(record: Record) -> Iterator[str]:
    """Yield the sha256 of each picture as received, and as its file lies here."""
    for picture in record.pictures:
        if picture.sha256:
            yield picture.sha256
        if picture.file:
            try:
                data = read_plain(record.path_of(picture.file), _LARGEST)
            except OSError:
                continue
            yield hashlib.sha256(data).hexdigest()


def info(file: str | Path) -> dict[str, Any]:
    """Return what is known of a picture file: from the file itself, else from its record beside it.

    The request stands under `request`; a file that only another tool has written into gives its
    text under `parameters`. Of a file in a library also its `starred`, `tags` and `note`, the ids
    of the records it was `made_from`, and its `edits`, each with `id`, `prompt` and `edits` of its
    own. Raises `LibraryError` when nothing is known or the file is unreadable.
    """
    path = Path(file).expanduser()
    told = file_info(path)
    folder = path.parent.absolute()
    around = [folder.parent] if is_subfolder(folder.name) else []
    for each in (*around, folder):
        if more := _told_by(Catalogue(library_of(each)), str(told.get("id") or "-"), path.name):
            return {**told, **more}
    return told


def _told_by(library: Catalogue, record_id: str, file: str) -> dict[str, Any]:
    """Return what a library knows of a picture; nothing where it has none such."""
    try:
        record = library.record(record_id)
        number = record_number(record, file)
        return _beside(library, record, number) if number else {}
    except LibraryError:
        return {}
    finally:
        library.close()


def told_of(file: str | Path, library: Catalogue, tell: Callable[[Path], Told]) -> Told:
    """Return what *tell* tells of a picture file, else of the same picture in *library*.

    A copy that was saved without metadata says nothing by itself, and is known again by its bytes.
    Raises `LibraryError` as *tell* does of the file, where the library does not have it either.
    """
    path = Path(file).expanduser()
    try:
        return tell(path)
    except LibraryError:
        if (kept := kept_file(library, path)) is None:
            raise
        return tell(kept)


def kept_file(library: Catalogue, copy: Path) -> Path | None:
    """Return the library's own file of a picture, known again by the bytes that were received."""
    try:
        digest = hashlib.sha256(read_plain(copy, _LARGEST)).hexdigest()
    except OSError:
        return None
    for record in library.holding(sha256=[digest]):
        for picture in record.pictures:
            if picture.file and picture.sha256 == digest:
                return record.path_of(picture.file)
    return None


def _beside(library: Catalogue, record: Record, number: int) -> dict[str, Any]:
    marks = library.marks(record).at(number)
    return {
        "starred": marks.starred,
        "tags": list(marks.tags),
        "note": marks.note,
        "trashed": marks.trashed,
        "made_from": [source.id for source in sources(library, record)],
        "edits": _written(edits(library, record)),
    }


def words(library: Catalogue, record: Record) -> str:
    """Return in a line where a record was made from, and what was made from it."""
    above = ", ".join(source.id for source in sources(library, record))
    below = ", ".join(edit.record.id for edit in edits(library, record))
    return " · ".join(
        f"{what} {ids}" for what, ids in (("made from", above), ("made into", below)) if ids
    )


def _written(tree: tuple[Edit, ...]) -> list[dict[str, Any]]:
    return [
        {"id": it.record.id, "prompt": it.record.prompt, "edits": _written(it.edits)} for it in tree
    ]
