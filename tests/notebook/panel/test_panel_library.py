"""The panel over a library: names of pictures, tags, the history of prompts, what is filtered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.client import ImageRequest
from opeai_nb.notebook.display.frontend import VARIABLE
from opeai_nb.notebook.panel import panel_state
from opeai_nb.notebook.panel.panel import Panel
from opeai_nb.notebook.panel.plain_panel import PlainPanel
from opeai_nb.notebook.panel.request_queue import in_place, once_idle
from opeai_nb.testing import pictures_answer
from tests.notebook.panel.test_panel import Clicks
from tests.pictures import png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opeai_nb.notebook.display.frontend import Frontend
    from opeai_nb.studio import Studio
    from tests.notebook.shell import Cells

PROMPTS = ("a fox", "an owl", "a fox")


@pytest.fixture
def cells(shared: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cells:
    monkeypatch.chdir(tmp_path)
    shared.begin(tmp_path, lambda _: pictures_answer(png(), png((6, 4))))
    for prompt in PROMPTS:
        shared.studio.start(ImageRequest(prompt, n=2, size="64x48"), fresh=True).result(30)
    return shared


@pytest.fixture
def panel(cells: Cells) -> Iterator[Panel]:
    made = Panel(lambda: cells.studio, spawn=in_place)
    made.fill()
    yield made
    made.close_all()


def names(panel: Panel) -> list[str]:
    rows = panel._gallery["finds"]
    return [" · ".join(filter(None, (row["marks"], row["title"], row["about"]))) for row in rows]


def keys(panel: Panel) -> list[str]:
    return [row["key"] for row in panel._gallery["finds"]]


def test_a_page_of_the_gallery_asks_for_the_settings_no_more_often_the_more_it_shows(
    cells: Cells,
) -> None:
    """It asked once for each picture: two thirds of the time that a page took."""
    asked = []
    panel = Panel(lambda: asked.append(1) or cells.studio, spawn=in_place)  # type: ignore[func-returns-value]  # counted
    for marked, shown in (("", 6), ("★", 0)):
        panel.gallery.reload(marked=marked)
        before = len(asked)
        assert len(panel.gallery.page()["finds"]) == shown
        assert len(asked) - before <= 2
    panel.close_all()


def test_the_gallery_is_read_once_a_page_says_that_the_panel_is_there(cells: Cells) -> None:
    works: list[Callable[[], object]] = []
    panel = Panel(lambda: cells.studio, spawn=works.append)
    panel._is_shown()
    assert not panel._shown.is_set()
    assert Clicks(panel).send("shown") == {"answer": "page-0"}
    assert panel._shown.is_set()
    assert not panel._painted.is_set()
    Clicks(panel).send("painted")
    assert panel._painted.is_set()
    (fill,) = works
    fill()
    assert len(keys(panel)) == len(panel._tiles) == 6
    panel.close_all()


@pytest.mark.parametrize("frontend", ["batch", "terminal"])
def test_where_no_page_will_say_so_the_gallery_is_read_once_it_is_shown(
    cells: Cells, frontend: Frontend
) -> None:
    panel = Panel(lambda: cells.studio, spawn=lambda _: None, frontend=lambda: frontend)
    panel._is_shown()
    assert panel._shown.is_set()
    assert panel._painted.is_set()
    panel.close_all()


def test_the_plain_form_waits_for_no_page(cells: Cells) -> None:
    panel = PlainPanel(lambda: cells.studio, spawn=lambda _: None)
    panel._ipython_display_()
    assert panel._shown.is_set()
    assert panel._painted.is_set()
    panel.close_all()


def test_the_library_is_read_while_the_page_builds_the_panel_and_shown_after(cells: Cells) -> None:
    """A page waits for the library's modules and tiles no longer than it needs for itself."""
    works: list[Callable[[], object]] = []
    asked: list[str] = []

    def studio() -> Studio:
        asked.append("studio")
        return cells.studio

    class Told:
        def __init__(self, name: str) -> None:
            self.name = name

        def is_set(self) -> bool:
            return False

        def wait(self, _: float) -> None:
            asked.append(f"{self.name}, {len(made._tiles)} shown")

    made = Panel(studio, spawn=works.append)
    made._displayed, made._shown = Told("cell"), Told("page")  # type: ignore[assignment]
    made._painted = Told("gallery")  # type: ignore[assignment]
    asked.clear()
    order: list[str] = []
    made.observe(lambda change: order.append(change["name"]), ["_tiles", "_gallery"])
    works[0]()
    assert asked[0] == "cell, 0 shown"
    assert "studio" in asked[1 : asked.index("page, 0 shown")]
    assert asked[asked.index("gallery, 6 shown") + 1 :] == ["studio"], "it lists the models last"
    assert order == ["_tiles", "_gallery"], "the page builds its grid once, with its pictures"
    assert len(keys(made)) == 6
    made.close_all()


def test_the_next_panel_reads_once_what_one_read_is_on_the_screen(cells: Cells) -> None:
    """Else it takes the processor from the page, which shows it in all panels of the library."""
    waits: list[tuple[int, bool]] = []

    class Painted:
        def wait(self, _: float) -> None:
            waits.append((len(made._tiles), panel_state._READING.locked()))

    works: list[Callable[[], object]] = []
    made = Panel(lambda: cells.studio, spawn=works.append)
    made._painted = Painted()  # type: ignore[assignment]
    made._displayed.set()
    made._shown.set()
    works[0]()
    assert waits == [(6, True), (6, False)], "and the models wait for it, too"
    made.close_all()


def test_panels_know_whether_they_show_one_library(cells: Cells) -> None:
    session = cells.session
    assert session.studio
    here = session.library_id
    assert session.library_id == here
    session.config.set_trait("library", "elsewhere")
    assert session.library_id != here
    session.config.set_trait("library", "")
    assert session.library_id == here


def test_open_panels_show_what_a_cell_or_another_panel_kept(
    cells: Cells, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "live")
    renew = cells.session.renew_panels
    other = Panel(lambda: cells.studio, spawn=in_place, tell_kept=renew, prompt="an auk")
    other.fill()
    cells.session.panels.update((panel, other))
    cells.run("import opeai_nb; opeai_nb.generate('a badger')")
    for each in (panel, other):
        assert each._gallery["finds"][0]["prompt"] == "a badger"
    other.generate()
    assert panel._gallery["finds"][0]["prompt"] == "an auk"
    assert panel._gallery["finds"] == other._gallery["finds"]
    monkeypatch.setenv(VARIABLE, "batch")
    read = panel._look
    cells.run("6 * 7")
    assert panel._look == read, "a saved notebook would have it"
    monkeypatch.setenv(VARIABLE, "live")
    panel.close()
    read, shown = panel._look, other._look
    cells.run("6 * 7")
    assert panel._look == read, "nobody sees it"
    assert other._look == shown + 1


def test_what_was_read_of_the_library_does_not_replace_what_was_read_later(panel: Panel) -> None:
    show = panel._read_gallery()
    panel.search("owl")
    found = keys(panel)
    show()
    assert keys(panel) == found
    assert len(found) == 2


def test_what_comes_after_the_cell_waits_until_the_loop_is_idle() -> None:
    done: list[str] = []

    async def cell() -> None:
        once_idle(lambda: done.append("after"))
        done.append("cell")
        await asyncio.sleep(0)

    asyncio.run(cell())
    assert done == ["cell", "after"]
    once_idle(lambda: done.append("no loop"))
    assert done[-1] == "no loop"


def test_no_two_pictures_of_a_page_have_one_name(panel: Panel) -> None:
    """Neither those of one answer, nor those of one prompt that came in one second."""
    found = names(panel)
    assert len(set(found)) == len(found) == 6
    assert found[0].startswith("a fox · ")
    assert "picture 1 of 2" in found[0]
    assert "6×4" in found[1]


# -- tags


def test_a_tag_is_given_to_one_picture_and_taken_back(panel: Panel) -> None:
    page, (first, second, *_) = Clicks(panel), keys(panel)
    page.send("select", key=first)
    row = page.send("mark", key=first, change={"tag": ["Snow", "#night"]})["row"]
    assert row["marks"] == "#night #Snow"
    assert panel._stage["tags"] == ["night", "Snow"]
    assert panel._tags == [["night", 1], ["Snow", 1]]
    assert [found["marks"] for found in panel._gallery["finds"][:2]] == ["#night #Snow", ""]
    page.send("mark", key=second, change={"tag": ["snow"]})
    page.send("mark", key=first, change={"untag": ["SNOW", "night"]})
    assert panel._stage["tags"] == []
    assert panel._tags == [["snow", 1]]


def test_a_tag_of_the_whole_record_is_taken_from_the_record(panel: Panel, cells: Cells) -> None:
    page, key = Clicks(panel), keys(panel)[0]
    record = key.partition("-")[0]
    cells.studio.library.mark(record, tag=["snow"])
    page.send("select", key=key)
    assert panel._stage["tags"] == ["snow"]
    page.send("mark", key=key, change={"untag": ["snow"]})
    assert panel._stage["tags"] == []
    assert str(cells.studio.library.marks(cells.studio.library.record(record))) == ""


def test_two_words_are_no_tag_and_change_nothing(panel: Panel) -> None:
    problem = Clicks(panel).send("mark", key=keys(panel)[0], change={"tag": ["two words"]})
    assert "is no tag" in problem["problem"]["message"]
    assert panel._tags == []


def test_the_gallery_shows_what_has_a_tag_or_a_star_and_of_a_record_that_picture_alone(
    panel: Panel,
) -> None:
    page, all_keys = Clicks(panel), keys(panel)
    page.send("mark", key=all_keys[1], change={"tag": ["snow"]})
    page.send("mark", key=all_keys[4], change={"star": True})
    page.send("search", text="", marked="#Snow")
    assert (keys(panel), panel._gallery["marked"]) == ([all_keys[1]], "#Snow")
    page.send("search", text="", marked="★")
    assert keys(panel) == [all_keys[4]]
    page.send("search", text="owl", marked="★")
    assert keys(panel) == []
    page.send("search", text="", marked="")
    assert keys(panel) == all_keys


def test_what_loses_the_tag_that_is_looked_for_leaves_the_gallery(panel: Panel) -> None:
    page, key = Clicks(panel), keys(panel)[1]
    page.send("mark", key=key, change={"tag": ["snow"]})
    page.send("search", text="", marked="#snow")
    page.send("mark", key=key, change={"untag": ["snow"]})
    assert (keys(panel), panel._tags) == ([], [])


def test_a_tag_of_what_lies_in_the_trash_is_not_offered(panel: Panel) -> None:
    page, key = Clicks(panel), keys(panel)[0]
    page.send("mark", key=key, change={"tag": ["snow"]})
    page.send("mark", key=key, change={"trash": True})
    assert panel._tags == []


# -- the history of prompts


def test_the_history_has_each_prompt_once_with_its_newest_picture(panel: Panel) -> None:
    page = Clicks(panel)
    told = page.send("prompts", text="", after=[])
    assert [each["prompt"] for each in told["prompts"]] == ["a fox", "an owl"]
    assert told["prompts"][0]["key"] == keys(panel)[0]
    assert told["after"] == []
    assert told["keys"] == [each["key"] for each in told["prompts"]]
    assert all(tile.startswith(b"\xff\xd8") for tile in page.pictures)
    assert [each["prompt"] for each in page.send("prompts", text="OWL", after=[])["prompts"]] == [
        "an owl"
    ]


@pytest.mark.parametrize("after", [["yesterday", "x"], [1], [None, "x"]])
def test_a_place_that_no_page_was_told_is_refused(panel: Panel, after: list[Any]) -> None:
    answer = Clicks(panel).send("prompts", text="", after=after)
    assert "asked for prompts after" in answer["problem"]["message"]


def test_the_settings_of_a_prompt_are_recalled_and_the_stage_stays(panel: Panel) -> None:
    page = Clicks(panel)
    page.send("select", key=keys(panel)[0])
    owl = page.send("prompts", text="owl", after=[])["prompts"][0]
    page.send("recall", record=owl["record"])
    assert panel.request == ImageRequest("an owl", n=2, size="64x48")
    assert panel.selected.key == keys(panel)[0]


def test_a_prompt_that_is_gone_changes_nothing(panel: Panel) -> None:
    panel.prompt = "a heron"
    problem = Clicks(panel).send("recall", record="00000000")["problem"]
    assert "no longer in the library" in problem["message"]
    assert panel.prompt == "a heron"


def test_the_plain_panel_finds_an_earlier_prompt_by_typing(cells: Cells) -> None:
    panel = PlainPanel(lambda: cells.studio, spawn=in_place)
    panel.fill()
    assert panel.history_field.options == ("a fox", "an owl")
    panel.history_field.value = "an owl"
    assert (panel.prompt, panel.history_field.value) == ("an owl", "")
    panel.history_field.value = "nothing of the kind"
    assert panel.prompt == "an owl"
    panel.close_all()


def test_the_plain_panel_of_an_empty_library_has_no_history(shared: Cells, tmp_path: Path) -> None:
    shared.begin(tmp_path / "empty")
    panel = PlainPanel(lambda: shared.studio, spawn=in_place)
    panel.fill()
    assert panel.history_field.layout.display == "none"
    panel.close_all()
