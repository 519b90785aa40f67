"""A body of the Aliyun-native endpoint, read as DashScope reads it (platform.md 1.8, 3.2, 3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opeai_nb.engine.api.error_envelope import ApiError, no_channel, refusal
from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.api.openai_request import ApiRequest, check_limits, pixels_of, text_of
from opeai_nb.engine.work.image_inputs import Reference, references
from opeai_nb.families import Family, accepts_size

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEED_MAX: Final = 2_147_483_647  # platform.md 3.5, as is the next
_NEGATIVE_MAX: Final = 500  # characters
_N_DEFAULTS: Final = {"wan2.6-t2i": 4, "wan2.6-image": 4, "wan2-t2i": 4}  # upstream's, 3.5
_SIZE_DEFAULTS: Final = {"qwen-image-2.0": "2048x2048"}  # upstream's, 3.5
_PARAMETERS: Final[dict[str, type]] = {
    "size": str,
    "n": int,
    "seed": int,
    "negative_prompt": str,
    "prompt_extend": bool,
    "watermark": bool,
}


def parse_native(body: Mapping[str, Any]) -> tuple[ApiRequest, list[Reference]]:
    """Return the request in *body* and the references of its input images.

    ApiError 503 for a model without an Aliyun channel, 400 for what DashScope refuses.
    """
    family, name = _model(body.get("model"))
    text, images = _content(body.get("input"))
    parameters = _parameters(body.get("parameters"))
    n = parameters.get("n", _N_DEFAULTS.get(family.name, 1))
    if n < 1:
        raise refusal(family, "n must be at least 1", "n")
    check_limits(family, text, n, len(images))
    size, width, height = _size(family, parameters.get("size"), len(images))
    request = ApiRequest(
        model=name,
        prompt=text,
        n=n,
        size=size,
        width=width,
        height=height,
        form="url",
        watermark=parameters.get("watermark", False),
        seed=parameters.get("seed"),
        prompt_extend=parameters.get("prompt_extend", False),
        dialect="aliyun",
    )
    return request, images


def _model(value: object) -> tuple[Family, str]:
    name = text_of(value)
    if not name:
        raise ApiError("model is required")
    model = MODELS.get(name)
    if model is None or model.family.vendor not in ("aliyun", "engine"):
        raise no_channel(name)
    return model.family, name


def _content(value: object) -> tuple[str, list[Reference]]:
    """Return the one text and the images of the one message, or of the older form (3.2)."""
    if isinstance(value, dict) and "messages" not in value and "prompt" in value:
        pictures = (value.get(name) for name in ("images", "base_image_url", "ref_img"))
        return text_of(value["prompt"]), references([picture for picture in pictures if picture])
    messages = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(messages, list) or len(messages) != 1 or not isinstance(messages[0], dict):
        raise _bad("input.messages must hold exactly one message")
    if messages[0].get("role") != "user":
        raise _bad("input.messages[0].role must be user")
    items = messages[0].get("content")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _bad("input.messages[0].content must be an array of objects")
    texts = [item["text"] for item in items if "text" in item]
    images = [item["image"] for item in items if "image" in item]
    if len(texts) != 1 or not isinstance(texts[0], str):
        raise _bad("input.messages[0].content must hold exactly one text")
    if not all(isinstance(image, str) and image for image in images):
        raise _bad("an image must be a URL or a data URL")
    return text_of(texts[0]), images


def _parameters(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _bad("parameters must be an object")
    parameters = {name: value[name] for name in _PARAMETERS if value.get(name) is not None}
    for name, parameter in parameters.items():
        wanted = _PARAMETERS[name]
        if not isinstance(parameter, wanted) or (wanted is int and isinstance(parameter, bool)):
            raise _bad(f"parameters.{name} has the wrong type")
    if not 0 <= parameters.get("seed", 0) <= _SEED_MAX:
        raise _bad(f"parameters.seed must be from 0 to {_SEED_MAX}")
    if len(parameters.get("negative_prompt", "")) > _NEGATIVE_MAX:
        raise _bad(f"parameters.negative_prompt may have at most {_NEGATIVE_MAX} characters")
    return parameters


def _size(family: Family, asked: str | None, edits: int) -> tuple[str, int, int]:
    if asked is None and edits:
        return "auto", 0, 0
    default = _SIZE_DEFAULTS.get(family.name, family.default_size or "1024x1024")
    size = text_of(asked).replace("*", "x") if asked else default
    if (asked and "x" in asked) or not accepts_size(family, size):
        sizes = ", ".join(family.sizes).replace("x", "*")
        raise _bad(f"parameters.size must be width*height within the model's limits, as {sizes}")
    width, height = pixels_of(size)
    return size, width, height


def _bad(message: str) -> ApiError:
    return ApiError(message, code="InvalidParameter")
