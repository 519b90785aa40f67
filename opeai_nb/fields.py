"""The fields of a request, each told once.

The magic's options and their help, completion, the panel's further options, the columns of a batch,
the flags of the command line, what each dialect sends and the checks of `ImageRequest` are made of
this table. The embedded engine has its own, on purpose: it reads the API as a server does.

Sources: platform.md 1.2 (fields, choices), 2.3 and 3.5 (the aliyun dialect), 2.4 (the bound of n).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT_MODEL: Final = "qwen-image-2.0"
DEFAULT_TIMEOUT: Final = 900.0
"""Seconds that a task is waited for, unless said otherwise."""


@dataclass(frozen=True)
class Field:
    """A field of a request; an option that concerns the notebook alone is told in the same way.

    *kind* is one of
    `text` (free), `word` (in an option, `a,b` are two values), `integer`, `number` (of seconds),
    `flag` (yes or no), `switch` (on when it is named), `image` (pictures), `pairs` (a dict).
    *help* is the option's line where *choices* or the range do not say it; *metavar* names its
    value there. *short* is its spelling of one letter, *option* a spelling that is not the name's.
    *label* names its control among the panel's further options; empty: it has none there.
    *choices* are offered, and where *is_closed* nothing else is taken. An integer lies between
    *least* and *most*. *dialects* have a place for it.
    """

    name: str
    kind: str
    help: str = ""
    metavar: str = ""
    short: str = ""
    option: str = ""
    label: str = ""
    choices: tuple[str, ...] = ()
    is_closed: bool = False
    least: int | None = None
    most: int | None = None
    dialects: tuple[str, ...] = ("openai", "aliyun")

    @property
    def spellings(self) -> tuple[str, ...]:
        """How the option is written: `-n` and `--n`, `--watermark` and `--no-watermark`."""
        long = self.option or f"--{self.name.replace('_', '-')}"
        return tuple(filter(None, (self.short, long, self.unset)))

    @property
    def unset(self) -> str:
        """The spelling that switches a flag off; empty for all else."""
        return f"--no-{self.name.replace('_', '-')}" if self.kind == "flag" else ""

    @property
    def range(self) -> str:
        """The range of an integer, such as `0 to 100`; empty for all else."""
        return f"{self.least} to {self.most}" if self.most is not None else ""

    @property
    def description(self) -> str:
        """What the help says of the option."""
        *others, last = self.choices or ("",)
        either = f"{', '.join(others)} or {last}" if others else ""
        only = "" if "openai" in self.dialects else f" ({self.dialects[0]} dialect)"
        return f"{self.help or either or self.range}{only}"


_OPENAI: Final = ("openai",)
_ALIYUN: Final = ("aliyun",)

FIELDS: Final = (
    Field("prompt", "text", "what the picture shows", "TEXT"),
    Field("model", "word", "the model", "NAME", "-m"),
    Field("size", "word", "1024x1024, 16:9, 2K or auto", "SIZE", "-s"),
    Field("quality", "word", "passed to the model", "WORD", "-q"),
    Field("n", "integer", "how many pictures", "COUNT", "-n", least=1, most=128),
    Field(
        "image",
        "image",
        "a picture to edit: a path, an URL or a variable; may be repeated",
        "PICTURE",
        "-i",
    ),
    Field(
        *("output_format", "word", "", "FORMAT"),
        label="Format",
        choices=("png", "jpeg", "webp"),
    ),
    Field(
        *("output_compression", "integer", "", "PERCENT"),
        label="Compression",
        least=0,
        most=100,
        dialects=_OPENAI,
    ),
    Field(
        *("background", "word", "", "WORD"),
        label="Background",
        choices=("auto", "transparent", "opaque"),
        dialects=_OPENAI,
    ),
    Field(
        *("moderation", "word", "", "WORD"),
        label="Moderation",
        choices=("auto", "low"),
        dialects=_OPENAI,
    ),
    Field("style", "text", "a style the model knows", "WORD", label="Style"),
    Field(
        *("sequential_image_generation", "word", "disabled or auto (Seedream)", "WORD"),
        label="Sequence",
        choices=("disabled", "auto"),
        is_closed=True,
        dialects=_OPENAI,
    ),
    Field("watermark", "flag", "ask for a watermark, or not", label="Watermark"),
    Field(
        *("response_format", "word", "", "FORM"),
        label="Travels as",
        choices=("b64_json", "url"),
        is_closed=True,
        dialects=_OPENAI,
    ),
    Field(
        *("dialect", "word", "", "NAME"),
        label="Endpoint",
        choices=("openai", "aliyun"),
        is_closed=True,
    ),
    Field("negative_prompt", "text", "what to avoid", "TEXT", label="Avoid", dialects=_ALIYUN),
    Field(
        *("seed", "integer", "fixes chance", "NUMBER"),
        label="Seed",
        least=0,
        most=2**31 - 1,
        dialects=_ALIYUN,
    ),
    Field(
        *("prompt_extend", "flag", "let the model extend the prompt"),
        label="Extend prompt",
        dialects=_ALIYUN,
    ),
    Field("user", "text", "an end user's name", "NAME", label="End user"),
    Field(
        *("extra", "pairs", "any further field", "KEY VALUE"),
        option="--param",
        label="Further fields",
    ),
)
BY_NAME: Final = {field.name: field for field in FIELDS}
