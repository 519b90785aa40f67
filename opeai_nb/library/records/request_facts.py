"""What a document of the library tells of the request that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from opeai_nb.errors import InputError, LibraryError
from opeai_nb.guard import cached_property
from opeai_nb.library.records.input_files import find_inputs
from opeai_nb.library.records.request_json import identity_of, read_request
from opeai_nb.library.replay.replay import place_key
from opeai_nb.library.replay.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opeai_nb.client.values.request import ImageRequest


_T = TypeVar("_T")


class Fact(Generic[_T]):
    """An attribute that reads the field of its own name in the document that its object is of."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: RequestFacts, owner: type) -> _T: ...
    def __get__(self, instance: RequestFacts | None, owner: type) -> Self | _T:
        if instance is None:
            return self
        value: _T = instance.stands.get(self._name)  # type: ignore[assignment]  # as the document says
        return value


class RequestFacts:
    """What a record and an unfinished request have in common, read from the document *stands*."""

    stands: Mapping[str, Any]

    if TYPE_CHECKING:  # the one keeps it as text, the other as a number

        @property
        def created(self) -> float:
            """When it was asked, in seconds since 1970."""

    id = Fact[str]()
    """Eight hexadecimal digits, the same in the journal and in the record."""
    origin = Fact[str]()
    """`platform` or `engine`."""

    @property
    def written(self) -> Mapping[str, Any]:
        """The request as JSON: enough to be shown without its input pictures."""
        written: Mapping[str, Any] = self.stands["request"]
        return written

    @property
    def model(self) -> str:
        """The model that was asked."""
        return str(self.written["model"])

    @property
    def prompt(self) -> str:
        """What was to be painted."""
        return str(self.written["prompt"])

    @property
    def slot(self) -> Slot | None:
        """Where the picture has its place; None for a find of the panel."""
        return Slot.from_json(self.stands.get("slot"))

    @property
    def place(self) -> str:
        """The key of the first take of its place: its own, unless it followed another."""
        return self.stands.get("place") or place_key(self.created, self.id)

    @cached_property
    def identity(self) -> str:
        """What tells the same requests; of the request as it stands, also when it was edited."""
        return identity_of(self.written)

    def _read_request(self, folder: Path, file: str, *, strict: bool = True) -> ImageRequest:
        """Return the request that stands in *file*, with its input pictures from *folder*.

        Raises `LibraryError` when it has been edited, or where *strict* and one is missing.
        """
        images = find_inputs(folder, self.written.get("image", ()), strict=strict)
        try:
            return read_request(self.written, images)
        except (InputError, TypeError) as error:
            raise LibraryError(f"The request in {file} cannot be asked: {error}") from error
