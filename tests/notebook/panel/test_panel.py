"""The panel over the embedded engine: real requests and real widgets, no browser, no kernel."""

from __future__ import annotations

import itertools
import json
import struct
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from traitlets import TraitError

from opeai_nb.client import AsyncClient, ImageRequest
from opeai_nb.engine import ENGINE_URL, Engine
from opeai_nb.errors import OptionError
from opeai_nb.library import Slot
from opeai_nb.notebook.panel.panel import Panel
from opeai_nb.notebook.panel.plain_panel import PlainPanel, notes_html
from opeai_nb.notebook.panel.request_queue import Wish, in_place
from opeai_nb.notebook.panel.static_output import still_bundle
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from tests.canned import Canned
from tests.pictures import png
from tests.studio.conftest import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZE = "512x512"


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(settings(base_url="engine:", library=tmp_path / "imagine"))


@pytest.fixture
def panel(studio: Studio) -> Iterator[Panel]:
    """A panel whose handlers pump in their own thread, as in Colab: it is done when they return."""
    made = Panel(lambda: studio, spawn=in_place, size=SIZE)
    made.fill()
    yield made
    made.close_all()


def shown(panel: Panel) -> str:
    """Everything that the panel tells its page in words."""
    told = [panel._status, panel._advice, panel._stage, panel._gallery, panel._inputs]
    return json.dumps(told, default=str, ensure_ascii=False)


class Clicks:
    """The page of a panel: it sends messages, and has the answers."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.answers: list[dict[str, Any]] = []
        self.pictures: list[bytes] = []
        panel.send = self._take

    def _take(self, content: dict[str, Any], buffers: Any = ()) -> None:
        self.answers.append(content)
        self.pictures += buffers or []

    def send(self, kind: str, *buffers: bytes, **fields: Any) -> dict[str, Any]:
        """Send a message and return the last answer."""
        key = fields.pop("id", f"page-{len(self.answers)}")
        self.panel._receive(None, {"kind": kind, "id": key, **fields}, list(buffers))
        return self.answers[-1] if self.answers else {}

    def click(self, **values: Any) -> dict[str, Any]:
        """Click on Generate, with the controls as the page shows them."""
        values = {**self.panel.plain_values, **values}
        return self.send("generate", values=values, edit=["page", len(self.answers)])


def test_a_click_asks_as_the_controls_say_and_shows_what_came(panel: Panel) -> None:
    Clicks(panel).click(prompt="a red fox", n=2)
    assert panel.result.request == ImageRequest("a red fox", size=SIZE, n=2)
    assert panel.state == "done"
    assert panel.selected.record.prompt == "a red fox"
    assert len(panel._gallery["finds"]) == 2
    assert "2 pictures" in shown(panel)
    assert panel._stage["picture"].startswith(b"\xff\xd8"), "the page gets a JPEG, as bytes"


def test_an_inserted_cell_shows_the_picture_on_the_stage(panel: Panel, studio: Studio) -> None:
    """The older of two, chosen in the gallery; a cell that ran before keeps what it had."""
    panel.prompt = "a red fox"
    panel.runs._clock = itertools.count(step=60).__next__  # no double click
    page = Clicks(panel)
    for _ in range(2):
        page.click()
    newer, older = panel.gallery.pages.page()
    page.send("select", key=older.key)
    assert "Its first run shows this picture" in page.send("insert")["first"]
    request = ImageRequest("a red fox", size=SIZE)
    first = studio.start(request, slot=Slot("inserted", 1)).result(60)
    second = studio.start(request, slot=Slot("beside", 1)).result(60)
    assert (first.replayed_from, second.replayed_from) == (older.record.id, newer.record.id)


def test_code_for_other_controls_than_the_picture_has_promises_nothing(panel: Panel) -> None:
    page = Clicks(panel)
    panel.prompt = "a red fox"
    assert page.send("insert")["first"] == "Running it sends a request.", "there is no picture yet"
    page.click()
    panel.prompt = "a blue fox"
    assert page.send("insert")["first"] == "Running it sends a request."


def test_everything_is_a_trait_that_can_be_observed(panel: Panel) -> None:
    seen: list[tuple[str, Any]] = []
    panel.observe(lambda change: seen.append((change.name, change.new)), ["state", "result"])
    panel.prompt = "a red fox"
    assert panel.request == ImageRequest("a red fox", size=SIZE)
    panel.generate()
    states = [value for name, value in seen if name == "state"]
    assert states[-1] == "done"
    assert [name for name, _ in seen][-2:] == ["result", "state"]
    assert panel._controls["prompt"] == "a red fox"


def test_a_task_shows_its_snapshots(panel: Panel) -> None:
    seen: list[str] = []
    panel.observe(lambda change: seen.append(change.new["state"]), "_status")
    panel.set_controls(prompt="a red fox", model="gpt-image-2", size="1024x1024")
    panel.generate()
    assert {"queued", "painting"} <= set(seen)
    assert panel.state == "done"


def test_an_error_is_readable_and_says_the_next_step(panel: Panel) -> None:
    panel.set_controls(prompt="a red fox", model="rehearsal-moderation")
    Clicks(panel).click()
    assert panel.state == "failed"
    assert "Word the prompt differently" in shown(panel)
    assert panel.result is None


def test_a_click_without_a_prompt_says_what_is_missing(panel: Panel) -> None:
    page = Clicks(panel)
    page.click()
    assert "The prompt is empty." in shown(panel)
    assert panel.request is None
    page.click(prompt="a red fox")
    assert panel.state == "done"


def test_three_clicks_are_one_request_and_changed_controls_wait(studio: Studio) -> None:
    works: list[Callable[[], object]] = []
    panel = Panel(lambda: studio, spawn=works.append, prompt="a red fox", size=SIZE)
    works.clear()  # the opening
    panel.runs._pause = lambda _: None
    page = Clicks(panel)
    for _ in range(3):
        page.click()
    panel_click, *others = works
    works.clear()
    for click in (panel_click, *others):
        click()
    panel.prompt = "a blue fox"
    assert panel.generate() is None, "it waits its turn"
    (follow,) = works
    follow()
    asked = [record.prompt for record in studio.library.records(newest_first=False)]
    assert asked == ["a red fox", "a blue fox"]
    panel.close_all()


def test_a_click_that_is_one_with_the_click_before_shows_again_what_came(panel: Panel) -> None:
    """The second click of two that comes when the first has its picture does not send for ever."""
    panel.prompt = "a red fox"
    page = Clicks(panel)
    page.click()
    page.click()
    assert panel._status["state"] == "done"
    assert len(list(panel.studio.library.records())) == 1


def test_what_waits_behind_a_request_that_cannot_be_started_is_started(studio: Studio) -> None:
    works: list[Callable[[], object]] = []
    panel = Panel(lambda: studio, spawn=works.append, size=SIZE)
    works.clear()
    panel.prompt = "a red fox"
    start = panel.runs._started
    failures: list[Any] = []

    def refused_once(wish: Wish) -> Any:
        if not failures:
            panel.prompt = "a blue fox"
            failures.append(panel.generate())  # a click while the first is being started
            raise OptionError("There is no API key.", advice="")
        return start(wish)

    panel.runs._started = refused_once  # type: ignore[method-assign]  # the settings are wrong, once
    with pytest.raises(OptionError):
        panel.generate()
    works.pop()()
    assert panel.result.request.prompt == "a blue fox"
    assert not panel.runs.is_busy
    panel.close_all()


def test_a_result_that_cannot_be_shown_does_not_end_the_turns(panel: Panel) -> None:
    panel.gallery.tiles = lambda *_: 1 / 0  # type: ignore[assignment,method-assign]  # a defect
    panel.prompt = "a red fox"
    panel.generate()
    assert "ZeroDivisionError" in shown(panel)
    assert not panel.runs.is_busy


def test_a_picture_that_the_folder_does_not_take_is_kept_and_the_panel_says_where(
    panel: Panel, tmp_path: Path
) -> None:
    (tmp_path / "imagine").write_text("in the way")
    panel.prompt = "a red fox"
    panel.generate()
    assert panel.state == "done"
    assert "your own data folder" in shown(panel)


def test_a_library_that_was_tampered_with_leaves_the_panel_standing(panel: Panel) -> None:
    panel.prompt = "a red fox"
    panel.generate()
    find = panel.selected
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    )
    find.path.write_bytes(bomb + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    file = find.record.folder / find.record.file
    told = json.loads(file.read_text())
    told["pictures"][0]["size"] = [0, 0]
    told["request"]["model"] = "<script>alert(1)</script>"
    file.write_text(json.dumps(told))
    panel.search()
    panel.show(panel.gallery.pages.page()[0])
    assert "far too many pixels" in panel._stage["problem"]
    assert panel._tiles == {}


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def test_a_panel_shown_twice_renews_both_still_pictures(panel: Panel) -> None:
    panel._still.show(None, "live")
    first = panel._still._id
    panel._still.show(None, "live")
    assert first
    assert panel._still._id == first


def test_a_task_that_was_not_waited_for_can_be_waited_for_again(tmp_path: Path) -> None:
    engine = Engine(painter=Canned(), task_seconds=(0.05, 0.1))
    transport = Watched(engine)
    transport.answers_polls = False
    client = AsyncClient(base_url=ENGINE_URL, api_key="any-key-at-all", transport=transport)
    studio = Studio(settings(base_url="engine:", library=tmp_path / "imagine"), client=client)
    works: list[Callable[[], object]] = []
    panel = Panel(lambda: studio, spawn=works.append, prompt="a fox", model="gpt-image-2")
    works.clear()
    job = panel.generate()
    assert job is not None
    next(update for update in job.follow(0.01) if job.task_id)
    panel.prompt = "a cat"
    panel.generate()
    panel.stop()
    works.pop()()
    transport.answers_polls = True
    assert panel.state == "stopped"
    assert "1 queued, not sent" in shown(panel)
    assert panel._status["again"]
    Clicks(panel).send("again")
    works.pop()()
    assert panel.result.request.prompt == "a fox"
    assert panel.result.task_id == job.task_id
    assert len(list(studio.library.records())) == 1
    panel.close_all()
    engine.close()


def test_a_count_from_code_stands(panel: Panel) -> None:
    panel.prompt = "a fox"
    panel.n = 9
    assert panel.request.n == 9
    assert "n=9 may be refused" in shown(panel)


def test_choosing_a_model_adapts_the_controls(panel: Panel) -> None:
    panel.set_controls(model="gpt-image-2", size="2048x1152", quality="high", n=3)
    Clicks(panel).send("controls", values={"model": "qwen-image-2.0"}, edit=["page", 1])
    assert panel.model == "qwen-image-2.0"
    assert (panel.quality, panel.n) == ("", 3)
    panel.model = "wan2.6-image"
    assert "it needs 1 input picture" not in shown(panel), "there is no request yet to speak of"
    panel.prompt = "at night"
    assert "it needs 1 input picture" in shown(panel)


def test_a_free_name_and_a_free_size_are_taken(panel: Panel) -> None:
    panel.model = "a-model-of-tomorrow"
    panel.size = "16:9"
    panel.prompt = "a fox"
    assert panel.request == ImageRequest("a fox", model="a-model-of-tomorrow", size="16:9")
    assert panel._controls["size"] == "16:9"


def test_the_models_are_those_that_the_platform_lists(panel: Panel) -> None:
    listed = {name for _, names in panel._models for name in names}
    assert {"qwen-image-2.0", "gpt-image-2", "rehearsal-slow"} <= listed


def test_a_picture_is_edited_compared_and_its_settings_restored(panel: Panel) -> None:
    panel.prompt = "a lighthouse at sunset"
    panel.generate()
    panel.use_as_input()
    panel.set_controls(prompt="the same at night, in teal", n=2)
    panel.generate()
    edited = panel.selected
    assert len(edited.record.written["image"]) == 1
    assert panel._stage["before"], "the page has what it needs to compare"
    panel.set_controls(prompt="something else", images=[], n=1, model="gpt-image-2")
    panel.restore()
    assert panel.request == edited.record.request


def test_settings_of_the_other_endpoint_are_restored(panel: Panel) -> None:
    panel.set_controls(prompt="a fox", dialect="aliyun", seed=5)
    panel.generate()
    panel.set_controls(dialect=None, seed=None, prompt="")
    panel.restore()
    assert (panel.dialect, panel.seed, panel.prompt) == ("aliyun", 5, "a fox")


def test_the_first_cell_that_asks_the_same_shows_the_find_of_the_panel(
    panel: Panel, studio: Studio
) -> None:
    panel.prompt = "a red fox"
    panel.generate()
    cell = studio.start(panel.request, slot=Slot("a-cell")).result(30)
    assert cell.replayed_from == panel.selected.record.id


def test_the_first_run_of_a_front_end_without_cell_ids_shows_the_find_too(
    panel: Panel, studio: Studio
) -> None:
    panel.prompt = "a red fox"
    panel.generate()
    assert studio.start(panel.request).result(30).replayed_from == panel.selected.record.id


def test_a_click_is_always_fresh(panel: Panel, studio: Studio) -> None:
    panel.runs._clock = iter(range(0, 100, 10)).__next__
    panel.prompt = "a red fox"
    panel.generate()
    panel.generate()
    assert len(list(studio.library.records())) == 2


def test_a_copy_is_saved_and_nothing_is_written_over(panel: Panel, tmp_path: Path) -> None:
    panel.prompt = "a red fox"
    panel.generate()
    target = tmp_path / "fox.jpg"
    page, key = Clicks(panel), panel.selected.key
    assert page.send("save", key=key, target=str(target))["note"] == f"Saved: {target}"
    with Image.open(target) as copy:
        assert (copy.format, copy.size) == ("JPEG", (512, 512))
    again = page.send("save", key=key, target=str(target))
    assert "already exists" in again["problem"]["message"]


def upload(panel: Panel, name: str, content: bytes, step: int = 1 << 20) -> dict[str, Any]:
    """Do what the page does when a file is chosen: send it in pieces. Return the last answer."""
    page, answer = Clicks(panel), {}
    for number, start in enumerate(range(0, len(content), step)):
        piece = content[start : start + step]
        told = {"name": name, "size": len(content), "start": start, "id": f"{name}.{number}"}
        answer = page.send("piece", piece, **told)
    return answer


def test_an_upload_is_taken_named_in_the_cell_and_not_sent_back(panel: Panel) -> None:
    upload(panel, "photo.png", png((640, 640)))
    assert [source.label for source in panel.images] == ["photo.png"]
    answer = upload(panel, "photo.png", png((640, 640)))
    assert "is in the list already" in answer["problem"]["message"]
    panel.prompt = "at night"
    assert "imagine/uploads/photo-" in panel.cell()


def test_the_shape_of_a_picture_is_offered_while_there_is_one(panel: Panel) -> None:
    upload(panel, "photo.png", png((640, 512)))
    panel.prompt = "at night"
    panel.size = "same"
    panel.generate()
    assert panel.result is not None
    assert panel.result.request.size == "640x512"
    panel.images = ()
    assert panel.size == ""


def test_a_wrong_file_says_so_and_the_next_one_is_taken(panel: Panel) -> None:
    problem = upload(panel, "notes.txt", b"words")["problem"]
    assert problem["message"].startswith("'notes.txt' is not an image that can be opened")
    assert "PNG" in problem["advice"]
    upload(panel, "a.png", png())
    assert len(panel.images) == 1


def test_the_still_picture_is_small_escaped_and_the_same_for_the_same_result(panel: Panel) -> None:
    panel.prompt = "a <red> fox"
    panel.generate()
    data = still_bundle(panel.result)
    assert data == still_bundle(panel.result)
    assert "a &lt;red&gt; fox" in data["text/html"]
    assert len(json.dumps(data)) < 300_000


def test_before_a_result_nothing_stands_there_that_a_page_looks_for_formulas_in() -> None:
    """Any HTML had JupyterLab load MathJax while it built the panel: a tenth of a second."""
    assert still_bundle(None) == {"text/plain": ""}


def test_a_name_that_is_no_control_is_refused(studio: Studio) -> None:
    with pytest.raises(TraitError, match="no control 'sice'"):
        Panel(lambda: studio, spawn=in_place, sice="512x512")


def test_a_missing_picture_leaves_the_gallery_standing(panel: Panel) -> None:
    panel.prompt = "a red fox"
    panel.generate()
    find = panel.selected
    find.path.unlink()
    panel.show(find)
    panel._show_gallery()
    assert f"{find.path.name} cannot be read" in shown(panel)
    assert panel._gallery["finds"][0]["title"].startswith("a red fox")


def test_making_a_panel_imports_ipywidgets_and_nothing_else_that_is_dear() -> None:
    """The library, Pillow and httpx come once it is on the screen, on a thread."""
    code = (
        "import sys, opeai_nb, opeai_nb.notebook.panel.panel as opening\n"
        "opening.in_thread = lambda work: None\n"
        "opeai_nb.panel()\n"
        "dear = ('httpx', 'PIL', 'numpy', 'starlette', 'pybase64',\n"
        "    'opeai_nb.library.index.index')\n"
        "print([name for name in dear if name in sys.modules], 'ipywidgets' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"


def test_a_click_counts_once_however_often_it_arrives(studio: Studio) -> None:
    """A page that is not answered, or loaded again, may send a click again."""
    works: list[Callable[[], object]] = []
    panel = Panel(lambda: studio, spawn=works.append, size=SIZE)
    works.clear()
    page = Clicks(panel)
    values = {"prompt": "a red fox", "size": SIZE}
    for _ in range(3):
        page.send("generate", id="click-1", values=values, edit=["page", 1])
    assert len(works) == 1
    assert [answer["answer"] for answer in page.answers] == ["click-1"] * 2, (
        "of those that came again"
    )
    panel.close_all()


def test_a_click_asks_as_its_page_shows_whatever_the_kernel_had_heard_before(panel: Panel) -> None:
    page = Clicks(panel)
    page.click(prompt="a red fox", model="gpt-image-2", size="1536x1024", quality="low", seed=None)
    asked = panel.result.request
    assert (asked.prompt, asked.model, asked.size) == ("a red fox", "gpt-image-2", "1536x1024")
    assert asked.quality == "low"


def test_what_a_page_sends_that_makes_no_sense_is_told_and_changes_nothing(panel: Panel) -> None:
    page = Clicks(panel)
    told = [page.send("paint"), page.send("select"), page.send("select", key="nothing-1")]
    assert "no message of the panel" in told[0]["problem"]["message"]
    assert "without its key" in told[1]["problem"]["message"]
    assert "no longer in the gallery" in told[2]["problem"]["message"]
    wrong = page.send("controls", values={"n": "many"}, edit=["page", 1])
    assert "n" in wrong["problem"]["message"]
    assert (panel.n, panel.request) == (1, None)


def test_a_page_of_the_gallery_comes_with_its_pictures_as_bytes(panel: Panel) -> None:
    panel.prompt = "a red fox"
    panel.generate()
    page = Clicks(panel)
    told = page.send("gallery", number=0)
    assert told["keys"] == [panel.selected.key]
    assert page.pictures[0].startswith(b"\xff\xd8")


def test_a_file_that_is_too_large_is_refused_and_pieces_may_come_in_any_order(panel: Panel) -> None:
    picture = png((64, 64))
    page = Clicks(panel)
    told = {"name": "a.png", "size": 60_000_000, "start": 0, "id": "a.0"}
    assert "60.0 MB" in page.send("piece", picture, **told)["problem"]["message"]
    half = len(picture) // 2
    told = {"name": "b.png", "size": len(picture)}
    assert "note" not in page.send("piece", picture[half:], **told, start=half, id="b.1")
    assert page.send("piece", picture[:half], **told, start=0, id="b.0")["note"] == ""
    panel.images = ()
    assert upload(panel, "c.png", picture, step=50)["note"] == ""
    assert len(panel.images) == 1


def test_a_picture_is_starred_trashed_and_brought_back(panel: Panel) -> None:
    panel.prompt = "a red fox"
    panel.generate()
    page, key = Clicks(panel), panel.selected.key
    page.send("mark", key=key, change={"star": True})
    assert "★" in panel._gallery["finds"][0]["marks"]
    assert panel._stage["starred"]
    page.send("mark", key=key, change={"trash": True})
    assert panel._gallery["finds"] == []
    page.send("mark", key=key, change={"trash": False})
    assert len(panel._gallery["finds"]) == 1


def test_the_former_panel_of_a_cell_that_runs_again_is_closed(studio: Studio) -> None:
    from ipywidgets.widgets.widget import _instances  # type: ignore[import-untyped]  # has no types

    run = itertools.count()
    before = len(_instances)
    for _ in range(14):
        panel = Panel(lambda: studio, spawn=in_place, cell=lambda: ("a-cell", f"{next(run)}"))
        panel._ipython_display_()
    assert len(_instances) - before == 2, "one panel, and its layout"
    panel.close()


def test_where_there_is_no_magic_the_cell_is_python_and_its_first_run_is_free(
    studio: Studio,
) -> None:
    """In marimo the panel works, and `%%imagine` is no Python."""
    panel = Panel(lambda: studio, spawn=in_place, size=SIZE, has_magic=False)
    panel.prompt = "a {whale}"
    panel.generate()
    code, first = panel.insert()
    asked = f"'a {{whale}}', model='qwen-image-2.0', size='{SIZE}'"
    assert code == f"import opeai_nb\n\nopeai_nb.generate({asked})"
    assert first == "Its first run shows this picture and sends nothing."
    shown = studio.generate("a {whale}", model="qwen-image-2.0", size=SIZE)
    assert shown.replayed_from == panel.selected.record.id
    panel.close_all()


def test_the_plain_panel_is_of_stock_widgets_and_has_the_same_traits(studio: Studio) -> None:
    """For a front end without anywidget: nothing of the one component reaches its page."""
    panel = PlainPanel(lambda: studio, spawn=in_place, size=SIZE)
    panel.prompt_field.value = "a <b>red</b> fox"
    panel.count.value = 2
    panel.go.click()
    assert panel.result.request == ImageRequest("a <b>red</b> fox", size=SIZE, n=2)
    assert "2 pictures" in panel.badge.value
    assert bytes(panel.picture.value[:2]) == b"\xff\xd8"
    panel.model = "rehearsal-moderation"
    panel.go.click()
    assert "Word the prompt differently" in panel.badge.value
    assert "<script>" not in notes_html(["<script>"])
    assert panel._model_name == "VBoxModel"
    assert not {"_stage", "_tiles", "_esm"} & panel.get_state().keys()
    panel.close_all()


def test_each_picture_of_the_plain_panel_is_a_widget_with_sides(studio: Studio) -> None:
    """In euporie an image without sides is none, and one that becomes another stops it."""
    panel = PlainPanel(lambda: studio, spawn=in_place, size=SIZE, prompt="a red fox")
    assert (panel.picture, panel.place.children) == (None, ())
    panel.go.click()
    first = panel.picture
    assert (first.width, first.height, panel.place.children) == ("512", "512", (first,))
    panel.prompt = "an owl"
    panel.go.click()
    assert panel.picture is not first
    assert (first.comm, panel.place.children) == (None, (panel.picture,))
    panel.close_all()


def test_an_edit_that_a_later_one_overtook_changes_nothing(panel: Panel) -> None:
    """A kernel with subshells may handle the first message of a page after the second."""
    page = Clicks(panel)
    page.send("controls", values={"prompt": "a red fox in the snow"}, edit=["page", 2])
    page.send("controls", values={"prompt": "a red"}, edit=["page", 1])
    assert panel.prompt == "a red fox in the snow"
    page.send("controls", values={"prompt": "an owl"}, edit=["another page", 1])
    assert panel.prompt == "an owl"
