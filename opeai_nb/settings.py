"""Settings: an argument wins over `%config`, that over the environment, that over the default.

The environment is completed by the nearest `.env` file, read anew on each call. A key is looked
for in this order: given, typed (`%imagine key`), environment, `.env`, system keyring, Colab; for a
server that a `.env` names, in that file alone.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from opeai_nb.errors import OptionError
from opeai_nb.plain_file import read_plain
from opeai_nb.secret import Secret, secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENGINE_PREFIX: Final = "engine:"
CHOICES: Final = ("auto", "always", "never")
"""Of the engine, and of sub-folders."""
SubfolderChoice = Literal["auto", "always", "never"]

VARIABLES: Final = {
    "api_key": "OPEAI_API_KEY",
    "base_url": "OPEAI_BASE_URL",
    "engine": "OPEAI_NB_ENGINE",
    "library": "OPEAI_NB_LIBRARY",
    "subfolders": "OPEAI_NB_SUBFOLDERS",
    "max_images_per_session": "OPEAI_NB_MAX_IMAGES_PER_SESSION",
    "max_cost_per_session": "OPEAI_NB_MAX_COST_PER_SESSION",
    "prices": "OPEAI_NB_PRICES",
}
"""Which setting each variable of the environment, or line of a `.env` file, gives."""

Origin = Literal["platform", "engine"]

_NO_KEY: Final = (
    "The file .env names a server (OPEAI_BASE_URL) without a key for it: yours is not sent there."
)
_OUTSIDE: Final = "The file .env puts the library (OPEAI_NB_LIBRARY) outside its own folder."
_KEY_NAME: Final = VARIABLES["api_key"]
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(?P<name>OPEAI_[A-Z_]+)\s*=\s*(?P<value>.*?)\s*")
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>.*?)(?P=quote)\s*(?:#.*)?""")
_LARGEST: Final = 1_000_000  # bytes of a `.env`: nobody writes more
_COMMENT = re.compile(r"(?:^|\s+)#.*")


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
      asked into the picture files. *subfolders*: whether new pictures lie in sub-folders of the
      library by date: `always`, `never`, or `auto` (in a library of more than 10,000 records, for a
      batch of more than 10,000 rows, and where there are some already); env `OPEAI_NB_SUBFOLDERS`.
    - *max_images_per_session*: how many pictures are asked for before somebody has to agree to
      more; 0: any number; env `OPEAI_NB_MAX_IMAGES_PER_SESSION`.
    - *prices*: prices and presets of the user's, as a TOML file or a mapping; env
      `OPEAI_NB_PRICES`.
      *max_cost_per_session*: what may be spent by it before somebody has to agree to more; empty:
      any amount; env `OPEAI_NB_MAX_COST_PER_SESSION`.
    - *refusal*: what a `.env` file wants and does not get; while it stands, nothing is sent.
    """

    api_key: Secret | None = None
    base_url: str | None = None
    engine: str = "auto"
    library: Path = field(default_factory=lambda: Path("imagine"))
    allow_hosts: frozenset[str] = frozenset()
    replay: bool = True
    metadata: bool = True
    subfolders: SubfolderChoice = "auto"
    max_images_per_session: int = 0
    prices: Path | Mapping[str, Any] | None = None
    max_cost_per_session: str = ""
    refusal: str | None = None

    def __post_init__(self) -> None:
        for name in ("engine", "subfolders"):
            if (value := getattr(self, name)) not in CHOICES:
                raise OptionError(
                    f"{name} is {value!r}.", advice=f"Give one of: {', '.join(CHOICES)}."
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
    def asks(self) -> Origin:
        """Return who would be asked: the platform also where there is no key to reach it.

        What the library holds of the platform is shown without one. Raises as `origin` does for a
        `refusal`.
        """
        if self.engine == "never" and self.refusal is None:
            return "platform"
        return self.origin

    @property
    def origin(self) -> Origin:
        """Return who paints: `"platform"` or `"engine"`.

        Raises `OptionError` when the engine is forbidden and there is no key to reach the platform,
        and for a `refusal`.
        """
        if self.refusal is not None:
            raise OptionError(
                self.refusal,
                advice="If that is what you want, set it in the environment. Nothing was sent.",
            )
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
    names = {item.name for item in fields(Settings)} - {"refusal"}
    if unknown := sorted(given.keys() - names):
        raise OptionError(
            f"There is no setting {unknown[0]!r}.", advice=f"There are: {', '.join(sorted(names))}."
        )
    values = _merged(_dotenv(), _environment(), {**_typed, **_told(given)})
    chosen = Settings(**_told(values, "base_url", "engine")).engine_is_chosen
    if "api_key" not in values and not chosen:
        values["api_key"] = _stored_key()
    if isinstance(values.get("api_key"), str):
        values["api_key"] = secret(values["api_key"], "given")
    values = {name: value for name, value in values.items() if value is not None}
    if "library" in values:
        values["library"] = _path("library", values["library"])
    if isinstance(limit := values.get("max_images_per_session"), str):
        values["max_images_per_session"] = _count(limit)
    if isinstance(prices := values.get("prices"), str):
        values["prices"] = _path("prices", prices)
    if "allow_hosts" in values:
        values["allow_hosts"] = frozenset(values["allow_hosts"])
    return Settings(**values)


def _path(name: str, text: str | Path) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise OptionError(
            f"{VARIABLES[name]} is {str(text)!r}, and there is no such home folder.",
            advice="Write the path out. Nothing was sent.",
        ) from error


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise OptionError(
            f"{VARIABLES['max_images_per_session']} is {text[:40]!r}, not a whole number.",
            advice="Correct it, or take it out. Nothing was sent.",
        )
    return int(text)


_MOST_DIGITS: Final = 12  # Python itself refuses more than 4,300


def _merged(file: _Dotenv, environment: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Return the values that hold: *said* in the session, else the environment's, else the file's.

    A folder that was cloned or unpacked is one's own, and its `.env` is a stranger's: a server that
    it names gets the key of the same file and no other, and a library lies below its folder.
    """
    values = {**file.values, **environment, **said}
    alone = file.values.keys() - environment.keys() - said.keys()
    if "library" in alone and not _is_below(values["library"], file.folder):
        return {**values, "library": None, "refusal": _OUTSIDE}
    url = str(values.get("base_url", "")).lower()
    if "base_url" in alone and not url.startswith(ENGINE_PREFIX):
        if "api_key" not in file.values or "api_key" in said:
            return {**values, "base_url": None, "refusal": _NO_KEY}
        values["api_key"] = file.values["api_key"]
    return values


def _is_below(path: str, folder: Path) -> bool:
    """Tell whether *path*, as it is meant in the working directory, lies below *folder*."""
    try:
        return Path(path).expanduser().resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop, a user who is not, a NUL: no folder
        return False


def sources() -> dict[str, str]:
    """Return which settings the environment and the `.env` file give now, and which of the two."""
    told = dict.fromkeys(_dotenv().values, ".env file")
    return {**told, **dict.fromkeys(_environment(), "environment")}


def _told(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in values.items() if v is not None and (not names or k in names)}


# -- where settings are found


def _environment() -> dict[str, Any]:
    return _found(dict(os.environ), "environment")


class _Dotenv(NamedTuple):
    """What a `.env` file says, and the folder it lies in."""

    values: dict[str, Any]
    folder: Path


def _dotenv() -> _Dotenv:
    """Return what the nearest `.env` says: of the working directory, else of a folder above it.

    Only the `OPEAI_` variables are looked at, and only in files and folders of the user's own: a
    file that somebody else put into a shared folder could send the key elsewhere. Parsed
    here, not by python-dotenv: three regular expressions are no reason for a dependency.
    """
    for folder in _own_folders_here():
        path = folder / ".env"
        if path.is_file() and _is_own(path):
            try:
                # Through a link, for one's own files are linked; what it leads to is one's own.
                text = read_plain(path, _LARGEST, links=True).decode("utf-8-sig", "replace")
            except OSError as error:
                raise OptionError(
                    f"The file .env cannot be read: {error.strerror}.",
                    advice=f"Mend it or take it away: {path}. Nothing was sent.",
                ) from error
            lines = text.splitlines()
            written = (_ASSIGNMENT.fullmatch(line) for line in lines)
            variables = {w["name"]: _plain(w["value"]) for w in written if w}
            return _Dotenv(_found(variables, ".env file"), folder)
    return _Dotenv({}, Path())


def _own_folders_here() -> Iterator[Path]:
    try:
        here = Path.cwd()
    except FileNotFoundError:  # removed, as a temporary folder is that somebody went into
        return
    yield from _own_folders(here)


def _own_folders(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        if not _is_own(folder):
            return
        yield folder
        if folder == _home():
            return


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # a user without a home, as containers make them
        return None


def _is_own(path: Path) -> bool:
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()


def _plain(value: str) -> str:
    quoted = _QUOTED.fullmatch(value)
    return quoted["text"] if quoted else _COMMENT.sub("", value)


def _found(variables: dict[str, str], source: str) -> dict[str, Any]:
    texts = {name: variables.get(variable, "").strip() for name, variable in VARIABLES.items()}
    found: dict[str, Any] = {name: text for name, text in texts.items() if text}
    if "api_key" in found:
        found["api_key"] = secret(found["api_key"], source)
    return found


# -- a key that somebody typed, or that this machine keeps

_typed: dict[str, Any] = {}


def take_key(text: str) -> bool:
    """Use this key from now on; tell whether the system keyring keeps it beyond this session.

    It is kept in the memory of this process, and in the system keyring where the package
    `keyring` is installed and finds one. Empty *text* forgets it in both.
    """
    key = secret(text, "typed")
    _typed.clear()
    if key is not None:
        _typed["api_key"] = key
    _stored_key.cache_clear()
    return _keep(key)


def _keep(key: Secret | None) -> bool:
    ring = _keyring()
    if ring is None:
        return False
    try:
        if key is not None:
            ring.set_password("opeai_nb", _KEY_NAME, key.reveal())
        elif ring.get_password("opeai_nb", _KEY_NAME) is not None:
            ring.delete_password("opeai_nb", _KEY_NAME)
    except ring.errors.KeyringError:  # no keyring on this machine, or it is locked
        return False
    return key is not None


@lru_cache(1)
def _stored_key() -> Secret | None:
    """Return the key that the system keyring or Colab keeps; asked once: both may ask back."""
    ring = _keyring()
    if ring is not None:
        try:
            kept = ring.get_password("opeai_nb", _KEY_NAME)
        except ring.errors.KeyringError:  # no keyring on this machine, or it is locked
            kept = None
        if kept:
            return secret(kept, "system keyring")
    return _colab_key()


def _keyring() -> Any:
    return import_module("keyring") if find_spec("keyring") else None


def _colab_key() -> Secret | None:
    if "google.colab" not in sys.modules:
        return None
    userdata = import_module("google.colab.userdata")
    try:
        return secret(userdata.get(_KEY_NAME), "Colab secret")
    except (
        userdata.SecretNotFoundError,
        userdata.NotebookAccessError,
        userdata.TimeoutException,
    ):  # it has none, or the notebook may not read it
        return None
