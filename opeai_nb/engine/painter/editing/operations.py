"""What an instruction can ask of a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noun:
    """What an instruction speaks of, by all that its word can mean.

    *meanings* are pairs of a kind and a name: a word of the vocabulary (subject, setting,
    weather) or a `part` of a place, such as the sky. *count* is 0 where the words give none.
    """

    meanings: tuple[tuple[str, str], ...]
    colour: str | None = None
    count: int = 0
    is_definite: bool = False

    def names(self, kind: str) -> tuple[str, ...]:
        """Return what it may mean of this *kind*."""
        return tuple(name for one, name in self.meanings if one == kind)


@dataclass(frozen=True, slots=True)
class Recolour:
    """Give *target* a colour."""

    target: Noun
    colour: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Put *new* where *target* is."""

    target: Noun
    new: Noun


@dataclass(frozen=True, slots=True)
class Remove:
    """Take *target* away."""

    target: Noun


@dataclass(frozen=True, slots=True)
class Add:
    """Put *new* beside what is there."""

    new: Noun


@dataclass(frozen=True, slots=True)
class Count:
    """Let there be *many* of *target*; *more* of them than now where *many* is 0."""

    target: Noun
    many: int
    more: int = 0


@dataclass(frozen=True, slots=True)
class Resize:
    """Make *target* (None: the main subject) larger or smaller by *factor*."""

    target: Noun | None
    factor: float


@dataclass(frozen=True, slots=True)
class Move:
    """Move *target* (None: the main subject) to *where*: left, right, up, down or middle."""

    target: Noun | None
    where: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """Swap left and right."""


@dataclass(frozen=True, slots=True)
class Hour:
    """Let it be *time*: dawn, day, sunset, dusk or night."""

    time: str


@dataclass(frozen=True, slots=True)
class Season:
    """Let it be *name*: spring, summer, autumn or winter."""

    name: str


@dataclass(frozen=True, slots=True)
class Weather:
    """Let it be *name*: snow, rain, fog, cloud, aurora, autumn, rainbow or clear."""

    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """Put the subject somewhere else: *setting*, or a plain ground ("plain") of *colour*."""

    setting: str
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """Let it look like made in this *name* of a style."""

    name: str


@dataclass(frozen=True, slots=True)
class Tint:
    """Grade the whole picture towards *colours*."""

    colours: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tone:
    """Change the tone by a word of the vocabulary's kind `change`."""

    word: str


Operation = (
    Recolour
    | Replace
    | Remove
    | Add
    | Count
    | Resize
    | Move
    | Mirror
    | Hour
    | Season
    | Weather
    | Place
    | Style
    | Tint
    | Tone
)
