"""From what came to what is kept: a generation's bytes and record, on the disk."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from opeai_nb._version import __version__
from opeai_nb.client.values.differences import differences
from opeai_nb.client.values.filename import extension, slug
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.values.words import Words
from opeai_nb.errors import NoPictureError
from opeai_nb.formats import sniff_format
from opeai_nb.imaging.open_picture import UndecodableError, picture_size
from opeai_nb.library.disk.files import (
    DISK,
    Disk,
    discard,
    is_inside,
    own_folder,
    passing_path,
    sync_file,
    sync_folder,
    sync_new_folder,
    write_into_blank,
    write_part,
)
from opeai_nb.library.journal.answer_json import read_error, write_error
from opeai_nb.library.journal.journal import FOLDER as JOURNAL_FOLDER
from opeai_nb.library.metadata.provenance import provenance, received_bytes, with_provenance
from opeai_nb.library.records.record import (
    LARGEST,
    VERSION,
    KeptPicture,
    Record,
    moment_text,
)
from opeai_nb.library.records.validate import writable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from opeai_nb.client.values.generation import Generation
    from opeai_nb.library.index.index import Index
    from opeai_nb.library.journal.entry import Entry

_HEAD: Final = 16  # bytes that tell any format (formats.sniff_format)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_WRITERS: Final = 4  # threads of one keep: most generations have no more pictures than that


def stem(prompt: str, created: float, record_id: str) -> str:
    """Return the readable name of a generation: `2026-11-22-watercolour-cat-3f2a9c1d`."""
    return f"{day_of(created)}-{slug(prompt)}-{record_id}"


def day_of(created: float) -> str:
    """Return the local day of a moment in seconds since 1970: `2026-11-22`."""
    return datetime.fromtimestamp(created).astimezone().date().isoformat()


def keep(
    index: Index,
    folder: Path,
    entry: Entry,
    generation: Generation,
    *,
    metadata: bool,
    disk: Disk = DISK,
) -> Record:
    """Put the pictures and the record on the disk and return the record.

    When this returns, they are there for good. On a disk that is full, pictures that lie in the
    journal are kept as they came, for that takes no room. Raises `OSError`, and then nothing new is
    seen in the folder.
    """
    is_there = entry.home == folder and os.path.isdir(entry.folder)  # noqa: PTH112  a Path is dear
    passing = entry.folder if is_there else None
    if passing is None:
        passing = own_folder(folder / JOURNAL_FOLDER, unlisted=True, disk=disk)
    keeping = _Keeping(index, folder, entry, passing, disk)
    try:
        return keeping.keep(generation, metadata=metadata)
    except OSError as error:
        if not metadata or error.errno not in _FULL:
            raise
    return keeping.keep(generation, metadata=False)


@dataclass(frozen=True)
class _Keeping:
    """How a generation comes from *entry* into *folder*: by files in *passing*, of that disk."""

    index: Index
    folder: Path
    entry: Entry
    passing: Path
    disk: Disk

    def keep(self, generation: Generation, *, metadata: bool) -> Record:
        pictures, paths = generation.pictures, [picture.path for picture in generation.pictures]
        if len(pictures) == 1:  # read once for all that look at it; of many, each in its turn
            pictures = tuple(map(_in_memory, pictures))
        parts: list[str] = []
        record = _record(self.folder, self.entry, generation, pictures)

        def write(
            number: int, picture: Picture, path: Path | None
        ) -> tuple[KeptPicture, str | None]:
            kept, part = self._write(record, number, picture, path, metadata=metadata)
            parts.extend([part] if part else [])
            return kept, part

        try:
            # Hashing, copying and the disk wait for each other less when they go side by side.
            with _side_by_side(len(pictures)) as spread:
                done = list(spread(write, range(1, len(pictures) + 1), pictures, paths))
            record = _readable(record.with_pictures(kept for kept, _ in done))
            parts.append(own := self._write_record(record))
            written = [part for _, part in done]
            self.index.publish(record, lambda: self._place(record, written, own))
        except OSError:
            for part in parts:
                discard(part)
            _withdraw(self.folder, record)
            raise
        if self.entry.subfolder is None:
            sync_folder(self.folder)
        else:
            sync_folder(self.folder / self.entry.subfolder)
            sync_new_folder(self.folder / self.entry.subfolder)
        return record

    def _write(
        self, record: Record, number: int, picture: Picture, path: Path | None, *, metadata: bool
    ) -> tuple[KeptPicture, str | None]:
        """Write a picture, with its provenance, under a passing name; say what it is.

        *path* is where it lies, if it lies in a file.
        """
        data = _bytes(picture)
        kept = _look(self.entry.name, number, picture, data)
        if kept.file is None or not data:
            return kept, None
        told = with_provenance(data, provenance(record, kept, number)) if metadata else data
        if told == data and (part := self._linked(path)) is not None:
            return kept, part
        return kept, write_part(self.passing, told, disk=self.disk)

    def _write_record(self, record: Record) -> str:
        write = write_into_blank if self.entry.has_blank else write_part
        return write(self.passing, record.dumps(), disk=self.disk)

    def _linked(self, path: Path | None) -> str | None:
        """Give a file of the entry a passing name as well; None where the disk has no links."""
        if path is None or not is_inside(path, self.entry.folder):
            return None
        part = passing_path(self.passing)
        try:
            self.disk.link(path, part)
        except OSError:
            return None
        sync_file(part, self.disk)
        return part

    def _place(self, record: Record, parts: Sequence[str | None], own: str) -> None:
        """Give the files their names; the record comes last: it never names what is not there."""
        if self.entry.subfolder is not None:
            own_folder(self.folder / self.entry.subfolder, disk=self.disk)
        for item, part in zip(record.pictures, parts, strict=True):
            if part is not None and item.file is not None:
                self.disk.rename(part, f"{self.folder}{os.sep}{record.beside(item.file)}")
        self.disk.rename(own, f"{self.folder}{os.sep}{record.file}")


def _readable(record: Record) -> Record:
    """Return a record that is not too long to be read back: without what the server said of it.

    Raises `OSError` when it is too long all the same.
    """
    if len(record.dumps()) <= LARGEST:
        return record
    silent = [replace(picture, revised_prompt=None) for picture in record.pictures]
    stands = {name: value for name, value in record.stands.items() if name != "usage"}
    shorter = replace(record, stands=stands).with_pictures(silent)
    if len(shorter.dumps()) > LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return shorter


@contextmanager
def _side_by_side(count: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """Yield a `map` over threads; a plain one for a single picture, which a thread only delays."""
    if count == 1:
        yield map
        return
    with ThreadPoolExecutor(min(_WRITERS, count), "opeai_nb-keep") as pool:
        yield pool.map


def _withdraw(folder: Path, record: Record) -> None:
    """Take back pictures whose record could not be placed; their bytes are where they came from."""
    if not (folder / record.file).exists():
        for path in record.paths:
            discard(path)


def _in_memory(picture: Picture) -> Picture:
    """Return a picture with its bytes in memory. Raises `NoPictureError` where its file is gone."""
    if picture.path is None:
        return picture
    return Picture(picture.data, picture.url, picture.revised_prompt, picture.error)


def _record(
    folder: Path, entry: Entry, generation: Generation, pictures: Sequence[Picture]
) -> Record:
    """Return the record without its pictures, in the order in which a person reads it.

    *pictures* are those of the generation, as they are looked at.
    """
    looked_at = pictures if generation.came is None else generation.came.pictures
    told_apart = (*differences(generation.request, looked_at), *generation.laid_notes)
    stands: dict[str, Any] = {
        "opeai_nb": VERSION,
        "id": entry.id,
        "created": moment_text(entry.created),
        "origin": entry.origin,
        "request": entry.written,
        "pictures": [],
        "usage": dict(generation.usage) if generation.usage is not None else None,
        "task_id": generation.task_id or entry.task_id,
        "request_id": generation.request_id,
        "differences": list(told_apart) or None,
        "duration": entry.duration,
        "answered_model": generation.model,
        "platform_created": generation.created,
        "slot": entry.slot.to_json() if entry.slot else None,
        "place": entry.stands.get("place"),
        "words": entry.stands.get("words"),
        "toolkit": __version__,
    }
    told = {name: value for name, value in stands.items() if value is not None}
    return Record(folder, entry.record_file, writable(told))


def _look(name: str, number: int, picture: Picture, data: bytes | None) -> KeptPicture:
    """Return what the record says of picture *number*, which is *data*."""
    revised = writable(picture.revised_prompt)
    if not data:
        error = picture.error or NoPictureError("The picture was not fetched.")
        told, url = writable(write_error(error)), writable(picture.url)
        return KeptPicture(error=told, url=url, revised_prompt=revised)
    kind = sniff_format(data[:_HEAD])
    return KeptPicture(
        file=f"{name}-{number}.{extension(kind)}",
        format=kind,
        size=_size(data),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        revised_prompt=revised,
    )


def _bytes(picture: Picture) -> bytes | None:
    return picture.data if picture.error is None else None


def _size(data: bytes) -> tuple[int, int] | None:
    try:
        return picture_size(data)
    except UndecodableError:
        return None


def kept_pictures(record: Record) -> tuple[Picture, ...]:
    """Return the pictures of a record; no file is read."""
    return tuple(
        Picture(
            source=record.path_of(item.file) if item.file else None,
            url=item.url,
            revised_prompt=item.revised_prompt,
            error=read_error(item.error) if item.error else None,
            received_sha256=item.sha256,
            strip=received_bytes,
        )
        for item in record.pictures
    )


def facts_of(record: Record) -> dict[str, Any]:
    """Return the fields of `Generation` that a record knows, besides pictures and request."""
    return {
        "usage": _with_shared_names(record.usage),
        "task_id": record.task_id,
        "created": record.stands.get("platform_created"),
        "model": record.stands.get("answered_model"),
        "request_id": record.request_id,
        "origin": record.origin,
        "words": Words.from_json(record.words),
    }


def _with_shared_names(value: Any) -> Any:
    """Return an account whose names are those of all others: JSON makes them anew in each."""
    if isinstance(value, dict):
        return {sys.intern(name): _with_shared_names(inner) for name, inner in value.items()}
    return value
