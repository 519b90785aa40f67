"""What a picture file tells, and that taking it out gives the received bytes again."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import IFD

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.errors import LibraryError
from opeai_nb.library import Library, info, received_bytes, request_from, with_provenance

FACTS: dict[str, Any] = {
    "opeai_nb": 1,
    "id": "3f2a9c1d",
    "toolkit": "0.1.0",
    "origin": "platform",
    "size": [48, 32],
    "request": {"prompt": 'a cat: red, "big"\nand 水彩', "model": "qwen-image-2.0"},
}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a/></x:xmpmeta>'


def exif(orientation: int = 6) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


RECEIVED: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "png with alpha": ("PNG", {"mode": "RGBA"}),
    "palette png": ("PNG", {"mode": "P", "colour": 3}),
    "jpeg": ("JPEG", {}),
    "progressive jpeg": ("JPEG", {"progressive": True}),
    "jpeg with exif": ("JPEG", {"exif": exif()}),
    "jpeg with xmp": ("JPEG", {"xmp": XMP}),
    "grey jpeg": ("JPEG", {"mode": "L", "colour": 90}),
    "webp": ("WEBP", {}),
    "lossless webp": ("WEBP", {"lossless": True}),
    "webp with alpha": ("WEBP", {"mode": "RGBA"}),
    "lossless webp with alpha": ("WEBP", {"mode": "RGBA", "colour": "#ff000080", "lossless": True}),
    "webp with exif": ("WEBP", {"exif": exif()}),
    "webp with xmp": ("WEBP", {"xmp": XMP}),
    "avif": ("AVIF", {}),
    "avif with alpha": ("AVIF", {"mode": "RGBA", "colour": "#ff000080", "quality": 100}),
    "avif with exif": ("AVIF", {"exif": exif()}),
}
ALONE: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg with both": ("JPEG", {"exif": exif(), "xmp": XMP}),
    "webp with both": ("WEBP", {"exif": exif(), "xmp": XMP}),
    "avif with xmp": ("AVIF", {"xmp": XMP}),
    "moving avif": ("AVIF", {"save_all": True, "append_images": [Image.new("RGB", (48, 32))]}),
    "gif": ("GIF", {"mode": "P", "colour": 3}),
    "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}),
}


def opened(data: bytes) -> Any:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.fixture(params=RECEIVED)
def received(request: pytest.FixtureRequest, picture: Callable[..., bytes]) -> bytes:
    format_, options = RECEIVED[request.param]
    return picture(format_, **options)


def test_the_file_decodes_to_the_same_pixels(received: bytes) -> None:
    before, after = opened(received), opened(with_provenance(received, FACTS))
    assert (after.mode, after.size) == (before.mode, before.size)
    assert after.tobytes() == before.tobytes()


def test_taking_it_out_gives_the_received_bytes(received: bytes) -> None:
    told = with_provenance(received, FACTS)
    assert told != received
    assert received_bytes(told) == received


def test_the_file_tells_its_facts(received: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any name"
    path.write_bytes(with_provenance(received, FACTS))
    assert {name: info(path)[name] for name in FACTS} == FACTS


def test_what_the_file_told_before_is_still_told(picture: Callable[..., bytes]) -> None:
    for format_ in ("JPEG", "WEBP"):
        told = opened(with_provenance(picture(format_, exif=exif(6)), FACTS))
        assert told.getexif()[0x0112] == 6


@pytest.mark.parametrize("name", ALONE)
def test_a_file_without_room_or_of_another_kind_is_left_alone(
    name: str, picture: Callable[..., bytes]
) -> None:
    format_, options = ALONE[name]
    data = picture(format_, **options)
    assert with_provenance(data, FACTS) == data
    assert received_bytes(data) == data


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP"])
def test_what_only_begins_like_a_picture_is_left_alone(data: bytes) -> None:
    assert with_provenance(data, FACTS) == data
    assert received_bytes(data) == data


def test_every_cut_of_a_file_is_survived(received: bytes) -> None:
    whole = with_provenance(received, FACTS)
    for end in range(0, len(whole), 7):
        assert isinstance(received_bytes(whole[:end]), bytes)
        cut = received[: end % len(received)]
        assert received_bytes(with_provenance(cut, FACTS)) == cut


def test_bytes_after_the_end_of_the_picture_are_kept(received: bytes) -> None:
    data = received + b"trailing"
    assert received_bytes(with_provenance(data, FACTS)) == data


def test_a_file_that_was_changed_since_is_not_taken_for_the_received_one(
    picture: Callable[..., bytes],
) -> None:
    told = bytearray(with_provenance(picture(), FACTS))
    told[-20] ^= 1
    assert received_bytes(bytes(told)) == bytes(told)


def test_a_received_file_that_tells_of_another_generation_comes_back_whole(received: bytes) -> None:
    older = with_provenance(received, {**FACTS, "id": "00000000"})
    newer = with_provenance(older, FACTS)
    assert received_bytes(newer) == (older if newer != older else received)


def test_parameters_that_came_with_the_file_are_kept() -> None:
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c))
        for k, c in (
            (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
            (b"tEXt", b"parameters\0theirs"),
            (b"IDAT", zlib.compress(b"\0\0")),
            (b"IEND", b""),
        )
    )
    told = with_provenance(data, FACTS)
    assert opened(told).text["parameters"] == "theirs"
    assert received_bytes(told) == data


def infotext_of(data: bytes) -> str:
    image = opened(data)
    if image.format == "PNG":
        return image.text["parameters"]
    comment = image.getexif().get_ifd(IFD.Exif)[0x9286]
    assert comment.startswith(b"UNICODE\0")
    return comment[8:].decode("utf-16-be")


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_other_tools_read_the_parameters(format_: str, picture: Callable[..., bytes]) -> None:
    """As A1111 does: all lines but the last are the prompt, if that one holds three settings."""
    facts = {**FACTS, "request": {**FACTS["request"], "negative_prompt": "blurry", "seed": 7}}
    text = infotext_of(with_provenance(picture(format_), facts))
    *prompt, settings = text.split("\n")
    assert "\n".join(prompt) == FACTS["request"]["prompt"] + "\nNegative prompt: blurry"
    pairs = dict(pair.split(": ", 1) for pair in settings.split(", "))
    assert pairs["Size"] == "48x32"
    assert pairs["Model"] == "qwen-image-2.0"
    assert pairs["Seed"] == "7"
    assert pairs["Version"] == "opeai_nb 0.1.0"


def test_a_setting_with_a_comma_is_quoted(picture: Callable[..., bytes]) -> None:
    facts = {**FACTS, "request": {**FACTS["request"], "model": "a, b: c"}}
    settings = infotext_of(with_provenance(picture(), facts)).split("\n")[-1]
    assert ', Model: "a, b: c", ' in settings


def test_a_prompt_too_long_for_an_exif_segment_leaves_the_picture_whole(
    picture: Callable[..., bytes],
) -> None:
    for length in (40_000, 80_000):
        facts = {**FACTS, "request": {"prompt": "x" * length, "model": "m"}}
        told = with_provenance(picture("JPEG"), facts)
        assert opened(told).size == (48, 32)
        assert received_bytes(told) == picture("JPEG")


def edited_and_read(path: Path, *how: str) -> str:
    """Let exiftool write its mark into a file, and return what it reads then, in one start."""
    edit = ["-q", "-Artist=me", "-overwrite_original", str(path)]
    command = ["exiftool", *edit, "-execute", *how, str(path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    assert "Warning" not in done.stderr
    return done.stdout


def test_a_prompt_of_32000_letters_is_whole_for_every_reader(
    picture: Callable[..., bytes], tmp_path: Path
) -> None:
    """The longest that a model takes (platform.md 4.1): each of our two texts has a segment."""
    prompt = "a fox, " * 4571 + "end"
    facts = {**FACTS, "request": {"prompt": prompt, "model": "gpt-image-1"}}
    path = tmp_path / "fox.jpg"
    path.write_bytes(with_provenance(picture("JPEG"), facts))
    assert infotext_of(path.read_bytes()).startswith(prompt)
    assert info(path)["request"]["prompt"] == prompt
    assert received_bytes(path.read_bytes()) == picture("JPEG")
    sd_parsers = pytest.importorskip("sd_parsers")
    (found,) = sd_parsers.ParserManager().parse(path).prompts
    assert str(found.value) == prompt
    if shutil.which("exiftool") is not None:
        assert edited_and_read(path, "-b", "-UserComment").startswith(prompt)
        assert info(path)["request"]["prompt"] == prompt, "and our record has stayed"


def test_the_request_comes_back_from_each_kept_file(
    keep: Callable[..., Generation], picture: Callable[..., bytes]
) -> None:
    request = ImageRequest(
        "a cat", n=3, size="16:9", dialect="aliyun", seed=7, extra={"a": [1, None]}
    )
    kept = keep(request, pictures=[picture(kind) for kind in ("PNG", "JPEG", "WEBP")])
    assert [request_from(p.path) for p in kept.pictures] == [request] * 3
    assert [info(p.path)["picture"] for p in kept.pictures] == [1, 2, 3]


def test_the_request_comes_back_with_its_input_pictures(
    keep: Callable[..., Generation], picture: Callable[..., bytes], tmp_path: Path
) -> None:
    source = tmp_path / "secret folder" / "cat.png"
    source.parent.mkdir()
    source.write_bytes(picture("PNG", "red"))
    request = ImageRequest("x", image=[source, "https://x.example/a.png?token=t", {"url": "u"}])
    path = keep(request).pictures[0].path
    assert request_from(path) == request
    told = json.dumps(info(path))
    assert "cat.png" in told
    assert "secret folder" not in told
    assert "token" not in told


def test_a_request_whose_input_is_gone_says_so(
    keep: Callable[..., Generation], picture: Callable[..., bytes], tmp_path: Path
) -> None:
    kept = keep(ImageRequest("x", image=picture("PNG", "red")))
    elsewhere = tmp_path / "alone.png"
    elsewhere.write_bytes(kept.pictures[0].data)
    with pytest.raises(LibraryError, match="input picture without a name is not in the library"):
        request_from(elsewhere)


def test_without_metadata_the_file_is_the_received_bytes(
    folder: Path, keep: Callable[..., Generation], picture: Callable[..., bytes]
) -> None:
    library = Library(folder, metadata=False)
    kept = keep("a cat", into=library, pictures=[picture("JPEG")])
    assert kept.pictures[0].path.read_bytes() == picture("JPEG")
    assert info(kept.pictures[0].path)["request"]["prompt"] == "a cat"  # from the record beside it
    library.close()


def test_no_file_tells_key_path_or_cell(
    keep: Callable[..., Generation], folder: Path, picture: Callable[..., bytes]
) -> None:
    from opeai_nb.library import Slot

    keep("a cat", slot=Slot("cell-77"), pictures=[picture(k) for k in ("PNG", "JPEG", "WEBP")])
    for path in folder.iterdir():
        if path.is_file():
            told = path.read_bytes()
            assert b"key-1" not in told
            assert str(folder).encode() not in told
            assert b"x.example" not in told
            assert (b"cell-77" in told) == (path.suffix == ".json")


def test_a_file_of_another_tool_gives_its_parameters(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("parameters", "a dog\nSteps: 20", zip=True)
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png", pnginfo=text)
    assert info(tmp_path / "a.png") == {"parameters": "a dog\nSteps: 20"}
    with pytest.raises(LibraryError, match="holds no request"):
        request_from(tmp_path / "a.png")


def test_a_file_that_tells_nothing_says_so(tmp_path: Path, picture: Callable[..., bytes]) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    with pytest.raises(LibraryError, match=r"a\.png holds no record of how it was made"):
        info(tmp_path / "a.png")
    with pytest.raises(LibraryError, match="cannot be read"):
        info(tmp_path / "none.png")


def test_a_file_saved_again_by_pillow_still_tells(
    keep: Callable[..., Generation], tmp_path: Path
) -> None:
    kept = keep("a cat")
    from PIL.PngImagePlugin import PngInfo

    image: Any = kept[0]
    text = PngInfo()
    for name, value in image.text.items():
        text.add_text(name, value)
    image.save(tmp_path / "again.png", pnginfo=text)
    assert info(tmp_path / "again.png")["request"]["prompt"] == "a cat"


LONG = {
    "chinese": "水彩の狐、" * 6_400,
    "emoji": "🦊" * 32_000,
    "words": "a fox, " * 14_000,
    "mixed": 'é"<&> ' * 6_000,
}


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("name", ["jpeg", "jpeg with exif"])
def test_a_prompt_of_any_letters_is_whole_in_a_jpeg(
    kind: str, name: str, picture: Callable[..., bytes], tmp_path: Path
) -> None:
    """XMP in parts holds what is too long for a segment; our own record is always there."""
    format_, options = RECEIVED[name]
    data, prompt = picture(format_, **options), LONG[kind]
    path = tmp_path / "fox.jpg"
    facts = {**FACTS, "request": {"prompt": prompt, "model": "m"}}
    path.write_bytes(with_provenance(data, facts))
    assert info(path)["request"]["prompt"] == prompt
    assert received_bytes(path.read_bytes()) == data
    assert opened(path.read_bytes()).tobytes() == opened(data).tobytes()
    if shutil.which("exiftool") is None or "exif" in name:
        return
    assert edited_and_read(path, "-b", "-UserComment").startswith(prompt.strip())
    assert info(path)["request"]["prompt"] == prompt, "and our record has stayed"


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_exiftool_reads_and_edits_the_file_without_a_word_and_our_record_stays(
    format_: str, picture: Callable[..., bytes], tmp_path: Path
) -> None:
    path = tmp_path / f"fox.{format_.lower()}"
    path.write_bytes(with_provenance(picture(format_), FACTS))
    said = edited_and_read(path, "-a", "-G1")
    assert "Warning" not in said
    assert "me" in said
    assert {name: info(path)[name] for name in FACTS} == FACTS


def test_a_record_in_a_makers_note_as_the_first_version_wrote_it_is_still_read(
    picture: Callable[..., bytes],
) -> None:
    data = with_provenance(picture("JPEG"), FACTS)
    before = data.replace(b"\xc0\xde\x00\x07", b"\x92\x7c\x00\x07", 1)
    assert before != data
    assert received_bytes(before) == picture("JPEG")


@pytest.mark.parametrize("prompt", ["a red fox", "a fox, big\nand: 水彩 (it's 1.2)"])
def test_readers_of_other_generators_find_the_prompt(
    prompt: str, picture: Callable[..., bytes], tmp_path: Path
) -> None:
    sd_parsers = pytest.importorskip("sd_parsers")
    facts = {**FACTS, "request": {"prompt": prompt, "model": "qwen-image-2.0"}}
    for format_ in ("PNG", "JPEG", "WEBP"):
        path = tmp_path / f"fox.{format_.lower()}"
        path.write_bytes(with_provenance(picture(format_), facts))
        found = sd_parsers.ParserManager().parse(path)
        assert found is not None, format_
        assert [str(each.value) for each in found.prompts] == [prompt], format_
