"""What the panel's page decides by itself, beside what the kernel decides: `panel.js` runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import pytest

from opeai_nb.client.values.size import parse_size
from opeai_nb.client.wire.hints import hints
from opeai_nb.errors import InputError, LibraryError
from opeai_nb.families import FAMILIES, accepts_size, family_of
from opeai_nb.library.marks import tag_of
from opeai_nb.notebook.panel import input_sources
from opeai_nb.notebook.panel.controls import ADVANCED, Controls, set_by
from opeai_nb.notebook.panel.model_options import options_of
from opeai_nb.notebook.panel.model_table import model_table
from opeai_nb.notebook.panel.page_module import page_module
from opeai_nb.presets.preset import Preset
from tests.pictures import png

MODELS = [*(family.prefixes[0] for family in FAMILIES), "Qwen-Image-2.0-pro", "somebody-s-own"]
SIZES = ["", "1024x1024", "2K", "2k", "16:9", "100x100", "2048x1152", "4096x4096", "1000x1001"]
RUN = """
import {{createInterface}} from 'node:readline';
const page = await import({module});
let table;
const known = (one) => (one === '$table' ? table : one?.$bytes ? Uint8Array.from(one.$bytes) : one);
const own = {{painted: (size, from, to, radius) => {{
  const mask = new Uint8Array(size[0] * size[1]);
  page.paint(mask, size, from, to, radius, 1);
  return mask;
}}, isShared: async () => (await import({module} + '?again')).default === page.default}};
const said = async ([name, ...rest]) => {{
  try {{ return await (page[name] || own[name])(...rest.map(known)); }}
  catch (error) {{ return error.message; }}
}};
for await (const line of createInterface({{input: process.stdin}})) {{
  const [newest, calls] = JSON.parse(line);
  table = newest;
  console.log(JSON.stringify(await Promise.all(calls.map(said))));
}}
"""
Page = subprocess.Popen[str]


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The module in one node for all tests, under the name by which node knows a module."""
    if shutil.which("node") is None:
        pytest.skip("there is no node on this machine")
    copy = tmp_path_factory.mktemp("page") / "panel.mjs"
    copy.write_text(page_module(), "utf-8")
    program = RUN.format(module=json.dumps(str(copy)))
    command = ["node", "--input-type=module", "-e", program]
    with subprocess.Popen(command, text=True, encoding="utf-8", stdin=-1, stdout=-1) as node:
        yield node
        node.stdin.close()
        assert node.wait(60) == 0


def said(module: Page, calls: list[list[Any]]) -> list[Any]:
    """Return what functions of the module return; `$table` stands for the table of models."""
    module.stdin.write(json.dumps([model_table(), calls]) + "\n")
    module.stdin.flush()
    answers: list[Any] = json.loads(module.stdout.readline())
    return answers


def as_page(controls: Controls) -> dict[str, Any]:
    """The controls as the page has them."""
    names = ("preset", "prompt", "model", "size", "quality", "n")
    plain = {name: getattr(controls, name) for name in names}
    return {**plain, **dict.fromkeys(ADVANCED), **controls.advanced}


@cache
def sources() -> tuple[input_sources.Source, ...]:
    return tuple(input_sources.given(png((640 + 64 * i, 480))) for i in range(4))


def combinations() -> list[Controls]:
    fields: list[dict[str, Any]] = [
        {},
        {"dialect": "aliyun", "seed": 3},
        {"style": "vivid", "watermark": True},
    ]
    found = [
        Controls("a fox", model, size, quality, n, sources()[:inputs])
        for (model, size), (quality, n, inputs) in product(
            product(MODELS, SIZES[::2]), [("", 1, 0), ("high", 3, 1), ("", 11, 4)]
        )
    ]
    found += [Controls("a fox", model, advanced=one) for model in MODELS for one in fields]
    found += [Controls("fox " * 300, model) for model in MODELS]
    found += [Controls("a fox", advanced={"output_compression": 0, "extra": {"size": "1x1"}})]
    return found


def test_panels_of_a_page_share_what_it_has_compiled(module: Page) -> None:
    assert said(module, [["isShared"]]) == [True]


def test_one_can_draw_on_pictures_of_every_size(module: Page) -> None:
    """A picture of 1 x 4000 was a line of a seventh of a pixel, and one of 1 x 1 a dot."""
    sides = (1, 2, 30, 64, 1280)
    sizes = [*product(sides, sides)]
    for (width, height), (across, down) in zip(
        sizes, said(module, [["surfaceOf", size] for size in sizes]), strict=True
    ):
        assert max(across, down) == max(width, height, 64)
        assert max(across, down) <= 20 * min(across, down) + 1e-9
        if max(width, height) <= 20 * min(width, height):
            assert across / down == pytest.approx(width / height), "its own shape"


def test_a_tile_that_says_the_same_as_before_is_known_again(module: Page) -> None:
    tiles: list[Any] = [{"$bytes": [1, 2, 3]}, {"$bytes": [1, 2, 4]}, {"$bytes": [1, 2]}, None]
    same = said(module, [["isSameBytes", one, other] for one, other in product(tiles, tiles)])
    assert same == [one == other for one, other in product(tiles, tiles)]


def test_the_page_says_the_hints_of_the_kernel(module: Page) -> None:
    asked = combinations()
    sizes = [{"size": one.images[0].size} for one in sources()]  # to read one costs a decoding
    inputs = [sizes[: len(c.images)] for c in asked]
    answers = said(
        module,
        [["hintsOf", "$table", as_page(c), i] for c, i in zip(asked, inputs, strict=True)],
    )
    for controls, answer in zip(asked, answers, strict=True):
        assert answer == list(hints(controls.request())), controls
    assert said(module, [["hintsOf", "$table", as_page(Controls(" ")), []]]) == [[]]


def test_another_model_changes_the_controls_in_the_page_as_in_the_kernel(module: Page) -> None:
    before = [
        replace(c, advanced={"background": "opaque", "seed": 3, "dialect": "aliyun"})
        for c in combinations()[::7]
    ]
    pairs = [(controls, model) for controls in before for model in MODELS]
    answers = said(module, [["adapted", "$table", as_page(c), model] for c, model in pairs])
    for (controls, model), answer in zip(pairs, answers, strict=True):
        assert answer == as_page(controls.adapted(model)), (controls, model)


PRESETS = [
    None,
    Preset("flat", "flat {prompt}, {{two}} {colours}", {"model": "gpt-image-2", "size": "2x3"}),
    Preset("ink", None, {"n": 3, "quality": "high", "watermark": False}),
    Preset("sure", "{prompt} {prompt}", {"dialect": "aliyun", "seed": 3, "extra": {"tone": 1}}),
]


def as_choice(preset: Preset | None) -> dict[str, Any] | None:
    """The preset as the page has it."""
    if preset is None:
        return None
    return {"name": preset.name, "prompt": preset.prompt, "fields": set_by(preset)}


def test_a_preset_changes_the_controls_in_the_page_as_in_the_kernel(module: Page) -> None:
    before = [*combinations()[::9], Controls("a fox", n=3, advanced={"extra": {"b": 2}})]
    triples = [*product(before, PRESETS, PRESETS)]
    calls = [
        ["withPreset", "$table", as_page(c), as_choice(former), as_choice(preset)]
        for c, former, preset in triples
    ]
    for (controls, former, preset), answer in zip(triples, said(module, calls), strict=True):
        changed = replace(controls, preset=preset.name if preset else "")
        assert answer == as_page(changed.with_preset(former, preset)), (controls, former, preset)


def test_the_page_knows_the_prompt_in_the_words_of_a_preset(module: Page) -> None:
    prompts = ["a {fox} }}", "  a\nfox ", "$& $1 {prompt}"]
    pairs = [(preset, prompt) for preset in PRESETS for prompt in prompts]
    answers = said(module, [["around", as_choice(preset), prompt] for preset, prompt in pairs])
    for (preset, prompt), answer in zip(pairs, answers, strict=True):
        assert answer == (preset.around(prompt.strip()) if preset else prompt.strip())


def test_what_the_controls_leave_open_is_what_the_preset_says(module: Page) -> None:
    _, flat, ink, _ = PRESETS
    controls = as_page(Controls("a fox", quality="low"))
    answers = said(module, [["settled", controls, as_choice(each)] for each in (flat, ink, None)])
    shown = [(answer["size"], answer["quality"], answer["watermark"]) for answer in answers]
    assert shown == [("2x3", "low", None), ("", "low", False), ("", "low", None)]
    chips = said(module, [["sizesOf", "$table", answers[0], False, as_choice(flat)]])[0]
    assert "" not in [chip["value"] for chip in chips], "what the preset says cannot be left out"


def test_the_page_offers_what_the_kernel_offers(module: Page) -> None:
    asked = [Controls(model=model) for model in MODELS]
    sizes = said(module, [["sizesOf", "$table", as_page(c), False] for c in asked])
    words = said(module, [["qualitiesOf", "$table", as_page(c)] for c in asked])
    for controls, chips, qualities in zip(asked, sizes, words, strict=True):
        offered = options_of(controls.model)
        labels = {"\n".join(chip["lines"]): chip["value"] for chip in chips[1:]}
        assert labels == {k: v for k, v in offered.sizes if v != offered.default_size}
        assert qualities["words"] == list(offered.quality_words)
        assert qualities["isIgnored"] == (not offered.qualities)


def test_sizes_are_accepted_by_the_page_as_by_the_kernel(module: Page) -> None:
    table = {family["name"]: family for family in model_table()["families"]}
    pairs = [(family.name, size) for family in FAMILIES for size in SIZES if size]
    answers = said(module, [["acceptsSize", table[name], size] for name, size in pairs])
    known = {family.name: family for family in FAMILIES}
    assert answers == [accepts_size(known[name], size) for name, size in pairs]
    names = said(module, [["familyOf", "$table", model] for model in MODELS])
    for model, found in zip(MODELS, names, strict=True):
        family = family_of(model)
        assert (found and found["name"]) == (family and family.name)


def test_the_shape_of_a_picture_is_offered_while_there_is_one(module: Page) -> None:
    controls = as_page(Controls())
    without, with_one = said(
        module, [["sizesOf", "$table", controls, one] for one in (False, True)]
    )
    assert [chip["value"] for chip in without][:2] == ["", "2048x2048"]
    assert [chip["value"] for chip in with_one][:3] == ["", "same", "2048x2048"]


def test_a_size_is_read_by_the_page_as_by_the_request(module: Page) -> None:
    texts = ["1024 × 768", "2k", "AUTO", "16 : 9", "0x5", "big", "1.5K", "12", "1024*0768", "0:1"]
    for text, answer in zip(
        texts, said(module, [["readSize", text] for text in texts]), strict=True
    ):
        if answer is None:
            with pytest.raises(InputError):
                parse_size(text)
            continue
        read = parse_size(text)
        assert answer == (read if isinstance(read, str) else f"{read[0]}:{read[1]}")


def test_a_file_is_looked_at_before_it_is_sent(module: Page) -> None:
    def head(data: bytes) -> dict[str, int]:
        return {str(i): byte for i, byte in enumerate(data[:16])}

    heic = b"\0\0\0\x18ftypheic\0\0\0\0"
    fine, text, large, photo = said(
        module,
        [
            ["fileProblem", "a.png", 900, head(png()), 50_000_000],
            ["fileProblem", "a.txt", 900, head(b"some words here."), 50_000_000],
            ["fileProblem", "a.png", 60_000_000, head(png()), 50_000_000],
            ["fileProblem", "a.heic", 900, head(heic), 50_000_000],
        ],
    )
    assert fine == photo == ""
    assert "Use PNG, JPEG or WebP" in text
    assert "give its path" in large
    assert said(module, [["pieces", 5, 2], ["pieces", 0, 2], ["pieces", 4, 2]]) == [
        [0, 2, 4],
        [0],
        [0, 2],
    ]


def test_the_text_of_a_further_field_is_read(module: Page) -> None:
    fields = {field["name"]: field for field in model_table()["fields"]}
    cases: list[tuple[str, str, Any]] = [
        ("seed", " 7 ", 7),
        ("seed", "", None),
        ("seed", "7.5", "Seed is not a whole number."),
        ("watermark", "no", False),
        ("extra", '{"a": [1]}', {"a": [1]}),
        ("extra", "[1]", 'Extra fields (JSON) is not JSON such as {"field": 1}.'),
        ("style", " vivid ", "vivid"),
    ]
    answers = said(module, [["readField", fields[name], text] for name, text, _ in cases])
    assert answers == [value for _, _, value in cases]


def test_arrows_walk_through_the_grid_and_stop_at_its_ends(module: Page) -> None:
    steps = [("ArrowRight", 0, 1), ("ArrowDown", 1, 5), ("ArrowUp", 1, 1), ("ArrowLeft", 0, 0)]
    steps += [("End", 2, 9), ("Home", 5, 0), ("ArrowDown", 8, 8), ("a", 3, 3)]
    assert said(module, [["moved", key, place, 10, 4] for key, place, _ in steps]) == [
        place for _, _, place in steps
    ]


WHOLE = [300, 200]


def test_a_box_is_drawn_between_any_two_corners_and_stays_in_the_picture(module: Page) -> None:
    corners = [
        ([10.4, 20.6], [110.2, 90.4], [10, 21, 100, 69]),
        ([110.2, 90.4], [10.4, 20.6], [10, 21, 100, 69]),
        ([-40, 150], [80, 900], [0, 150, 80, 50]),
        ([-40, -30], [900, 900], [0, 0, 300, 200]),
        ([10, 10], [10.2, 90], None),
        ([400, 10], [500, 90], None),
    ]
    answers = said(module, [["boxBetween", start, end, WHOLE] for start, end, _ in corners])
    assert answers == [box for *_, box in corners]


def test_arrows_move_a_box_and_with_shift_resize_it_within_the_picture(module: Page) -> None:
    steps = [
        ([10, 20, 100, 60], "ArrowRight", False, [13, 20, 100, 60]),
        ([10, 20, 100, 60], "ArrowUp", False, [10, 17, 100, 60]),
        ([1, 139, 100, 60], "ArrowLeft", False, [0, 139, 100, 60]),
        ([1, 139, 100, 60], "ArrowDown", False, [1, 140, 100, 60]),
        ([10, 20, 100, 60], "ArrowLeft", True, [10, 20, 97, 60]),
        ([10, 20, 289, 2], "ArrowRight", True, [10, 20, 290, 2]),
        ([10, 20, 289, 2], "ArrowUp", True, [10, 20, 289, 1]),
    ]
    asked = [["boxAfter", box, key, is_sized, 3, WHOLE] for box, key, is_sized, _ in steps]
    assert said(module, asked) == [box for *_, box in steps]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10, 20 100;60", [10, 20, 100, 60]),
        ("250,20,100,60", "250,20,100,60 leaves the picture (300x200)."),
        ("0,0,0,60", "A region 0 pixels wide and 60 high is none."),
        ("0,0,1.5,60", "0,0,1.5,60 is not four whole numbers: x, y, width and height."),
        ("a box", "a box is not four whole numbers: x, y, width and height."),
    ],
)
def test_a_region_is_read_or_refused_in_the_page(module: Page, text: str, meant: Any) -> None:
    assert said(module, [["readBox", text, WHOLE]]) == [meant]


def test_a_mask_travels_as_runs_and_comes_back(module: Page) -> None:
    runs = [[0, 3, 5, 4], [12], [0, 12], [5, 1, 6]]
    masks = said(module, [["maskOf", each, 12] for each in runs])
    assert masks[0] == {f"{i}": int(i < 3 or i >= 8) for i in range(12)}
    again = said(module, [["runsOf", [*each.values()]] for each in masks])
    assert again == runs


def test_a_request_with_a_region_that_is_none_is_not_sent(module: Page) -> None:
    inputs = [{"digest": "a", "whole": WHOLE}, {"digest": "b", "whole": WHOLE}]
    box = {"digest": "a", "box": [10, 20, 100, 60]}
    calls = [
        (None, inputs, False, ""),
        (None, inputs[:1], True, "No region is drawn yet"),
        (box, inputs[:1], True, ""),
        (box, inputs, False, "there are 2"),
        (box, inputs[1:], False, "not there any more"),
        ({"digest": "a", "size": [3, 2], "runs": [6]}, inputs[:1], False, "is empty"),
        ({"digest": "a", "size": [3, 2], "runs": [5, 1]}, inputs[:1], False, ""),
        ({**box, "box": [250, 0, 100, 60]}, inputs[:1], False, "leaves the picture"),
    ]
    answers = said(module, [["regionProblem", *call] for *call, _ in calls])
    for answer, (*call, words) in zip(answers, calls, strict=True):
        assert (words in answer) if words else answer == "", call
        assert not answer or answer.endswith("Nothing was sent.")


def test_a_box_becomes_a_mask_and_a_mask_a_box(module: Page) -> None:
    box, size = [30, 20, 60, 40], [30, 20]
    (mask,) = said(module, [["maskOfBox", box, WHOLE, size]])
    pixels = [*mask.values()]
    assert sum(pixels) == 6 * 4
    assert said(module, [["boxAround", {"$bytes": pixels}, size, WHOLE]]) == [box]
    assert said(module, [["boxAround", {"$bytes": [0] * 600}, size, WHOLE]]) == [None]


def test_a_brush_leaves_a_round_mark_and_a_line_without_gaps(module: Page) -> None:
    size = [60, 40]
    dot, line = said(
        module,
        [
            ["painted", size, [30, 20], [30, 20], 10],
            ["painted", size, [-5, 20], [70, 20], 4],
        ],
    )
    assert abs(sum(dot.values()) - 314) < 20
    rows = [[line[f"{y * 60 + x}"] for x in range(60)] for y in range(40)]
    assert rows[20] == [1] * 60
    assert sum(map(sum, rows)) == 8 * 60


# -- the history of prompts, and tags


def past(prompt: str, made: str, record: str = "") -> dict[str, str]:
    return {"record": record or prompt, "key": "", "prompt": prompt, "model": "m", "made": made}


def test_the_page_finds_prompts_as_the_library_does(module: Page) -> None:
    known = [
        past("A Watercolour CAT", "2026-11-01 10:00:00"),
        past("水彩 cat", "2026-11-03 10:00:00"),
        past("a dog", "2026-11-02 10:00:00", "old"),
        past("a dog", "2026-11-04 10:00:00", "new"),
        past("  ", "2026-11-05 10:00:00"),
    ]
    texts = ["", "cat", "CAT water", "水彩", "horse"]
    answers = said(module, [["promptsWith", known, text] for text in texts])
    assert [[one["prompt"] for one in found] for found in answers] == [
        ["a dog", "水彩 cat", "A Watercolour CAT"],
        ["水彩 cat", "A Watercolour CAT"],
        ["A Watercolour CAT"],
        ["水彩 cat"],
        [],
    ]
    assert answers[0][0]["record"] == "new"


def test_what_was_put_into_a_preset_comes_out_of_it(module: Page) -> None:
    prompts = ["a fox", "flat", "{two} colours", "a {prompt}", "水彩"]
    presets = [as_choice(preset) for preset in PRESETS]
    pairs = [(preset, prompt) for preset in presets for prompt in prompts]
    wrapped = said(module, [["around", *pair] for pair in pairs])
    once = [(preset, whole, prompt) for (preset, prompt), whole in zip(pairs, wrapped, strict=True)]
    answers = said(module, [["unwrapped", preset, whole] for preset, whole, _ in once])
    for (preset, whole, prompt), answer in zip(once, answers, strict=True):
        # Where the words hold the prompt twice, nobody can tell which is which: it stays.
        is_twice = preset is not None and (preset["prompt"] or "").count("{prompt}") > 1
        assert answer == (whole if is_twice else prompt), (preset, whole)
    flat = as_choice(PRESETS[1])
    assert said(module, [["unwrapped", flat, "an owl"]]) == ["an owl"]


def read_tag(text: str) -> str:
    """Return the tag, or what the library says against it."""
    try:
        return tag_of(text)
    except LibraryError as error:
        return f"{error.message} {error.advice}"


def test_the_page_reads_a_tag_as_the_library_does(module: Page) -> None:
    texts = ["fox", "#fox", "two words", "", "#", '"fox"', "x" * 64, "x" * 65, "水彩", "a#b"]
    answers = said(module, [["readTag", text] for text in texts])
    assert answers == [read_tag(text) for text in texts]
    assert said(module, [["readTag", " #fox "]]) == ["fox"]


def test_tags_complete_what_is_typed(module: Page) -> None:
    tags = ["night", "Snow", "snowfall", "winter-snow"]
    calls = [("", []), ("sno", []), ("#SNOW", ["snow"]), ("", ["NIGHT", "Snow"]), ("x", [])]
    assert said(module, [["tagsLike", tags, text, own] for text, own in calls]) == [
        tags,
        ["Snow", "snowfall", "winter-snow"],
        ["snowfall", "winter-snow"],
        ["snowfall", "winter-snow"],
        [],
    ]


def test_arrows_walk_through_a_list_and_back_to_its_field(module: Page) -> None:
    meant: dict[str, list[int | None]] = {
        "ArrowDown": [0, 1, 2, -1],
        "ArrowUp": [2, -1, 0, 1],
        "PageDown": [2, 2, 2, 2],
        "PageUp": [0, 0, 0, 0],
        "Home": [None] * 4,
    }
    answers = said(module, [["stepped", key, place, 3] for key in meant for place in range(-1, 3)])
    assert answers == [place for places in meant.values() for place in places]
    assert said(module, [["stepped", key, -1, 0] for key in meant]) == [None] * 5
