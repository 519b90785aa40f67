"""What came back for one request: pictures, usage and ids."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from opeai_nb.client.values.filename import extension, slug
from opeai_nb.client.values.name_template import ENDINGS, at_home, template_of, values_for
from opeai_nb.client.values.words import Words
from opeai_nb.errors import LibraryError, NoPictureError
from opeai_nb.formats import sniff_format
from opeai_nb.guard import cached_property
from opeai_nb.plain_file import read_plain
from opeai_nb.printable import printable_line
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PIL import Image

    from opeai_nb.client.values.name_template import NameTemplate
    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.errors import Answer


@dataclass(frozen=True, eq=False, repr=False)
class Generation(Sequence["Image.Image"]):
    """A sequence of full-size PIL images, with what belongs to them.

    *pictures* holds every item that the platform sent, also those that failed (their `error` says
    why); the sequence holds the ones that are pictures. *usage* is the platform's own account,
    *task_id* is set when a task made them, *created* is in seconds since 1970, *model* is the name
    that the platform echoed (it may differ from the one asked for, platform.md 1.10), and
    *replayed_from* names the record when the library showed it instead of sending a request;
    *notes* is what a person should be told beside the pictures, and *answer* the answer as it came
    where not all of it could be read. *only* is the region in which the pictures were laid over the
    one that was edited (`box`: x, y, width, height; `mask`: the sha256 of one); `received` has them
    as they came. *words* are one's own: alt text, caption and keywords.
    """

    pictures: tuple[Picture, ...]
    request: ImageRequest
    usage: Mapping[str, Any] | None = None
    task_id: str | None = None
    created: int | None = None
    model: str | None = None
    request_id: str | None = None
    replayed_from: str | None = None
    origin: str | None = field(default=None)
    notes: tuple[str, ...] = field(default=(), repr=False)
    answer: Answer | None = field(default=None, repr=False)
    only: Mapping[str, Any] | None = field(default=None)
    came: Generation | None = field(default=None, repr=False)
    laid_notes: tuple[str, ...] = field(default=(), repr=False)
    words: Words = field(default=Words(), repr=False)

    @cached_property
    def good(self) -> tuple[Picture, ...]:
        """The pictures that did not fail, in order."""
        return tuple(picture for picture in self.pictures if picture.error is None)

    @property
    def paths(self) -> list[Path]:
        """The files of the pictures that did not fail; none for those in memory alone."""
        return [picture.path for picture in self.good if picture.path is not None]

    @property
    def failed(self) -> tuple[Picture, ...]:
        """The items that failed; each has an `error`."""
        return tuple(picture for picture in self.pictures if picture.error is not None)

    @property
    def images(self) -> list[Image.Image]:
        """All pictures as full-size PIL images."""
        return list(self)

    @property
    def image(self) -> Image.Image:
        """The first picture. Raises `NoPictureError` when there is none."""
        if not self.good:
            raise NoPictureError("This generation holds no picture.", request=self.request)
        return self[0]

    @property
    def revised_prompt(self) -> str | None:
        """What the model made of the prompt, where it tells."""
        return next((p.revised_prompt for p in self.pictures if p.revised_prompt), None)

    @property
    def received(self) -> Generation:
        """The generation as it came, before it was laid over anything; else itself."""
        return self.came or self

    @cached_property
    def differences(self) -> tuple[str, ...]:
        """A sentence for each way in which the pictures are not what was asked for.

        Such as `Asked for 1536x1024, got 1024x1024.`; empty where they are. Told, never an error.
        Also how far an answer had moved that was laid over its original.
        """
        from opeai_nb.client.values.differences import differences

        return (*differences(self.request, self.received.pictures), *self.laid_notes)

    def __len__(self) -> int:
        return len(self.good)

    @overload
    def __getitem__(self, index: int) -> Image.Image: ...
    @overload
    def __getitem__(self, index: slice) -> list[Image.Image]: ...
    def __getitem__(self, index: int | slice) -> Image.Image | list[Image.Image]:
        if isinstance(index, slice):
            return [picture.image for picture in self.good[index]]
        return self.good[index].image

    def __repr__(self) -> str:
        return f"<Generation: {self.summary}>"

    def _repr_mimebundle_(self, *_: object, **__: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return data and metadata for front ends that know no magic, such as marimo."""
        from opeai_nb.client.values.views.result_view import generation_bundle

        return generation_bundle(self)

    @property
    def summary(self) -> str:
        """Return `2 pictures · qwen-image-2.0 · 1536x1024`: the same on every run, no id in it."""
        count = counted(len(self), "picture")
        if self.failed:
            count += f", {len(self.failed)} failed"
        sizes = {_size_of(picture) for picture in self.good if picture.source is not None}
        size = " ".join(f"{width}x{height}" for width, height in sorted(filter(None, sizes)))
        return " · ".join(filter(None, [count, printable_line(self.request.model), size]))

    def save(
        self,
        target: str | Path = ".",
        values: Mapping[str, Any] | None = None,
        *,
        metadata: bool = False,
    ) -> list[Path]:
        """Write the received bytes to files and return their paths.

        With *metadata*, write what the library has kept, as `--save` does: the received bytes and,
        in a file without content credentials, how it was made and your own words.

        *target* is a folder (made when missing; names come from the prompt), or the name of one
        file with an ending: another format's ending converts. With words in braces, such as
        `out/{prompt:.30}-{n}.png`, it is a template: `{n}` is the picture's number, `{date}` its
        day, any other a field of the request or one of *values*. A file that is already there with
        another content is never overwritten in a folder, nor by a template: the name gets a number.
        Raises `NoPictureError` when there is nothing to write, `InputError` for a template that
        cannot be filled in, `LibraryError` when the disk refuses.
        """
        if not self.good:
            raise NoPictureError("There is no picture to save.", request=self.request)
        path = at_home(Path(target))
        try:
            if (template := template_of(target)) is not None:
                own = values_for(self.request, created=self.created)
                return self._save_named(template, {**own, **(values or {})}, metadata=metadata)
            if path.suffix and not path.is_dir():
                return self._save_as(path, metadata=metadata)
            path.mkdir(parents=True, exist_ok=True)
            stem = slug(self.request.prompt)
            return [
                _save_into(path, f"{stem}-{number}", picture, metadata=metadata)
                for number, picture in enumerate(self.good, 1)
            ]
        except OSError as error:
            raise LibraryError(f"The pictures could not be saved: {error.strerror}.") from error

    def _save_named(
        self, template: NameTemplate, values: Mapping[str, Any], *, metadata: bool
    ) -> list[Path]:
        names = template.names(values, max(self.request.count, len(self)))
        return [
            write_named(template.folder / name, picture, metadata=metadata)
            for name, picture in zip(names, self.good, strict=False)
        ]

    def _save_as(self, path: Path, *, metadata: bool) -> list[Path]:
        path.parent.mkdir(parents=True, exist_ok=True)
        paths = (
            [path]
            if len(self) == 1
            else [path.with_stem(f"{path.stem}-{number}") for number in range(1, len(self) + 1)]
        )
        for place, picture in zip(paths, self.good, strict=True):
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


def _size_of(picture: Picture) -> tuple[int, int] | None:
    """Return the size; None for bytes that are no picture: a repr never raises."""
    try:
        return picture.size
    except NoPictureError:
        return None


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

    from opeai_nb.errors import InputError

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
