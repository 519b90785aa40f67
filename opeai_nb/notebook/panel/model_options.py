"""What the controls offer for a model: sizes with their shapes, qualities, counts, pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opeai_nb.client.values.size import SAME
from opeai_nb.families import FAMILIES, Family, accepts_size, family_of, parse_size
from opeai_nb.fields import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN: Final = Family(
    name="unknown",
    prefixes=(),
    vendor="",
    sizes=("1024x1024", "1536x1024", "1024x1536", "auto"),
    default_size=None,
    qualities=("auto", "low", "medium", "high", "standard", "hd"),
    n_max=128,
    images_max=16,
    note="This model is not known here: every control is offered, and the platform decides.",
)
_QUALITIES: Final = ("auto", "low", "medium", "high")  # platform.md 1.2
_RATIOS: Final = ((1, 1), (5, 4), (4, 3), (3, 2), (16, 9), (2, 1), (21, 9), (3, 1))
_CLOSE: Final = 0.035  # |ln| of two ratios with one name: 2368x1728 is sold as 4:3
_VENDORS: Final = {
    "aliyun": "Qwen, Wan and Z-Image",
    "openai": "OpenAI",
    "ark": "Seedream",
    "": "Others",
    "engine": "Rehearsal: these misbehave on purpose",
}


@dataclass(frozen=True)
class ModelOptions:
    """What the controls offer: *sizes* as (label, value), *fields* the advanced ones of effect."""

    sizes: tuple[tuple[str, str], ...]
    default_size: str | None
    qualities: tuple[str, ...]
    n_max: int
    images_min: int
    images_max: int
    ignored: frozenset[str]
    vendor: str
    note: str
    known: bool

    @property
    def quality_words(self) -> tuple[str, ...]:
        """The words of `quality`: the endpoint's where the model is believed to ignore it."""
        return self.qualities or _QUALITIES

    def has_effect(self, field: str, dialect: str | None = None) -> bool:
        """Tell whether the advanced field *field* does anything, in this dialect."""
        if field == "dialect":
            return self.vendor in {"aliyun", ""}
        return field not in self.ignored and BY_NAME[field].fits(dialect or "openai")


def options_of(model: str) -> ModelOptions:
    """Return what the controls offer for *model*; all of it where nothing is known of it."""
    known = family_of(model)
    family = known or UNKNOWN
    return ModelOptions(
        sizes=tuple((size_label(size), size) for size in family.sizes),
        default_size=family.default_size,
        qualities=() if "quality" in family.ignored else family.qualities,
        n_max=family.n_max,
        images_min=family.images_min,
        images_max=family.images_max,
        ignored=family.ignored,
        vendor=family.vendor,
        note=family.note,
        known=known is not None,
    )


def size_label(size: str) -> str:
    """Return `▭ 3:2` above `1536 × 1024`; a word such as `2K` stays what it is."""
    sides = parse_size(size)
    if sides is None:
        return f"{size}\n{_WORDS.get(size, 'by name')}"
    return f"{shape(*sides)} {ratio_name(*sides)}\n{sides[0]}×{sides[1]}"


_WORDS: Final = {"auto": "model's choice", "1K": "about 1 MP", "2K": "about 4 MP", "4K": "16 MP"}


def shape(width: int, height: int) -> str:
    """Return a small drawing of the shape."""
    if abs(math.log(width / height)) <= _CLOSE:
        return "□"
    return "▭" if width > height else "▯"


def ratio_name(width: int, height: int) -> str:
    """Return the ratio that a person calls this shape, else `1.85:1`."""
    wanted = abs(math.log(width / height))
    long, short = min(_RATIOS, key=lambda ratio: abs(math.log(ratio[0] / ratio[1]) - wanted))
    if abs(math.log(long / short) - wanted) > _CLOSE:
        return f"{width / height:.2f}:1" if width > height else f"1:{height / width:.2f}"
    return f"{long}:{short}" if width >= height else f"{short}:{long}"


def size_for(model: str, size: str) -> str:
    """Return *size* where *model* is known to take it, else "" (the model's default)."""
    family = family_of(model)
    is_taken = family is None or size in {"", SAME} or accepts_size(family, size)
    return size if is_taken else ""


def grouped(models: Iterable[str], chosen: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the names of models by group, known families first; *chosen* is among them.

    A model that the list describes as a painter of nothing (a chat model, say) cannot be told from
    one that we do not know: all stand under "Others".
    """
    groups: dict[str, list[str]] = {title: [] for title in _VENDORS.values()}
    for name in dict.fromkeys([*models, chosen]):
        family = family_of(name)
        groups[_VENDORS[family.vendor if family else ""]].append(name)
    return [(title, tuple(found)) for title, found in groups.items() if found]


def known_models() -> tuple[str, ...]:
    """Return the families that are known, for a menu where the list of models cannot be had."""
    return tuple(family.name for family in FAMILIES if family.vendor != "engine")
