"""The function given as `then`: once for each picture, with its row, and whatever it raises."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.bulk.batch.batch import batch
from opeai_nb.bulk.run.callback import takes_row
from opeai_nb.bulk.sweep.sweep import sweep
from opeai_nb.client.values.generation import Generation
from opeai_nb.studio import Studio

SMALL: dict[str, Any] = {"size": "512x512"}
SKUS = [{"prompt": "a fox", "sku": "P-1"}, {"prompt": "an owl", "sku": "P-2"}]


def _exit(_: Generation) -> None:
    sys.exit(3)


def _interrupt(_: Generation) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("function", [_exit, _interrupt, lambda _: 1 / 0])
def test_what_it_raises_is_that_row_s_error_and_harms_nobody_else(
    studio: Studio, function: Callable[[Generation], object]
) -> None:
    made = batch(["a fox", "an owl"], studio=studio, **SMALL)
    run = made.start(then=lambda g: function(g) if g.request.prompt == "a fox" else "well")
    assert run.wait(20)
    made.close()
    assert made.summary == "2 rows · 2 done"
    assert "error" in made.manifest[0]
    assert made.manifest[1]["then"] == "well"
    assert studio.generate("a hare", **SMALL).good, "the loop goes on for everybody"


def test_a_loop_survives_a_callback_that_exits(studio: Studio) -> None:
    from opeai_nb.studio.loop import loop, schedule

    async def exits() -> None:
        sys.exit(3)

    with pytest.raises(SystemExit):
        schedule(exits()).result(20)
    assert loop().is_running()
    assert studio.generate("a hare", **SMALL).good


def test_it_gets_the_row_and_its_answers_are_kept(studio: Studio) -> None:
    def upload(generation: Generation, row: Mapping[str, Any]) -> str:
        return f"{row['sku']}/{len(generation)}"

    made = batch(SKUS, studio=studio, **SMALL).run(then=upload)
    assert list(made.values.items()) == [(1, "P-1/1"), (2, "P-2/1")]
    assert [line["then"] for line in made.manifest] == ["P-1/1", "P-2/1"]


def test_it_is_called_once_for_a_picture_unless_asked(
    new_studio: Callable[..., Studio], tmp_path: Path
) -> None:
    calls: list[str] = []

    def note(generation: Generation) -> str:
        calls.append(generation.request.prompt)
        return generation.request.prompt.upper()

    for rows in (SKUS[:1], SKUS, SKUS):
        made = batch(rows, studio=new_studio(), out=tmp_path, **SMALL).run(then=note)
    assert sorted(calls) == ["a fox", "an owl"]
    assert made.values == {1: "A FOX", 2: "AN OWL"}
    again = batch(SKUS, studio=new_studio(), out=tmp_path, key="sku", **SMALL)
    again.run(then=note, then_again=True)
    assert again.values == {"P-1": "A FOX", "P-2": "AN OWL"}
    assert len(calls) == 4


def test_one_that_failed_is_called_again(new_studio: Callable[..., Studio], tmp_path: Path) -> None:
    batch(["a fox"], studio=new_studio(), out=tmp_path, **SMALL).run(then=lambda _: 1 / 0)
    again = batch(["a fox"], studio=new_studio(), out=tmp_path, **SMALL).run(then=lambda _: "up")
    assert again.values == {1: "up"}
    assert "error" not in again.manifest[0]


def test_a_sweep_gives_its_values_as_the_row(studio: Studio) -> None:
    made = sweep("a {animal}", animal=["fox", "owl"], studio=studio, **SMALL)
    made.run(then=lambda _, row: row["animal"])
    assert [made.outcomes[n].value for n in (0, 1)] == ["fox", "owl"]


def test_a_sweep_calls_it_once_for_a_record_in_all_sessions(
    new_studio: Callable[..., Studio], tmp_path: Path
) -> None:
    calls: list[str] = []

    def upload(generation: Generation) -> str:
        calls.append(generation.request.prompt)
        return generation.request.prompt.upper()

    def measure(generation: Generation) -> object:
        calls.append("measured")
        return generation

    def swept(animals: list[str], **orders: Any) -> list[Any]:
        made = sweep("a {animal}", animal=animals, studio=new_studio(), **SMALL).run(**orders)
        return [made.outcomes[number].value for number in range(len(animals))]

    assert swept(["fox"], then=upload) == ["A FOX"]
    assert swept(["fox", "owl"], then=upload) == ["A FOX", "A OWL"]
    assert calls == ["a fox", "a owl"]
    assert swept(["fox"], then=upload, then_again=True) == ["A FOX"]
    assert len(calls) == 3
    for _ in range(2):  # JSON has no form for it, so that it is asked anew
        (value,) = swept(["fox"], then=measure)
        assert isinstance(value, Generation)
    assert calls[3:] == ["measured", "measured"]
    assert swept(["fox"], then=upload, fresh=True) == ["A FOX"]
    assert len(calls) == 6, "another picture is another record"


def test_notes_of_what_was_made_survive_what_a_crash_or_a_stranger_leaves(tmp_path: Path) -> None:
    from opeai_nb.library.disk.homes import Homes
    from opeai_nb.library.handed_on import FOLDER, HandedOn

    HandedOn(Homes(tmp_path)).add("3f2a9c1d", "upload", ["x", 1])
    (file,) = (tmp_path / FOLDER).glob("*.jsonl")
    file.write_bytes(file.read_bytes() + b'\n{"record": "aaaa", "fun\n[1]\n{"record": 5}\n')
    notes = HandedOn(Homes(tmp_path))
    assert notes.answers("upload") == {"3f2a9c1d": ["x", 1]}
    assert notes.answers("other") == {}
    notes.add("bbbb", "upload", {1: "a key that JSON makes text"})
    notes.add("cccc", "upload", None)
    assert notes.answers("upload") == {"3f2a9c1d": ["x", 1], "cccc": None}
    assert (tmp_path / FOLDER / ".gitignore").is_file()


@pytest.mark.parametrize(
    ("function", "wants"),
    [
        (lambda g: g, False),
        (lambda g, size=3: size, False),
        (lambda g, cells: cells, True),
        (lambda g, row=None: row, True),
        (len, False),
        (print, False),
    ],
)
def test_a_function_says_whether_it_wants_the_row(
    function: Callable[..., Any], wants: bool
) -> None:
    assert takes_row(function) is wants
