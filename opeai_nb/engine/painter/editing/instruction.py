"""An instruction read as operations: pure, by a table of words and a few forms of sentences."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from opeai_nb.engine.painter.editing.operations import (
    Add,
    Count,
    Hour,
    Mirror,
    Move,
    Noun,
    Operation,
    Place,
    Recolour,
    Remove,
    Replace,
    Resize,
    Season,
    Style,
    Tint,
    Tone,
    Weather,
)
from opeai_nb.engine.painter.prompt_reading import plain, singular, vocabulary
from opeai_nb.engine.painter.word_index import Mark, WordIndex, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator


_NOUNS = {"subject", "setting", "weather", "part"}
_NEAR = 18  # characters between a number or a colour and the thing it belongs to
_READ = 1000  # characters: what is beyond describes, and asks for nothing new
_MOST = 40  # operations: an instruction of more is a poem
_LARGER, _SMALLER = 1.55, 0.6
_STOPS = re.compile(
    r"[.;:!?,。；：！？，、\n]+|\bthen\b|\bbut\b|\bwhile\b|然后|并且|同时|"  # noqa: RUF001  Chinese has its own
    r"\band (?=(?:the|a|an|also|another|make|turn|add|put|remove|erase|delete|replace|change|"
    r"paint|move|colou?r|no|without|give|let|mirror|flip|set|one|two|three|four|five)\b)|"
    r"(?=\b(?:without|with no)\b)|(?=没有|不要)"
)
_GOES_ON = re.compile(r"(?:the|a|an|any|all|another|one|two|three|four|five|six)\b")
_INSTEAD = re.compile(r"(?P<new>.+?)\b(?:instead of|rather than|in place of)\b(?P<old>.*)")
_REPLACED = re.compile(r"(?P<old>.+?)\b(?:with|by|for|into|to)\b(?P<new>.+)")
_TURNED = re.compile(r"(?P<old>.+?)\b(?:into|to|as)\b(?P<new>.+)")
_HAN_TURNED = re.compile(
    r"把?(?P<old>.*?)(?:替换成|替换为|更换为|换成|换为|变成|变为|改成|改为|涂成|染成|做成|画成)(?P<new>.+)"
)
_HAN_INSTEAD = re.compile(r"用(?P<new>.+?)(?:代替|替换|取代)(?P<old>.+)")
_LAID = re.compile(
    r"\b(?:put|place|move|set|show)\b.*\b(?:on|in|into|at|onto|inside|to|by|under)\b"
)
_KEPT = re.compile(r"\b(?:same|keep|still)\b|同样|相同|同一|保持|保留")
_UNCOLOURED = re.compile(r"\b(?:colou?r|colou?rs|saturation)\b")
_ALONE = re.compile(r"\bonly\b|\bjust\b|只有|只要")
_DEFINITE = re.compile(r"\b(?:the|its|his|her|their|this|that|these|those)\s+(?:\w+\s+){0,2}$")
_OUT = re.compile(r"\bcut\s*out\b|抠图")


@cache
def _index() -> WordIndex:
    return WordIndex({**vocabulary(), **words_of("editing/words.toml")})


@lru_cache(maxsize=256)
def read_instruction(prompt: str) -> tuple[Operation, ...]:
    """Return what *prompt* asks for, in its order; nothing for words that say nothing known."""
    operations: list[Operation] = []
    for clause in _clauses(singular(plain(prompt[:_READ]))):
        operations += _Clause(clause).operations()
    return tuple(dict.fromkeys(operations))[:_MOST]


def _clauses(text: str) -> Iterator[str]:
    verb = ""
    for part in _STOPS.split(text):
        clause = part.strip()
        if not clause:
            continue
        verbs = [mark for mark in _index().find(clause) if mark.kind == "verb"]
        if not verbs and verb and _GOES_ON.match(clause):
            clause = f"{verb} {clause}"
        verb = next(
            (one.name for one in verbs if one.name in {"remove", "add"}), verb * (not verbs)
        )
        yield clause


class _Clause:
    """One clause of an instruction and the words found in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.marks = _index().find(text)
        self.verbs = {mark.name for mark in self.marks if mark.kind == "verb"}

    def operations(self) -> list[Operation]:
        """Return what the clause asks for."""
        for form in (
            self._instead,
            self._replaced,
            self._turned,
            self._removed,
            self._resized,
            self._moved,
            self._counted,
            self._added,
            self._recoloured,
        ):
            found = form()
            if found is not None:
                return found
        return self.described()

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of this *kind*, each once, in order."""
        return tuple(dict.fromkeys(mark.name for mark in self.marks if mark.kind == kind))

    def nouns(self) -> list[Noun]:
        """Return what the clause speaks of, in order."""
        spans: dict[tuple[int, int], list[Mark]] = {}
        for mark in self.marks:
            if mark.kind in _NOUNS:
                spans.setdefault((mark.start, mark.end), []).append(mark)
        return [self._noun(span, marks) for span, marks in spans.items()]

    def _noun(self, span: tuple[int, int], marks: list[Mark]) -> Noun:
        word = self.text[slice(*span)]
        meanings = [(mark.kind, mark.name) for mark in marks]
        for form in (word.removesuffix("s"), word.removesuffix("es")):
            meanings += [one for one in _index().meanings(form) if one[0] in _NOUNS]
        meanings.sort(key=lambda one: one[0] != "subject")
        number = self._before(span[0], "number")
        count = int(number.name) if number and number.name.isdigit() else 0
        colour = self._before(span[0], "colour")
        return Noun(
            tuple(dict.fromkeys(meanings)),
            colour.name if colour else None,
            count,
            bool(_DEFINITE.search(self.text[max(0, span[0] - 40) : span[0]])),
        )

    def _before(self, place: int, kind: str) -> Mark | None:
        """Return the last word of *kind* shortly before *place*, no other noun between."""
        near = [one for one in self.marks if one.end <= place and place - one.end < _NEAR]
        for mark in reversed(near):
            if mark.kind == kind:
                return mark
            if mark.kind in _NOUNS and mark.end != place:
                return None
        return None

    def _instead(self) -> list[Operation] | None:
        match = _INSTEAD.match(self.text) or _HAN_INSTEAD.search(self.text)
        if match is None:
            return None
        new = _Clause(match["new"]).nouns()
        old = _Clause(match["old"]).nouns()
        if new and new[0].count and (not old or set(old[0].meanings) & set(new[0].meanings)):
            return [Count(new[0], new[0].count)]
        if not old or not new:
            return None
        return [Replace(old[0], new[0])]

    def _replaced(self) -> list[Operation] | None:
        if "replace" not in self.verbs:
            return None
        match = _HAN_TURNED.match(self.text) or _REPLACED.match(self.text)
        return _changed(match["old"], match["new"]) if match else None

    def _turned(self) -> list[Operation] | None:
        match = _HAN_TURNED.match(self.text)
        if match is None and "change" in self.verbs and not _KEPT.search(self.text):
            match = _TURNED.match(self.text)
        return _changed(match["old"], match["new"]) if match else None

    def _removed(self) -> list[Operation] | None:
        if "remove" not in self.verbs:
            return None
        nouns = [one for one in self.nouns() if ("part", "everything") not in one.meanings]
        if any("background" in one.names("part") for one in nouns):
            return [Place("plain", "white")]
        if nouns:
            return [Remove(one) for one in nouns]
        return [Tint(("mono",))] if _UNCOLOURED.search(self.text) else None

    def _resized(self) -> list[Operation] | None:
        sizes = self.names("size")
        if not sizes or ("little" in self.text and "bigger" not in sizes and not self.nouns()):
            return None
        factor = _LARGER if sizes[0] == "bigger" else _SMALLER
        things = [one for one in self.nouns() if one.names("subject")]
        if not things and any(not one.names("part") for one in self.nouns()):
            return None
        return [Resize(one, factor) for one in things] or [Resize(None, factor)]

    def _moved(self) -> list[Operation] | None:
        if "mirror" in self.verbs:
            return [Mirror()]
        places = self.names("where")
        if "move" not in self.verbs or not places:
            return None
        things = [one for one in self.nouns() if one.names("subject")]
        return [Move(one, places[0]) for one in things[:1]] or [Move(None, places[0])]

    def _counted(self) -> list[Operation] | None:
        if "add" in self.verbs and "more" not in self.names("number"):
            return None
        nouns = [one for one in self.nouns() if one.names("subject")]
        if not nouns or not self.names("number"):
            return None
        if "more" in self.names("number"):
            return [Count(nouns[0], 0, 1)]
        if not nouns[0].count or (nouns[0].count == 1 and not _ALONE.search(self.text)):
            return None
        return [Count(one, one.count) for one in nouns if one.count]

    def _added(self) -> list[Operation] | None:
        if "add" not in self.verbs:
            return None
        nouns = self.nouns()
        if _LAID.search(self.text) and (places := self.places()):
            fresh = [one for one in nouns if one.names("subject") and not one.is_definite]
            return [Place(places[0])] if not fresh else [Add(one) for one in fresh]
        things = [one for one in nouns if not one.is_definite and _is_thing(one)]
        skies = [Weather(name) for name in self._weathers()]
        return [*(Add(one) for one in things), *skies] or None

    def _recoloured(self) -> list[Operation] | None:
        colours = [one for one in self.marks if one.kind == "colour"]
        nouns = [one for one in self.nouns() if _has_colour(one)]
        if not colours or not nouns or _KEPT.search(self.text):
            return None
        if any("background" in one.names("part") for one in nouns):
            return [Place("plain", colours[-1].name)]
        if any("everything" in one.names("part") for one in nouns):
            return None
        own = [Recolour(one, one.colour) for one in nouns if one.colour]
        return list(own) or [Recolour(nouns[-1], colours[-1].name)]

    def described(self) -> list[Operation]:
        """Return what the clause describes: the hour, the weather, the place, a style."""
        seasons = self.names("season")
        answer: list[Operation] = [Season(name) for name in seasons[:1]]
        times = self.names("time")
        if times and not (seasons and times == ("day",)):
            answer.append(Hour(times[0]))
        answer += [Weather(name) for name in self._weathers() if not seasons]
        if "clear" in self.names("sky"):
            answer.append(Weather("clear"))
            if not times and not seasons:
                answer.append(Hour("day"))
        places = [] if seasons or _KEPT.search(self.text) else self.places()
        if places and not ("night" in times and places[0] == "space"):
            answer.append(Place(places[0]))
        answer += [Style(name) for name in self.names("style")[:1]]
        answer += [Tint(names) for names in [self.names("colour")] if names]
        changes = self.names("change")
        plain_ground = "background" in changes and not {"blur", "darker", "brighter"} & set(changes)
        if _OUT.search(self.text) or (plain_ground and not places and not _KEPT.search(self.text)):
            answer.append(Place("plain"))
        return answer + [Tone(name) for name in changes]

    def places(self) -> list[str]:
        """Return the settings named, each once, in order."""
        return list(dict.fromkeys(mark.name for mark in self.marks if mark.kind == "setting"))

    def _weathers(self) -> list[str]:
        return list(dict.fromkeys(mark.name for mark in self.marks if mark.kind == "weather"))


def _is_thing(noun: Noun) -> bool:
    lights = {"sun", "moon", "stars"} & set(noun.names("part"))
    return bool(
        noun.names("subject") or lights or (noun.names("setting") and not noun.names("weather"))
    )


def _has_colour(noun: Noun) -> bool:
    return bool(noun.names("subject") or noun.names("part"))


def _changed(old_text: str, new_text: str) -> list[Operation] | None:
    """Return what it takes to make of *old_text* what *new_text* says."""
    old, new = _Clause(old_text), _Clause(new_text)
    olds = [one for one in old.nouns() if ("part", "everything") not in one.meanings]
    news = [one for one in new.nouns() if ("part", "everything") not in one.meanings]
    if any("background" in one.names("part") for one in olds):
        places, colours = new.places(), new.names("colour")
        if places and places[0] != "studio":
            return [Place(places[0])]
        if colours or places:
            return [Place("plain", colours[0] if colours else None)]
    if olds and news and not new.names("time"):
        if news[0].count and set(olds[0].meanings) & set(news[0].meanings):
            return [Count(news[0], news[0].count)]
        return [Replace(olds[0], news[0])]
    if olds and new.names("colour") and not news:
        return [Recolour(one, new.names("colour")[0]) for one in olds]
    return new.described() or None
