"""Files of a few kilobytes or megabytes that would keep a decoder busy for minutes: not opened."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from opeai_nb.client.values.image_input.input_image import input_images
from opeai_nb.engine.api.error_envelope import ApiError
from opeai_nb.engine.work import render
from opeai_nb.errors import ImageInputError
from opeai_nb.imaging.decoding_cost import CostlyError, check_cost
from opeai_nb.imaging.open_picture import UndecodableError, decoded_picture, picture_size, upright
from tests.pictures import encoded

BLOCK = encoded(Image.new("L", (8, 8)), "PNG")


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(chunks: bytes) -> bytes:
    """Return a small PNG with further chunks behind its head."""
    return BLOCK[:33] + chunks + BLOCK[33:]


def exif(entries: int, size: int, kind: int = 7) -> bytes:
    """Return EXIF of so many *entries*, all of which are the same bytes."""
    start = 8 + 2 + 12 * entries + 4
    rows = b"".join(struct.pack("<HHII", 1000 + n, kind, size, start) for n in range(entries))
    return b"II*\0" + struct.pack("<IH", 8, entries) + rows + bytes(4) + b"x" * size


def tiff(width: int, height: int, compression: int, strip: bytes, *, together: bool) -> bytes:
    """Return a grey TIFF of a strip for each row: all *together* in the file, or each its own."""
    facts = [(256, width), (257, height), (258, 8), (259, compression), (262, 1), (278, 1)]
    start = 8 + 2 + 12 * (len(facts) + 2) + 4
    strips = start + 8 * height
    places = [strips if together else strips + n * len(strip) for n in range(height)]
    rows = [(tag, 1, value) for tag, value in facts]
    rows += [(273, height, start), (279, height, start + 4 * height)]
    return (
        b"II*\0"
        + struct.pack("<IH", 8, len(rows))
        + b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, count, value in sorted(rows))
        + bytes(4)
        + struct.pack(f"<{height}I", *places)
        + struct.pack(f"<{height}I", *[len(strip)] * height)
        + strip * (1 if together else height)
    )


def jpeg(times: int, size: int = 4000) -> bytes:
    """Return a grey progressive JPEG whose last scan stands in it so many *times*."""
    data = encoded(Image.new("L", (size, size)), "JPEG", progressive=True)
    end, scan = data.rindex(b"\xff\xd9"), data.rindex(b"\xff\xda")
    return data[:scan] + data[scan:end] * times + data[end:]


def segments(count: int, text: bytes = b"Exif\0\0x") -> bytes:
    data = encoded(Image.new("L", (8, 8)), "JPEG")
    return data[:2] + (b"\xff\xe1" + struct.pack(">H", 2 + len(text)) + text) * count + data[2:]


def bmp(runs: bytes) -> bytes:
    """Return a BMP of 1000 x 1000 points, written in run lengths."""
    head = struct.pack("<IiiHHIIiiII", 40, 1000, 1000, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(runs), 0, 0, 1078) + head + bytes(1024) + runs


def gif(blocks: int) -> bytes:
    data = encoded(Image.new("L", (8, 8)), "GIF")
    place = 13 + (3 << (data[10] & 7) + 1)
    return data[:place] + b"\x21\xfe" + (b"\xff" + bytes(255)) * blocks + b"\0" + data[place:]


def avif(times: int) -> bytes:
    """Return an AVIF whose picture is coded so many *times*, one of which is shown."""
    data = encoded(Image.new("RGB", (64, 64)), "AVIF", speed=10)
    start = data.index(b"mdat") + 4
    frames = data[start:] * times
    old, new = (struct.pack(">II", start, size) for size in (len(data) - start, len(frames)))
    assert data.count(old) == 1
    return (
        data[: start - 8].replace(old, new) + struct.pack(">I", 8 + len(frames)) + b"mdat" + frames
    )


def of_the_same_bytes(data: bytes, times: int = 3) -> bytes:
    """Return an AVIF whose picture is made of the same extent so many *times*."""
    more = 8 * (times - 1)
    start = data.index(b"mdat") + 4
    extent = data.index(struct.pack(">II", start, len(data) - start))
    longer = bytearray(data)
    for box in (data.index(b"meta") - 4, data.index(b"iloc") - 4):
        longer[box : box + 4] = struct.pack(">I", struct.unpack_from(">I", data, box)[0] + more)
    longer[extent - 2 : extent] = struct.pack(">H", times)
    longer[extent : extent + 8] = struct.pack(">II", start + more, len(data) - start) * times
    return bytes(longer)


COSTLY: dict[str, Callable[[], bytes]] = {
    "scans of a JPEG": lambda: jpeg(200),
    "EXIF of a JPEG in many segments": lambda: segments(100),
    "segments of a JPEG": lambda: segments(60_000, b""),
    "empty chunks of a PNG": lambda: png_with(chunk(b"IDAT") * 60_000),
    "texts of a PNG": lambda: png_with(chunk(b"tEXt", b"a\0b") * 60_000),
    "EXIF that lies upon itself": lambda: png_with(chunk(b"eXIf", exif(200, 50_000))),
    "a TIFF that lies upon itself": lambda: exif(200, 50_000),
    "strips that are the same": lambda: tiff(900, 900, 8, bytes(9000), together=True),
    "too many strips": lambda: tiff(1, 60_000, 1, b"x", together=False),
    "a TIFF of JPEGs": lambda: tiff(900, 9, 7, jpeg(2, 8), together=False),
    "a TIFF with dictionaries": lambda: tiff(900, 9, 34925, b"x", together=False),
    "run lengths that lead nowhere": lambda: bmp(b"\0\2\0\0" * 1_100_000),
    "a comment of a GIF": lambda: gif(11_000),
    "frames of an AVIF that are not shown": lambda: avif(30),
    "frames of an AVIF that are the same": lambda: of_the_same_bytes(avif(1), 9),
}
HARMLESS: dict[str, Callable[[], bytes]] = {
    "a progressive JPEG": lambda: jpeg(1, 640),
    "a JPEG of many scans": lambda: jpeg(15, 640),
    "a JPEG with EXIF": lambda: segments(2),
    "a PNG with texts": lambda: png_with(chunk(b"tEXt", b"a\0b") * 100),
    "a TIFF of strips": lambda: tiff(90, 90, 8, zlib.compress(bytes(90)), together=False),
    "a TIFF of Pillow's": lambda: encoded(
        Image.new("RGB", (64, 64)), "TIFF", compression="tiff_lzw"
    ),
    "run lengths": lambda: bmp((b"\xff\0" * 3 + b"\xeb\0\0\0") * 1000 + b"\0\1"),
    "a GIF with a comment": lambda: gif(20),
    "an AVIF": lambda: avif(1),
    "a moving AVIF": lambda: encoded(
        Image.new("RGB", (64, 64)),
        "AVIF",
        save_all=True,
        append_images=[Image.new("RGB", (64, 64), (n, 0, 0)) for n in range(12)],
    ),
    "a WebP with EXIF": lambda: encoded(Image.new("RGB", (64, 64)), "WEBP", exif=exif(1, 9)),
}


@pytest.mark.parametrize("kind", COSTLY)
def test_a_file_that_would_take_minutes_is_not_opened(kind: str) -> None:
    data = COSTLY[kind]()
    with pytest.raises(CostlyError):
        check_cost(data)
    with pytest.raises(UndecodableError, match="minutes"):
        decoded_picture(data)
    with pytest.raises(ImageInputError, match="not an image that can be opened"):
        input_images(data)


@pytest.mark.parametrize("kind", HARMLESS)
def test_an_ordinary_file_is_opened(kind: str) -> None:
    data = HARMLESS[kind]()
    check_cost(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decoded_picture(data).size == picture_size(data)


@pytest.mark.parametrize("kind", HARMLESS)
def test_a_file_that_ends_anywhere_is_told_as_one_that_cannot_be_opened(kind: str) -> None:
    data = HARMLESS[kind]()
    for end in range(12, len(data), max(1, len(data) // 40)):
        try:
            decoded_picture(data[:end])
        except UndecodableError as error:
            assert "minutes" not in str(error)  # noqa: PT017  some are whole enough to be opened


@pytest.mark.parametrize(
    "kind", ["scans of a JPEG", "texts of a PNG", "run lengths that lead nowhere"]
)
def test_the_engine_does_not_open_such_an_input_either(kind: str) -> None:
    with pytest.raises(ApiError, match="could not be read"):
        render.checked_size(COSTLY[kind]() if kind != "scans of a JPEG" else jpeg(320))


@pytest.mark.parametrize("broken", [b"garbage", b"II*\0", b"MM\0*\0\0\0\x08\0\1", exif(3, 9, 2)])
def test_exif_that_cannot_be_read_is_no_reason_to_refuse_a_picture(broken: bytes) -> None:
    data = png_with(chunk(b"eXIf", broken))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert upright(decoded_picture(data)).size == (8, 8)
        assert input_images(data)[0].data == data


def test_no_warning_of_pillow_reaches_a_cell() -> None:
    """A TIFF with a hundred broken entries: Pillow has a line for each, with its own path."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UndecodableError):
            decoded_picture(exif(100, 50)[:-45])
