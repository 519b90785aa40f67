"""The controls as traits, by the names of the API's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from traitlets import Bool, Dict, HasTraits, Int, Tuple, Unicode, validate

from opeai_nb.fields import DEFAULT_MODEL
from opeai_nb.notebook.panel import input_sources
from opeai_nb.notebook.panel.controls import ADVANCED_FIELDS, Controls
from opeai_nb.notebook.panel.model_options import ModelOptions, options_of

if TYPE_CHECKING:
    from opeai_nb.notebook.panel.input_sources import Source

PLAIN: Final = ("model", "prompt", "size", "quality", "n", "images")
ADVANCED: Final = tuple(field.name for field in ADVANCED_FIELDS)
NAMES: Final = (*PLAIN, *ADVANCED)


class ControlTraits(HasTraits):
    """What a person sets. "" and None mean: not set, not sent."""

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
