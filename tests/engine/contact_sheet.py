"""Draw forty prompts with their words on one sheet: python tests/engine/contact_sheet.py [OUT]."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from opeai_nb.engine.painter import paint

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


def main() -> None:
    """Write the sheet to the file named, or to .artifacts/contact_sheet.png."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ".artifacts/contact_sheet.png")
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet().save(out)


if __name__ == "__main__":
    main()
