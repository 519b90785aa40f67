"""What is asked: one request for pictures, checked before anything is sent."""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.values.size import SAME, parse_size
from opeai_nb.errors import InputError, did_you_mean
from opeai_nb.families import size_for_picture, size_for_ratio
from opeai_nb.fields import BY_NAME, DEFAULT_MODEL, ELSEWHERE, FIELDS, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opeai_nb.client.values.image_input.input_image import InputImage


@dataclass(frozen=True)
class ImageRequest:
    """One request, with the API's own field names (platform.md 1.2). None: "not set, not sent".

    - *prompt*: what to paint; not empty.
    - *model*: default `qwen-image-2.0`.
    - *n*: how many pictures, 1 to 128; the platform's default is 1.
    - *size*: `"1024x1024"` (`×`, `*` and spaces are understood), `"2K"`, `"auto"`, a ratio such as
      `"16:9"` (becomes a size that the model takes), a pair (width, height), or `"same"`: the first
      input picture's, or the nearest that the model takes, by ratio, then by pixels.
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
    image: tuple[InputImage, ...] | Any = ()  # Any: whatever `input_images` takes may be given
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
        for item, value, default in zip(FIELDS, _values(self), _DEFAULTS, strict=True):
            if value is not default:
                object.__setattr__(self, item.name, _checked(item, value, self))
        if self.size == SAME:
            object.__setattr__(self, "size", _same_size(self))
        if self.dialect == "openai":
            _refuse_fields_without_place(self)

    @property
    def count(self) -> int:
        """How many pictures it asks for; the platform's own default where *n* is not set."""
        return self.n or 1

    def for_prompts(self) -> Callable[[str], ImageRequest]:
        """Return what makes the same request for another prompt; nothing else is checked again.

        It raises `InputError` for a prompt that cannot be right.
        """
        named = zip(_NAMES, _in_order(self), strict=True)
        # The class itself has None for what is not set.
        values = [(name, value) for name, value in named if value is not None and name != "prompt"]

        def made(prompt: str) -> ImageRequest:
            again = object.__new__(ImageRequest)
            object.__setattr__(again, "prompt", _prompt(prompt))
            for name, value in values:
                object.__setattr__(again, name, value)
            return again

        return made

    def set_fields(self) -> dict[str, Any]:
        """Return the fields that were set, by name; *image* as a tuple of `InputImage`."""
        return {
            name: value
            for name, value in zip(_NAMES, _in_order(self), strict=True)
            if value or (value is not None and value not in _EMPTY)
        }


_EMPTY: Final[tuple[Any, ...]] = ((), {})
_NAMES: Final = tuple(item.name for item in fields(ImageRequest))
# One call for all: a plan of a hundred thousand rows asks each for twenty fields, most of them None
_DEFAULTS: Final = tuple(
    {item.name: item.default for item in fields(ImageRequest)}[name] for name in BY_NAME
)
_values: Final = attrgetter(*BY_NAME)
_in_order: Final = attrgetter(*_NAMES)
_WITHOUT_PLACE: Final = tuple(item for item in FIELDS if not item.fits("openai"))


def wanted(request: ImageRequest | None) -> int:
    """Return how many pictures were asked for; one where nobody knows."""
    return 1 if request is None else request.count


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
    for name in values:
        if name not in BY_NAME:
            raise InputError(
                f"There is no field {name!r}.{did_you_mean(name, BY_NAME, elsewhere=ELSEWHERE)}",
                advice=f"Pass a field that the toolkit does not know as extra={{{name!r}: …}}. "
                "Nothing was sent.",
            )
    if isinstance(prompt, ImageRequest):
        return replace(prompt, **values)
    if prompt is not None:
        values["prompt"] = prompt
    return ImageRequest(**{"prompt": "", **values})


def _checked(item: Field, value: Any, request: ImageRequest) -> Any:
    match item.name, item.kind:
        case "prompt", _:
            return _prompt(value)
        case "model", _:
            return _model(value)
        case "dialect", _ if value is None:
            return "openai"
        case "size", _:
            return _size(value, request.model)
        case _, "image":
            return _images(value)
        case _, "pairs":
            return _extra(value, sized=request.size is not None)
        case _, "integer":
            return _integer(item, value)
        case _, "flag":
            return _flag(item.name, value)
    return _text(item, value)


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


def _size(value: object, model: str) -> str:
    # Of ten thousand rows most ask for the same size.
    return _size_of_text(value, model) if isinstance(value, str) else _any_size(value, model)


def _any_size(value: object, model: str) -> str:
    size = parse_size(value)
    return size if isinstance(size, str) else size_for_ratio(model, size)


_size_of_text = lru_cache(64)(_any_size)


def _same_size(request: ImageRequest) -> str:
    """Return the size of the first input picture. Raises `InputError` where none is known."""
    if not request.image:
        raise InputError(
            "size is same, and there is no input picture.",
            advice="Give a picture, or a size such as 1024x1024. Nothing was sent.",
        )
    if (sides := request.image[0].size) is None:
        raise InputError(
            "size is same, and the pixels of a picture that is given as a URL are not known here.",
            advice="Download it first, or give a size such as 1024x1024. Nothing was sent.",
        )
    if (size := size_for_picture(request.model, sides)) is None:
        raise InputError(
            f"size is same, and {request.model} is not known to take a size of the shape of "
            f"{sides[0]}x{sides[1]}.",
            advice="Leave the size out, or give one. Nothing was sent.",
        )
    return size


def _images(value: object) -> tuple[InputImage, ...]:
    if value is None or (isinstance(value, (tuple, list)) and not value):
        return ()
    from opeai_nb.client.values.image_input.input_image import input_images

    return input_images(value)


def _integer(item: Field, value: object) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError(item.name)
        number = operator.index(value)  # type: ignore[arg-type]  # what is no integer raises here
    except TypeError as error:
        raise _wrong(f"{item.name} is {value!r}, not a whole number.", item) from error
    if item.span and not item.span[0] <= number <= item.span[1]:
        raise _wrong(f"{item.name} is {number}.", item)
    return number


def _wrong(message: str, item: Field) -> InputError:
    wanted = f"a number from {item.range}" if item.range else f"one of: {', '.join(item.choices)}"
    return InputError(message, advice=f"Give {wanted}. Nothing was sent.")


def _text(item: Field, value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"{item.name} is {value!r}, not text.")
    if item.kind == "choice" and value not in item.choices:
        raise _wrong(f"{item.name} is {value!r}.", item)
    return _sendable(item.name, value)


def _sendable(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"The {name} holds half of a character pair (a lone surrogate)."
        ) from error
    return value


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise InputError(f"{name} is {value!r}.", advice="Give True or False. Nothing was sent.")


def _extra(value: object, *, sized: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"extra is a {type(value).__name__}, not a dict of extra fields.")
    if not value:
        return {}
    for name in value:
        if name in BY_NAME and (sized or name != "size"):
            raise InputError(f"extra holds {name!r}, which is a field of its own.")
    if value.get("stream"):
        raise InputError("extra holds stream, which the platform's image endpoint refuses.")
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"extra cannot be written as JSON: {error}.") from error
    return dict(value)


def _refuse_fields_without_place(request: ImageRequest) -> None:
    for item in _WITHOUT_PLACE:
        if getattr(request, item.name) is not None:
            raise InputError(
                f"{item.name} would be dropped silently by this endpoint.",
                advice=f'Add dialect="{item.only}" to use {item.name}, or leave it out. '
                "Nothing was sent.",
            )
