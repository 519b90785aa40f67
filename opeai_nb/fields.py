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
CONFIRM_ABOVE: Final = 8
"""Pictures that one cell, prompt or table may ask for before whoever sits there is asked."""


@dataclass(frozen=True)
class Field:
    """A field of a request; an option that concerns the notebook alone is told in the same way.

    - *kind*: `text` (free), `word` (on an option line, `a,b` are two of them), `choice` (nothing
      but one of *choices*), `integer`, `number` (of seconds), `amount` (of money), `flag` (yes or
      no), `switch` (on when it is named), `image` (pictures), `region` (a box
      or a mask), `pairs` (a dict).
    - *help*: the option's line in the help; empty where *choices* or *span* say it.
    - *metavar*: what the help calls the value.
    - *option*: a short spelling beside `--name`, or another long one in its place.
    - *label*: of the control among the panel's further options; empty: there is none.
    - *choices*: what is offered. *span*: least and most of an integer.
    - *only*: the one dialect that has a place for it; empty: all have.
    """

    name: str
    kind: str
    help: str = ""
    metavar: str = ""
    option: str = ""
    label: str = ""
    choices: tuple[str, ...] = ()
    span: tuple[int, int] | None = None
    only: str = ""

    @property
    def long(self) -> str:
        """How the option is written in full: `--output-format`."""
        return self.option if self.option[:2] == "--" else f"--{self.name.replace('_', '-')}"

    @property
    def unset(self) -> str:
        """The spelling that switches a flag off; empty for all else."""
        return f"--no-{self.name.replace('_', '-')}" if self.kind == "flag" else ""

    @property
    def spellings(self) -> tuple[str, ...]:
        """How the option is written: `-n` and `--n`, `--watermark` and `--no-watermark`."""
        return tuple(dict.fromkeys(filter(None, (self.option, self.long, self.unset))))

    @property
    def takes_value(self) -> bool:
        """Whether a value follows the option."""
        return self.kind not in {"flag", "switch"}

    @property
    def may_repeat(self) -> bool:
        """Whether the option adds to what an earlier one said."""
        return self.kind in {"image", "pairs"}

    @property
    def range(self) -> str:
        """The range of an integer, such as `0 to 100`; empty for all else."""
        return f"{self.span[0]} to {self.span[1]}" if self.span else ""

    @property
    def description(self) -> str:
        """What the help says of the option."""
        either = " or ".join(filter(None, (", ".join(self.choices[:-1]), *self.choices[-1:])))
        only = f" ({self.only} dialect)" if self.only == "aliyun" else ""
        return f"{self.help or either or self.range}{only}"

    def fits(self, dialect: str) -> bool:
        """Tell whether *dialect* has a place for the field."""
        return self.only in {"", dialect}


_IMAGE: Final = "a picture to edit: a path, a URL or a variable; may be repeated"
_EXTEND: Final = "let the model extend the prompt"
_GROUNDS: Final = ("auto", "transparent", "opaque")
_FORMATS: Final = ("png", "jpeg", "webp")
_FORMS: Final = ("b64_json", "url")
_FILTERS: Final = ("auto", "low")
_SEEDS: Final = (0, 2**31 - 1)

FIELDS: Final = (
    Field("prompt", "text", "what the picture shows", "TEXT"),
    Field("model", "word", "the model", "NAME", "-m"),
    Field("size", "word", "1024x1024, 16:9, 2K, auto, or same as the input", "SIZE", "-s"),
    Field("quality", "word", "such as low, high or hd; each model has its own words", "WORD", "-q"),
    Field("n", "integer", "how many pictures", "COUNT", "-n", span=(1, 128)),
    Field("image", "image", _IMAGE, "PICTURE", "-i"),
    Field("output_format", "word", "", "FORMAT", label="Format", choices=_FORMATS),
    Field(
        *("output_compression", "integer", "", "PERCENT"),
        label="Compression",
        span=(0, 100),
        only="openai",
    ),
    Field("background", "word", "", "WORD", label="Background", choices=_GROUNDS, only="openai"),
    Field("moderation", "word", "", "WORD", label="Moderation", choices=_FILTERS, only="openai"),
    Field("style", "text", "such as vivid, where the model has styles", "WORD", label="Style"),
    Field(
        *(
            "sequential_image_generation",
            "choice",
            "auto: a series of related pictures (Seedream)",
            "WORD",
        ),
        label="Sequence",
        choices=("disabled", "auto"),
        only="openai",
    ),
    Field("watermark", "flag", "ask for a watermark, or not", label="Watermark"),
    Field(
        "response_format",
        "choice",
        "",
        "FORM",
        label="Response format",
        choices=_FORMS,
        only="openai",
    ),
    Field("dialect", "choice", "", "NAME", label="Endpoint", choices=("openai", "aliyun")),
    Field("negative_prompt", "text", "what to avoid", "TEXT", label="Avoid", only="aliyun"),
    Field("seed", "integer", "random seed", "NUMBER", label="Seed", span=_SEEDS, only="aliyun"),
    Field("prompt_extend", "flag", _EXTEND, label="Extend prompt", only="aliyun"),
    Field("user", "text", "your own name for the end user", "NAME", label="End user"),
    Field(
        "extra",
        "pairs",
        "any other field of the API",
        "KEY VALUE",
        "--param",
        "Extra fields (JSON)",
    ),
)
BY_NAME: Final = {field.name: field for field in FIELDS}
ELSEWHERE: Final = {
    **dict.fromkeys(("batch_size", "count", "num_images", "num_images_per_prompt"), "n"),
    **dict.fromkeys(("num_outputs", "number_of_images", "sample_count", "samples"), "n"),
    **dict.fromkeys(("aspect_ratio", "dimensions", "height", "image_size", "resolution"), "size"),
    **dict.fromkeys(("ratio", "width"), "size"),
    **dict.fromkeys(("images", "image_url", "init_image", "input_image"), "image"),
    **dict.fromkeys(("negative", "no"), "negative_prompt"),
    "format": "output_format",
}
"""What other image APIs call a field, and its name here."""
