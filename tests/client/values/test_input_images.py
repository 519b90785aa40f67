"""Pictures as input: from whatever a person has to what travels."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms, ImageStat, PngImagePlugin

from opeai_nb.client import Generation, ImageInputWarning, ImageRequest, Picture
from opeai_nb.client.values.image_input.bare_file import bare_file
from opeai_nb.client.values.image_input.image_encoding import encoded_for_upload
from opeai_nb.client.values.image_input.input_image import MAX_BYTES, InputImage, input_images
from opeai_nb.errors import ImageInputError
from opeai_nb.testing import Script, pictures_answer, png
from tests.client.shells import Shell

RED = png(40, 30, (200, 0, 0))


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def travelled(value: Any) -> bytes:
    """Return the bytes that stand in the request for one input."""
    (image,) = ImageRequest("a fox", image=value).image
    head, _, text = str(image.wire()).partition(",")
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
            lambda _: just_written(RED),
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
        assert str(image.wire()).startswith(f"data:image/{kind.lower()};base64,")

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
    def test_no_picture_is_no_field(self, nothing: Any) -> None:
        assert "image" not in ImageRequest("a fox", image=nothing).set_fields()

    def test_name_is_a_basename(self) -> None:
        (image,) = input_images(NamedFile(RED))
        assert (image.name, "secret" in repr(image)) == ("fox.png", False)

    def test_same_content_has_the_same_identity(self, tmp_path: Path) -> None:
        path = tmp_path / "x.png"
        path.write_bytes(RED)
        assert input_images(path)[0].sha256 == input_images(RED)[0].sha256


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010F] = "SecretCamera"
    made.get_ifd(0x8825)[2] = (52.0, 30.0, 1.0)
    return made


def noise(seed: int = 1) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (20, 40, 3), np.uint8))


class TestOneRule:
    """A file and a PIL image of it become the same that models take."""

    @pytest.mark.parametrize("mode", ["CMYK", "P", "1", "LA", "I;16"])
    @pytest.mark.parametrize("how", ["path", "bytes", "image"])
    def test_other_modes_become_eight_bits_of_rgb(
        self, tmp_path: Path, mode: str, how: str
    ) -> None:
        smooth = Image.linear_gradient("L").resize((40, 20)).convert("RGB")
        picture = Image.new("I;16", (40, 20), 0x8000) if mode == "I;16" else smooth.convert(mode)
        path = tmp_path / "x.img"
        path.write_bytes(encoded(picture, "JPEG" if mode == "CMYK" else "PNG"))
        given = {"path": path, "bytes": path.read_bytes(), "image": picture}[how]
        sent = opened(travelled(given))
        assert (sent.mode in {"RGB", "RGBA"}, sent.size) == (True, (40, 20))
        expected = picture.convert("RGB") if mode != "I;16" else Image.new("RGB", (40, 20), "grey")
        apart = ImageChops.difference(sent.convert("RGB"), expected)
        assert ImageStat.Stat(apart).mean[0] < 12, "the same picture"

    @pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
    def test_animation_becomes_its_first_frame(self, kind: str) -> None:
        frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
        moves = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        sent = opened(travelled(moves))
        assert getattr(sent, "n_frames", 1) == 1
        assert sent.convert("RGB").getpixel((4, 4)) == (255, 0, 0)

    def test_sixteen_bits_a_colour_become_eight(self) -> None:
        deep = b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABEAIAAADA54+dAAAADElEQVR4nGNoYABBAAYHAYHR81yFAAAA"
            "AElFTkSuQmCC"
        )
        assert deep[24] == 16
        assert travelled(deep)[24] == 8

    def test_identity_is_of_what_was_given(self, tmp_path: Path) -> None:
        photo = encoded(noise(), exif=exif(1))
        (image,) = input_images(photo)
        assert image.sha256 == hashlib.sha256(photo).hexdigest()
        again = InputImage(data=image.data)
        assert again.wire() == image.wire(), "what a journal kept travels as at first"

    @pytest.mark.parametrize("form", [str, Path, lambda path: path.as_uri()])
    def test_path_in_any_form_is_the_file(
        self, tmp_path: Path, form: Callable[[Path], Any]
    ) -> None:
        path = tmp_path / "a fox.png"
        path.write_bytes(RED)
        assert travelled(form(path)) == RED

    def test_photo_leaves_without_its_place_through_both_shells(
        self, shell: Callable[..., Shell], tmp_path: Path
    ) -> None:
        path = tmp_path / "photo.jpg"
        path.write_bytes(encoded(noise(), exif=exif(1)))
        for dialect in ("openai", "aliyun"):
            script = Script(pictures_answer(png()))
            shell(transport=script).generate("a fox", image=str(path), size="same", dialect=dialect)
            assert len(script.posts) == 1
            texts = re.findall(rb"base64,([^\"]+)", script.posts[0].content)
            assert [b"Secret" in b64decode(text) for text in texts] == [False]


HEIC = b"\0\0\0\x18ftypheic" + b"\0" * 99


class TestFilesThatCannotBeUsed:
    @pytest.mark.parametrize("form", [str, Path])
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (HEIC, "HEIC.*pillow-heif"),
            (b"", "it is empty"),
            (b"\0" * 500, "nothing but zeros"),
            (RED[:60], "PNG that is cut short or broken"),
            (encoded(Image.new("RGB", (200, 200)))[:700], "JPEG that is cut short or broken"),
            (b"%PDF-1.7", "it is a PDF"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
            (b"<html>no picture</html>", "it is text"),
            (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
            (b"\0\0\0\x18ftypmp42" + b"\0" * 99, "it is a film"),
            (b"\x07" * 99, "no known kind"),
        ],
    )
    def test_says_why(
        self, shell: Callable[..., Shell], tmp_path: Path, form: type, content: bytes, why: str
    ) -> None:
        path = tmp_path / "photo.heic"
        path.write_bytes(content)
        script = Script()
        with pytest.raises(ImageInputError, match=why) as caught:
            shell(transport=script).generate("a fox", image=form(path))
        assert "'photo.heic'" in str(caught.value)
        assert "Nothing was sent" in str(caught.value)
        assert script.requests == []

    @pytest.mark.parametrize("form", [str, Path])
    def test_folder_is_told(self, tmp_path: Path, form: type) -> None:
        with pytest.raises(ImageInputError, match="it is a folder"):
            input_images(form(tmp_path))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    @pytest.mark.parametrize("form", [str, Path])
    def test_missing_rights_are_told(self, tmp_path: Path, form: type) -> None:
        path = tmp_path / "x.png"
        path.write_bytes(RED)
        path.chmod(0)
        with pytest.raises(ImageInputError, match="cannot be read: Permission denied"):
            input_images(form(path))
        path.chmod(0o600)
        tmp_path.chmod(0)
        with pytest.raises(ImageInputError, match="cannot be read: Permission denied"):
            input_images(form(path))
        tmp_path.chmod(0o700)

    def test_image_that_was_opened_and_is_cut_is_told(self) -> None:
        with pytest.raises(ImageInputError, match="cannot be converted"):
            input_images(Image.open(io.BytesIO(encoded(Image.new("RGB", (200, 200)))[:700])))


class TestPrivacy:
    def photo(self, orientation: int) -> bytes:
        image = Image.new("RGB", (40, 20), "red")
        return encoded(image, exif=exif(orientation), comment=b"SecretComment")

    def test_turned_photo_is_sent_upright_and_without_exif(self) -> None:
        data = travelled(self.photo(6))
        assert opened(data).size == (20, 40)
        assert not opened(data).getexif()
        assert b"Secret" not in data

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "MPO"])
    def test_upright_photo_is_sent_with_the_same_pixels_and_nothing_else(self, kind: str) -> None:
        picture = noise()
        secrets: dict[str, Any] = {"exif": exif(1), "comment": b"SecretComment"}
        if kind == "PNG":
            secrets["pnginfo"] = PngImagePlugin.PngInfo()
            secrets["pnginfo"].add_itxt("Description", "Secret place")
        if kind == "WEBP":
            secrets["xmp"] = b"<x>Secret</x>"
        if kind == "MPO":
            secrets |= {"save_all": True, "append_images": [noise(2)]}
        photo = encoded(picture, kind, **secrets) + b"Secret film behind the end"
        data = travelled(photo)
        assert b"Secret" in photo
        assert b"Secret" not in data
        assert not opened(data).getexif()
        assert opened(data).tobytes() == opened(photo).tobytes(), "no pixel is touched"
        assert getattr(opened(data), "n_frames", 1) == 1

    def test_profile_of_the_colours_is_kept(self) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        for kind in ("JPEG", "PNG", "WEBP"):
            data = travelled(encoded(noise(), kind, icc_profile=profile, exif=exif(1)))
            assert opened(data).info["icc_profile"] == profile

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
    @pytest.mark.parametrize("size", [500, 70_000, 200_000])
    def test_profile_goes_with_what_is_encoded_anew_and_changes_no_identity(
        self, kind: str, size: int
    ) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        profile += bytes(range(256)) * (size // 256)
        turned = encoded(noise(), kind, icc_profile=profile, exif=exif(6))
        opened_image = Image.open(io.BytesIO(turned))
        without, _ = encoded_for_upload(opened_image)
        for picture_given in (turned, opened_image):
            (picture,) = input_images(picture_given)
            assert picture.sent is not None
            assert opened(picture.sent).info["icc_profile"] == profile
            assert opened(picture.sent).tobytes() == opened(without).tobytes()
            assert picture.data == without, "what 0.1.0 sent is still its identity"

    def test_profile_of_other_colours_goes_with_no_picture(self) -> None:
        grey = Image.new("L", (20, 10))
        grey.info["icc_profile"] = ImageCms.ImageCmsProfile(
            ImageCms.createProfile("sRGB")
        ).tobytes()
        assert "icc_profile" not in opened(travelled(grey)).info

    def test_inks_get_the_colours_of_their_profile(self) -> None:
        cyan = encoded(Image.new("CMYK", (32, 32), (255, 0, 0, 0)), "JPEG", icc_profile=inks())
        seen = opened(travelled(cyan)).convert("RGB").getpixel((16, 16))
        assert seen == pytest.approx(OLIVE, abs=16), "not the cyan of a screen"

    @pytest.mark.parametrize("profile", [b"", b"broken", "rgb"])
    def test_inks_without_a_profile_of_theirs_are_converted_all_the_same(
        self, profile: bytes | str
    ) -> None:
        if profile == "rgb":
            profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        inks = encoded(noise().convert("CMYK"), "JPEG", icc_profile=profile)
        assert opened(travelled(inks)).mode == "RGB"
        assert "icc_profile" not in opened(travelled(inks)).info

    @given(st.binary(max_size=400), st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(0, 900))
    def test_no_file_is_too_odd_to_be_stripped(self, junk: bytes, kind: str, place: int) -> None:
        whole = encoded(noise(), kind)
        for data in (junk, whole[:place] + junk, whole[:place] + junk + whole[place:]):
            bare = bare_file(data)
            assert bare is None or len(bare) <= len(data)
            assert bare is None or bare_file(bare) is bare, "nothing is left to take out"

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


OLIVE = (50, 100, 32)


def inks() -> bytes:
    """Return a colour profile of inks of which the cyan is olive."""
    mixtures = [b"\xff\x80\x80", *[b"\x00\x80\x80"] * 7, b"\x60\x64\xa0", *[b"\x00\x80\x80"] * 7]
    same = bytes(range(256))
    matrix = struct.pack(">9i", *[65536 if i % 4 == 0 else 0 for i in range(9)])
    table = b"mft1\0\0\0\0\4\3\2\0" + matrix + same * 4 + b"".join(mixtures) + same * 3
    head = struct.pack(">I4sI4s4s4s", 144 + len(table), b"", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += struct.pack(">6H4s28x3i", 2026, 1, 1, 0, 0, 0, b"acsp", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


def just_written(data: bytes) -> io.BytesIO:
    file = io.BytesIO()
    file.write(data)
    return file


def closed_file() -> io.BytesIO:
    file = io.BytesIO(RED)
    file.close()
    return file


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
            (7, "the type int is not a picture"),
            ("  ", "is empty"),
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
            (np.zeros(4), "shape"),
            (np.zeros((2, 4, 4, 3)), "shape"),
            (closed_file(), "cannot be read"),
            (os, "cannot be read"),
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
    def test_path_that_is_no_file_is_told(self, tmp_path: Path, make: Callable[..., Path]) -> None:
        with pytest.raises(ImageInputError, match="cannot be read"):
            input_images(make(tmp_path))
