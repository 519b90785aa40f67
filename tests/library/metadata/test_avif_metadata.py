"""What is put into an AVIF leaves its pictures alone, and comes out again without a trace."""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from opeai_nb.imaging.avif_frames import frames_of_pictures
from opeai_nb.library import received_bytes, with_provenance
from tests.library.metadata.test_provenance import FACTS

_FRAME = b"\x32\x00"  # a unit of AV1 that is a frame, and empty


@cache
def avif(width: int, height: int, mode: str, quality: int) -> bytes:
    made = BytesIO()
    noise = Image.effect_noise((width, height), 90).convert(mode)
    noise.save(made, "AVIF", quality=quality, speed=10)
    return made.getvalue()


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    image = Image.open(BytesIO(data))
    return image.mode, image.size, image.tobytes()


def box(kind: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I4s", len(content) + 8, kind) + content


def built(version: int, widths: tuple[int, int, int], *, references: bytes = b"") -> bytes:
    """Return a file of two items, of one frame and of two, with an `iloc` of this form."""
    offset, length, base = widths
    infos = [box(b"infe", struct.pack(">IHH", 2 << 24, number, 0), b"av01\0") for number in (1, 2)]

    def file(start: int) -> bytes:
        located = bytes([version, 0, 0, 0, offset << 4 | length, base << 4]) + struct.pack(">H", 2)
        for number, place, size in ((1, start, 2), (2, start + 2, 4)):
            located += struct.pack(">H", number) + bytes(2 * version + 2)
            located += (place if base else 0).to_bytes(base, "big") + struct.pack(">H", 1)
            located += (0 if base else place).to_bytes(offset, "big") + size.to_bytes(length, "big")
        meta = [bytes(4), box(b"pitm", bytes(4), b"\0\1"), box(b"iloc", located)]
        meta += [box(b"iinf", bytes(4), b"\0\2", *infos), references]
        head = box(b"ftyp", b"avif", bytes(4), b"mif1avif") + box(b"meta", *meta)
        return head + box(b"mdat", 3 * _FRAME)

    return file(len(file(0)) - 6)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["RGB", "RGBA"]),
    st.sampled_from([5, 100]),
)
def test_the_pixels_are_the_same_and_the_received_bytes_come_back(
    width: int, height: int, mode: str, quality: int
) -> None:
    received = avif(width, height, mode, quality)
    data = with_provenance(received, FACTS)
    assert data != received
    assert pixels(data) == pixels(received)
    assert received_bytes(data) == received


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("widths", [(4, 4, 0), (8, 8, 0), (4, 4, 4), (4, 8, 8)])
@pytest.mark.parametrize(
    "references", [b"", box(b"iref", bytes(4)), box(b"iref", bytes(4), box(b"auxl", bytes(6)))]
)
def test_what_lies_behind_moves_with_it_however_its_place_is_written(
    version: int, widths: tuple[int, int, int], references: bytes
) -> None:
    received = built(version, widths, references=references)
    assert list(frames_of_pictures(received)) == [1, 2]
    data = with_provenance(received, FACTS)
    assert data != received
    assert list(frames_of_pictures(data)) == [1, 2]
    assert received_bytes(data) == received


@given(st.data())
def test_a_file_that_is_damaged_anywhere_comes_back_as_it_was(drawn: st.DataObject) -> None:
    received = bytearray(built(1, (4, 4, 4), references=box(b"iref", bytes(4))))
    for _ in range(drawn.draw(st.integers(1, 4))):
        at = drawn.draw(st.integers(12, len(received) - 1))
        received[at] = drawn.draw(st.integers(0, 255))
    damaged = bytes(received[: drawn.draw(st.integers(1, len(received)))])
    data = with_provenance(damaged, FACTS)
    assert received_bytes(data) == damaged


def test_an_item_that_lies_upon_itself_does_not_fill_the_memory() -> None:
    whole = with_provenance(built(0, (4, 4, 0)), FACTS)
    start = whole.index(b"iloc") + 4
    entry = whole.rindex(struct.pack(">H", 3), start, whole.index(b"iinf"))
    bad = bytearray(whole)
    bad[entry + 6 : entry + 14] = struct.pack(">II", 0, 2**31 - 1)
    assert received_bytes(bytes(bad)) == bytes(bad)
