"""One picture whose file is taken away, or turns out to be none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.client.values.image_input.input_image import input_images
from opeai_nb.client.values.picture import Picture
from opeai_nb.errors import ImageInputError, NoPictureError
from tests.pictures import png

if TYPE_CHECKING:
    from pathlib import Path

GONE = r"The file fox\.png cannot be read: No such file or directory\. Put it back"


@pytest.fixture
def gone(tmp_path: Path) -> Picture:
    return Picture(source=tmp_path / "fox.png")


@pytest.mark.parametrize("what", ["data", "format", "size", "image"])
def test_a_file_that_is_gone_is_named(gone: Picture, what: str) -> None:
    with pytest.raises(NoPictureError, match=GONE):
        getattr(gone, what)


def test_a_file_that_came_back_is_a_picture_again(gone: Picture) -> None:
    assert gone.path is not None
    gone.path.write_bytes(png())
    assert (gone.data, gone.format) == (png(), "png")


def test_a_file_that_is_no_picture_keeps_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "fox.png").write_bytes(b"<html>")
    picture = Picture(source=tmp_path / "fox.png")
    with pytest.raises(NoPictureError, match="not an image that can be opened"):
        _ = picture.image
    assert picture.data == b"<html>"


def test_a_generation_says_which_file_it_misses_and_its_repr_says_the_rest(
    gone: Picture, tmp_path: Path
) -> None:
    generation = Generation(request=ImageRequest("a fox"), pictures=(gone,))
    assert repr(generation).startswith("<Generation: 1 picture")
    with pytest.raises(NoPictureError, match=GONE):
        generation.save(tmp_path / "copies")


def test_what_is_gone_cannot_be_edited(gone: Picture) -> None:
    with pytest.raises(ImageInputError, match=r"cannot be read.*Nothing was sent"):
        input_images(gone)
