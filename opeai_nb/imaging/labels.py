"""Words on a grid: for each letter a font that has it, and lines that fit."""

from __future__ import annotations

import re
from bisect import bisect_right
from contextlib import suppress
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

    from opeai_nb.imaging.grid_layout import Box

INK: Final = (32, 36, 44)
_LATIN: Final = 0x250
_NO_LETTER: Final = "\U0010ffff"
# Pillow's own font has Latin letters alone; these are looked for by name where others are needed.
_WIDE_FONTS: Final = (
    *("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf"),
    *("PingFang.ttc", "msyh.ttc", "simhei.ttf", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("NotoSansArabic-Regular.ttf", "NotoNaskhArabic-Regular.ttf", "GeezaPro.ttc", "tahoma.ttf"),
    *("Arial Unicode.ttf", "DejaVuSans.ttf"),
    *("NotoEmoji-Regular.ttf", "seguiemj.ttf", "Symbola.ttf"),
)
# Fonts of pictures in colour, each with the one size in pixels that it has.
_COLOUR_FONTS: Final = (("NotoColorEmoji.ttf", 109), ("Apple Color Emoji.ttc", 160))
# What joins or colours the letter before: it belongs to that one's font.
_JOINER: Final = "\u200d"
_JOINING = re.compile("[\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")


class _ColourFont:
    """A font of pictures of one size, scaled to *size* pixels."""

    def __init__(self, name: str, own_size: int, size: int) -> None:
        from PIL import ImageFont

        self._font = ImageFont.truetype(name, own_size)
        self._scale = size / own_size

    def getmask(self, letter: str) -> Any:
        """Return the shape of a letter; an empty one where the font has none."""
        return self._font.getmask(letter)

    def getlength(self, text: str) -> float:
        """Return the width of *text* in pixels."""
        return self._font.getlength(text) * self._scale

    def picture(self, text: str) -> Image.Image:
        """Return *text* drawn, on nothing."""
        from PIL import Image, ImageDraw

        left, top, right, bottom = self._font.getbbox(text)
        size = (max(1, round(right - left)), max(1, round(bottom - top)))
        full = Image.new("RGBA", size)
        ImageDraw.Draw(full).text((-left, -top), text, font=self._font, embedded_color=True)
        small = (max(1, round(side * self._scale)) for side in size)
        return full.resize((next(small), next(small)), Image.Resampling.LANCZOS, reducing_gap=2.0)


@lru_cache(16)
def _fonts(size: int) -> tuple[Any, ...]:
    """Return the fonts of this size in pixels that the system has, Pillow's own first."""
    from PIL import ImageFont

    fonts: list[Any] = [ImageFont.load_default(size=size)]
    for name in _WIDE_FONTS:
        try:
            fonts.append(ImageFont.truetype(name, size))
        except OSError:
            continue  # not on this system, or of other sizes alone
    for name, own_size in _COLOUR_FONTS:
        with suppress(OSError):
            fonts.append(_ColourFont(name, own_size, size))
    return tuple(fonts)


@lru_cache(4096)
def font_of(letter: str, size: int) -> int:
    """Return which of the fonts has a letter; the first where none has."""
    if ord(letter) < _LATIN or letter.isspace():
        return 0
    for number, font in enumerate(_fonts(size)[1:], 1):
        if bytes(font.getmask(letter)) != bytes(font.getmask(_NO_LETTER)):
            return number
    return 0


def _runs(text: str, size: int) -> Iterator[tuple[Any, str]]:
    """Yield *text* in pieces, each with its font; a space goes with what stands before it."""
    fonts, numbers = _fonts(size), [0] * len(text)
    for place, letter in enumerate(text):
        before = numbers[place - 1] if place else 0
        in_colour = isinstance(fonts[before], _ColourFont)
        is_joined = place > 0 and text[place - 1] == _JOINER and in_colour  # all is one picture
        if letter.isspace():
            numbers[place] = 0 if in_colour else before
        elif is_joined or _JOINING.match(letter):
            numbers[place] = before
        else:
            numbers[place] = font_of(letter, size)
    for number, run in groupby(range(len(text)), key=numbers.__getitem__):
        yield fonts[number], "".join(text[place] for place in run)


def _width(text: str, size: int) -> float:
    return float(sum(font.getlength(run) for font, run in _runs(text, size)))


def write(
    image: Image.Image,
    box: Box,
    text: str,
    size: int,
    *,
    fill: tuple[int, ...] = INK,
    most: int = 2,
) -> None:
    """Write *text* on *image* in the middle of *box*, in at most *most* lines."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image)
    lines = wrapped(text, size, box.width - size // 2, most)
    top = box.top + (box.height - len(lines) * size * 1.25) / 2
    for number, line in enumerate(lines):
        left = box.left + (box.width - _width(line, size)) / 2
        for font, run in _runs(line, size):
            middle = top + (number + 0.5) * size * 1.25
            if isinstance(font, _ColourFont):
                picture = font.picture(run)
                place = (round(left), round(middle - picture.height / 2))
                image.paste(picture.convert(image.mode), place, picture)
            else:
                draw.text((left, middle), run, font=font, fill=fill, anchor="lm")
            left += font.getlength(run)


def wrapped(text: str, size: int, width: int, most: int) -> list[str]:
    """Return *text* in at most *most* lines no wider than *width*; what is cut off ends in `…`."""
    text = text[: most * width]  # a letter is a pixel wide at least, and a prompt may be a book
    lines = [""]
    words = [piece for word in text.split(" ") for piece in _pieces(word, size, width)]
    for number, (word, is_new) in enumerate(words):
        longer = f"{lines[-1]}{' ' * is_new}{word}".strip()
        if not lines[-1] or _width(longer, size) <= width:
            lines[-1] = longer
        elif len(lines) == most:
            lines[-1] = longer + "".join(f"{' ' * new}{rest}" for rest, new in words[number + 1 :])
            break
        else:
            lines.append(word)
    return [_cut(line, size, width) for line in lines]


def _pieces(word: str, size: int, width: int) -> Iterator[tuple[str, bool]]:
    """Yield a word in pieces that fit, and whether a piece begins it."""
    start = True
    while len(word) > 1 and _width(word, size) > width:
        end = max(1, _fitting(word, size, width))
        yield word[:end], start
        word, start = word[end:], False
    yield word, start


def _cut(line: str, size: int, width: int) -> str:
    if _width(line, size) <= width:
        return line
    return f"{line[: _fitting(line, size, width, '…')].rstrip()}…"


def _fitting(text: str, size: int, width: int, end: str = "") -> int:
    """Return how many letters of *text* fit into *width*, with *end* behind them."""
    counts = range(1, len(text) + 1)
    most = bisect_right(counts, float(width), key=lambda n: _width(text[:n] + end, size))
    while most and _width(text[:most] + end, size) > width:
        most -= 1  # a letter that joins the one before may make both narrower
    return most
