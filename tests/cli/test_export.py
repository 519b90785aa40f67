"""`python -m opeai_nb export`: pictures of the library for others."""

from __future__ import annotations

from pathlib import Path

import pytest

from opeai_nb.cli.main import main
from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.library import Library
from opeai_nb.testing import png


@pytest.fixture
def kept(folder: Path) -> Library:
    library = Library(folder / "imagine")
    for prompt in ("a fox", "an owl"):
        entry = library.begin(
            ImageRequest(prompt), key="k", base_url="https://x.example", origin="engine"
        )
        entry.sending()
        library.keep(entry, Generation((Picture(png(8, 8)),), entry.request))
    library.mark(library.search("fox")[0].id, star=True)
    return library


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["set", "--starred"], "1 picture in set"),
        (["a b.html", "owl"], "1 picture in a b.html"),
        (["sheet.png", "--since=2020-01-01", "--side", "64"], "2 pictures in sheet.png"),
        (["set", "--split", "train=1,test=1"], "2 pictures in set · train:"),
    ],
)
def test_the_path_is_the_output(
    words: list[str], told: str, kept: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *words]) == 0
    shown = capsys.readouterr()
    path = kept.folder.parent / words[0]
    assert shown.out == f"{path}\n"
    assert shown.err.startswith(told)
    assert path.exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "The following arguments are required: TARGET"),
        (["set", "zebra"], 1, "nothing to export"),
        (["imagine"], 1, "The folder imagine is not empty."),
        (["set.zip"], 2, "'set.zip' is no name of an export."),
        (["set", "--split", "half"], 2, "'half' is no split."),
        (["set", "--library", "nowhere"], 1, "nothing to export"),
    ],
)
def test_what_is_wrong_is_one_line(
    words: list[str], code: int, told: str, kept: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *words]) == code
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
