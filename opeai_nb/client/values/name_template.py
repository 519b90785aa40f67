"""Names of files from a template: `out/{prompt:.30}-{n}.png`; safe on every file system.

Pure: what would be written is known, and clashes are refused, before anything is sent.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opeai_nb.client.values.filename import is_reserved
from opeai_nb.errors import InputError, did_you_mean
from opeai_nb.fields import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opeai_nb.client.values.request import ImageRequest

NUMBER: Final = "n"
"""The word that means the picture's number, whatever an axis or a column of that name says."""
ENDINGS: Final = ("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif")
_LONGEST: Final = 240  # bytes of a name; file systems take 255, and `-v2` may follow
_TOKEN: Final = re.compile(
    r"\{\{|\}\}|\{(?P<name>[^\W\d]\w*)(?::(?P<form>[^{}]*))?\}|[{}/]|[^{}/]+"
)
_ENDING: Final = re.compile(r"\.(?P<ending>[A-Za-z]\w*)\Z")
_FIELDS: Final = tuple(name for name, it in BY_NAME.items() if it.kind not in {"image", "pairs"})
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*]')
# Control characters, half letters, and signs that turn the reading order: seen by nobody.
_HIDDEN: Final = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_ADVICE: Final = "Nothing was sent."


class _Piece(NamedTuple):
    """A piece of a name: text as it stands, or a word with its format."""

    text: str
    word: str = ""


@dataclass(frozen=True)
class NameTemplate:
    """A *folder*, and below it the *parts* of a path; *ending* is `.png`, or empty."""

    folder: Path
    parts: tuple[tuple[_Piece, ...], ...]
    ending: str = ""

    @property
    def words(self) -> frozenset[str]:
        """The words that need a value."""
        return frozenset(piece.word for part in self.parts for piece in part if piece.word)

    def names(self, values: Mapping[str, Any], count: int) -> list[str]:
        """Return the names of *count* pictures, below `folder`; several are numbered in any case.

        Raises `InputError` for a word that has no value, and for a format that does not fit.
        """
        is_numbered = count > 1 and "n" not in self.words
        return [
            self._name({**values, "n": number}, f"-{number}" if is_numbered else "")
            for number in range(1, count + 1)
        ]

    def _name(self, values: Mapping[str, Any], number: str) -> str:
        *folders, file = self.parts
        end = f"{number}{self.ending}"
        return "/".join([*(_safe(part, values) for part in folders), _safe(file, values, end)])


def template_of(target: str | Path) -> NameTemplate | None:
    """Return the template that *target* is; None for a plain path, which has no `{word}` in it.

    Raises `InputError` for a lone brace, an ending that is no picture's, and `..` behind a word.
    """
    text = str(target).replace(os.sep, "/")
    tokens = list(_TOKEN.finditer(text))
    first = next((place for place, token in enumerate(tokens) if token["name"]), None)
    if first is None:
        return None
    slashes = [place for place, token in enumerate(tokens[:first]) if token[0] == "/"]
    start = slashes[-1] + 1 if slashes else 0
    folder = "".join(_plain(token, text) for token in tokens[:start])
    return _template(at_home(Path(folder or ".")), tokens[start:], text)


def at_home(path: Path) -> Path:
    """Return *path* with `~` spelled out.

    Raises `InputError` for a user that there is not, and for a path that no system can have.
    """
    if "\0" in str(path):
        raise InputError("A path has a NUL character in it.", advice=f"Leave it out. {_ADVICE}")
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise InputError(
            f"There is no home folder for {path.parts[0]!r}.",
            advice=f"Write the path out. {_ADVICE}",
        ) from error


def name_below(text: str) -> NameTemplate:
    """Return the template of a name, with words or without, such as a table has: below a folder.

    Raises `InputError` for one that leads out of the folder, or to what a dot hides, for a brace
    that begins or ends no word, and for an ending that is no picture's.
    """
    path = text.strip().replace("\\", "/")
    tokens = list(_TOKEN.finditer(path))
    steps = "".join("x" if token["name"] else token[0] for token in tokens).split("/")
    if path.startswith("~") or _DRIVE.match(path) or not all(steps) or ".." in steps:
        raise InputError(
            f"{text[:80]!r} is no name below the folder.",
            advice=f"Give one such as cats/fox.png. {_ADVICE}",
        )
    if any(step.startswith(".") for step in steps):
        raise InputError(f"{text[:80]!r} begins with a dot.", advice=f"Leave it out. {_ADVICE}")
    return _template(Path(), tokens, text)


def values_for(
    request: ImageRequest, index: int = 1, created: float | None = None
) -> dict[str, Any]:
    """Return what the words of a template mean for a request; *created* in seconds since 1970."""
    try:
        day = datetime.now(UTC) if created is None else datetime.fromtimestamp(created, UTC)
    except (OverflowError, OSError, ValueError):  # a server may say anything
        day = datetime.now(UTC)
    return {
        **{name: getattr(request, name) for name in _FIELDS},
        "index": index,
        "date": day.astimezone().date(),
    }


class Named(NamedTuple):
    """A request whose pictures get names: who it is for a person, and what its words mean."""

    owner: str
    request: ImageRequest
    values: Mapping[str, Any]


def names_for(template: NameTemplate, asked: Iterable[Named]) -> list[list[str]]:
    """Return the names of the pictures of several requests, for as many as each asks for.

    Raises `InputError` for a word that has no value, and for two requests with one name.
    """
    requests = list(asked)
    names = [template.names(it.values, it.request.count) for it in requests]
    refuse_clashes([it.owner for it in requests], names)
    return names


def refuse_clashes(owners: Sequence[str], names: Sequence[Iterable[str]]) -> None:
    """Raise `InputError` where two of *owners*, as a person calls them, have a name in common.

    Names that differ in case alone are one on Windows and macOS. A folder has no file's name.
    """
    first: dict[str, int] = {}
    every = [(place, name) for place, each in enumerate(names) for name in each]
    for place, name in every:
        for key in _keys(name):
            if (before := first.get(key, place)) != place:
                raise _clash(owners[before], owners[place], name)
        first.update(dict.fromkeys(_keys(name, is_new=True), place))
    for place, name in every:
        for folder in _folders_like_files(name):
            if taken := [first[key] for key in _keys(folder) if key in first]:
                raise _clash(owners[taken[0]], owners[place], folder)


def _folders_like_files(name: str) -> list[str]:
    """Return the folders of a name that end as a picture does: no other is a file's name."""
    *folders, _ = name.split("/")
    paths = ("/".join(folders[:count]) for count in range(1, len(folders) + 1))
    return [path for path in paths if path.rpartition(".")[2].lower() in ENDINGS]


def _keys(name: str, *, is_new: bool = False) -> tuple[str, ...]:
    """Return what a name is known by; one without an ending may get any."""
    plain = unicodedata.normalize("NFC", name.casefold())
    ending = _ENDING.search(plain)
    if ending is None or ending["ending"] not in ENDINGS:
        return (plain, f"{plain}.")
    stem = plain[: ending.start()]
    return (plain, f"{stem}.") if is_new else (plain, stem)


def _clash(first: str, second: str, name: str) -> InputError:
    return InputError(
        f"{first} and {second} would both be saved as {name!r}.",
        advice=f"Name what tells them apart, such as {{index}}. {_ADVICE}",
    )


def _plain(token: re.Match[str], text: str) -> str:
    if token[0] in {"{", "}"}:
        raise InputError(
            f"{text[:80]!r} has a {token[0]} that begins or ends no word.",
            advice=f"Write {token[0] * 2} for a brace. {_ADVICE}",
        )
    return {"{{": "{", "}}": "}"}.get(token[0], token[0])


def _template(folder: Path, tokens: Sequence[re.Match[str]], text: str) -> NameTemplate:
    parts: list[list[_Piece]] = [[]]
    for token in tokens:
        if token["name"]:
            _check_form(token)
            parts[-1].append(_Piece(token["form"] or "", token["name"]))
        elif token[0] == "/":
            parts.append([])
        else:
            parts[-1].append(_Piece(_plain(token, text)))
    if any(
        "".join(piece.text for piece in part) in {"", ".", ".."} for part in parts if _bare(part)
    ):
        raise InputError(
            f"{text[:80]!r} has a step that names no folder or file.",
            advice=f"Let a name follow each slash, and no `..` a word. {_ADVICE}",
        )
    return _with_ending(folder, tuple(map(tuple, parts)), text)


def _bare(part: Sequence[_Piece]) -> bool:
    return not any(piece.word for piece in part)


def _check_form(token: re.Match[str]) -> None:
    if re.search(r"\d{4}", token["form"] or ""):  # a width of a billion would fill the memory
        raise InputError(f"The format in {token[0]!r} is too wide.", advice=_ADVICE)


def _with_ending(folder: Path, parts: tuple[tuple[_Piece, ...], ...], text: str) -> NameTemplate:
    """Return the template, the ending taken off: names are shortened before it."""
    *before, last = parts[-1]
    found = None if last.word else _ENDING.search(last.text)
    if found is None:
        return NameTemplate(folder, parts)
    if found["ending"].lower() not in ENDINGS:
        raise InputError(
            f"{text[:80]!r} ends in {found[0]}, which is no format that pictures can be saved in.",
            advice=f"Use .png, .jpg or .webp. {_ADVICE}",
        )
    stem = _Piece(last.text[: found.start()])
    return NameTemplate(folder, (*parts[:-1], (*before, stem)), found[0])


def _safe(part: Sequence[_Piece], values: Mapping[str, Any], ending: str = "") -> str:
    """Return one step of a path: its words filled in, and what some system refuses taken out."""
    texts = [_clean(_filled(piece, values) if piece.word else piece.text) for piece in part]
    over = sum(len(text.encode()) for text in texts) + len(ending.encode()) - _LONGEST
    while over > 0:
        longest = max(range(len(texts)), key=lambda place: len(texts[place].encode()))
        cut, most = texts[longest], len(texts[longest].encode())
        left = max(most - over, min(most - 1, _LONGEST // (2 * len(texts))), 0)
        texts[longest] = cut.encode()[:left].decode("utf-8", "ignore").rstrip("\u200d\ufe0f ")
        over -= most - len(texts[longest].encode())
    name = unicodedata.normalize("NFC", "".join(texts)).strip(" .") or "picture"
    if is_reserved(name):
        head, dot, rest = name.partition(".")
        name = f"{head}-{dot}{rest}"
    return f"{name}{ending}"


def _clean(text: str) -> str:
    plain = _HIDDEN.sub("", re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)))
    return _FORBIDDEN.sub("-", plain)


def _filled(piece: _Piece, values: Mapping[str, Any]) -> str:
    if piece.word not in values:
        hint = did_you_mean(piece.word, [*values, "n"], shape="{{{}}}")
        raise InputError(
            f"{{{piece.word}}} in the name of a file has no value.{hint}",
            advice=f"There are: {', '.join(dict.fromkeys(['n', *values]))}. {_ADVICE}",
        )
    value = values[piece.word]
    if value is None:
        return ""
    if isinstance(value, list | tuple | set | frozenset):  # keywords, and what else a row may list
        value = "-".join(str(part) for part in value)
    value = value if isinstance(value, str | int | float | date) else str(value)
    try:
        return format(value, piece.text)
    except ValueError as error:
        raise InputError(
            f"{{{piece.word}:{piece.text}}} in the name of a file cannot be filled in: {error}.",
            advice=f"Correct the format. {_ADVICE}",
        ) from error
