"""The engine's mark: a small line of text in the lower right corner."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

TEXT = "OPE.AI engine"


def marked(image: Image.Image) -> Image.Image:
    """Return *image* with the mark, light on dark ground and dark on light ground."""
    unit = min(image.size)
    height = max(7.0, unit * 0.021)
    font = ImageFont.load_default(height)
    left, top, right, bottom = font.getbbox(TEXT)
    width, tall = int(right - left), int(bottom - top)
    pad = max(2, round(height * 0.55))
    x, y = max(0, image.width - width - 2 * pad), max(0, image.height - tall - 2 * pad)
    under = image.convert("L").crop((x, y, image.width, image.height)).resize((1, 1))
    is_dark = int(under.getpixel((0, 0)) or 0) < 140  # type: ignore[arg-type] # "L" answers an int
    answer = image.copy()
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).text((x + pad - left, y + pad - top), TEXT, font=font, fill=175)
    answer.paste((255, 255, 255) if is_dark else (30, 30, 40), (0, 0), mask)
    if image.mode == "RGBA":
        alpha = image.getchannel("A")
        alpha.paste(175, (0, 0), mask)
        answer.putalpha(alpha)
    return answer
