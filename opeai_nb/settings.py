"""Settings: an argument wins over `%config`, that over the environment, that over the default."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

from opeai_nb.errors import OptionError

ENGINE_PREFIX: Final = "engine:"
ENGINE_CHOICES: Final = ("auto", "always", "never")

Origin = Literal["platform", "engine"]


class Secret:
    """An API key that shows itself to nobody: its repr says no more than that it is set."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the key, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "<key: set>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> Any:
        raise TypeError("an API key is never written anywhere")


@dataclass(frozen=True)
class Settings:
    """Where requests go and where pictures are kept.

    - *api_key*: env `OPEAI_API_KEY`. *base_url*: env `OPEAI_BASE_URL`; `engine:` is the embedded
      engine; default: the platform.
    - *engine*: `auto` (the platform when there is a key or a base URL, else the engine), `always`
      or `never`; env `OPEAI_NB_ENGINE`.
    - *library*: the folder of the library; env `OPEAI_NB_LIBRARY`; default `imagine/` where the
      work began. *allow_hosts*: private hosts that pictures may be downloaded from.
    - *replay*: show what is in the library instead of paying again. *metadata*: write what was
      asked into the picture files.
    """

    api_key: Secret | None = None
    base_url: str | None = None
    engine: str = "auto"
    library: Path = field(default_factory=lambda: Path("imagine"))
    allow_hosts: frozenset[str] = frozenset()
    replay: bool = True
    metadata: bool = True

    def __post_init__(self) -> None:
        if self.engine not in ENGINE_CHOICES:
            raise OptionError(
                f"engine is {self.engine!r}.", advice=f"Give one of: {', '.join(ENGINE_CHOICES)}."
            )
        if self.engine == "never" and self.says_engine:
            raise OptionError(
                "The base URL says engine:, and the setting engine says never.",
                advice="Change one of them.",
            )

    @property
    def says_engine(self) -> bool:
        """True where the base URL names the embedded engine."""
        return (self.base_url or "").lower().startswith(ENGINE_PREFIX)

    @property
    def engine_is_chosen(self) -> bool:
        """True where somebody asked for the engine, not only for want of a key."""
        return self.says_engine or self.engine == "always"

    @property
    def origin(self) -> Origin:
        """Return who paints: `"platform"` or `"engine"`.

        Raises `OptionError` when the engine is forbidden and there is no key to reach the platform.
        """
        if self.engine_is_chosen:
            return "engine"
        if self.api_key is not None or self.base_url is not None:
            return "platform"
        if self.engine == "never":
            raise OptionError(
                "There is no API key, and the embedded engine is forbidden.",
                advice="Set OPEAI_API_KEY, or Imagine.engine to auto. Nothing was sent.",
            )
        return "engine"


def settings(**given: Any) -> Settings:
    """Return the settings: what is *given*, else the environment, else the default.

    Raises `OptionError` for a name that is no setting, or a value that cannot be.
    """
    names = {item.name for item in fields(Settings)}
    if unknown := sorted(given.keys() - names):
        raise OptionError(
            f"There is no setting {unknown[0]!r}.", advice=f"There are: {', '.join(sorted(names))}."
        )
    values = {**_environment(), **{k: v for k, v in given.items() if v is not None}}
    if isinstance(values.get("api_key"), str):
        values["api_key"] = Secret(values["api_key"].strip()) if values["api_key"].strip() else None
    if "library" in values:
        values["library"] = Path(values["library"]).expanduser()
    if "allow_hosts" in values:
        values["allow_hosts"] = frozenset(values["allow_hosts"])
    return Settings(**values)


def _environment() -> dict[str, Any]:
    names = {
        "api_key": "OPEAI_API_KEY",
        "base_url": "OPEAI_BASE_URL",
        "engine": "OPEAI_NB_ENGINE",
        "library": "OPEAI_NB_LIBRARY",
    }
    found = {name: os.environ.get(variable, "").strip() for name, variable in names.items()}
    return {name: value for name, value in found.items() if value}
