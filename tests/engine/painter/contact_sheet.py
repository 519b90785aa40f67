"""Draw forty prompts with their words on one sheet, and thirty edits beside what they were made of.

Run: python tests/engine/painter/contact_sheet.py [OUT]
The edits go to OUT with `-edits` in its name.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from opeai_nb.engine.painter import edit, paint

PROMPTS = (
    "a cat reading by the window, watercolour",
    "a pixel-art lighthouse at sunset in teal",
    "mountains at dawn",
    "a neon city at night",
    "a fox in a snowy forest at night",
    "a sailing boat on the sea at sunset",
    "desert dunes with camels at dusk",
    "a planet and a nebula in deep space",
    "a meadow of red tulips, oil painting",
    "an owl in an autumn forest",
    "goldfish in a coral reef",
    "a cottage in the hills, pencil",
    "hot air balloons over the mountains at dawn",
    "aurora over the snow, penguins",
    "portrait of a woman, poster",
    "a friendly robot in the city, low poly",
    "still life with fruit, oil painting",
    "a teapot on the table",
    "a bridge over the lake in fog",
    "a steam train in autumn hills",
    "a castle at night under the moon",
    "ink drawing of a horse",
    "woodcut of the sea with gulls",
    "a whale underwater",
    "a road to the mountains at sunset",
    "an astronaut in space, pop art comic",
    "a stained glass mosaic of a tree in blossom pink",
    "pointillist lake in summer",
    "雪山下的湖, 黎明",
    "一只猫在窗边, 雨夜",
    "海边的灯塔, 水彩",
    "竹林里的熊猫",
    "photo of a deer in a misty forest at dawn",
    "a red car in the desert, retrowave neon",
    "pink jellyfish in the deep sea",
    "a wanderer above the mountains",
    "serendipity",
    "the sound of an idea in purple and gold",
    "quantum jazz, blue",
    "an abstract thought",
)
EDITS = (
    ("a red car in the desert", "make the car blue"),
    ("a fox in a snowy forest", "replace the fox with a cat"),
    ("a cottage in the hills", "make it winter"),
    ("a cottage in the hills", "make it autumn"),
    ("a cottage in the hills", "make it spring"),
    ("a meadow of red tulips", "make it autumn"),
    ("a sailing boat on the sea at sunset", "remove the sun"),
    ("the sea at noon", "add a red boat and a lighthouse"),
    ("a lighthouse by the sea at day", "turn day into night"),
    ("a castle at night under the moon", "make it a sunny day"),
    ("mountains at dawn", "without clouds"),
    ("a tree in the hills", "two trees instead of one"),
    ("a fox in the forest", "make it three foxes"),
    ("hot air balloons over the mountains", "only one balloon"),
    ("a cat by the window", "change the background to blue"),
    ("a red teapot on the table", "put it on a beach"),
    ("a fox in the forest", "put the fox in space"),
    ("a red car in the desert", "replace the desert with a forest"),
    ("a cottage in the hills", "make the house bigger"),
    ("an astronaut in space", "make the astronaut smaller"),
    ("a sailing boat on the sea", "move the boat to the left"),
    ("a lake in the mountains", "make the sky pink and the lake green"),
    ("a meadow of red tulips", "make the flowers blue"),
    ("a cat by the window, watercolour", "make the cat black"),
    ("a pixel-art lighthouse at sunset in teal", "make it a sunny day"),
    ("a bridge over the lake in fog", "without fog"),
    ("an owl in an autumn forest", "make it winter"),
    ("a whale underwater", "add a turtle"),
    ("a city at night", "make it daytime"),
    ("a lake in the mountains", "as an oil painting"),
)
# The sheet's font has no Chinese.
GLOSSES = {
    "雪山下的湖, 黎明": "zh: lake under snowy mountains, dawn",
    "一只猫在窗边, 雨夜": "zh: a cat at the window, rainy night",
    "海边的灯塔, 水彩": "zh: lighthouse by the sea, watercolour",
    "竹林里的熊猫": "zh: a panda in a bamboo grove",
}
SIDE, LABEL, COLUMNS = 320, 22, 8


def sheet() -> Image.Image:
    """Answer the sheet."""
    rows = -(-len(PROMPTS) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * SIDE, rows * (SIDE + LABEL)), (250, 248, 242))
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(13)
    for number, prompt in enumerate(PROMPTS):
        started = time.perf_counter()
        picture = paint(prompt, (512, 512)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        spent = (time.perf_counter() - started) * 1e3
        x, y = number % COLUMNS * SIDE, number // COLUMNS * (SIDE + LABEL)
        page.paste(picture, (x, y))
        pen.text(
            (x + 4, y + SIDE + 3), GLOSSES.get(prompt, prompt)[:46], fill=(40, 40, 50), font=font
        )
        print(f"{spent:6.0f} ms  {prompt}")
    return page


def sheet_of_edits() -> Image.Image:
    """Answer the sheet of edits: before and after, side by side."""
    wide, columns = 2 * SIDE + 16, COLUMNS // 2
    rows = -(-len(EDITS) // columns)
    page = Image.new("RGB", (columns * wide, rows * (SIDE + LABEL)), (250, 248, 242))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    for number, (prompt, words) in enumerate(EDITS):
        before = paint(prompt, (512, 512))
        x, y = number % columns * wide, number // columns * (SIDE + LABEL)
        for side, picture in enumerate((before, edit([before], words, None))):
            small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            page.paste(small, (x + side * SIDE, y))
        pen.text((x + 4, y + SIDE + 3), f"{prompt}: {words}", fill=(40, 40, 50), font=font)
    return page


def main() -> None:
    """Write the sheets to the file named, or to .artifacts/contact_sheet.png."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ".artifacts/contact_sheet.png")
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet().save(out)
    sheet_of_edits().save(out.with_stem(f"{out.stem}-edits"))


if __name__ == "__main__":
    main()
