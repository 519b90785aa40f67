"""The controls as values and as traits: from them to a request, and from a request to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from traitlets import Bool, Dict, HasTraits, Int, Tuple, Unicode, validate

from opeai_nb.client.values.request import ImageRequest
from opeai_nb.fields import DEFAULT_MODEL, FIELDS
from opeai_nb.notebook.panel import input_sources
from opeai_nb.notebook.panel.model_options import ModelOptions, options_of, size_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.notebook.panel.input_sources import Source


ADVANCED_FIELDS: Final = tuple(item for item in FIELDS if item.label)
PLAIN: Final = ("model", "prompt", "size", "quality", "n", "images")
ADVANCED: Final = tuple(item.name for item in ADVANCED_FIELDS)
NAMES: Final = (*PLAIN, *ADVANCED)


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
    advanced = {name: getattr(request, name) for name in ADVANCED}
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


class ControlTraits(HasTraits):
    """What a person sets, by the API's names. "" and None mean: not set, not sent."""

    prompt = Unicode("")
    model = Unicode(DEFAULT_MODEL)
    n = Int(1, min=1, max=128)
    size = Unicode("")
    quality = Unicode("")
    images = Tuple()
    output_format = Unicode(None, allow_none=True)
    output_compression = Int(None, allow_none=True)
    background = Unicode(None, allow_none=True)
    moderation = Unicode(None, allow_none=True)
    style = Unicode(None, allow_none=True)
    sequential_image_generation = Unicode(None, allow_none=True)
    watermark = Bool(None, allow_none=True)
    response_format = Unicode(None, allow_none=True)
    dialect = Unicode(None, allow_none=True)
    negative_prompt = Unicode(None, allow_none=True)
    seed = Int(None, allow_none=True)
    prompt_extend = Bool(None, allow_none=True)
    user = Unicode(None, allow_none=True)
    extra = Dict(None, allow_none=True)

    @property
    def model_options(self) -> ModelOptions:
        """What the controls offer for the chosen model."""
        return options_of(self.model)

    @property
    def controls(self) -> Controls:
        """The controls as a value."""
        advanced = {name: getattr(self, name) for name in ADVANCED}
        said = {name: value for name, value in advanced.items() if value not in (None, {})}
        return Controls(**{name: getattr(self, name) for name in PLAIN}, advanced=said)

    def set_controls(self, **values: Any) -> None:
        """Set several controls; the model first, as the others depend on it."""
        for name in sorted(values, key=NAMES.index):
            setattr(self, name, values[name])

    @property
    def plain_values(self) -> dict[str, Any]:
        """The controls as JSON, by the API's names; without the pictures."""
        return {name: getattr(self, name) for name in NAMES if name != "images"}

    def take(self, controls: Controls) -> None:
        """Set every control as a value says."""
        plain = {name: getattr(controls, name) for name in PLAIN}
        self.set_controls(**{**dict.fromkeys(ADVANCED), **controls.advanced, **plain})

    @validate("images")
    def _valid_images(self, proposal: Any) -> tuple[Source, ...]:
        return tuple(input_sources.given(value) for value in proposal["value"])

    @validate("model", "size", "quality")
    def _valid_name(self, proposal: Any) -> str:
        return str(proposal["value"]).strip()
