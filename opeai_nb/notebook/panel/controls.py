"""The controls as values: from them to a request, and from a request back to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.request import DEFAULT_MODEL, ImageRequest
from opeai_nb.notebook.panel.model_options import options_of, size_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.notebook.panel.input_sources import Source


@dataclass(frozen=True)
class Field:
    """An advanced control: *kind* is `choice text number flag json`."""

    name: str
    label: str
    kind: str
    choices: tuple[str, ...] = ()
    hint: str = ""


FIELDS: Final = (
    Field("output_format", "Format", "choice", ("png", "jpeg", "webp")),
    Field("output_compression", "Compression", "number", hint="1 to 100 percent"),
    Field("background", "Background", "choice", ("auto", "transparent", "opaque")),
    Field("moderation", "Moderation", "choice", ("auto", "low")),
    Field("style", "Style", "text", hint="a style that the model knows"),
    Field("sequential_image_generation", "Sequence", "choice", ("disabled", "auto")),
    Field("watermark", "Watermark", "flag"),
    Field("response_format", "Travels as", "choice", ("b64_json", "url")),
    Field("dialect", "Endpoint", "choice", ("openai", "aliyun")),
    Field("negative_prompt", "Avoid", "text", hint="what should not be there"),
    Field("seed", "Seed", "number", hint="0 to 2147483647"),
    Field("prompt_extend", "Extend prompt", "flag"),
    Field("user", "End user", "text", hint="a name of your own"),
    Field("extra", "Further fields", "json", hint='{"field": "value"}'),
)


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
    names = [item.name for item in FIELDS]
    advanced = {name: getattr(request, name) for name in names}
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
