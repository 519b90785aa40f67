"""Words on a grid: every letter in a font that has it, every line within its width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from opeai_nb.imaging.grid_layout import Box
from opeai_nb.imaging.labelled_grid import Cell, Page, labelled_grid
from opeai_nb.imaging.labels import _ColourFont, _fonts, _runs, _width, font_of, wrapped, write

SIZE = 16


@given(st.text(max_size=60), st.integers(40, 300), st.integers(1, 4))
def test_lines_fit_and_are_no_more_than_allowed(text: str, width: int, most: int) -> None:
    lines = wrapped(text, SIZE, width, most)
    assert 1 <= len(lines) <= most
    assert all(_width(line, SIZE) <= width for line in lines)


def test_a_word_that_is_too_long_is_broken_and_ends_in_its_end() -> None:
    word = "an-identifier-without-a-single-space-" * 2 + "END"
    lines = wrapped(word, SIZE, 260, 4)
    assert "".join(lines) == word
    assert wrapped("one two three", SIZE, 1000, 2) == ["one two three"]


def test_labels_that_begin_alike_look_different_above_columns() -> None:
    """They wrap, as those beside rows do, and the pictures stand below them."""
    red = [lambda: Image.new("RGB", (240, 240), "red")]
    begin = "a very long description of a fox in the "
    pages = [Page((1, 1), {(0, 0): Cell(red)}, (), (begin + end,)) for end in ("snow", "reed")]
    snow, reed = (labelled_grid(page, (240, 240)) for page in pages)
    assert snow.size == reed.size
    assert snow.tobytes() != reed.tobytes()
    short = labelled_grid(Page((1, 1), {(0, 0): Cell(red)}, (), ("fox",)), (240, 240))
    assert snow.height > short.height


@pytest.mark.parametrize("text", ["ثعلب في الثلج", "水彩の狐", "лиса ✓ snow", "☀ fox"])
def test_letters_are_drawn_where_the_system_has_them(text: str) -> None:
    letters = [letter for letter in text if ord(letter) > 0x250]
    if not all(font_of(letter, SIZE) for letter in letters):
        pytest.skip("no font of this machine has these letters")
    image = Image.new("L", (300, 60), 255)
    write(image, Box(0, 0, 300, 60), text, SIZE, fill=(0,))
    assert min(image.tobytes()) < 100
    assert len(_fonts(SIZE)) > 1


def test_a_label_as_long_as_a_book_is_cut() -> None:
    for text in ("x" * 100_000, "fox " * 25_000):
        assert wrapped(text, SIZE, 300, 3)[-1].endswith("…")


def test_emoji_of_a_font_in_colour_are_drawn_in_colour() -> None:
    fox = "\U0001f98a"
    if not isinstance(_fonts(SIZE)[font_of(fox, SIZE)], _ColourFont):
        pytest.skip("this machine has no such font, or another one that has a fox")

    def drawn(text: str) -> Image.Image:
        image = Image.new("RGB", (200, 40), "white")
        write(image, Box(0, 0, 200, 40), text, SIZE)
        return image

    box = ImageChops.difference(drawn(fox), Image.new("RGB", (200, 40), "white")).getbbox()
    assert box is not None
    assert SIZE // 2 < box[3] - box[1] < 2 * SIZE
    red, _, blue = drawn(f"a {fox}").split()
    assert max(ImageChops.subtract(red, blue).tobytes()) > 60, "it is red"
    family = "\U0001f469\u200d\U0001f467"
    numbers = {id(font) for font, _ in _runs(family, SIZE)}
    assert len(numbers) == 1, "what is joined is one piece"
