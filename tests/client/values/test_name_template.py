"""Names of files from a template: what they say, and that every file system takes them."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.client.values.filename import slug
from opeai_nb.client.values.name_template import (
    Named,
    name_below,
    names_for,
    template_of,
    values_for,
)
from opeai_nb.errors import InputError
from opeai_nb.testing import png

FOX = ImageRequest("a red fox in the snow", n=2, size="1024x1024")


def names(template: str, count: int = 1, **values: Any) -> list[str]:
    found = template_of(template)
    assert found is not None
    return found.names({**values_for(FOX, 3, created=1_770_000_000), **values}, count)


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{prompt:.9}-{n}.png", ["a red fox-1.png", "a red fox-2.png"]),
        ("{index:03d}/{n}", ["003/1", "003/2"]),
        ("{date:%Y}/{model}.JPG", [f"2026/qwen-image-2.0-{n}.JPG" for n in (1, 2)]),
        ("{{{n}}}.webp", ["{1}.webp", "{2}.webp"]),
        ("{quality}{n}.png", ["1.png", "2.png"]),
        ("{city}.png", ["東京 -̣-1.png", "東京 -̣-2.png"]),
        ("{keywords}.png", ["fox-snow-1.png", "fox-snow-2.png"]),
        ("{keywords:.3}.png", ["fox-1.png", "fox-2.png"]),
    ],
)  # fmt: skip
def test_words_become_what_is_asked(template: str, told: list[str]) -> None:
    assert names(template, 2, city="東京 -̣", keywords=["fox", "snow"]) == told


def test_the_folder_is_what_stands_before_the_first_word(tmp_path: Path) -> None:
    template = template_of(f"{tmp_path}/a/b-{{n}}/c.png")
    assert template is not None
    assert template.folder == tmp_path / "a"
    assert template.names({}, 1) == ["b-1/c.png"]


@pytest.mark.parametrize("path", ["out", "out/fox.png", "a{b", "{}", "{0}", "{{n}}", "", "{a b}"])
def test_a_path_without_words_is_a_plain_path(path: str) -> None:
    assert template_of(path) is None


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{n}{", "has a { that begins or ends no word"),
        ("{n}-{prompt.30}", "has a { that begins or ends no word"),
        ("{n}/../x.png", "has a step that names no folder or file"),
        ("{n}//x.png", "has a step that names no folder or file"),
        ("{n}/", "has a step that names no folder or file"),
        ("{n}.txt", "ends in .txt, which is no format"),
        ("{prompt:99999999}", "too wide"),
        ("{prompt:d}", "{prompt:d} in the name of a file cannot be filled in"),
        ("{promt}-{n}.png", "{promt} in the name of a file has no value. Did you mean {prompt}?"),
    ],
)
def test_what_cannot_be_is_refused(template: str, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)) as caught:
        names(template)
    assert "Nothing was sent." in caught.value.advice


@pytest.mark.parametrize(
    "name",
    [
        "/a",
        "../a",
        "a/../b",
        "../{n}",
        "{n}/..",
        "a/.b{n}",
        "a{b",
        "{0}",
        "C:\\x",
        "c:x",
        "\\\\host\\x",
        "~/x",
        "",
        " ",
        "a//b",
        ".x",
        "a/.b",
    ],
)
def test_a_table_names_nothing_outside_the_folder(name: str) -> None:
    with pytest.raises(InputError):
        name_below(name)


_SEPARATED = re.compile(r'[<>:"\\|?*\0-\x1f\x7f-\x9f]')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)\s*(\.|$)")


@given(
    st.text(max_size=400) | st.sampled_from(["con", "NUL.txt", "com1", "..", ".", "a/b"]),
    st.sampled_from(["{x}.png", "{x}", "a{x}/{x}-{n}.jpg", "{x}{x}{x}-{n}"]),
)
def test_every_value_makes_a_name_that_every_file_system_takes(value: str, text: str) -> None:
    template = template_of(text)
    assert template is not None
    made = template.names({"x": value}, 2)
    assert len(set(made)) == 2, "the number is never cut off"
    for name in made:
        steps = PurePosixPath(name).parts
        assert name.count("/") == text.count("/")
        for step in steps:
            assert 0 < len(step.encode()) <= 255
            assert not _SEPARATED.search(step)
            assert not _DEVICES.match(step)
            assert step == step.strip(" ")
            assert not step.endswith(".")
            assert not step.startswith(".")
            assert unicodedata.is_normalized("NFC", step)


@given(st.text(min_size=1, max_size=60))
def test_a_name_below_stays_below_the_folder_or_is_refused(text: str) -> None:
    try:
        (name,) = name_below(text).names({}, 1)
    except InputError:
        return
    assert not name.startswith("/")
    assert ".." not in name.split("/")


def test_two_requests_with_one_name_are_refused() -> None:
    def asked(*animals: str) -> list[Named]:
        return [Named(animal, FOX, {"animal": animal}) for animal in animals]

    template = template_of("{animal}.png")
    assert template is not None
    assert names_for(template, asked("fox", "owl")) == [
        ["fox-1.png", "fox-2.png"],
        ["owl-1.png", "owl-2.png"],
    ]
    for twin in ("fox", "Fox", " fox", "fox\0"):
        with pytest.raises(InputError, match="would both be saved as"):
            names_for(template, asked("fox", twin))
    with pytest.raises(InputError, match=r"would both be saved as 'a-b-1\.png'"):
        names_for(template, asked("a/b", "a:b"))


def test_save_writes_what_a_template_says_and_never_over_another_picture(tmp_path: Path) -> None:
    made = Generation((Picture(png(2, 2)), Picture(png(3, 3))), FOX, created=1_770_000_000)
    target = f"{tmp_path}/{{prompt:.5}}/{{n}}.png"
    paths = made.save(target)
    assert [str(path.relative_to(tmp_path)) for path in paths] == ["a red/1.png", "a red/2.png"]
    assert made.save(target) == paths, "what is there already is left alone"
    other = Generation((Picture(png(4, 4)),), FOX)
    assert [path.name for path in other.save(target)] == ["1-v2.png"]
    assert paths[0].read_bytes() == made.good[0].data
    (jpeg,) = other.save(f"{tmp_path}/{{n}}.jpg")
    assert jpeg.read_bytes()[:3] == b"\xff\xd8\xff"
    (bare,) = other.save(f"{tmp_path}/{{n}}-{{city}}", {"city": "Oslo"})
    assert bare.name == "1-Oslo.png"


@pytest.mark.parametrize("created", [None, -1, 10**18, 0])
def test_a_day_that_is_none_is_today(created: int | None) -> None:
    assert values_for(FOX, created=created)["date"].year >= 1969


def test_a_name_has_only_letters_that_the_systems_names_can_have() -> None:
    assert slug("水彩猫 Émile", encoding="utf-8") == "水彩猫-émile"
    assert slug("水彩猫 Émile", encoding="latin-1") == "émile"
    assert slug("水彩猫 Émile", encoding="ascii") == "mile"
    assert slug("水彩猫", encoding="ascii") == "picture"
