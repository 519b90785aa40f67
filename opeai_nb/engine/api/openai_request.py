"""What is asked of the engine: a JSON body read as the gateway and the vendor behind it would."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Final, NoReturn

from opeai_nb.engine.api.error_envelope import ApiError, no_channel, refusal
from opeai_nb.engine.api.model_catalogue import MODELS, CatalogueModel
from opeai_nb.engine.faults.rehearsal import REHEARSALS
from opeai_nb.families import Family, accepts_size, parse_size

_FORMS: Final = ("b64_json", "url")
_N_MAX: Final = 128  # the gateway's own bound for every model, platform.md 2.4
_SQUARES: Final = {"1K": 1024, "2K": 2048, "3K": 3072, "4K": 4096, "AUTO": 1024}
_GPT_SIZES: Final = ((1024, 1024), (1536, 1024), (1024, 1536))
_OUTPUT_FORMATS: Final = ("png", "jpeg", "webp")
FIELD_TYPES: Final[dict[str, type]] = {  # platform.md 1.2
    "model": str,
    "prompt": str,
    "n": int,
    "size": str,
    "quality": str,
    "response_format": str,
    "output_format": str,
    "output_compression": int,
    "background": str,
    "moderation": str,
    "style": str,
    "user": str,
    "sequential_image_generation": str,
    "watermark": bool,
    "stream": bool,
}
_GO_NAMES: Final = {str: "string", int: "uint", bool: "bool", float: "number", list: "array"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A request that passed every check, complete enough to be painted again after a restart."""

    model: str
    prompt: str
    n: int = 1
    size: str = "1024x1024"
    """As an answer echoes it; may be a word such as `2K`."""
    width: int = 0
    height: int = 0
    """Pixels; 0 until the first input image has decided them."""
    quality: str = "auto"
    form: str = "b64_json"
    output_format: str = "png"
    output_compression: int = 100
    transparent: bool = False
    style: str | None = None
    watermark: bool = False
    seed: int | None = None
    prompt_extend: bool = False
    dialect: str = "openai"
    masked: bool = False
    """Whether the last of its input images is a mask."""
    take: int = 0
    """How many equal requests came before it: asked again, a model paints another picture."""

    def sized(self, width: int, height: int) -> ApiRequest:
        """Return it with the size that was left to the first input image."""
        if self.width:
            return self
        if self.model.startswith("gpt-image"):  # its three sizes alone, platform.md 4.1
            ratio = width / height
            width, height = min(_GPT_SIZES, key=lambda size: abs(size[0] / size[1] - ratio))
        return replace(self, size=f"{width}x{height}", width=width, height=height)

    def dumps(self) -> str:
        """Return it as JSON, as the store keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    @lru_cache(maxsize=1024)  # each poll of a task reads it again
    def loads(cls, text: str) -> ApiRequest:
        """Return the request that `dumps` wrote."""
        return cls(**json.loads(text))


def loads(body: bytes) -> dict[str, Any]:
    """Return the JSON object in *body*; ApiError 400 for anything else, however odd."""
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # also bad UTF-8 and integers without end
        raise ApiError("the request body is not valid JSON", code="bad_request_body") from error
    if not isinstance(value, dict):
        raise ApiError(
            f"json: cannot unmarshal {_go_name(value)} into Go value of type dto.ImageRequest",
            code="bad_request_body",
        )
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse(body: dict[str, Any], *, edits: int) -> ApiRequest:
    """Return the request in *body*, whose `image` field holds *edits* images (0: no edit).

    Raises ApiError for each mistake that the gateway or the vendor answers with an error. Fields
    that the model ignores are dropped unread (platform.md 1.9, 1.10).
    """
    _check_types(body)
    model = _model(text_of(body.get("model")))
    family = model.family
    fields = {
        name: value
        for name, value in body.items()
        if name in FIELD_TYPES and value is not None and name not in family.ignored
    }
    form = _form(family, body.get("response_format"))
    if model.id in REHEARSALS:
        form = REHEARSALS[model.id].form or form
    size, width, height = _size(family, fields.get("size") or "", edits)
    if fields.get("stream"):
        raise ApiError("stream=true is not supported on the OpenAI image relay yet")
    prompt = text_of(fields.get("prompt"))
    n = fields.get("n") or 1
    check_limits(family, prompt, n, edits)
    output_format, compression = _output(family, fields)
    return ApiRequest(
        model=model.id,
        prompt=prompt,
        n=_sequential(family, fields, prompt, n),
        size=size,
        width=width,
        height=height,
        quality=_choice(family, "quality", fields, family.qualities) or "auto",
        form=form,
        output_format=output_format,
        output_compression=compression,
        transparent=_transparent(family, fields, output_format),
        style=_style(family, fields),
        watermark=bool(fields.get("watermark", False)),
    )


def text_of(value: object) -> str:
    """Return a JSON string with lone surrogates replaced, as Go reads it; "" for None."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_limits(family: Family, prompt: str, n: int, edits: int) -> None:
    """Raise ApiError where the prompt, the count or the number of images is not *family*'s."""
    if not prompt.strip():
        raise ApiError("prompt is required")
    if family.prompt_max is not None and len(prompt) > family.prompt_max:
        raise refusal(
            family, f"prompt must be at most {family.prompt_max} characters long", "prompt"
        )
    if n > _N_MAX:
        raise ApiError(f"n must be an integer between 1 and {_N_MAX}")
    if n > family.n_max:
        raise refusal(family, f"n must be between 1 and {family.n_max} for this model", "n")
    if edits > family.images_max or edits < family.images_min:
        raise _wrong_images(family)


def _wrong_images(family: Family) -> ApiError:
    if family.images_max == 0:
        message = "this model does not accept image input; gpt-image-1 and qwen-image-2.0 do"
        return refusal(family, message, "image")
    return ApiError(  # the gateway's own check, platform.md 1.9
        f"this model takes {family.images_min} to {family.images_max} images in `image`",
        param="image",
    )


def _check_types(body: dict[str, Any]) -> None:
    for name, wanted in FIELD_TYPES.items():
        value = body.get(name)
        fits = value is None or (
            isinstance(value, wanted) and (wanted is not int or not isinstance(value, bool))
        )
        if not fits or (wanted is int and value is not None and value < 0):
            raise ApiError(
                f"json: cannot unmarshal {_go_name(value)} into Go struct field "
                f"ImageRequest.{name} of type {_GO_NAMES[wanted]}"
            )


def _go_name(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return "number"
    return _GO_NAMES.get(type(value), "object" if isinstance(value, dict) else "null")


def _model(name: str) -> CatalogueModel:
    if not name:
        raise ApiError("model is required")
    if name not in MODELS:
        raise no_channel(name)
    return MODELS[name]


def _form(family: Family, asked: str | None) -> str:
    """Return `b64_json` or `url`: the model's only one, else what is asked (1.2)."""
    if asked and asked not in _FORMS and "response_format" not in family.ignored:
        raise ApiError("response_format must be one of: b64_json, url", documented=True)
    if len(family.response_forms) == 1:
        return next(iter(family.response_forms))
    return asked or "b64_json"


def _size(family: Family, asked: str, edits: int) -> tuple[str, int, int]:
    """Return the size as echoed, and its pixels (0, 0: the first input image decides)."""
    if "×" in asked:
        raise ApiError(
            "size an unexpected error occurred in the parameter, "
            "please use 'x' instead of the multiplication sign '×'"
        )
    if edits and asked in {"", "auto"}:
        return "auto", 0, 0
    size = text_of(asked) or family.default_size or "1024x1024"
    if family.vendor == "aliyun":  # the gateway turns WxH into W*H, so both do: platform.md 1.9
        size = size.replace("*", "x")
    if not accepts_size(family, size):
        raise _wrong_size(family, size)
    width, height = pixels_of(size)
    return size, width, height


def pixels_of(size: str) -> tuple[int, int]:
    """Return the width and height of an accepted size, a word such as `2K` being a square."""
    sides = parse_size(size)
    return sides if sides is not None else (_SQUARES[size.upper()],) * 2


def _wrong_size(family: Family, size: str) -> ApiError:
    if family.name.startswith("dall-e"):  # checked by the gateway, platform.md 2.4
        return ApiError(f"size must be one of {', '.join(family.sizes)} for {family.name}")
    sides = parse_size(size)
    if (
        family.vendor == "ark"
        and family.pixels
        and sides
        and sides[0] * sides[1] < family.pixels[0]
    ):
        return refusal(family, f"image size must be at least {family.pixels[0]} pixels", "size")
    hint = f"; {family.note}" if family.pixels else ""
    shown = size if sides else size[:40]
    return refusal(
        family, f"Invalid size '{shown}'. Supported: {', '.join(family.sizes)}{hint}", "size"
    )


def _choice(
    family: Family, name: str, fields: dict[str, Any], allowed: tuple[str, ...]
) -> str | None:
    value: str | None = fields.get(name) or None
    if value is not None and allowed and value != "auto" and value not in allowed:
        raise refusal(family, f"{name} must be one of: {', '.join(allowed)}", name)
    return value


def _output(family: Family, fields: dict[str, Any]) -> tuple[str, int]:
    """Return the format and compression: Seedream paints JPEG (platform.md 4.2), the rest PNG."""
    if family.vendor == "ark":
        return "jpeg", 100
    format_ = _choice(family, "output_format", fields, _OUTPUT_FORMATS) or "png"
    compression = fields.get("output_compression") or 100  # 0 is not forwarded: platform.md 1.2
    if compression > 100:  # noqa: PLR2004  a percentage
        raise refusal(family, "output_compression must be between 0 and 100", "output_compression")
    return "png" if format_ == "auto" else format_, compression


def _transparent(family: Family, fields: dict[str, Any], output_format: str) -> bool:
    background = _choice(family, "background", fields, ("transparent", "opaque"))
    if background == "transparent" and output_format == "jpeg":
        raise refusal(
            family, "background transparent requires output_format png or webp", "background"
        )
    return background == "transparent"


def _style(family: Family, fields: dict[str, Any]) -> str | None:
    allowed = ("vivid", "natural") if family.name == "dall-e-3" else ()
    return _choice(family, "style", fields, allowed)


def _sequential(family: Family, fields: dict[str, Any], prompt: str, n: int) -> int:
    """Return how many pictures Seedream makes: n > 1 lets the model decide (platform.md 1.10)."""
    mode = _choice(family, "sequential_image_generation", fields, ("disabled", "auto"))
    if family.vendor != "ark":
        return n
    if mode == "disabled":
        return 1
    return n - 1 if n > 2 and sum(prompt.encode()) % 2 else n  # noqa: PLR2004  2 stay 2
