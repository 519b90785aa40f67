"""The controls as values and as traits: from them to a request, and from a request to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, HasTraits, Int, Tuple, Unicode, validate

from opeai_nb.client.values.request import ImageRequest
from opeai_nb.fields import DEFAULT_MODEL, FIELDS
from opeai_nb.notebook.panel import input_sources
from opeai_nb.notebook.panel.model_options import ModelOptions, options_of, size_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.values.only import Only
    from opeai_nb.notebook.panel.input_sources import Source
    from opeai_nb.presets.preset import Preset

ADVANCED_FIELDS: Final = tuple(item for item in FIELDS if item.label)
PLAIN: Final = ("preset", "model", "prompt", "size", "quality", "n", "images")
ADVANCED: Final = tuple(item.name for item in ADVANCED_FIELDS)
NAMES: Final = (*PLAIN, *ADVANCED)
_IN_ORDER: Final = (*NAMES, "only")
_EMPTY: Final = {"size": "", "quality": "", "n": 1}


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
    preset: str = ""

    def request(
        self, defaults: Mapping[str, Any] | None = None, preset: Preset | None = None
    ) -> ImageRequest:
        """Return the request, the *preset* expanded. Raises `InputError` for what cannot be right.

        *defaults* are those of `%config Imagine`: a cell would add them, so the panel does too,
        and both ask for the same.
        """
        advanced = {name: value for name, value in self.advanced.items() if value not in (None, "")}
        said: dict[str, Any] = {**advanced, "model": self.model}
        said |= {k: v for k in ("size", "quality") if (v := getattr(self, k))}
        if self.n != 1 or "n" in {**(defaults or {}), **(preset.fields if preset else {})}:
            said["n"] = self.n
        if self.images:
            said["image"] = [image for source in self.images for image in source.images]
        prompt = self.prompt.strip()
        if preset is not None:
            said = preset.under(said)
            prompt = prompt and preset.around(prompt)  # of nothing there is nothing to say
        return ImageRequest(prompt, **{**(defaults or {}), **said})

    def with_preset(self, former: Preset | None, preset: Preset | None) -> Controls:
        """Return the controls for another preset: they show what it sets.

        What the *former* one had set is taken back, but for the model.
        """
        values = {**{name: getattr(self, name) for name in PLAIN}, **self.advanced}
        for name, value in set_by(former).items():
            if name != "model" and values.get(name) == value:
                values[name] = _EMPTY.get(name)
        now = set_by(preset)
        plain, advanced = _parted(values)
        fitting = Controls(**plain, advanced=advanced)
        if now.get("model", self.model) != self.model:
            fitting = fitting.adapted(now["model"])
        plain, advanced = _parted(now)
        if "extra" in advanced:
            advanced["extra"] = {**advanced["extra"], **(fitting.advanced.get("extra") or {})}
        return replace(fitting, **plain, advanced={**fitting.advanced, **advanced})

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


def set_by(preset: Preset | None) -> dict[str, Any]:
    """Return the controls that a preset sets; a size as text."""
    fields = {} if preset is None else {k: v for k, v in preset.fields.items() if k in NAMES}
    if not isinstance(fields.get("size", ""), str):
        fields["size"] = "x".join(map(str, fields["size"]))
    return fields


def _parted(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return those of *values* that always show, and the advanced ones."""
    plain = {name: value for name, value in values.items() if name in PLAIN}
    advanced = {name: value for name, value in values.items() if name in ADVANCED}
    return plain, {name: value for name, value in advanced.items() if value not in (None, {})}


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
        n=request.count,
        images=images,
        advanced={name: value for name, value in advanced.items() if value not in (None, {})},
    )


class ControlTraits(HasTraits):
    """What a person sets, by the API's names. "" and None mean: not set, not sent."""

    preset = Unicode("")
    prompt = Unicode("")
    model = Unicode(DEFAULT_MODEL)
    n = Int(1, min=1, max=128)
    size = Unicode("")
    quality = Unicode("")
    images = Tuple()
    only = AnyTrait(None, allow_none=True)
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
        """Set several controls; the preset and the model first, as the others depend on them."""
        for name in sorted(values, key=_IN_ORDER.index):
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

    @validate("only")
    def _valid_only(self, proposal: Any) -> Only | None:
        if proposal["value"] is None:
            return None
        from opeai_nb.client.values.only import only_in  # which most panels do without

        given = [image for source in self.images for image in source.images]
        return only_in(ImageRequest("an edit", image=given), proposal["value"])

    @validate("preset", "model", "size", "quality")
    def _valid_name(self, proposal: Any) -> str:
        return str(proposal["value"]).strip()
