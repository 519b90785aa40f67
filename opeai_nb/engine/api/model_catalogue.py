"""The models that the engine offers, each with the family whose limits and answers it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from opeai_nb.engine.faults.rehearsal import REHEARSALS
from opeai_nb.families import Family, family_of

_DAY: Final = 86_400.0
_HOUR: Final = 3_600.0
_CREATED: Final = 1_626_777_600  # what the gateway says of every model, platform.md 2.6


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One entry of `GET /v1/models`."""

    id: str
    family: Family
    owned_by: str
    description: str
    echo: str
    """The name that an answer carries, which an alias changes (platform.md 1.10)."""
    url_seconds: float
    """How long its picture URLs live: dall-e's 60 minutes, all others' 24 hours (platform.md 7)."""

    @property
    def async_only(self) -> bool:
        """Tell whether it answers with a task (platform.md 1.4)."""
        return self.family.answers == "task"


_OWNERS: Final = {"aliyun": "ali", "openai": "openai", "ark": "volcengine", "engine": "opeai_nb"}
_ALIASES: Final = {  # platform.md 1.10
    "doubao-seedream-4.5": "seedream-4-5-251128",
    "doubao-seedream-4-5-251128": "seedream-4-5-251128",
    "doubao-seedream-4.0": "seedream-4-0-250828",
    "doubao-seedream-4-0-250828": "seedream-4-0-250828",
}
_NAMES: Final = (
    "qwen-image-2.0",
    "qwen-image-2.0-pro",
    "qwen-image",
    "qwen-image-plus",
    "qwen-image-max",
    "wan2.6-t2i",
    "wan2.6-image",
    "wan2.5-t2i-preview",
    "z-image-turbo",
    *_ALIASES,
    "bytedance-seedream-5.0",
    "gpt-image-2",
    "gpt-image-1",
    "gpt-image-1-mini",
    "gpt-image-1.5",
    "dall-e-3",
    "dall-e-2",
    *REHEARSALS,
)


def _model(name: str) -> CatalogueModel:
    family = family_of(name)
    if family is None:
        raise LookupError(f"no family for {name}")
    return CatalogueModel(
        id=name,
        family=family,
        owned_by=_OWNERS[family.vendor],
        description=REHEARSALS[name].description if name in REHEARSALS else family.note,
        echo=_ALIASES.get(name, name),
        url_seconds=_HOUR if name.startswith("dall-e") else _DAY,
    )


MODELS: Final[dict[str, CatalogueModel]] = {name: _model(name) for name in _NAMES}


def listing(model: CatalogueModel, *, sync: bool) -> dict[str, Any]:
    """Return the JSON of *model* as the model endpoints show it (platform.md 1.7, 2.6).

    *sync*: whether the engine has no tasks but those of rehearsals.
    """
    async_only = model.async_only and not (sync and model.family.vendor != "engine")
    return {
        "id": model.id,
        "object": "model",
        "created": _CREATED,
        "owned_by": model.owned_by,
        "supported_endpoint_types": ["image-generation"],
        "features": {"async_only": async_only},
        "description": model.description,
    }
