"""What is asked: one request for pictures, checked before anything is sent."""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.size import parse_size
from opeai_nb.errors import InputError
from opeai_nb.families import size_for_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.values.input_image import InputImage

DEFAULT_MODEL: Final = "qwen-image-2.0"
MAX_N: Final = 128  # platform.md 2.4
ALIYUN_ONLY: Final = ("seed", "negative_prompt", "prompt_extend")
_TEXTS: Final = (
    *("quality", "response_format", "output_format", "background", "moderation", "style", "user"),
    *("sequential_image_generation", "negative_prompt"),
)
_CHOICES: Final = {
    "response_format": ("b64_json", "url"),
    "sequential_image_generation": ("disabled", "auto"),
    "dialect": ("openai", "aliyun"),
}


@dataclass(frozen=True)
class ImageRequest:
    """One request, with the API's own field names (platform.md 1.2). None: "not set, not sent".

    - *prompt*: what to paint; not empty.
    - *model*: default `qwen-image-2.0`.
    - *n*: how many pictures, 1 to 128; the platform's default is 1.
    - *size*: `"1024x1024"` (`×`, `*` and spaces are understood), `"2K"`, `"auto"`, a ratio such as
      `"16:9"` (becomes a size that the model takes) or a pair (width, height).
    - *quality*: passed to the model; the platform's default is `auto`.
    - *response_format*: `b64_json` (the platform's default) or `url`. Either way the pictures are
      fetched; models that answer with a task ignore it.
    - *image*: input pictures; their presence means editing. A path, URL, data URL, base64, bytes,
      file object, PIL image, numpy array, `Picture`, `Generation`, dict, or a list of them.
    - *output_format*, *output_compression* (0 to 100; the platform drops 0), *background*,
      *moderation*: for GPT Image models. *style*: for the others. *user*: an end user's name.
    - *sequential_image_generation*: `disabled` or `auto` (Seedream). *watermark*: default false.
    - *extra*: further fields, sent as they are; a *size* of a form that we do not know as well.
    - *dialect*: `openai` (default) or `aliyun`; only the latter takes *seed* (0 to 2147483647),
      *negative_prompt* and *prompt_extend* (platform.md 2.3, 3.5).

    Raises `InputError` for what cannot be right; a model or size that we do not know is sent.
    """

    prompt: str
    model: str = DEFAULT_MODEL
    n: int | None = None
    size: str | None = None
    quality: str | None = None
    response_format: str | None = None
    image: tuple[InputImage, ...] = ()
    output_format: str | None = None
    output_compression: int | None = None
    background: str | None = None
    moderation: str | None = None
    style: str | None = None
    user: str | None = None
    sequential_image_generation: str | None = None
    watermark: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    dialect: str = "openai"
    seed: int | None = None
    negative_prompt: str | None = None
    prompt_extend: bool | None = None

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "prompt": _prompt(self.prompt),
            "model": _model(self.model),
            "n": _integer("n", self.n, 1, MAX_N),
            "output_compression": _integer("output_compression", self.output_compression, 0, 100),
            "seed": _integer("seed", self.seed, 0, 2**31 - 1),
            "size": _size(self.size, self.model),
            "image": _images(self.image),
            "extra": _extra(self.extra, sized=self.size is not None),
            **{name: _text(name, getattr(self, name)) for name in _TEXTS},
            **{name: _flag(name, getattr(self, name)) for name in ("watermark", "prompt_extend")},
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        for name, allowed in _CHOICES.items():
            _check_choice(name, getattr(self, name), allowed)
        if self.dialect != "aliyun":
            _refuse_aliyun_fields(self)

    def set_fields(self) -> dict[str, Any]:
        """Return the fields that were set, by name; *image* as `InputImage`s, *extra* as given."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in values.items() if value not in (None, (), {})}


def build_request(prompt: str | ImageRequest | None, values: Mapping[str, Any]) -> ImageRequest:
    """Return the request for a prompt and keyword arguments, or the given request with changes.

    Raises `InputError` for a name that is no field, with the nearest one, and for `stream=True`.
    """
    values = dict(values)
    if values.pop("stream", None):
        raise InputError(
            "stream=True is not supported by the platform's image endpoint.",
            advice="Leave it out: the pictures come when they are ready. Nothing was sent.",
        )
    known = {item.name for item in fields(ImageRequest)}
    for name in values:
        if name not in known:
            raise InputError(
                f"There is no field {name!r}.{_did_you_mean(name, known)}",
                advice=f"Pass a field that the toolkit does not know as extra={{{name!r}: …}}. "
                "Nothing was sent.",
            )
    if isinstance(prompt, ImageRequest):
        return replace(prompt, **values)
    if prompt is not None:
        values["prompt"] = prompt
    return ImageRequest(**{"prompt": "", **values})


def _did_you_mean(name: str, known: set[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _prompt(value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"The prompt is a {type(value).__name__}, not text.")
    if not value.strip():
        raise InputError(
            "The prompt is empty.", advice="Say what the picture shows. Nothing was sent."
        )
    return _sendable("prompt", value.strip())


def _model(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"model {value!r} is not the name of a model.")
    return _sendable("model", value.strip())


def _size(value: object, model: str) -> str | None:
    if value is None:
        return None
    size = parse_size(value)
    return size if isinstance(size, str) else size_for_ratio(model, size)


def _images(value: object) -> tuple[InputImage, ...]:
    if value is None or (isinstance(value, (tuple, list)) and not value):
        return ()
    from opeai_nb.client.values.input_image import input_images

    return input_images(value)


def _integer(name: str, value: object, low: int, high: int) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise TypeError(name)
        number = operator.index(value)  # type: ignore[arg-type]  # what is no integer raises here
    except TypeError as error:
        raise InputError(
            f"{name} is {value!r}, not a whole number.",
            advice=f"Give a number from {low} to {high}. Nothing was sent.",
        ) from error
    if not low <= number <= high:
        raise InputError(
            f"{name} is {number}.", advice=f"Give a number from {low} to {high}. Nothing was sent."
        )
    return number


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(f"{name} is {value!r}, not text.")
    return _sendable(name, value)


def _sendable(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"The {name} holds half of a character pair (a lone surrogate)."
        ) from error
    return value


def _flag(name: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise InputError(f"{name} is {value!r}.", advice="Give True or False. Nothing was sent.")


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise InputError(
            f"{name} is {value!r}.", advice=f"Give one of: {', '.join(allowed)}. Nothing was sent."
        )


def _extra(value: object, *, sized: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"extra is a {type(value).__name__}, not a dict of further fields.")
    for name in value:
        if name in ImageRequest.__dataclass_fields__ and (sized or name != "size"):
            raise InputError(f"extra holds {name!r}, which is a field of its own.")
    if value.get("stream"):
        raise InputError("extra holds stream, which the platform's image endpoint refuses.")
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"extra cannot be written as JSON: {error}.") from error
    return dict(value)


def _refuse_aliyun_fields(request: ImageRequest) -> None:
    for name in ALIYUN_ONLY:
        if getattr(request, name) is not None:
            raise InputError(
                f"{name} would be dropped silently by this endpoint.",
                advice=f'Add dialect="aliyun" to use {name}, or leave it out. Nothing was sent.',
            )
