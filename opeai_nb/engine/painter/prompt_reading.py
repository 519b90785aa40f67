"""A prompt read as a scene: which words the painter knows, and what they belong to."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache

from opeai_nb.engine.painter.raster.random_stream import stream
from opeai_nb.engine.painter.word_index import Mark, index_of, words_of

_VOCABULARY = "vocabulary.toml"
_READ_AT_MOST = 4000  # characters: dall-e-3's limit, and a bound for the regular expressions
_NEAR = 18  # characters between a colour and the thing it belongs to
_NEGATIONS = re.compile(r"(?:\b(?:no|without|not|never|minus)\s+(?:\w+\s+)?|没有|不要|无)$")
_GAP = re.compile(r"(?:\s*|的|色的?|\s+(?!and\b|in\b|on\b|at\b|with\b|of\b|by\b|the\b)\w+\s+)$")


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing to show, with the colour the prompt gives it, if any."""

    kind: str
    colour: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Scene:
    """What a prompt asks for, in the painter's own words; empty where it says nothing."""

    settings: tuple[str, ...] = ()
    subjects: tuple[Subject, ...] = ()
    times: tuple[str, ...] = ()
    weathers: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    tints: tuple[str, ...] = ()
    abstracts: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    petals: str | None = None

    @property
    def is_figurative(self) -> bool:
        """Whether there is a thing or a place to show."""
        return bool(self.settings or self.subjects or self.times or self.weathers)

    def has(self, kind: str) -> bool:
        """Whether a subject of this kind is asked for."""
        return any(subject.kind == kind for subject in self.subjects)


def plain(text: str) -> str:
    """Return *text* in one form: compatible characters, lower case, single spaces."""
    folded = unicodedata.normalize("NFKC", text[:_READ_AT_MOST]).casefold()
    return re.sub(r"[\s\-_/\x00-\x1f\x7f]+", " ", folded).strip()


def vocabulary() -> dict[str, dict[str, str]]:
    """Return the words of each kind by the painter's name for them, from `vocabulary.toml`."""
    return words_of(_VOCABULARY)


def _meanings(word: str) -> tuple[tuple[str, str], ...]:
    return index_of(_VOCABULARY).meanings(word)


def _marks(text: str) -> list[Mark]:
    return [
        mark
        for mark in all_marks(text)
        if not _NEGATIONS.search(text, max(0, mark.start - 24), mark.start)
    ]


def all_marks(text: str) -> list[Mark]:
    """Return the words of the vocabulary in *text* (plain), also those that are denied."""
    return index_of(_VOCABULARY).find(singular(text))


def singular(text: str) -> str:
    """Return *text* with "cherries" as "cherry", where the vocabulary has it."""
    return re.sub(r"\b(\w+)ies\b", _singular, text)


def _singular(match: re.Match[str]) -> str:
    stem = match.group(1)
    return stem + "y" if _meanings(stem + "y") else match.group()


def _subjects(text: str, marks: list[Mark]) -> tuple[tuple[Subject, ...], set[Mark]]:
    subjects: dict[str, Subject] = {}
    owned: set[Mark] = set()
    for mark in marks:
        if mark.kind != "subject":
            continue
        colour = _colour_before(text, marks, mark)
        if colour and colour.name not in {"mono", "sepia"}:
            owned.add(colour)
        word = text[mark.start : mark.end]
        count = 3 if word.isascii() and word.endswith("s") and len(word) > 3 else 1
        if mark.name not in subjects:
            subjects[mark.name] = Subject(mark.name, colour.name if colour else None, count)
    return tuple(subjects.values()), owned


def _colour_before(text: str, marks: list[Mark], mark: Mark) -> Mark | None:
    return next(
        (
            one
            for one in reversed(marks)
            if one.kind == "colour"
            and one.end <= mark.start
            and mark.start - one.end < _NEAR
            and _GAP.match(text[one.end : mark.start])
        ),
        None,
    )


@cache
def scene(prompt: str) -> Scene:
    """Read *prompt*; any text is fine, words beyond the first 4000 characters are not read."""
    text = plain(prompt)
    text = singular(text)
    marks = _marks(text)
    subjects, owned = _subjects(text, marks)
    beds = [one for one in marks if one.kind == "setting" and one.name == "meadow"]
    petals = next(filter(None, (_colour_before(text, marks, one) for one in beds)), None)
    if petals:
        owned.add(petals)

    def named(kind: str) -> tuple[str, ...]:
        names = (one.name for one in marks if one.kind == kind and one not in owned)
        return tuple(dict.fromkeys(names))

    read = Scene(
        named("setting"),
        subjects,
        named("time"),
        named("weather"),
        named("style"),
        named("colour"),
        named("abstract"),
        named("change"),
        petals.name if petals else None,
    )
    if read.has("portrait") and read.has("person"):
        people = tuple(one for one in read.subjects if one.kind != "person")
        read = replace(read, subjects=people)
    if "book" in {one.kind for one in subjects} and len(subjects) == 1 and not read.settings:
        read = replace(read, settings=("table",))
    return read


def scattered(prompt: str) -> float:
    """Return a number in [0, 1) fixed by the prompt's canonical text."""
    return float(stream("scatter", plain(prompt)).random())
