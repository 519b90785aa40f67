"""Model families as pure data: sizes, counts, edit images, what is ignored, how each one answers.

A hint, not a gate: the platform's catalogue is configured by channel, so an unknown model or an
unlisted size must not be refused by a client (platform.md 6). The embedded engine does refuse, as
the vendor behind the gateway would.

Source: platform.md 1.9 (wan2.6), 1.10 (Seedream), 3.5 (DashScope limits), 4.1 (OpenAI), 6 (table).
"""

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

__all__ = [
    "FAMILIES",
    "Family",
    "accepts_size",
    "family_of",
    "is_same_shape",
    "parse_size",
    "size_for_picture",
    "size_for_ratio",
]


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of the models whose names start with one of *prefixes*."""

    name: str
    """Such as ``qwen-image-2.0``."""
    prefixes: tuple[str, ...]
    """Matched case-insensitively; over all families the longest one wins."""
    vendor: str
    """Who paints behind the gateway: ``aliyun``, ``openai``, ``ark`` or ``engine``."""
    sizes: tuple[str, ...]
    """Sizes to offer, ``WxH`` or a word (``2K``, ``auto``), the recommended one first."""
    default_size: str | None
    """What is used when `size` is omitted; None where it is not known."""
    qualities: tuple[str, ...] = ()
    """Values of `quality`; empty where it is ignored."""
    n_max: int = 1
    n_is_most: bool = False
    """True where the model may make fewer pictures than asked for (platform.md 1.10)."""
    images_max: int = 0
    """How many input images an edit may have; 0: the family does not edit."""
    images_min: int = 0
    """1 where the family does nothing but edit."""
    ignored: frozenset[str] = frozenset()
    """Request fields that have no effect."""
    answers: str = "sync"
    """``sync`` (pictures at once) or ``task``: what is believed, the answer itself decides."""
    response_forms: frozenset[str] = frozenset({"b64_json", "url"})
    """Which of ``b64_json`` and ``url`` may come back."""
    pixels: tuple[int, int] | None = None
    """Least and most pixels of a free ``WxH``; None: only *sizes* are accepted."""
    ratio: tuple[float, float] | None = None
    """Least and most width / height."""
    sides: tuple[int, int] | None = None
    """Least and most pixels of one side."""
    multiple: int = 1
    """Sides must be a multiple of it."""
    prompt_max: int | None = None
    """Most characters of a prompt."""
    note: str = ""


# What DashScope and Ark have no field for (platform.md 1.9, 1.10 list it for wan2.6 and Seedream).
_GPT_FIELDS: Final = frozenset(
    {"quality", "style", "user", "output_format", "output_compression", "background", "moderation"}
)
_SEQUENTIAL: Final = frozenset({"sequential_image_generation"})  # Seedream only, platform.md 1.10
# OpenAI's API has no watermark; style is for non-GPT models (platform.md 1.2).
_GPT_IGNORED: Final = _SEQUENTIAL | {"style", "watermark"}
_DALLE_IGNORED: Final = _SEQUENTIAL | {
    "watermark",
    "output_format",
    "output_compression",
    "background",
    "moderation",
}
_GPT_QUALITIES: Final = ("auto", "low", "medium", "high")
_GPT_SIZES: Final = ("1024x1024", "1536x1024", "1024x1536", "auto")
_WAN_T2I_SIZES: Final = ("1280x1280", "1472x1104", "1104x1472", "1696x960", "960x1696")
# 2496x1664 stands in platform.md 1.10 as "2496x… (cut)"; 3:2 makes the other side.
_SEEDREAM_2K: Final = (
    *("2048x2048", "2304x1728", "1728x2304", "2496x1664", "1664x2496", "2848x1600", "1600x2848"),
)

_SEEDREAM: Final = Family(  # platform.md 1.10, 4.2
    name="seedream",
    prefixes=("doubao-seedream", "bytedance-seedream", "seedream"),
    vendor="ark",
    sizes=("2K", *_SEEDREAM_2K, "3K", "4K"),
    default_size="2K",
    n_max=15,
    n_is_most=True,
    images_max=14,
    ignored=_GPT_FIELDS,
    pixels=(3_686_400, 4096 * 4096),
    note="Returns JPEG, and sometimes fewer pictures than asked for.",
)
_REHEARSAL: Final = Family(  # the embedded engine's own
    name="rehearsal",
    prefixes=("rehearsal-",),
    vendor="engine",
    sizes=("1024x1024", "512x512", "1536x1024", "1024x1536"),
    default_size="1024x1024",
    qualities=_GPT_QUALITIES,
    n_max=10,
    images_max=4,
    pixels=(64 * 64, 2048 * 2048),
    note="A model of the embedded engine that misbehaves on purpose.",
)

FAMILIES: Final[tuple[Family, ...]] = (
    Family(  # platform.md 3.5, 6; that DashScope has no GPT fields is inferred
        name="qwen-image-2.0",
        prefixes=("qwen-image-2.0",),
        vendor="aliyun",
        sizes=("1024x1024", "2048x2048", "2688x1536", "1536x2688", "2368x1728", "1728x2368"),
        default_size="1024x1024",  # the endpoint's, platform.md 1.2; DashScope's own is 2048*2048
        n_max=6,
        images_max=3,
        ignored=_GPT_FIELDS | _SEQUENTIAL,
        pixels=(512 * 512, 2048 * 2048),
        prompt_max=800,
        note="Any shape up to 4.2 megapixels; edits take up to 3 pictures.",
    ),
    Family(  # platform.md 3.5, 6
        name="qwen-image",
        prefixes=("qwen-image",),
        vendor="aliyun",
        sizes=("1328x1328", "1664x928", "928x1664", "1472x1104", "1104x1472"),
        default_size="1328x1328",  # sources disagree: 1664x928 or this one, platform.md 3.5
        ignored=_GPT_FIELDS | _SEQUENTIAL,
        prompt_max=800,
        note="One picture per request, in five sizes; not 1024x1024.",
    ),
    Family(  # platform.md 3.1 names it and no more; the limits are those of its sibling 2.0
        name="qwen-image-edit",
        prefixes=("qwen-image-edit",),
        vendor="aliyun",
        sizes=(),
        default_size=None,
        n_max=6,
        images_max=3,
        images_min=1,
        ignored=_GPT_FIELDS | _SEQUENTIAL,
        pixels=(512 * 512, 2048 * 2048),
        prompt_max=800,
        note="Edits only: it needs 1 to 3 input pictures.",
    ),
    Family(  # platform.md 1.9, 3.5
        name="wan2.6-t2i",
        prefixes=("wan2.6-t2i", "wan2.5-t2i"),
        vendor="aliyun",
        sizes=_WAN_T2I_SIZES,
        default_size="1280x1280",
        n_max=4,
        ignored=_GPT_FIELDS | _SEQUENTIAL | {"response_format"},
        response_forms=frozenset({"url"}),
        pixels=(1280 * 1280, 1440 * 1440),
        ratio=(0.25, 4.0),
        prompt_max=2100,
        note="The smallest size is 1280x1280.",
    ),
    Family(  # platform.md 1.9, 3.5
        name="wan2.6-image",
        prefixes=("wan2.6-image",),
        vendor="aliyun",
        sizes=("1280x1280", "1K", "2K", "1024x1024", "1472x1104", "1104x1472"),
        default_size="1K",
        n_max=4,
        images_max=4,
        images_min=1,
        ignored=_GPT_FIELDS | _SEQUENTIAL | {"response_format"},
        response_forms=frozenset({"url"}),
        pixels=(768 * 768, 2048 * 2048),
        prompt_max=2000,
        note="Edits only: it needs 1 to 4 input pictures.",
    ),
    Family(  # platform.md 3.5
        name="wan2-t2i",
        prefixes=("wan2.1-t2i", "wan2.2-t2i", "wanx"),
        vendor="aliyun",
        sizes=("1024x1024", "1280x720", "720x1280", "1440x1440"),
        default_size="1024x1024",
        n_max=4,
        ignored=_GPT_FIELDS | _SEQUENTIAL | {"response_format"},
        response_forms=frozenset({"url"}),
        pixels=(512 * 512, 1440 * 1440),
        sides=(512, 1440),
        prompt_max=500,
        note="Each side from 512 to 1440.",
    ),
    Family(  # platform.md 3.5
        name="z-image-turbo",
        prefixes=("z-image",),
        vendor="aliyun",
        sizes=("1024x1024", "1536x1024", "1024x1536", "2048x2048"),
        default_size="1024x1024",
        ignored=_GPT_FIELDS | _SEQUENTIAL,
        pixels=(512 * 512, 2048 * 2048),
        note="One picture per request.",
    ),
    _SEEDREAM,
    replace(  # platform.md 1.10, 4.2: 4.0 also accepts 1K
        _SEEDREAM,
        name="seedream-4.0",
        prefixes=("doubao-seedream-4.0", "doubao-seedream-4-0", "seedream-4-0"),
        sizes=("2K", *_SEEDREAM_2K, "1K", "1024x1024", "4K"),
        pixels=(1024 * 1024, 4096 * 4096),
    ),
    Family(  # platform.md 1.10: the one Seedream whose default is 1024x1024
        name="seedream-3.0",
        prefixes=("doubao-seedream-3-0", "seedream-3-0"),
        vendor="ark",
        sizes=("1024x1024",),
        default_size="1024x1024",
        ignored=_GPT_FIELDS,
        pixels=(512 * 512, 2048 * 2048),
        note="Returns JPEG.",
    ),
    Family(  # platform.md 4.1
        name="gpt-image-1",
        prefixes=("gpt-image-1", "chatgpt-image"),
        vendor="openai",
        sizes=_GPT_SIZES,
        default_size="1024x1024",
        qualities=_GPT_QUALITIES,
        n_max=10,
        images_max=16,
        ignored=_GPT_IGNORED | {"response_format"},
        response_forms=frozenset({"b64_json"}),
        prompt_max=32_000,
        note="1 to 10 pictures, in three sizes.",
    ),
    Family(  # platform.md 1.4 (a task, so a URL), 4.1
        name="gpt-image-2",
        prefixes=("gpt-image-2",),
        vendor="openai",
        sizes=(*_GPT_SIZES[:3], "2048x1152", "1152x2048", "3840x2160", "2160x3840", "auto"),
        default_size="1024x1024",
        qualities=_GPT_QUALITIES,
        n_max=10,
        images_max=16,
        ignored=_GPT_IGNORED | {"response_format"},
        answers="task",
        response_forms=frozenset({"url"}),
        pixels=(256 * 256, 3840 * 2160),  # the lower bound is ours: none is documented
        ratio=(1 / 3, 3.0),
        sides=(16, 3840),
        multiple=16,
        prompt_max=32_000,
        note="Up to 3840x2160 and 3:1; sides are multiples of 16.",
    ),
    Family(  # platform.md 4.1
        name="dall-e-3",
        prefixes=("dall-e-3",),
        vendor="openai",
        sizes=("1024x1024", "1792x1024", "1024x1792"),
        default_size="1024x1024",
        qualities=("standard", "hd"),
        ignored=_DALLE_IGNORED,
        prompt_max=4000,
        note="One picture per request.",
    ),
    Family(  # platform.md 4.1
        name="dall-e-2",
        prefixes=("dall-e",),
        vendor="openai",
        sizes=("1024x1024", "512x512", "256x256"),
        default_size="1024x1024",
        qualities=("standard",),
        n_max=10,
        images_max=1,
        ignored=_DALLE_IGNORED | {"style"},
        prompt_max=1000,
        note="Three square sizes.",
    ),
    _REHEARSAL,
    replace(
        _REHEARSAL,
        name="rehearsal-task",
        prefixes=(
            *("rehearsal-slow", "rehearsal-failed", "rehearsal-expired", "rehearsal-envelope"),
            *("rehearsal-hiccup", "rehearsal-location", "rehearsal-no-task"),
        ),
        answers="task",
        response_forms=frozenset({"url"}),
    ),
)

_SIZE: Final = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)
_CLOSE: Final = 0.03  # |ln| of two ratios that a person calls the same: 2368x1728 is sold as 4:3
_FREE_AREA: Final = 1024 * 1024  # what an unknown model is offered: the endpoint's default
SIDE_MAX: Final = 4096  # undocumented; the longest side that any vendor here sells
_STEP: Final = 16  # every vendor accepts multiples of it, and codecs like them


@lru_cache(256)
def family_of(model: str) -> Family | None:
    """Return the family of *model* (its longest matching prefix), or None when it is unknown."""
    name = model.lower()
    matches = [
        (len(prefix), family)
        for family in FAMILIES
        for prefix in family.prefixes
        if name.startswith(prefix)
    ]
    return max(matches, key=lambda match: match[0])[1] if matches else None


def parse_size(size: str) -> tuple[int, int] | None:
    """Return ``(width, height)`` of a ``WxH`` with a lowercase x, or None for anything else."""
    match = _SIZE.fullmatch(size)
    return (int(match[1]), int(match[2])) if match else None


def accepts_size(family: Family, size: str) -> bool:
    """Tell whether *family* is known to take *size*: one it offers, or one within its limits."""
    if size in family.sizes or size.upper() in family.sizes:
        return True
    sides = parse_size(size)
    return sides is not None and _within(family, *sides)


def is_same_shape(one: float, other: float) -> bool:
    """Tell whether a person calls two ratios, width / height, the same."""
    return abs(math.log(one / other)) <= _CLOSE


def size_for_ratio(model: str, ratio: tuple[int, int]) -> str:
    """Return a ``WxH`` of about *ratio* that *model* accepts.

    An offered size that a person calls this ratio; else one computed within the family's limits,
    of the recommended size's area; else the offered size that comes nearest. ValueError unless
    both terms are positive.
    """
    if min(ratio) <= 0:
        raise ValueError(f"ratio terms must be positive: {ratio[0]}:{ratio[1]}")
    family = family_of(model)
    if family is None:
        return _computed(None, ratio[0] / ratio[1], _FREE_AREA) or "1024x1024"
    wanted = ratio[0] / ratio[1]
    offered = [(size, sides) for size in family.sizes if (sides := parse_size(size))]
    if not offered:
        return _computed(family, wanted, _FREE_AREA) or "1024x1024"
    nearest, (width, height) = min(
        offered, key=lambda entry: abs(math.log(entry[1][0] / entry[1][1] / wanted))
    )
    if is_same_shape(width / height, wanted):
        return nearest
    first_width, first_height = offered[0][1]
    return _computed(family, wanted, first_width * first_height) or nearest


def size_for_picture(model: str, sides: tuple[int, int]) -> str | None:
    """Return the ``WxH`` that *model* takes and that is nearest to a picture of *sides*.

    By the ratio first, then by the pixels: the picture's own where it is taken, or nothing is known
    of the model. None for a model that is not known to take any size of about this shape.
    """
    family = family_of(model)
    own = f"{sides[0]}x{sides[1]}"
    if family is None or accepts_size(family, own):
        return own
    ratio, area = sides[0] / sides[1], sides[0] * sides[1]
    least, most = family.pixels or (1, area)
    near = min(max(area, least), most)
    free = _computed(family, ratio, near, weight=100) if family.pixels else None
    offered = {size: pair for size in (*family.sizes, free or "") if (pair := parse_size(size))}

    def distance(size: str) -> tuple[float, float]:
        width, height = offered[size]
        # Two decimals: of sizes whose shapes nobody tells apart, the pixels decide.
        return round(abs(math.log(width / height / ratio)), 2), abs(math.log(width * height / area))

    return min(offered, key=distance, default=None)


def _within(family: Family, width: int, height: int) -> bool:
    if family.pixels is None or width % family.multiple or height % family.multiple:
        return False
    least, most = family.sides or (1, SIDE_MAX)
    low, high = family.ratio or (0.0, math.inf)
    return (
        family.pixels[0] <= width * height <= family.pixels[1]
        and least <= min(width, height)
        and max(width, height) <= most
        and low <= width / height <= high
    )


def _computed(family: Family | None, wanted: float, area: int, weight: int = 10) -> str | None:
    """Search sizes around *area*: the ratio counts *weight* times as much as the area."""
    step = math.lcm(_STEP, family.multiple if family else 1)
    ideal = math.sqrt(area / wanted)
    best: tuple[float, str] | None = None
    for rows in range(max(1, int(0.6 * ideal / step)), int(1.5 * ideal / step) + 2):
        height = rows * step
        width = max(step, round(height * wanted / step) * step)
        if family is not None and not _within(family, width, height):
            continue
        off = weight * abs(math.log(width / height / wanted)) + abs(math.log(width * height / area))
        if best is None or off < best[0]:
            best = (off, f"{width}x{height}")
    return best[1] if best else None
