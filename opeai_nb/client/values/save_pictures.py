"""Writing the pictures of a generation to files that a person names."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opeai_nb.client.values.filename import extension, slug
from opeai_nb.client.values.name_template import ENDINGS, at_home, template_of
from opeai_nb.errors import InputError, LibraryError, NoPictureError
from opeai_nb.formats import sniff_format
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.values.request import ImageRequest


def save(
    pictures: Sequence[Picture],
    target: str | Path,
    values: Mapping[str, Any],
    request: ImageRequest,
    *,
    metadata: bool,
) -> list[Path]:
    """Write the good *pictures* of *request*, and return where, as `Generation.save` says.

    *values* are what a template may name. Raises `NoPictureError`, `InputError` or `LibraryError`.
    """
    if not pictures:
        raise NoPictureError("There is no picture to save.", request=request)
    path = at_home(Path(target))
    try:
        if (template := template_of(target)) is not None:
            names = template.names(values, max(request.count, len(pictures)))
            return [
                write_named(template.folder / name, picture, metadata=metadata)
                for name, picture in zip(names, pictures, strict=False)
            ]
        if path.suffix and not path.is_dir():
            return _save_as(path, pictures, metadata=metadata)
        path.mkdir(parents=True, exist_ok=True)
        stem = slug(request.prompt)
        return [
            _save_into(path, f"{stem}-{number}", picture, metadata=metadata)
            for number, picture in enumerate(pictures, 1)
        ]
    except OSError as error:
        raise LibraryError(f"The pictures could not be saved: {error.strerror}.") from error


def _save_as(path: Path, pictures: Sequence[Picture], *, metadata: bool) -> list[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    paths = (
        [path]
        if len(pictures) == 1
        else [path.with_stem(f"{path.stem}-{number}") for number in range(1, len(pictures) + 1)]
    )
    for place, picture in zip(paths, pictures, strict=True):
        if extension(picture.format) == place.suffix.lower().lstrip(".").replace("jpeg", "jpg"):
            place.write_bytes(_bytes_of(picture, metadata=metadata))
        else:
            place.write_bytes(_converted(picture, place.suffix))
    return paths


def _bytes_of(picture: Picture, *, metadata: bool) -> bytes:
    if (data := picture.data if metadata else picture.received) is None:
        raise NoPictureError(
            "This picture is not fetched yet.", advice="Call client.fetch(generation) first."
        )
    return data


def _save_into(folder: Path, stem: str, picture: Picture, *, metadata: bool) -> Path:
    data = _bytes_of(picture, metadata=metadata)
    ending = extension(sniff_format(data[:16]))
    return _written(folder, stem, ending, data, picture.strip)


def _written(
    folder: Path, stem: str, ending: str, data: bytes, strip: Callable[[bytes], bytes] | None
) -> Path:
    path, number = folder / f"{stem}.{ending}", 1
    while not _is_written(path, data, strip):
        number += 1
        path = folder / f"{stem}-v{number}.{ending}"
    return path


def write_named(path: Path, picture: Picture, *, metadata: bool = True) -> Path:
    """Write a picture below the name of *path*, and return where: never over another content.

    Its ending converts; without a picture's ending it gets its own. *metadata* as `save` takes it.
    Raises `OSError`.
    """
    data = _bytes_of(picture, metadata=metadata)
    own, ending = extension(sniff_format(data[:16])), path.suffix.lower().lstrip(".")
    path.parent.mkdir(parents=True, exist_ok=True)
    if ending not in ENDINGS:
        return _written(path.parent, path.name, own, data, picture.strip)
    if ending.replace("jpeg", "jpg") != own:
        data = _converted(picture, path.suffix)
    return _written(path.parent, path.stem, path.suffix.lstrip("."), data, picture.strip)


def _is_written(path: Path, data: bytes, strip: Callable[[bytes], bytes] | None) -> bool:
    """Write a new file, or tell whether it is there already with this content.

    It is so, too, where *strip* leaves the same of both: a library's metadata makes no other one.
    """
    try:
        with path.open("xb") as file:  # never through a link
            file.write(data)
    except FileExistsError:
        with suppress(OSError):  # a link, a folder, a FIFO
            there = read_plain(path)
            return there == data or (strip is not None and strip(there) == strip(data))
        return False
    return True


def _converted(picture: Picture, suffix: str) -> bytes:
    """Return the picture in the format of an ending, such as `.jpg`. Raises `InputError`."""
    from PIL import Image

    image, file = picture.image, BytesIO()
    if suffix.lower() in {".jpg", ".jpeg"} and image.mode not in {"RGB", "L"}:
        image = image.convert("RGB")
    try:
        image.save(file, Image.registered_extensions()[suffix.lower()])
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{suffix!r} is not a format that pictures can be saved in.",
            advice="Use .png, .jpg or .webp.",
        ) from error
    return file.getvalue()
