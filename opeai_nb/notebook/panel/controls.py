"""The controls as values: from them to a request, and from a request back to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.request import ImageRequest
from opeai_nb.fields import DEFAULT_MODEL, FIELDS
from opeai_nb.notebook.panel.model_options import options_of, size_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.notebook.panel.input_sources import Source


ADVANCED_FIELDS: Final = tuple(item for item in FIELDS if item.label)


@dataclass(frozen=True)
class Controls:
    """What the controls say. Empty text, one picture and None mean: not set, not sent."""

    prompt: str = ""
    model: str = DEFAULT_MODEL
    size: str = ""
    quality: str = ""
    n: int = 1
    images: tuple[Source, ...] = ()
    advanced: Mapping[str, Any] = field(default_factory=dict)

    def request(self, defaults: Mapping[str, Any] | None = None) -> ImageRequest:
        """Return the request. Raises `InputError` for what cannot be right.

        *defaults* are those of `%config Imagine`: a cell would add them, so the panel does too,
        and both ask for the same.
        """
        said: dict[str, Any] = {
            **(defaults or {}),
            **{name: value for name, value in self.advanced.items() if value not in (None, "")},
            "model": self.model,
        }
        said |= {k: v for k in ("size", "quality") if (v := getattr(self, k))}
        if self.n != 1 or "n" in said:
            said["n"] = self.n
        if self.images:
            said["image"] = [image for source in self.images for image in source.images]
        return ImageRequest(self.prompt, **said)

    def adapted(self, model: str) -> Controls:
        """Return the controls for another model: what it does not take goes back to its default."""
        offered = options_of(model)
        dialect = self.advanced.get("dialect") if offered.has_effect("dialect") else None
        return replace(
            self,
            model=model,
            size=size_for(model, self.size),
            quality=self.quality if self.quality in offered.qualities else "",
            n=min(self.n, offered.n_max),
            advanced={
                name: value
                for name, value in self.advanced.items()
                if offered.has_effect(name, dialect)
            },
        )


def controls_of(request: ImageRequest, images: tuple[Source, ...] = ()) -> Controls:
    """Return the controls that ask for *request*; *images* are its input pictures as sources."""
    advanced = {item.name: getattr(request, item.name) for item in ADVANCED_FIELDS}
    if request.dialect == "openai":
        advanced.pop("dialect")
    return Controls(
        prompt=request.prompt,
        model=request.model,
        size=request.size or "",
        quality=request.quality or "",
        n=request.n or 1,
        images=images,
        advanced={name: value for name, value in advanced.items() if value not in (None, {})},
    )
