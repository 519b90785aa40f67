"""Answers laid over the picture that was to be edited: made from a record, beside its pictures.

    2026-11-22-hat-3f2a9c1d-1.png                   as it was received
    2026-11-22-hat-3f2a9c1d-1-only-1b2c3d4e.png     laid over the original, inside a region
    only/2026-11-22-hat-3f2a9c1d-1b2c3d4e.json      OverlayDocument: which region, and what was said

The record stays what it was. Of one record there may be several, each of another region.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.picture import Picture
from opeai_nb.errors import NoPictureError
from opeai_nb.imaging.encode import saved
from opeai_nb.imaging.open_picture import UndecodableError
from opeai_nb.library.disk.files import is_link, is_plain_file, names_in, own_folder, write_whole
from opeai_nb.library.disk.subfolder import subfolder_of
from opeai_nb.library.documents import OverlayDocument, check
from opeai_nb.library.library_warning import reason
from opeai_nb.library.metadata.provenance import provenance, with_provenance
from opeai_nb.library.records.input_files import FOLDER as INPUTS
from opeai_nb.library.records.input_files import kept_input
from opeai_nb.library.records.record import ENDING, VERSION, moment_text
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.only import Only
    from opeai_nb.library.disk.homes import Homes
    from opeai_nb.library.records.record import Record

FOLDER: Final = "only"
_LONGEST: Final = 100_000  # bytes of a document, which has some 300
_MARK: Final = "-only-"
# The fastest that zlib has, and on photographs as small as its default.
_FAST: Final = {"compress_level": 1, "compress_type": 3}


@dataclass(frozen=True)
class Overlay:
    """What a record's pictures became when they were laid over their original.

    *box* is x, y, width and height of the region in pixels of the original, *mask* the sha256 of
    the mask's PNG, which lies in `.inputs/` under that name, or None; *notes* is what was said of
    it; *paths* the files by the number of their picture, from 1.
    """

    digest: str
    at: str
    box: tuple[int, int, int, int]
    mask: str | None
    notes: tuple[str, ...]
    paths: Mapping[int, Path]


def overlays(homes: Iterable[Path], record: Record) -> list[Overlay]:
    """Return what was made of a record, oldest first."""
    stem = record.stem
    found = [
        overlay
        for home in homes
        if not is_link(home / FOLDER)
        for name in names_in(home / FOLDER)
        if name.startswith(f"{stem}-") and name.endswith(ENDING)
        if (overlay := _read(home, record, name.removesuffix(ENDING)[len(stem) + 1 :]))
    ]
    return sorted(found, key=lambda overlay: (overlay.at, overlay.digest))


def mask_of(homes: Iterable[Path], overlay: Overlay) -> bytes | None:
    """Return the PNG of an overlay's mask; None where it has none, or it is not there any more."""
    found = (kept_input(home, overlay.mask or "") for home in homes)
    return next(filter(None, found), None)


def record_number(record: Record, file: str) -> int | None:
    """Return which picture of a record a file is, or was laid over from; None where it is none."""
    names = [picture.file for picture in record.pictures]
    if file in names:
        return names.index(file) + 1
    stem, mark, _ = file.rpartition(_MARK)
    own, _, number = stem.rpartition("-")
    is_its = mark and own == record.stem and number.isdecimal()
    return int(number) if is_its and 1 <= int(number) <= len(names) else None


def _read(home: Path, record: Record, digest: str) -> Overlay | None:
    """Return an overlay whose files are all there; what a stranger wrote leads nowhere else."""
    try:
        said = json.loads(read_plain(home / FOLDER / f"{record.stem}-{digest}{ENDING}", _LONGEST))
        check(said, OverlayDocument)
        x, y, width, height = said["box"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    paths = {number: home / _name(record, number, digest) for number in said["pictures"]}
    if not paths or not all(map(is_plain_file, paths.values())):
        return None
    notes = tuple(said.get("notes") or ())
    return Overlay(digest, said["at"], (x, y, width, height), said.get("mask"), notes, paths)


def _name(record: Record, number: int, digest: str) -> str:
    """Return the file as it is named in the library: it lies beside what it was made from."""
    return record.beside(f"{record.stem}-{number}{_MARK}{digest}.png")


@dataclass(frozen=True)
class Layer:
    """Lays the pictures of generations over what they were made from, and keeps that in *homes*.

    With *metadata* each file tells of itself.
    """

    homes: Homes
    only: Only
    metadata: bool
    moment: float

    def laid(self, generation: Generation, record: Record | None) -> Generation:
        """Return *generation* with its pictures laid over; itself is then its `received`.

        What was made before is shown as it is. A picture that cannot be laid over stays as it
        came, and a note says why: it is paid for. *record* is None where no disk took it.
        """
        if record is not None:
            for home in self.homes.there:
                if overlay := _read(home, record, self.only.digest):
                    return self._shown(generation, overlay.paths, overlay.notes)
        made, notes = self._made(generation)
        if record is not None and made:
            notes += self._kept(record, made, notes)
        return self._shown(generation, made, notes)

    def _shown(
        self,
        generation: Generation,
        made: Mapping[int, Path] | Mapping[int, bytes],
        notes: tuple[str, ...],
    ) -> Generation:
        pictures = tuple(
            replace(picture, source=made[number], url=None, received_sha256=None)
            if number in made
            else picture
            for number, picture in enumerate(generation.pictures, 1)
        )
        return replace(
            generation,
            pictures=pictures,
            only=self.only.to_json(),
            came=generation,
            laid_notes=notes,
        )

    def _made(self, generation: Generation) -> tuple[dict[int, Any], tuple[str, ...]]:
        made: dict[int, Any] = {}
        notes: dict[str, None] = {}
        several = len(generation.good) > 1
        for number, picture in enumerate(generation.pictures, 1):
            if picture.error is not None:
                continue
            data, note = self._one(picture)
            made |= {number: data} if data else {}
            if note:
                notes[f"Picture {number}: {note}" if several else note] = None
        return made, tuple(notes)

    def _one(self, picture: Picture) -> tuple[bytes | None, str]:
        try:
            laid = self.only.lay_over(picture.image)
        except (UndecodableError, NoPictureError) as error:
            return None, f"It was not laid over its original, and is shown as it came: {error}"
        profile = laid.image.info.get("icc_profile")
        laid.image.info.clear()  # no EXIF, and so no place or camera, goes with it
        return saved(laid.image, "PNG", icc_profile=profile, **_FAST), laid.note

    def _kept(
        self, record: Record, made: dict[int, Any], notes: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Write files and document; in *made* paths take the place of bytes. Return what failed."""
        try:
            paths = self.homes.write(lambda home: self._write(home, record, made, notes))
        except OSError as error:
            return (f"It could not be kept, and is in memory alone ({reason(error)}).",)
        made.update(paths)
        return ()

    def _write(
        self, home: Path, record: Record, made: Mapping[int, bytes], notes: tuple[str, ...]
    ) -> dict[int, Path]:
        stem, digest, disk = record.stem, self.only.digest, self.homes.disk
        disk.mkdir(home)
        if subfolder := subfolder_of(record.file):
            own_folder(home / subfolder, disk=disk)
        paths = {}
        for number, data in made.items():
            told = self._told(record, number, data)
            paths[number] = home / _name(record, number, digest)
            write_whole(paths[number], told, disk=disk)
        if self.only.mask is not None:
            inputs = own_folder(home / INPUTS, disk=disk)
            mask = hashlib.sha256(self.only.mask).hexdigest()
            write_whole(inputs / mask, self.only.mask, durable=False, disk=disk)
        said = {
            "opeai_nb": VERSION,
            "at": moment_text(self.moment),
            **self.only.to_json(),
            "pictures": sorted(made),
            "notes": list(notes),
        }
        place = own_folder(home / FOLDER, disk=disk) / f"{stem}-{digest}{ENDING}"
        write_whole(place, json.dumps(said, ensure_ascii=False).encode(), disk=disk)
        return paths

    def _told(self, record: Record, number: int, data: bytes) -> bytes:
        if not self.metadata:
            return data
        kept = replace(
            record.pictures[number - 1],
            size=Picture(source=data).size,
            sha256=hashlib.sha256(data).hexdigest(),
        )
        facts = {**provenance(record, kept, number), "only": self.only.to_json()}
        return with_provenance(data, facts)


def shown_paths(found: Iterable[Overlay], record: Record) -> Iterator[Path]:
    """Yield the files of a record as they are to be shown: as they were laid over last."""
    latest = {number: path for overlay in found for number, path in overlay.paths.items()}
    for number, picture in enumerate(record.pictures, 1):
        if picture.file:
            yield latest.get(number, record.path_of(picture.file))
