"""The input pictures of requests, kept by their content so that a request can be sent again."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.image_input.input_image import InputImage, input_images
from opeai_nb.errors import LibraryError, OpeaiError
from opeai_nb.library.disk.files import DISK, Disk, is_link, is_plain_name, own_folder, write_whole
from opeai_nb.library.records.request_json import content_of
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from opeai_nb.client.values.request import ImageRequest

FOLDER: Final = ".inputs"
_LARGEST: Final = 64_000_000  # bytes: models take 10 MB each (platform.md 3.5)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def keep_inputs(library: Path, request: ImageRequest, disk: Disk = DISK) -> None:
    """Write the input pictures of *request* that are not there yet. Raises `OSError`."""
    for image in request.image:
        _, content = content_of(image)
        place = own_folder(library / FOLDER, disk=disk) / hashlib.sha256(content).hexdigest()
        if not place.is_file():
            write_whole(place, content, durable=False, disk=disk)


def find_inputs(
    library: Path, written: Sequence[Mapping[str, Any]], *, strict: bool = True
) -> tuple[InputImage, ...]:
    """Return the input pictures that a written request names.

    One that is not there, or is not what its sha256 says, raises `LibraryError`; where not
    *strict* its place is taken by an object that only tells of it.
    """
    return tuple(_find(library, image, strict=strict) for image in written)


def changed_inputs(written: Sequence[Mapping[str, Any]], folder: Path) -> frozenset[str]:
    """Return the names of input pictures whose file in *folder* is another picture by now.

    A record knows no paths: what is told is true of a file of that name there. One that is not
    there, or cannot be read, is not known to have changed.
    """
    files = {
        str(image["name"]): image["sha256"]
        for image in written
        if image.get("kind") == "file" and is_plain_name(image.get("name"))
    }
    now = {name: _sha256_of(folder / name) for name in files}
    return frozenset(name for name in files if now[name] not in {None, files[name]})


def _sha256_of(file: Path) -> str | None:
    """Return how a picture file counts as an input; None where it is none."""
    try:
        if not file.is_file():
            return None
        (image,) = input_images(file)
    except (OpeaiError, OSError, ValueError):
        return None
    return hashlib.sha256(content_of(image)[1]).hexdigest()


def _find(library: Path, written: Mapping[str, Any], *, strict: bool) -> InputImage:
    name, digest = written.get("name"), str(written.get("sha256"))
    content = kept_input(library, digest)
    if content is None and strict:
        raise LibraryError(
            f"The input picture {name or 'without a name'} is not in the library.",
            advice="Give the picture again, as image=….",
        )
    if content is None:
        return InputImage(raw={"missing_input": name, "sha256": digest}, name=name)
    if written.get("kind") == "url":
        return InputImage(url=content.decode(), name=name)
    if written.get("kind") == "object":
        return InputImage(raw=json.loads(content), name=name)
    return InputImage(data=content, name=name, pixels=written.get("pixels"))


def kept_input(library: Path, digest: str) -> bytes | None:
    """Return what is kept under a sha256; None where it is gone, or is not that any more."""
    if not _SHA256.fullmatch(digest) or is_link(library / FOLDER):
        return None
    try:
        content = read_plain(library / FOLDER / digest, _LARGEST)
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None
