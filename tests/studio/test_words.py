"""Words of one's own: said of pictures, never asked for; changing them costs nothing."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb import Studio, batch, sweep
from opeai_nb.client.values.words import Words, words_said
from opeai_nb.errors import InputError
from opeai_nb.library import Slot, identity, info
from tests.studio.conftest import Watched

SMALL: dict[str, Any] = {"size": "512x512"}
SLOT = Slot("a", 1)


def alt_of(generation: Any) -> str:
    _, metadata = generation._repr_mimebundle_()
    return str(next(it["alt"] for name, it in metadata.items() if name.startswith("image/")))


def test_words_are_no_part_of_the_request(studio: Studio, transport: Watched) -> None:
    first = studio.generate("a fox", alt="A fox.", slot=SLOT, **SMALL)
    assert alt_of(first) == "A fox."
    plain = studio.request("a fox", **SMALL)
    assert identity(first.request) == identity(plain)
    assert transport.posts == 1


def test_other_words_update_what_is_shown_and_cost_nothing(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    new_studio().generate("a fox", alt="A fox.", caption="Day 1", slot=SLOT, **SMALL)
    again = new_studio().generate("a fox", alt="A red fox.", slot=SLOT, **SMALL)
    assert again.replayed_from
    assert again.words == Words("A red fox.", "Day 1")
    assert alt_of(again) == "A red fox."
    later = new_studio().generate("a fox", slot=SLOT, **SMALL)
    assert later.words == Words("A red fox.", "Day 1"), "who says nothing changes nothing"
    bare = new_studio().generate("a fox", alt="", caption="", slot=SLOT, **SMALL)
    assert not bare.words
    assert alt_of(bare) == "a fox", "the prompt stands for it again"
    assert transport.posts == 1


def test_the_same_words_write_nothing(new_studio: Callable[..., Studio]) -> None:
    said: dict[str, Any] = {"alt": "A fox.", "keywords": "fox, snow", "slot": SLOT, **SMALL}
    new_studio().generate("a fox", **said)
    again = new_studio().generate("a fox", **said)
    assert again.words.keywords == ("fox", "snow")
    assert again.good[0].path is not None
    assert not (again.good[0].path.parent / "marks").exists()


@pytest.mark.parametrize("ending", ["png", "jpeg"])
def test_the_file_tells_them_as_iptc_has_them(studio: Studio, ending: str) -> None:
    said = {"alt": 'A <fox> & "snow"', "caption": "Day\n1", "keywords": ["red fox", "水"]}
    made = studio.generate("a fox", output_format=ending, **said, **SMALL)
    assert made.good[0].path is not None
    data = made.good[0].path.read_bytes().decode("utf-8", "replace")
    for name, text in (("AltTextAccessibility", said["alt"]), ("description", said["caption"])):
        assert f'{name}><rdf:Alt><rdf:li xml:lang="x-default">{html.escape(str(text))}' in data
    assert "<dc:subject><rdf:Bag><rdf:li>red fox</rdf:li><rdf:li>水</rdf:li>" in data
    assert info(made.good[0].path)["words"] == said


def test_the_library_says_them_later(studio: Studio) -> None:
    made = studio.generate("a fox", **SMALL)
    (record,) = studio.library.records()
    marks = studio.library.mark(record.id, alt="A fox.", keywords="a; b,, a")
    assert marks.words(record) == Words("A fox.", "", ("a", "b"))
    assert studio.library.generation(record).words.alt == "A fox."
    assert not made.words
    with pytest.raises(InputError):
        studio.library.mark(record.id, alt=3)  # type: ignore[arg-type]  # wrong


def test_a_sweep_fills_its_axes_in(studio: Studio) -> None:
    swept = sweep("a {animal}", animal=["fox", "owl"], studio=studio, **SMALL)
    swept.run(alt="One {animal}, {other} {{x}}.")
    assert [each.words.alt for each in swept.generations] == [
        "One fox, {other} {x}.",
        "One owl, {other} {x}.",
    ]


def test_rows_say_words_of_their_own(studio: Studio, transport: Watched, tmp_path: Path) -> None:
    rows = [
        {"prompt": "a fox", "alt": "A {fox}.", "keywords": "a,b", "city": "Oslo"},
        {"prompt": "an owl", "city": "Rome"},
    ]
    for alt in ("In {city}.", "At {city}."):
        made = batch(rows, studio=studio, out=tmp_path / "out", **SMALL)
        made.run(alt=alt)
        records = {record.prompt: record for record in made.studio.library.records()}
        words = {name: made.studio.library.marks(it).words(it) for name, it in records.items()}
        assert words["a fox"] == Words("A {fox}.", "", ("a", "b"))
        assert words["an owl"].alt == alt.format(city="Rome")
    assert transport.posts == 2
    assert batch(rows, field_columns=["prompt"], studio=studio).plan[0].said == {}
    (point,) = batch([{"caption": "c"}], prompt="a {caption}", studio=studio).plan
    assert (point.request.prompt, point.said) == ("a c", {})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"alt": 3}, "alt is 3, not text"),
        ({"alt": "x" * 2_001}, "alt has 2001 letters, more than 2000"),
        ({"caption": "\ud800"}, "caption holds half of a character pair"),
        ({"keywords": 3}, "keywords is a int, not words"),
        ({"keywords": [3]}, "keywords is 3, not text"),
        ({"keywords": [str(n) for n in range(101)]}, "keywords holds 101 words, more than 100"),
    ],
)
def test_words_that_cannot_be_are_refused(
    studio: Studio, transport: Watched, said: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        studio.start("a fox", **said)
    with pytest.raises(InputError, match=told):
        sweep("a fox", studio=studio).start(**said)
    with pytest.raises(InputError, match=f"Row 1: {told}"):
        batch([{"prompt": "a fox", **said}], studio=studio)
    assert transport.posts == 0


@given(st.fixed_dictionaries({}, optional={"alt": st.text(max_size=50), "keywords": st.text()}))
def test_words_are_kept_as_json_and_come_back(said: dict[str, Any]) -> None:
    try:
        kept = words_said(said)
    except InputError:
        return
    words = Words().with_changes(kept)
    assert Words.from_json(json.loads(json.dumps(words.to_json()))) == words
    assert words.with_changes(kept) == words
    assert Words("a", "b").with_changes({}) == Words("a", "b")
