"""Words on a grid: a font that has the letters, and lines that fit."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

    from opeai_nb.imaging.grid_layout import Box

INK: Final = (32, 36, 44)
_LATIN: Final = 0x250
# Pillow's own font has Latin letters alone; these are looked for by name where others are needed.
_WIDE_FONTS: Final = (
    *("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf"),
    *("PingFang.ttc", "msyh.ttc", "simhei.ttf", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("Arial Unicode.ttf", "DejaVuSans.ttf"),
)


@lru_cache(64)
def font_for(is_latin: bool, size: int) -> Any:
    """Return a font of this size in pixels; for other letters one of the system's, if any."""
    from PIL import ImageFont

    for name in () if is_latin else _WIDE_FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue  # not on this system
    return ImageFont.load_default(size=size)


def write(
    draw: ImageDraw,
    box: Box,
    text: str,
    size: int,
    *,
    fill: tuple[int, ...] = INK,
    most: int = 2,
) -> None:
    """Write *text* in the middle of *box*, in at most *most* lines."""
    font = font_for(all(ord(letter) < _LATIN for letter in text), size)
    lines = wrapped(draw, text, font, box.width - size // 2, most)
    top = box.top + (box.height - len(lines) * size * 1.25) / 2
    for number, line in enumerate(lines):
        place = (box.left + box.width / 2, top + (number + 0.5) * size * 1.25)
        draw.text(place, line, font=font, fill=fill, anchor="mm")


def wrapped(draw: ImageDraw, text: str, font: Any, width: int, most: int) -> list[str]:
    """Return *text* in at most *most* lines no wider than *width*; what is cut off ends in `…`."""
    lines = [""]
    words = text.split(" ")
    for number, word in enumerate(words):
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or draw.textlength(longer, font=font) <= width:
            lines[-1] = longer
        elif len(lines) == most:
            lines[-1] += " " + " ".join(words[number:])
            break
        else:
            lines.append(word)
    return [_cut(draw, line, font, width) for line in lines]


def _cut(draw: ImageDraw, line: str, font: Any, width: int) -> str:
    if draw.textlength(line, font=font) <= width:
        return line
    while line and draw.textlength(f"{line}…", font=font) > width:
        line = line[:-1]
    return f"{line.rstrip()}…"
