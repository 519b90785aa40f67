"""`only`: where an edit may change its picture; what cannot be meant is refused."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from opeai_nb.client import ImageRequest
from opeai_nb.client.values.only import Only, only_in
from opeai_nb.errors import InputError
from tests.pictures import encoded, png

PHOTO = png((40, 30))


def region(value: object, image: Any = PHOTO) -> Only:
    only = only_in(ImageRequest("a hat", image=image), value)
    assert only is not None
    return only


@pytest.mark.parametrize(
    "value", ["10,8,20,12", " 10, 8, 20, 12 ", "10 8 20 12", (10, 8, 20, 12), [10.0, 8, 20, 12]]
)
def test_a_box_is_x_y_width_height_however_it_is_written(value: object) -> None:
    assert region(value).box == (10, 8, 20, 12)
    assert region(np.array([10, 8, 20, 12])).box == (10, 8, 20, 12)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("10,8,20", "only is '10,8,20', not four whole numbers."),
        ("10,8,20,12,3", "only is '10,8,20,12,3', not four whole numbers."),
        ((1.5, 0, 3, 3), "only is '1.5,0,3,3', not four whole numbers."),
        (["a", 0, 3, 3], "only is 'a,0,3,3', not four whole numbers."),
        ("10,8,0,12", "only is 10,8,0,12: a region 0 pixels wide and 12 high."),
        ("10,8,-4,12", "only is 10,8,-4,12: a region -4 pixels wide and 12 high."),
        ("-1,0,5,5", "only is -1,0,5,5, which leaves the input picture (40x30)."),
        ("30,0,11,5", "only is 30,0,11,5, which leaves the input picture (40x30)."),
        (Image.new("L", (40, 30)), "The mask is empty: it leaves no pixel to change."),
        (Image.new("L", (30, 40), 255), "The mask is 30x40, and the input picture 40x30."),
        (np.zeros((30, 40), bool), "The mask is empty: it leaves no pixel to change."),
        ("alpha", "only is alpha, and the input picture has no transparency."),
        (b"no picture", "only is neither a region nor a mask that can be read: it is no picture"),
        (7, "only is neither a region nor a mask that can be read: a value of the type int."),
    ],
)
def test_a_region_that_is_none_is_refused(value: object, message: str) -> None:
    with pytest.raises(InputError) as refused:
        region(value)
    assert refused.value.message.startswith(message)
    assert "Nothing was sent." in refused.value.advice


def test_a_file_that_is_not_there_is_told_by_its_reason_and_not_by_its_path() -> None:
    with pytest.raises(InputError, match="No such file or directory"):
        region("/somewhere/mask.png")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "only is for edits, and there is no input picture."),
        ([PHOTO, png((20, 20), "red")], "only needs one input picture, and there are 2"),
        ("https://example.com/fox.png", "those behind a URL are not known"),
        ({"url": "https://example.com/fox.png"}, "those behind a URL are not known"),
    ],
)
def test_it_needs_one_input_picture_whose_pixels_are_known(image: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        region("0,0,5,5", image)
    assert message in refused.value.message


def white(box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", (40, 30))
    mask.paste(255, box)
    return mask


def test_a_mask_is_white_where_the_edit_goes_whatever_it_is_given_as(tmp_path: Path) -> None:
    mask = white((10, 8, 30, 20))
    mask.save(tmp_path / "mask.png")
    clear = Image.new("RGBA", (40, 30), "black")
    clear.paste((0, 0, 0, 0), (10, 8, 30, 20))
    ones = (np.asarray(mask) > 0).astype(int)
    given = [mask, tmp_path / "mask.png", str(tmp_path / "mask.png"), encoded(mask, "PNG")]
    given += [np.asarray(mask), ones, ones.astype(bool), ones / 1.0, clear, mask.convert("RGB")]
    given += [BytesIO(encoded(mask, "PNG"))]
    assert {(it.box, it.mask) for it in map(region, given)} == {((10, 8, 20, 12), None)}
    shaped = white((10, 8, 30, 20))
    shaped.putpixel((12, 9), 0)
    assert region(shaped).mask is not None
    assert region(shaped).digest != region(mask).digest


def test_alpha_is_where_the_picture_itself_is_transparent() -> None:
    photo = Image.new("RGBA", (40, 30), "teal")
    photo.paste((0, 0, 0, 0), (5, 6, 15, 16))
    assert region("alpha", encoded(photo, "PNG")).box == (5, 6, 10, 10)


def test_a_turned_photo_is_measured_as_it_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = encoded(Image.new("RGB", (60, 40), "teal"), "JPEG", exif=exif)
    assert region("0,50,40,10", photo).box == (0, 50, 40, 10)
    with pytest.raises(InputError, match=r"\(40x60\)"):
        region("50,0,10,40", photo)


def test_the_region_is_no_part_of_the_request() -> None:
    request = ImageRequest("a hat", image=PHOTO)
    assert "only" not in request.set_fields()
    assert only_in(request, None) is None
