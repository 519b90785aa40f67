"""The options of `%%imagine`: one table that is parsed, explained and completed."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from opeai_nb.errors import OptionError


@dataclass(frozen=True)
class Option:
    """One option.

    *field* is where its value goes; *kind* one of `text integer number flag image pair`; *unset*
    is the spelling that switches a flag off. *offers* are values to offer; where *strict*, no
    other is taken (what the platform takes is the platform's to say).
    """

    names: tuple[str, ...]
    field: str
    kind: str
    help: str
    metavar: str = ""
    unset: str | None = None
    offers: tuple[str, ...] = ()
    strict: bool = False


RATIOS: Final = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")

# The API's fields, by the API's names (platform.md 1.2), then what concerns only this notebook.
REQUEST_OPTIONS: Final = (
    Option(("-m", "--model"), "model", "text", "the model", "NAME"),
    Option(("-s", "--size"), "size", "text", "1024x1024, 16:9, 2K or auto", "SIZE"),
    Option(("--ar",), "size", "text", "the shape alone, as a ratio", "W:H", offers=RATIOS),
    Option(("-q", "--quality"), "quality", "text", "passed to the model", "WORD"),
    Option(("-n", "--n"), "n", "integer", "how many pictures", "COUNT"),
    Option(
        ("-i", "--image"),
        "image",
        "image",
        "a picture to edit: a path, an URL or a variable; may be repeated",
        "PICTURE",
    ),
    Option(
        ("--response-format",),
        "response_format",
        "text",
        "b64_json or url",
        "FORM",
        offers=("b64_json", "url"),
    ),
    Option(
        ("--output-format",),
        "output_format",
        "text",
        "png, jpeg or webp",
        "FORMAT",
        offers=("png", "jpeg", "webp"),
    ),
    Option(("--output-compression",), "output_compression", "integer", "0 to 100", "PERCENT"),
    Option(
        ("--background",),
        "background",
        "text",
        "auto, transparent or opaque",
        "WORD",
        offers=("auto", "transparent", "opaque"),
    ),
    Option(("--moderation",), "moderation", "text", "auto or low", "WORD", offers=("auto", "low")),
    Option(("--style",), "style", "text", "a style the model knows", "WORD"),
    Option(("--user",), "user", "text", "an end user's name", "NAME"),
    Option(
        ("--sequential-image-generation",),
        "sequential_image_generation",
        "text",
        "disabled or auto (Seedream)",
        "WORD",
        offers=("disabled", "auto"),
    ),
    Option(
        ("--watermark",), "watermark", "flag", "ask for a watermark, or not", "", "--no-watermark"
    ),
    Option(
        ("--dialect",),
        "dialect",
        "text",
        "openai or aliyun",
        "NAME",
        offers=("openai", "aliyun"),
        strict=True,
    ),
    Option(("--seed",), "seed", "integer", "fixes chance (aliyun dialect)", "NUMBER"),
    Option(
        ("--negative-prompt",),
        "negative_prompt",
        "text",
        "what to avoid (aliyun dialect)",
        "TEXT",
    ),
    Option(
        ("--prompt-extend",),
        "prompt_extend",
        "flag",
        "let the model extend the prompt (aliyun dialect)",
        "",
        "--no-prompt-extend",
    ),
    Option(("--param",), "extra", "pair", "any further field", "KEY VALUE"),
)
CELL_OPTIONS: Final = (
    Option(("-o", "--out"), "out", "text", "the variable for the result (or NAME <<)", "NAME"),
    Option(("--save",), "save", "text", "a folder that gets copies of the pictures", "DIR"),
    Option(
        ("--show",),
        "show",
        "text",
        "thumb (default), full or none",
        "HOW",
        offers=("thumb", "full", "none"),
        strict=True,
    ),
    Option(("--timeout",), "timeout", "number", "how long a task is waited for", "SECONDS"),
    Option(("--no-wait",), "no_wait", "flag", "go on at once; the pictures come later"),
    Option(("--fresh",), "fresh", "flag", "send, even where the library could replay"),
    Option(
        ("--metadata",),
        "metadata",
        "flag",
        "tell in the files what was asked, or not",
        "",
        "--no-metadata",
    ),
    Option(("--dry-run",), "dry_run", "flag", "show what would be sent, and send nothing"),
    Option(("--yes",), "yes", "flag", "do not ask before a request for many pictures"),
    Option(("--raw",), "raw", "flag", "leave braces in the prompt alone"),
    Option(("--quiet",), "quiet", "flag", "show no badge"),
    Option(("-h", "--help"), "help", "flag", "show this"),
)
OPTIONS: Final = (*REQUEST_OPTIONS, *CELL_OPTIONS)

# What people know from other tools, and what it is called here.
_ELSEWHERE: Final = {
    "--aspect-ratio": "--ar",
    "--async": "--no-wait",
    "--cache": "--fresh",
    "--count": "--n",
    "--no": "--negative-prompt",
    "--no-cache": "--fresh",
    "--refresh": "--fresh",
}


def spellings() -> dict[str, Option]:
    """Return every spelling of every option; dashes and underscores are the same."""
    return {
        name: option
        for option in OPTIONS
        for name in (*option.names, *([option.unset] if option.unset else []))
    }


def unknown_option(spelling: str) -> OptionError:
    """Return the error for an option that does not exist, with the nearest that does."""
    near = _ELSEWHERE.get(spelling) or next(
        iter(get_close_matches(spelling, spellings(), n=1)), None
    )
    suggestion = f" Did you mean {near}?" if near else ""
    return OptionError(
        f"There is no option {spelling}.{suggestion}",
        advice="%imagine help lists the options. Nothing was sent.",
    )


def help_text() -> str:
    """Return the options, a line each, for `%imagine help` and `%%imagine?`."""
    lines = []
    for title, options in (("What is asked", REQUEST_OPTIONS), ("In this notebook", CELL_OPTIONS)):
        lines.append(f"{title}:")
        for option in options:
            names = ", ".join((*option.names, *([option.unset] if option.unset else [])))
            lines.append(f"  {names + ' ' + option.metavar:<37} {option.help}")
        lines.append("")
    return "\n".join(lines).rstrip()
