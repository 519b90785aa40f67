"""The options of `%%imagine`: one table that is parsed, explained and completed."""

from __future__ import annotations

from typing import Final

from opeai_nb.errors import OptionError, did_you_mean
from opeai_nb.fields import BY_NAME, ELSEWHERE, FIELDS, Field

RATIOS: Final = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
_LOOKS: Final = ("thumb", "full", "none")
_PRESET: Final = Field("preset", "word", "options and words of your own under a name", "NAME")
_SHAPE: Final = Field("size", "word", "aspect ratio", "W:H", "--ar", choices=RATIOS)
# The prompt is no option: it stands behind them.
REQUEST_OPTIONS: Final = (
    *(
        option
        for field in FIELDS
        if field.name != "prompt"
        for option in ((field, _SHAPE) if field.name == "size" else (field,))
    ),
    _PRESET,
)
CELL_OPTIONS: Final = (
    Field("out", "word", "the variable for the result (or NAME <<)", "NAME", "-o"),
    Field("only", "region", "change the input picture there alone", "X,Y,W,H|MASK"),
    Field("save", "text", "a folder for copies, or DIR/{prompt:.30}-{n}.png", "DIR"),
    Field("alt", "text", "says what the pictures show, in place of the prompt", "TEXT"),
    Field("caption", "text", "a caption for the pictures", "TEXT"),
    Field("keywords", "text", "keywords, with commas between them", "A,B"),
    Field("show", "choice", "thumb (default), full or none", "HOW", choices=_LOOKS),
    Field("json", "switch", "a line of JSON for each request instead of pictures"),
    Field("timeout", "number", "how long to wait for the pictures", "SECONDS"),
    Field("no_wait", "switch", "continue at once; the pictures come later"),
    Field("fresh", "switch", "make new pictures, even if the library has some"),
    Field("metadata", "flag", "embed the request in the files, or not"),
    Field("dry_run", "switch", "show what would be sent, and send nothing"),
    Field("max_cost", "amount", "send nothing that would cost more, by your prices", "AMOUNT"),
    Field("yes", "switch", "do not ask before many pictures are made"),
    Field("raw", "switch", "leave braces in the prompt alone"),
    Field("quiet", "switch", "show no badge"),
    Field("help", "switch", "show this", option="-h"),
)
OPTIONS: Final = (*REQUEST_OPTIONS, *CELL_OPTIONS)

# What people know from other tools, and what it is called here.
_ELSEWHERE: Final = {
    **{f"--{name.replace('_', '-')}": BY_NAME[field].long for name, field in ELSEWHERE.items()},
    "--aspect-ratio": "--ar",
    "--async": "--no-wait",
    "--cache": "--fresh",
    "--no-cache": "--fresh",
    "--refresh": "--fresh",
}


def spellings() -> dict[str, Field]:
    """Return every spelling of every option; dashes and underscores are the same."""
    return {name: option for option in OPTIONS for name in option.spellings}


def unknown_option(spelling: str) -> OptionError:
    """Return the error for an option that does not exist, with the nearest that does."""
    hint = did_you_mean(spelling, spellings(), shape="{}", elsewhere=_ELSEWHERE)
    return OptionError(
        f"There is no option {spelling}.{hint}",
        advice="--help lists the options. Nothing was sent.",
    )


def help_text() -> str:
    """Return the options, a line each, for `%imagine help` and `%%imagine?`."""
    lines = []
    for title, options in (("What is asked", REQUEST_OPTIONS), ("In this notebook", CELL_OPTIONS)):
        lines.append(f"{title}:")
        for option in options:
            names = ", ".join(option.spellings)
            lines.append(f"  {names + ' ' + option.metavar:<37} {option.description}")
        lines.append("")
    return "\n".join(lines).rstrip()
