"""The options of `%%imagine`: one table that parses, explains and completes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import OptionError
from opeai_nb.notebook.words import Word, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Option:
    """One option.

    *field* is where its value goes; *kind* one of `text integer number flag image pair`; *unset*
    is the spelling that switches a flag off.
    """

    names: tuple[str, ...]
    field: str
    kind: str
    help: str
    metavar: str = ""
    unset: str | None = None


# The API's fields, by the API's names (platform.md 1.2), then what concerns only this notebook.
REQUEST_OPTIONS: Final = (
    Option(("-m", "--model"), "model", "text", "the model", "NAME"),
    Option(("-s", "--size"), "size", "text", "1024x1024, 16:9, 2K or auto", "SIZE"),
    Option(("--ar",), "size", "text", "the shape alone, as a ratio", "W:H"),
    Option(("-q", "--quality"), "quality", "text", "passed to the model", "WORD"),
    Option(("-n", "--n"), "n", "integer", "how many pictures", "COUNT"),
    Option(
        ("-i", "--image"),
        "image",
        "image",
        "a picture to edit: a path, an URL or a variable; may be repeated",
        "PICTURE",
    ),
    Option(("--response-format",), "response_format", "text", "b64_json or url", "FORM"),
    Option(("--output-format",), "output_format", "text", "png, jpeg or webp", "FORMAT"),
    Option(("--output-compression",), "output_compression", "integer", "0 to 100", "PERCENT"),
    Option(("--background",), "background", "text", "auto, transparent or opaque", "WORD"),
    Option(("--moderation",), "moderation", "text", "auto or low", "WORD"),
    Option(("--style",), "style", "text", "a style the model knows", "WORD"),
    Option(("--user",), "user", "text", "an end user's name", "NAME"),
    Option(
        ("--sequential-image-generation",),
        "sequential_image_generation",
        "text",
        "disabled or auto (Seedream)",
        "WORD",
    ),
    Option(
        ("--watermark",), "watermark", "flag", "ask for a watermark, or not", "", "--no-watermark"
    ),
    Option(("--dialect",), "dialect", "text", "openai or aliyun", "NAME"),
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
    Option(("-o", "--out"), "out", "text", "the variable that gets the result", "NAME"),
    Option(("--save",), "save", "text", "a folder that gets copies of the pictures", "DIR"),
    Option(("--show",), "show", "text", "thumb (default), full or none", "HOW"),
    Option(("--timeout",), "timeout", "number", "how long a task is waited for", "SECONDS"),
    Option(("--fresh",), "fresh", "flag", "send, even where the library could replay"),
    Option(("--dry-run",), "dry_run", "flag", "show what would be sent, and send nothing"),
    Option(("--raw",), "raw", "flag", "leave braces in the prompt alone"),
    Option(("--quiet",), "quiet", "flag", "show no badge"),
    Option(("-h", "--help"), "help", "flag", "show this"),
)
OPTIONS: Final = (*REQUEST_OPTIONS, *CELL_OPTIONS)

_ALREADY: Final = {"--no": "--negative-prompt", "--cache": "--fresh", "--refresh": "--fresh"}
_WHOLE_NUMBER = re.compile(r"[+-]?\d+")
_REFERENCE = re.compile(r"\$([^\W\d]\w*)|\{([^\W\d]\w*)\}")
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass
class Parsed:
    """What a line says: *request* fields, *cell* options, and the *rest* behind them."""

    request: dict[str, Any] = field(default_factory=dict)
    cell: dict[str, Any] = field(default_factory=dict)
    rest: str = ""
    separated: bool = False


def spellings() -> dict[str, Option]:
    """Return every spelling of every option; dashes and underscores are the same."""
    return {
        name: option
        for option in OPTIONS
        for name in (*option.names, *([option.unset] if option.unset else []))
    }


def parse(line: str, names: Mapping[str, Any]) -> Parsed:
    """Return what *line* says: options up to the first bare word, the rest verbatim.

    A value `$name` or `{name}` is that variable's value. Raises `OptionError` for an option that
    does not exist (with the nearest one), a value that is missing or of the wrong kind.
    """
    parsed = Parsed()
    known = spellings()
    stream = words(line)
    for word in stream:
        if word.text == "--" and not word.quoted:
            parsed.rest, parsed.separated = line[word.end :].strip(), True
            break
        if line[word.start] in "\"'" or not _is_option(word.text):
            parsed.rest = line[word.start :].strip()
            break
        _take(parsed, word, stream, known, names)
    return parsed


def _is_option(text: str) -> bool:
    """Tell `-n` and `--size=…` from a prompt that begins with a dash or a negative number."""
    return bool(re.match(r"--?[^\W\d]", text))


def _take(
    parsed: Parsed,
    word: Word,
    stream: Iterator[Word],
    known: Mapping[str, Option],
    names: Mapping[str, Any],
) -> None:
    given, equals, attached = word.text.partition("=")
    spelling = given.replace("_", "-") if given.startswith("--") else given
    option = known.get(spelling)
    if option is None and (short := known.get(given[:2])) and not given.startswith("--"):
        option, spelling, attached, equals = short, given[:2], word.text[2:], "="  # -n2
    if option is None:
        raise _unknown(spelling, known)
    if option.kind == "flag":
        if equals:
            raise OptionError(f"{spelling} takes no value.")
        _put(parsed, option, spelling != option.unset)
        return
    values = [attached] if equals else [_next(stream, option, spelling)]
    if option.kind == "pair":
        values.append(_next(stream, option, spelling))
    _put(parsed, option, _converted(option, spelling, values, names))


def _next(stream: Iterator[Word], option: Option, spelling: str) -> str:
    word = next(stream, None)
    if word is None:
        raise OptionError(
            f"{spelling} needs a value.",
            advice=f"Write {spelling} {option.metavar}. Nothing was sent.",
        )
    return word.text


def _put(parsed: Parsed, option: Option, value: Any) -> None:
    target = parsed.request if option in REQUEST_OPTIONS else parsed.cell
    if option.kind == "image":
        target.setdefault(option.field, []).append(value)
    elif option.kind == "pair":
        target.setdefault(option.field, {}).update([value])
    elif option.field in target:
        raise OptionError(f"{option.names[-1]} is given twice.")
    else:
        target[option.field] = value


def _converted(option: Option, spelling: str, values: list[str], names: Mapping[str, Any]) -> Any:
    value = _referenced(values[-1], names)
    if option.kind == "pair":
        return values[0], _json_value(value)
    if option.kind == "image":
        return picture_named(value, names) if isinstance(value, str) else value
    if option.kind == "integer" and isinstance(value, str):
        if not _WHOLE_NUMBER.fullmatch(value):
            raise _wrong(spelling, value, "a whole number")
        return int(value)
    if option.kind == "number" and isinstance(value, str):
        try:
            return float(value)
        except ValueError as error:
            raise _wrong(spelling, value, "a number of seconds") from error
    return value


def _referenced(text: str, names: Mapping[str, Any]) -> Any:
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return text
    name = found[1] or found[2]
    if name not in names:
        raise _no_variable(name, names)
    return names[name]


def picture_named(text: str, names: Mapping[str, Any]) -> Any:
    """Return the input picture that *text* names: the value of a variable, else a path or an URL.

    Raises `OptionError` when it looks like a variable's name and there is neither that nor a file.
    """
    if not _NAME.fullmatch(text):
        return text
    if text in names:
        return names[text]
    from pathlib import Path

    if Path(text).exists():
        return text
    raise _no_variable(text, names, "no variable and no file")


def _json_value(text: Any) -> Any:
    import json

    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _wrong(spelling: str, value: str, wanted: str) -> OptionError:
    return OptionError(
        f"{spelling} is {value!r}, not {wanted}.", advice="Correct it. Nothing was sent."
    )


def _no_variable(name: str, names: Mapping[str, Any], what: str = "no variable") -> OptionError:
    near = get_close_matches(name, [n for n in names if not n.startswith("_")], n=1)
    suggestion = f" Did you mean {near[0]!r}?" if near else ""
    return OptionError(
        f"There is {what} named {name!r}.{suggestion}",
        advice="Define it before this cell. Nothing was sent.",
    )


def _unknown(spelling: str, known: Mapping[str, Option]) -> OptionError:
    near = _ALREADY.get(spelling) or next(iter(get_close_matches(spelling, known, n=1)), None)
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
            lines.append(f"  {names + ' ' + option.metavar:<36} {option.help}")
        lines.append("")
    return "\n".join(lines).rstrip()
