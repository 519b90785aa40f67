"""The main path through the panel, in each browser: generate, upload, drop, insert code, keys."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.browsers import in_each_browser
from tests.pictures import png

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.panel_page import Page

pytestmark = [pytest.mark.long, in_each_browser]

UPLOAD = """bytes => {
  const files = document.querySelector('.ob-files');
  const chosen = new DataTransfer();
  chosen.items.add(new File([new Uint8Array(bytes)], 'chosen.png'));
  files.files = chosen.files;
  files.dispatchEvent(new Event('change', {bubbles: true}));
}"""
UPLOAD_AND_CLICK = UPLOAD[:-1] + "document.querySelector('.ob-generate').click(); }"
SETTLE = """
import threading
for thread in threading.enumerate():
    if thread.name == 'opeai_nb-panel':
        thread.join()
"""


def photo() -> bytes:
    """A photograph as a phone makes it: grainy, lying on its side, upright by its EXIF."""
    grain = np.random.default_rng(7).normal(0, 12, (900, 1200, 3))
    slope = np.linspace(40, 200, 1200)[None, :, None] + np.zeros((900, 1, 3))
    picture = Image.fromarray(np.clip(slope + grain, 0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=90, exif=exif)
    return buffer.getvalue()


def test_three_clicks_are_one_request_and_its_picture_appears(panel: Page) -> None:
    before = panel.records()
    panel.write("a red fox in a snowy forest")
    panel.page.locator(".ob-generate").click(click_count=3, delay=20)
    panel.wait_for_picture("a red fox in a snowy forest")
    panel.ask(SETTLE)  # each click has been looked at
    assert panel.records() == before + 1
    assert panel.page.locator(".opeai-nb-still").is_hidden(), "the live panel stands in its place"


def test_a_photo_of_15_mb_arrives_in_pieces_and_60_mb_are_refused_before_they_are_sent(
    panel: Page, tmp_path: Path
) -> None:
    larger, large = tmp_path / "larger.jpg", tmp_path / "photo.jpg"
    large.write_bytes(photo() + b"\0" * 15_000_000)
    larger.write_bytes(photo() + b"\0" * 60_000_000)
    for path in (larger, large):
        panel.upload(path)
        if path is larger:
            panel.page.get_by_text("It was not sent").wait_for()
            panel.page.get_by_text("give its path").wait_for()
    panel.page.locator(".ob-source img").wait_for()
    taken = "panel.images[0].images[0].data"
    size = f"import io, PIL.Image; print(PIL.Image.open(io.BytesIO({taken})).size)"
    assert panel.ask(size) == "(900, 1200)", "upright"
    panel.click("Remove photo.jpg")
    panel.page.locator(".ob-source").wait_for(state="detached")


def test_a_dropped_file_is_taken_and_a_path_is_too(panel: Page) -> None:
    picture = png()
    (panel.folder / "beside.png").write_bytes(picture)
    panel.page.evaluate(
        """bytes => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], 'dropped.png', {type: 'image/png'}));
          document.querySelector('.opeai-nb-panel').dispatchEvent(
            new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        list(picture),
    )
    panel.page.get_by_text("dropped.png").first.wait_for()  # its bar may be there still
    panel.page.get_by_placeholder("path, URL or variable").fill("beside.png")
    panel.page.keyboard.press("Enter")
    panel.page.get_by_text("beside.png is in the list already").wait_for()


def test_the_inserted_cell_shows_the_panels_picture_and_pays_nothing(panel: Page) -> None:
    panel.generate("a whale in the deep sea {calm}")
    panel.click("Insert code")
    panel.page.get_by_text("Added below").wait_for()
    before = panel.records()
    below = panel.notebook.cell(1)
    text = below.locator(".cm-content").inner_text()
    assert text.startswith("%%imagine --model qwen-image-2.0 --size 768x512 --raw\n")
    panel.notebook.run_cell(1)
    below.locator("img").wait_for()
    assert panel.records() == before
    assert panel.ask("print(_.replayed_from == panel.selected.record.id)") == "True"
    panel.page.evaluate("() => window.jupyterapp.commands.execute('notebook:delete-cell')")


def test_control_enter_generates_and_keys_stay_in_the_panel(panel: Page) -> None:
    cells = panel.page.locator(".jp-Notebook .jp-Cell").count()
    panel.write("a castle in the clouds")
    panel.page.get_by_label("Prompt", exact=True).focus()
    panel.page.keyboard.press("Control+Enter")
    panel.wait_for_picture("a castle in the clouds")
    assert panel.ask("print(panel.result.request.prompt)") == "a castle in the clouds"
    panel.page.get_by_role("button", name="Insert code").focus()
    panel.page.keyboard.press("b")
    assert panel.page.locator(".jp-Notebook .jp-Cell").count() == cells, (
        "no shortcut of the notebook"
    )


def type_into(field: Any, text: str) -> None:
    """Write a text by keys, and stay in the field: what a driver fills in is no person's change."""
    field.press("Control+a")
    field.page.keyboard.type(text)


def test_control_enter_sends_what_was_typed_last(panel: Page) -> None:
    """It asked for as many pictures as before, and went off without the picture to edit."""
    (panel.folder / "late.png").write_bytes(png())
    panel.generate("a seal")
    before = panel.records()
    prompt = panel.page.get_by_label("Prompt", exact=True)
    type_into(prompt, "three seals")
    prompt.press("Tab")  # the kernel has it: what it says next is not of before
    count = panel.page.get_by_label("Pictures", exact=True)
    type_into(count, "3")
    panel.ask("panel.quality = 'low'")  # what the kernel says meanwhile takes no letter away
    panel.page.get_by_label("low", exact=True).and_(panel.page.locator(":checked")).wait_for()
    assert count.input_value() == "3"
    count.press("Control+Enter")
    panel.wait_for_picture("three seals")
    assert panel.ask("print(len(panel.result))") == "3"
    panel.write("one more seal")
    type_into(count, "1")
    type_into(panel.page.get_by_placeholder("path, URL or variable"), "late.png")
    panel.page.keyboard.press("Control+Enter")
    panel.wait_for_picture("one more seal")
    assert panel.ask("print(len(panel.result), len(panel.result.request.image))") == "1 1"
    assert panel.records() == before + 2


@pytest.mark.parametrize("how", ["Generate", "Control+Enter", "Insert code"])
def test_what_cannot_be_read_is_never_left_out(panel: Page, how: str) -> None:
    before = panel.records()
    panel.write("a walrus")
    panel.page.get_by_text("More options").click()
    extra = panel.page.get_by_label("Extra fields (JSON)")
    path = panel.page.get_by_placeholder("path, URL or variable")
    for field, text, reason in (
        (extra, '{"seed": 4', "is not JSON such as"),
        (path, "nowhere.png", "There is no file 'nowhere.png'"),
    ):
        type_into(field, text)
        if how == "Control+Enter":
            panel.page.keyboard.press(how)
        else:
            panel.click(how)
        panel.page.get_by_role("alert").get_by_text(reason).wait_for()
        type_into(field, " ")
        field.press("Tab")
        panel.page.locator(".ob-composer .ob-wrong:visible").wait_for(state="detached")
    assert panel.records() == before
    panel.generate("a walrus")
    assert panel.records() == before + 1


def test_what_is_said_of_a_file_or_a_field_moves_no_button_away_from_whoever_aims_at_it(
    panel: Page,
) -> None:
    button = panel.page.get_by_role("button", name=re.compile("Generate$"))
    panel.page.get_by_text("More options").click()
    before = button.bounding_box()
    half = before["height"] / 2
    panel.page.evaluate(UPLOAD, list(b"no picture at all"))
    panel.page.get_by_text("'chosen.png' is not an image that can be opened").wait_for()
    assert abs(button.bounding_box()["y"] - before["y"]) < half
    extra = panel.page.get_by_label("Extra fields (JSON)")
    type_into(extra, "many")
    extra.press("Tab")
    panel.page.get_by_text("is not JSON such as").wait_for()
    assert abs(button.bounding_box()["y"] - before["y"]) < half


def test_a_press_counts_though_what_it_brings_moves_the_button(panel: Page) -> None:
    before = panel.records()
    panel.write("a walrus")
    panel.page.get_by_label("other…").press("Space")
    size = panel.page.get_by_label("Other size")
    button, mouse = panel.page.get_by_role("button", name=re.compile("Generate$")), panel.page.mouse
    for text, is_kept in (("2048x2048", False), ("1024x1024", True)):
        type_into(size, text)
        place = button.bounding_box()
        mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] - 4)
        mouse.down()  # the field is left: its size has a chip, and the field goes
        size.wait_for(state="hidden")
        assert button.bounding_box()["y"] < place["y"] - 4
        if not is_kept:  # a hand that moves away takes the press back
            mouse.move(place["x"], place["y"] - 300, steps=4)
        mouse.up()
        if not is_kept:
            panel.ask(SETTLE)
            assert panel.records() == before
            panel.page.get_by_label("other…").press("Space")
    panel.wait_for_picture("a walrus")
    assert panel.records() == before + 1


def test_a_model_is_named_whatever_the_kernel_says_meanwhile(panel: Page) -> None:
    before = panel.records()
    prompt = panel.page.get_by_label("Prompt", exact=True)
    type_into(prompt, "a walrus")
    prompt.press("Tab")
    model = panel.page.get_by_label("Model", exact=True)
    model.select_option("another name…")
    name = panel.page.get_by_label("Name of the model")
    panel.ask("panel.quality = 'low'")
    panel.page.get_by_label("low", exact=True).and_(panel.page.locator(":checked")).wait_for()
    panel.click("Generate")
    panel.page.get_by_role("alert").get_by_text("Write the name of the model").wait_for()
    assert panel.records() == before
    type_into(name, "qwen-image-plus")
    name.press("Enter")
    name.wait_for(state="hidden")
    assert model.input_value() == "qwen-image-plus"
    assert panel.ask("print(panel.model)") == "qwen-image-plus"


def test_another_size_is_written_or_nothing_is_sent(panel: Page) -> None:
    before = panel.records()
    panel.write("a walrus")
    other = panel.page.get_by_label("other…")
    size = panel.page.get_by_label("Other size")
    assert size.input_value() == "768x512"
    panel.page.get_by_role("radio", name="1:1").press("Space")  # no time of a picture
    other.press("Space")
    assert not size.input_value(), "it showed 768x512, and 2048x2048 was sent"
    panel.click("Generate")
    panel.page.get_by_role("alert").get_by_text("Write a size").wait_for()
    assert panel.records() == before
    type_into(size, "640x512")
    size.press("Control+Enter")
    panel.wait_for_picture("a walrus")
    assert panel.ask("print(panel.result[0].size)") == "(640, 512)"


def test_a_click_waits_for_the_upload_before_it(panel: Page) -> None:
    before = panel.records()
    panel.write("a red walrus")
    panel.page.evaluate(UPLOAD_AND_CLICK, list(png()[:40]))
    alert = panel.page.get_by_role("alert").get_by_text("is not an image that can be opened")
    alert.wait_for()
    assert panel.records() == before
    panel.page.evaluate(UPLOAD_AND_CLICK, list(png()))
    panel.wait_for_picture("a red walrus")
    assert panel.ask("print(len(panel.result.request.image))") == "1"
    assert panel.records() == before + 1
