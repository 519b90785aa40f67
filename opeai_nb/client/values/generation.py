"""What came back for one request: pictures, usage and ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from opeai_nb.client.values.words import Words
from opeai_nb.errors import NoPictureError
from opeai_nb.guard import cached_property
from opeai_nb.printable import printable_line
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from PIL import Image

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
        return tuple(p for p in self.pictures if p.error is None) if self.failed else self.pictures

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
        from opeai_nb.client.values.name_template import values_for  # seldom asked for
        from opeai_nb.client.values.save_pictures import save

        own = values_for(self.request, created=self.created)
        told = {**own, **(values or {})}
        return save(self.good, target, told, self.request, metadata=metadata)


def _size_of(picture: Picture) -> tuple[int, int] | None:
    """Return the size; None for bytes that are no picture: a repr never raises."""
    try:
        return picture.size
    except NoPictureError:
        return None
