"""Files that the panel writes for a person: copies of pictures, and uploads that a cell names."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from opeai_nb.client.values.filename import extension, slug
from opeai_nb.client.values.views.text_output import from_here
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.formats import sniff_format
from opeai_nb.library.disk.files import is_plain_file, own_folder, write_whole
from opeai_nb.notebook.panel.region import mask_file

if TYPE_CHECKING:
    from opeai_nb.client import Generation
    from opeai_nb.client.values.only import Only
    from opeai_nb.library.disk.homes import Homes
    from opeai_nb.notebook.panel.input_sources import Source

FOLDER = "uploads"


def save_copy(generation: Generation, number: int, target: str) -> Path:
    """Write picture *number* (from 1) of a kept generation to *target* and return the path.

    A folder gets a readable name, an ending of another format converts. Raises `InputError` where
    that file is there already or no name is given, `LibraryError` when the disk refuses.
    """
    if not target.strip():
        raise InputError("There is no file name.", advice="Give a name such as fox.png.")
    path = Path(target.strip()).expanduser()
    if path.is_file():
        raise InputError(f"{path.name} already exists.", advice="Choose another name.")
    alone = replace(generation, pictures=(generation.good[number - 1],))
    return alone.save(path, metadata=True)[0]


def upload_file(homes: Homes, label: str, content: bytes) -> Path:
    """Write an upload into a library's folder of uploads, for cells to name; return its path.

    The same content is written once. Raises `LibraryError` when the disk refuses.
    """
    digest = hashlib.sha256(content).hexdigest()[:8]
    ending = extension(sniff_format(content[:16]))
    name = f"{slug(Path(label).stem)}-{digest}.{ending}"

    def write(home: Path) -> Path:
        path = home / FOLDER / name
        if not is_plain_file(path):
            write_whole(own_folder(home / FOLDER, disk=homes.disk) / name, content, disk=homes.disk)
        return path

    try:
        return homes.write(write)
    except OSError as error:
        raise LibraryError(f"The upload cannot be written: {error.strerror}.") from error


def source_written(source: Source, homes: Homes) -> str:
    """Return how a cell names an input picture; an upload becomes a file for it."""
    if source.written is not None:
        return source.written
    return as_written(upload_file(homes, source.label, source.original or b""))


def region_written(only: Only, label: str, homes: Homes) -> str:
    """Return how a cell writes a region: a box, or the file of a mask, named after its picture."""
    if only.mask is None:
        return ",".join(map(str, only.box))
    return as_written(upload_file(homes, f"mask-{Path(label).stem}", mask_file(only)))


def as_written(path: Path) -> str:
    """Return how a cell names *path*: relative where it lies below the working directory."""
    return from_here(path).as_posix()
