"""The panel's logic without widgets: offers, controls, turns, pages, cells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from opeai_nb.client import ImageRequest
from opeai_nb.errors import ImageInputError, InputError, OptionError
from opeai_nb.fields import BY_NAME
from opeai_nb.imaging.scale import filling
from opeai_nb.library.disk.homes import Homes
from opeai_nb.notebook.magic.line import parse
from opeai_nb.notebook.magic.prompt import interpolated, without_markers
from opeai_nb.notebook.magic.sweep_cell import is_sweep
from opeai_nb.notebook.panel import input_sources
from opeai_nb.notebook.panel.code_cell import cell_text, python_text
from opeai_nb.notebook.panel.controls import Controls, controls_of
from opeai_nb.notebook.panel.gallery.finds import Find, finds_of
from opeai_nb.notebook.panel.gallery.gallery import Pages
from opeai_nb.notebook.panel.model_options import (
    grouped,
    options_of,
    size_label,
)
from opeai_nb.notebook.panel.request_queue import Turns, Wish
from opeai_nb.notebook.panel.save_files import upload_file
from tests.pictures import encoded, png

# -- what a model is offered


@pytest.mark.parametrize(
    ("size", "label"),
    [
        ("1024x1024", "□ 1:1\n1024×1024"),
        ("1536x1024", "▭ 3:2\n1536×1024"),
        ("1536x2688", "▯ 9:16\n1536×2688"),
        ("2368x1728", "▭ 4:3\n2368×1728"),
        ("1000x540", "▭ 1.85:1\n1000×540"),
        ("auto", "auto\nmodel's choice"),
    ],
)
def test_a_size_shows_its_shape_and_the_name_of_its_ratio(size: str, label: str) -> None:
    assert size_label(size) == label


def test_a_model_is_offered_what_it_takes() -> None:
    gpt, qwen, edit = (
        options_of("gpt-image-2"),
        options_of("qwen-image"),
        options_of("qwen-image-edit"),
    )
    assert gpt.qualities == ("auto", "low", "medium", "high")
    assert (qwen.qualities, qwen.n_max, qwen.images_max) == ((), 1, 0)
    assert (edit.images_min, edit.images_max) == (1, 3)
    assert not gpt.has_effect("style")
    assert gpt.has_effect("background")


def test_an_unknown_model_is_offered_everything() -> None:
    unknown = options_of("somebody-s-new-model")
    assert not unknown.known
    assert unknown.has_effect("background")
    assert unknown.images_max > 0


def test_fields_of_the_other_endpoint_show_with_it() -> None:
    assert not options_of("qwen-image-2.0").has_effect("seed", "openai")
    assert options_of("qwen-image-2.0").has_effect("seed", "aliyun")


def test_known_families_are_grouped_and_the_chosen_model_is_there() -> None:
    groups = dict(grouped(["gpt-image-2", "my-own", "qwen-image-2.0"], "dall-e-3"))
    assert groups["OpenAI"] == ("gpt-image-2", "dall-e-3")
    assert groups["Others"] == ("my-own",)


# -- controls in, request out


def test_what_is_not_set_is_not_sent() -> None:
    assert Controls("a fox").request() == ImageRequest("a fox")


def test_everything_that_is_set_is_in_the_request() -> None:
    source = input_sources.given(png())
    controls = Controls(
        "a fox",
        "gpt-image-2",
        "16:9",
        "high",
        3,
        (source,),
        {"background": "opaque", "extra": {"a": 1}},
    )
    asked = controls.request()
    assert asked == ImageRequest(
        "a fox",
        model="gpt-image-2",
        size="16:9",
        quality="high",
        n=3,
        image=source.images,
        background="opaque",
        extra={"a": 1},
    )


def test_the_defaults_of_config_are_those_of_a_cell_and_the_controls_win() -> None:
    asked = Controls("a fox", size="1024x1024").request({"n": 2, "quality": "low", "size": "2K"})
    assert (asked.n, asked.quality, asked.size) == (1, "low", "1024x1024")


def test_an_empty_prompt_is_no_request() -> None:
    with pytest.raises(InputError, match="prompt is empty"):
        Controls().request()


def test_another_model_takes_back_what_it_does_not_take() -> None:
    before = Controls("a fox", "gpt-image-2", "2048x1152", "high", 4, (), {"background": "opaque"})
    after = before.adapted("qwen-image")
    assert after == Controls("a fox", "qwen-image", "", "", 1, (), {})
    assert before.adapted("gpt-image-2") == before


def test_the_controls_of_a_request_ask_for_it_again() -> None:
    asked = ImageRequest(
        "a fox",
        n=2,
        size="1536x1024",
        dialect="aliyun",
        seed=7,
        negative_prompt="snow",
        watermark=False,
    )
    assert controls_of(asked).request() == asked


# -- the cell that asks for the same


def read_cell(text: str) -> ImageRequest:
    """Read a cell as the magic does."""
    line, body = text.removeprefix("%%imagine").split("\n", 1)
    parsed = parse(line.strip(), {})
    prompt = without_markers(body)
    assert not is_sweep(parsed, prompt), "one request, not several"
    return ImageRequest(
        prompt if parsed.cell.get("raw") else interpolated(prompt, {}), **parsed.request
    )


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
PROMPTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n{}|\"'$\\"))


@given(
    prompt=PROMPTS.filter(str.strip),
    style=WORDS,
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | WORDS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    ),
    watermark=st.none() | st.booleans(),
    n=st.none() | st.integers(1, 9),
)
def test_a_cell_asks_for_the_same(
    prompt: str, style: str, value: Any, watermark: bool | None, n: int | None
) -> None:
    asked = ImageRequest(prompt, style=style, n=n, watermark=watermark, extra={"k v": value})
    if reads_as_a_variable(style):
        with pytest.raises(InputError, match="cannot be written as a cell"):
            cell_text(asked)
    else:
        assert read_cell(cell_text(asked)) == asked


@given(
    prompt=PROMPTS.filter(str.strip),
    style=WORDS,
    extra=st.dictionaries(
        WORDS.filter(lambda name: name not in {*BY_NAME, "stream"}),  # no extra field is called so
        st.none() | st.booleans() | st.lists(WORDS, max_size=2),
    ),
)
def test_a_cell_in_python_asks_for_the_same(prompt: str, style: str, extra: Any) -> None:
    asked = ImageRequest(prompt, style=style, n=2, extra=extra)
    assert ImageRequest(**called(python_text(asked))) == asked


def called(text: str) -> dict[str, Any]:
    """Return what the call in a cell in Python gives."""
    _, call = ast.parse(text).body
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    named = {str(each.arg): ast.literal_eval(each.value) for each in call.value.keywords}
    assert "prompt" not in named, "it is given once"
    return {"prompt": ast.literal_eval(call.value.args[0]), **named}


def reads_as_a_variable(value: str) -> bool:
    name = value[1:] if value.startswith("$") else value[1:-1] if value[:1] == "{" else ""
    return name.isidentifier() and value in {f"${name}", f"{{{name}}}"}


@pytest.mark.parametrize(
    "asked", [ImageRequest("a {fox|owl} in ink"), ImageRequest("a fox", style="soft, warm")]
)
def test_a_cell_for_one_request_is_no_sweep(asked: ImageRequest) -> None:
    """Braces with bars and commas were painted once as they stand: their cell pays for no more."""
    assert read_cell(cell_text(asked)) == asked


def test_a_name_with_a_comma_would_be_several_and_is_refused() -> None:
    with pytest.raises(InputError, match="reads as several"):
        cell_text(ImageRequest("a fox", model="mine, my own"))


def test_a_cell_reads_as_a_person_would_write_it() -> None:
    asked = ImageRequest("a {fox}\nin the snow", model="gpt-image-2", size="1536x1024", n=2)
    assert cell_text(asked, []) == (
        "%%imagine --model gpt-image-2 --size 1536x1024 -n 2 --raw\na {fox}\nin the snow"
    )


def test_a_cell_names_its_input_pictures() -> None:
    asked = ImageRequest("at night", image=[png()])
    text = cell_text(asked, ["my photos/a b.png"])
    assert text.startswith("%%imagine --model qwen-image-2.0 --image 'my photos/a b.png'\n")


def test_what_no_cell_can_say_is_refused_with_another_way() -> None:
    with pytest.raises(InputError, match="reads as a variable") as caught:
        cell_text(ImageRequest("a fox", style="$style"))
    assert "Python" in caught.value.advice


# -- whose turn it is

FOX, CAT = Wish(ImageRequest("a fox")), Wish(ImageRequest("a cat"))


def test_unchanged_clicks_while_it_runs_are_one() -> None:
    turns = Turns()
    assert [turns.ask(FOX, now) for now in (0.0, 0.1, 9.0)] == ["start", "ignore", "ignore"]


def test_changed_controls_wait_for_their_turn() -> None:
    turns = Turns()
    assert [turns.ask(r, 0.0) for r in (FOX, CAT, CAT, FOX)] == ["start", "wait", "ignore", "wait"]
    assert [turns.done(1.0), turns.done(2.0), turns.done(3.0)] == [CAT, FOX, None]
    assert not turns.is_busy


def test_a_double_click_that_is_handled_after_the_picture_pays_once() -> None:
    """Where handlers block, the second click comes when the first has its picture."""
    turns = Turns()
    turns.ask(FOX, 0.0)
    turns.done(12.0)
    assert turns.ask(FOX, 12.01) == "ignore"
    assert turns.ask(FOX, 13.0) == "start"


def test_stopping_forgets_what_waits() -> None:
    turns = Turns()
    turns.ask(FOX, 0.0)
    turns.ask(CAT, 0.0)
    assert turns.drop() == 1
    assert turns.done(1.0) is None


# -- the gallery's pages


class Kept:
    """As much of a record as pages look at, counted as it is read."""

    read = 0

    def __init__(self, number: int) -> None:
        Kept.read += 1
        self.id, self.folder, self.prompt, self.model = f"{number}", Path(), f"no. {number}", "m"
        self.pictures = [replace(_PICTURE, file=f"{number}-{i}.png") for i in (1, 2)]

    def path_of(self, name: str) -> Path:
        return self.folder / name


def _picture() -> Any:
    from opeai_nb.library import KeptPicture

    return KeptPicture(file="x.png", format="png", size=(4, 4))


_PICTURE = _picture()


class Unlaid:
    """As much of a library as finds look at: nothing was laid over anything."""

    def overlays(self, _: Any) -> list[Any]:
        return []


def finds(count: int) -> Iterator[Find]:
    for number in range(count):
        yield from finds_of(Kept(number), Unlaid())  # type: ignore[arg-type]  # no more is asked


def test_pages_read_no_further_than_is_looked() -> None:
    Kept.read = 0
    pages = Pages(lambda: finds(500), 24)
    assert [find.path.name for find in pages.page()][:3] == ["0-1.png", "0-2.png", "1-1.png"]
    assert pages.has_older()
    assert Kept.read == 13


def test_the_last_page_is_short_and_has_no_older() -> None:
    pages = Pages(lambda: finds(13), 24)
    assert len(pages.page(1)) == 2
    assert not pages.has_older(1)
    assert len(pages.page(0)) == 24


# -- input pictures


def test_an_upload_is_upright_whatever_its_exif_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = encoded(Image.new("RGB", (80, 40), "teal"), "JPEG", exif=exif)
    (image,) = input_sources.uploaded("photo.jpg", photo).images
    assert image.data is not None
    assert Image.open(BytesIO(image.data)).size == (40, 80)


def test_a_file_that_is_no_picture_is_named_and_refused() -> None:
    with pytest.raises(ImageInputError, match=r"notes\.txt"):
        input_sources.uploaded("notes.txt", b"no picture at all")


def test_the_same_picture_twice_is_used_once() -> None:
    first = input_sources.uploaded("a.png", png())
    with pytest.raises(InputError, match="in the list already"):
        input_sources.with_source((first,), input_sources.uploaded("copy of a.png", png()))


def test_a_variable_a_path_and_an_url_name_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png())
    assert input_sources.named("view", {"view": png()}).written == "view"
    assert input_sources.named(str(path), {}).label == "a.png"
    assert input_sources.named("https://example.org/a.png", {}).images[0].url
    with pytest.raises(OptionError, match="Did you mean 'view'"):
        input_sources.named("veiw", {"view": png()})


def test_an_upload_becomes_a_file_once_and_asks_for_the_same(tmp_path: Path) -> None:
    source = input_sources.uploaded("My Photo.png", png())
    assert source.original is not None
    path = upload_file(Homes(tmp_path), source.label, source.original)
    assert upload_file(Homes(tmp_path), source.label, source.original) == path
    assert input_sources.named(str(path), {}).digest == source.digest


@given(width=st.integers(1, 3000), height=st.integers(1, 3000))
def test_a_picture_of_any_size_has_a_tile(width: int, height: int) -> None:
    tile = filling(Image.new("L", (width, height)), (176, 176))
    assert tile.size == (176, 176)


@pytest.mark.parametrize("size", [(1, 1), (4032, 3024), (800, 800), (2848, 1600), (1, 4000)])
def test_an_upload_of_any_size_is_seen_in_the_tray(size: tuple[int, int]) -> None:
    told = input_sources.shown(input_sources.uploaded("a.png", png(size)))
    assert told["tile"]
    assert told["size"] == size
