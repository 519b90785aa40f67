"""Pictures as input: from whatever a person has to what travels."""

from __future__ import annotations

import io
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from opeai_nb.client import Generation, ImageInputWarning, ImageRequest, Picture
from opeai_nb.client.values.input_image import MAX_BYTES, input_images
from opeai_nb.errors import ImageInputError
from opeai_nb.testing import Script, pictures_answer, png
from tests.client.shells import Shell

RED = png(40, 30, (200, 0, 0))


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def travelled(value: object) -> bytes:
    """Return the bytes that stand in the request for one input."""
    (image,) = ImageRequest("a fox", image=value).image
    head, _, text = image.wire().partition(",")
    assert head.startswith("data:image/")
    return b64decode(text)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


class NamedFile(io.BytesIO):
    name = "/secret/place/fox.png"


class TestKinds:
    @pytest.mark.parametrize(
        "make",
        [
            lambda path: path,
            str,
            lambda _: RED,
            lambda _: bytearray(RED),
            lambda _: memoryview(RED),
            lambda _: io.BytesIO(RED),
            lambda _: b64encode(RED).decode(),
            lambda _: b64encode(RED).decode().rstrip("="),
            lambda _: "data:image/png;base64," + b64encode(RED).decode(),
            lambda _: Picture(source=RED),
            lambda path: Picture(source=path),
            lambda _: Generation((Picture(source=RED),), ImageRequest("x")),
        ],
    )
    def test_file_within_the_limits_travels_as_the_very_bytes(
        self, tmp_path: Path, make: Callable[..., Any] | type[str]
    ) -> None:
        path = tmp_path / "fox.png"
        path.write_bytes(RED)
        assert travelled(make(path)) == RED

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_known_formats_travel_as_they_are(self, kind: str) -> None:
        data = encoded(Image.new("RGB", (9, 9), "red"), kind)
        (image,) = input_images(data)
        assert image.data == data
        assert image.wire().startswith(f"data:image/{kind.lower()};base64,")

    @pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
    def test_other_formats_become_png(self, kind: str) -> None:
        data = travelled(encoded(Image.new("RGB", (9, 9), "red"), kind))
        assert (opened(data).format, opened(data).getpixel((1, 1))) == ("PNG", (255, 0, 0))

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "F"])
    def test_pil_image_of_any_mode_travels(self, mode: str) -> None:
        assert opened(travelled(Image.new(mode, (8, 6)))).size == (8, 6)

    @pytest.mark.parametrize("mode", ["I;16", "I"])
    @pytest.mark.parametrize("kind", ["image", "file"])
    def test_sixteen_bits_become_eight_and_not_white(self, mode: str, kind: str) -> None:
        deep = Image.fromarray(np.full((4, 4), 0x8000, np.uint16)).convert(mode)
        given = deep if kind == "image" else encoded(deep, "TIFF")
        assert opened(travelled(given)).getpixel((0, 0)) == (128, 128, 128)

    def test_alpha_is_kept(self) -> None:
        image = Image.new("RGBA", (4, 4), (255, 0, 0, 100))
        assert opened(travelled(image)).getpixel((0, 0)) == (255, 0, 0, 100)

    @pytest.mark.parametrize(
        ("array", "pixel"),
        [
            (np.full((4, 5, 3), 200, np.uint8), (200, 200, 200)),
            (np.full((4, 5), 200, np.int64), (200, 200, 200)),
            (np.full((4, 5, 1), 200, np.uint8), (200, 200, 200)),
            (np.full((4, 5, 3), 1.0), (255, 255, 255)),
            (np.zeros((4, 5, 3), np.float32), (0, 0, 0)),
            (np.ones((4, 5), bool), (255, 255, 255)),
            (np.full((4, 5, 4), 200, np.uint8), (200, 200, 200, 200)),
        ],
    )
    def test_array_travels(self, array: NDArray[Any], pixel: tuple[Any, ...]) -> None:
        image = opened(travelled(array))
        assert (image.size, image.getpixel((0, 0))) == ((5, 4), pixel)

    @pytest.mark.parametrize("url", ["https://x.test/a.png?s=%2F", "HTTP://x.test/a"])
    def test_url_travels_as_it_is(self, url: str) -> None:
        (image,) = input_images(url)
        assert image.wire() == url

    def test_dict_travels_as_it_is(self) -> None:
        (image,) = input_images({"image_url": "x"})
        assert image.wire() == {"image_url": "x"}

    def test_picture_that_is_not_fetched_travels_as_its_url(self) -> None:
        (image,) = input_images(Picture(url="https://x.test/1.png"))
        assert image.wire() == "https://x.test/1.png"

    def test_list_keeps_its_order(self, shell: Callable[..., Shell]) -> None:
        script = Script(pictures_answer(png()))
        generation = Generation(
            (Picture(source=RED), Picture(url="https://x.test/2")), ImageRequest("x")
        )
        shell(transport=script).generate(
            "a fox", image=["https://x.test/1", generation, {"a": 1}], model="unknown-1"
        )
        first, second, third, fourth = script.sent[0]["image"]
        assert (first, third, fourth) == ("https://x.test/1", "https://x.test/2", {"a": 1})
        assert b64decode(second.partition(",")[2]) == RED

    def test_one_picture_travels_as_a_string(self, shell: Callable[..., Shell]) -> None:
        script = Script(pictures_answer(png()))
        shell(transport=script).generate("a fox", image=["https://x.test/1"])
        assert script.sent[0]["image"] == "https://x.test/1"

    @pytest.mark.parametrize("nothing", [None, [], ()])
    def test_no_picture_is_no_field(self, nothing: list[Any] | tuple[()] | None) -> None:
        assert "image" not in ImageRequest("a fox", image=nothing).set_fields()

    def test_name_is_a_basename(self) -> None:
        (image,) = input_images(NamedFile(RED))
        assert (image.name, "secret" in repr(image)) == ("fox.png", False)

    def test_same_content_has_the_same_identity(self, tmp_path: Path) -> None:
        path = tmp_path / "x.png"
        path.write_bytes(RED)
        assert input_images(path)[0].sha256 == input_images(RED)[0].sha256


class TestPrivacy:
    def photo(self, orientation: int) -> bytes:
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010F] = "SecretCamera"
        exif.get_ifd(0x8825)[2] = (52.0, 30.0, 1.0)
        image = Image.new("RGB", (40, 20), "red")
        return encoded(image, exif=exif, comment=b"SecretComment")

    def test_turned_photo_is_sent_upright_and_without_exif(self) -> None:
        data = travelled(self.photo(6))
        assert opened(data).size == (20, 40)
        assert not opened(data).getexif()
        assert b"Secret" not in data

    def test_upright_photo_travels_as_it_is(self) -> None:
        assert travelled(self.photo(1)) == self.photo(1)

    def test_pil_image_is_sent_upright_and_without_exif(self) -> None:
        data = travelled(Image.open(io.BytesIO(self.photo(8))))
        assert (opened(data).size, bool(opened(data).getexif())) == ((20, 40), False)
        assert b"Secret" not in data


class TestLimits:
    def test_picture_over_ten_megabytes_is_scaled_down_and_told(self) -> None:
        noise = np.random.default_rng(1).integers(0, 255, (1640, 1640, 4), np.uint8)
        with pytest.warns(ImageInputWarning, match=r"from 1640x1640 to \d+x\d+") as told:
            data = travelled(noise)
        assert len(data) <= MAX_BYTES
        assert f"{opened(data).width}x{opened(data).height}" in str(told[0].message)

    def test_large_file_is_encoded_anew_and_told(self) -> None:
        noise = np.random.default_rng(1).integers(0, 255, (1900, 1900, 3), np.uint8)
        data = encoded(Image.fromarray(noise), "PNG", compress_level=1)
        with pytest.warns(ImageInputWarning, match=r"from 1\d.\d MB to"):
            assert len(travelled(data)) <= MAX_BYTES

    @pytest.mark.parametrize("side", [9_500, 13_400])
    def test_decompression_bomb_is_refused(self, side: int) -> None:
        with pytest.raises(ImageInputError, match="more than any model takes"):
            input_images(encoded(Image.new("1", (side, side)), "PNG"))


class TestBadInput:
    @pytest.mark.parametrize(
        ("value", "told"),
        [
            ("no/such/file.png", "no file 'no/such/file.png'"),
            ("x" * 5000 + "!", "no file"),
            ("nul\0", "no file"),
            (b"", "not an image that can be opened"),
            (b"<html>", "not an image that can be opened"),
            (RED[:60], "not an image that can be opened"),
            (encoded(Image.new("RGB", (200, 200)))[:700], "not an image that can be opened"),
            ("A" * 100 + "=", "not an image that can be opened|broken"),
            ("data:image/png;base64,!!!", "broken"),
            (io.StringIO("text"), "binary mode"),
            (7, "A int is not a picture"),
            (object(), "not a picture"),
            ({"a": object()}, "written as JSON"),
            (Picture(), "neither bytes nor a URL"),
            (Picture(error=ImageInputError("x")), "failed"),
            (np.zeros((4, 5, 7)), r"shape \(4, 5, 7\)"),
            (np.zeros((0, 5, 3), np.uint8), "shape"),
            (np.full((4, 5), 200.0), "from 0 to 1"),
            (np.full((4, 5), np.nan), "from 0 to 1"),
            (np.full((4, 5), 4000), "0 to 255"),
            (np.array(["a"]), "shape"),
            (Image.new("RGB", (0, 5)), "no pixels"),
        ],
    )
    def test_is_one_clear_error_and_nothing_is_sent(
        self, shell: Callable[..., Shell], value: Any, told: str
    ) -> None:
        script = Script()
        with pytest.raises(ImageInputError, match=told) as caught:
            shell(transport=script).generate("a fox", image=value)
        assert script.requests == []
        assert len(str(caught.value)) < 300

    @pytest.mark.parametrize("make", [lambda p: p, lambda p: p / "missing.png"])
    def test_path_that_is_no_file_is_told(self, tmp_path: Path, make: Callable[..., None]) -> None:
        with pytest.raises(ImageInputError, match="cannot be read"):
            input_images(make(tmp_path))
