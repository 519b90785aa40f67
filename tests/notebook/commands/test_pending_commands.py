"""`%imagine tasks`, `resume` and `forget` on what dead and living kernels left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opeai_nb.client import ImageRequest
from opeai_nb.errors import LibraryError
from opeai_nb.library import Entry, Library
from tests.notebook.shell import Cells, shell_cells


@pytest.fixture(scope="module")
def shell() -> Iterator[Cells]:
    with shell_cells() as made:
        yield made


@pytest.fixture
def cells(shell: Cells, tmp_path: Path) -> Cells:
    shell.begin(tmp_path)
    return shell


@pytest.fixture
def kernel(cells: Cells) -> Library:
    """The library as another kernel has it, which lives."""
    return Library(cells.studio.library.folder)


def begun(kernel: Library, prompt: str) -> Entry:
    return kernel.begin(
        ImageRequest(prompt), key="k", base_url="https://api.example.com", origin="platform"
    )


def left(kernel: Library, prompt: str) -> Entry:
    """Return what a kernel has sent and does not work on any more."""
    entry = begun(kernel, prompt)
    entry.sending()
    return entry


def test_what_is_under_way_elsewhere_is_neither_dropped_nor_sent(
    cells: Cells, kernel: Library
) -> None:
    entry = left(kernel, "a fox")
    assert "another kernel works on it" in str(cells.run("%imagine tasks"))
    for command in (f"forget {entry.id}", f"resume {entry.id}", f"resume {entry.id} --send"):
        with pytest.raises(LibraryError, match="Another kernel works on the request"):
            cells.run(f"%imagine {command}")
    assert [one.id for one in kernel.pending()] == [entry.id]
    assert "1 under way in another kernel: running the cell waits for it." in str(
        cells.run("%imagine resume")
    )
    assert cells.sent == []


def test_a_resume_of_all_says_what_is_left_and_what_to_do(cells: Cells, kernel: Library) -> None:
    begun(kernel, "never left").release()
    refused = left(kernel, "refused")
    refused.returned("The platform had no room for it (HTTP 429).")
    refused.release()
    for prompt in ("one", "another"):
        left(kernel, prompt).release()
    told = ["", *str(cells.run("%imagine resume")).splitlines()]
    assert told[1:] == [
        "Nothing can be resumed by itself.",
        "1 never left, and nothing was paid: run the cell again to send it.",
        "1 refused, and nothing was paid: run the cell again to send it.",
        told[4],
        "%imagine tasks lists them with their ids.",
    ]
    assert told[4].startswith("2 may have been painted and paid for, and no picture came: %imagine")
    assert "refused" in str(cells.run("%imagine tasks"))
    assert cells.sent == []


def test_nothing_that_is_left_is_told_as_that(cells: Cells) -> None:
    assert str(cells.run("%imagine resume")) == "Nothing is pending."


def test_what_never_left_is_sent_by_its_cell_and_is_pending_no_more(
    cells: Cells, kernel: Library
) -> None:
    begun(kernel, "a fox").release()
    cells.run("%imagine a fox")
    assert cells.sent == ["a fox"]
    assert str(cells.run("%imagine tasks")) == "Nothing is pending."


def test_what_was_refused_is_sent_by_name(cells: Cells, kernel: Library) -> None:
    entry = left(kernel, "a fox")
    entry.returned("no room")
    entry.release()
    cells.run(f"%imagine resume {entry.id} --send")
    assert cells.sent == ["a fox"]
    assert kernel.pending() == []
