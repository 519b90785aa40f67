"""A recipe: all that a picture of the painter's own was made from, so that it can be changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from opeai_nb.engine.painter.composition import PaintRequest
from opeai_nb.engine.painter.editing import RECIPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image

_MOST = 12  # instructions: each one more is read again at every further edit


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, and what else decided how it was followed."""

    prompt: str
    variant: int = 0
    seed: int | None = None
    style: str | None = None

    def request(self, size: tuple[int, int]) -> PaintRequest:
        """Return the request whose chance this step has."""
        return PaintRequest(self.prompt, size, self.variant, self.seed, self.style)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A painting's request, and the instructions that were followed since, in order."""

    prompt: str
    size: tuple[int, int]
    variant: int = 0
    seed: int | None = None
    style: str | None = None
    quality: str = "auto"
    watermark: bool = False
    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, request: PaintRequest) -> Recipe | None:
        """Return the recipe of a painting; None of a cut-out, which has no place."""
        if request.transparent:
            return None
        fields = {name: getattr(request, name) for name in _FIELDS}
        return cls(**fields)

    @classmethod
    def in_(cls, image: Image) -> Recipe | None:
        """Return the recipe that *image* carries; None where there is none that can be read."""
        text = image.info.get(RECIPE)
        return cls.loads(text) if isinstance(text, str) else None

    @classmethod
    def loads(cls, text: str) -> Recipe | None:
        """Return the recipe that `dumps` wrote; None for any other text."""
        try:
            fields: Mapping[str, Any] = json.loads(text)
            steps = tuple(Step(**one) for one in fields["steps"])
            width, height = fields["size"]
            recipe = cls(**{**fields, "size": (int(width), int(height)), "steps": steps})
            recipe.request().frame()
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return recipe

    def dumps(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    def request(self, size: tuple[int, int] | None = None) -> PaintRequest:
        """Return the painting's request, at another *size* if one is named."""
        fields = {name: getattr(self, name) for name in _FIELDS}
        return PaintRequest(**{**fields, "size": size or self.size})

    def followed(self, step: Step, size: tuple[int, int]) -> Recipe | None:
        """Return it with one more instruction; None where it would have too many."""
        if len(self.steps) >= _MOST:
            return None
        return replace(self, size=size, steps=(*self.steps, step))


_FIELDS = ("prompt", "size", "variant", "seed", "style", "quality", "watermark")


def with_recipe(image: Image, recipe: Recipe | None) -> Image:
    """Return *image* with *recipe* in its `info`, where it has one."""
    if recipe is not None:
        image.info[RECIPE] = recipe.dumps()
    return image
