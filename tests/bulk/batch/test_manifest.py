"""The manifest is the truth: a line for each row that a folder ever made, lost and mixed never."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.bulk.batch.batch import Batch, batch
from opeai_nb.bulk.batch.manifest import Manifest
from opeai_nb.bulk.batch.manifest_file import parquet_of, read_lines
from opeai_nb.bulk.batch.manifest_line import OURS, clashes, line_of, ours
from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.bulk.run.outcome import Outcome
from opeai_nb.errors import InputError
from opeai_nb.studio import Studio
from tests.studio.conftest import Watched

SMALL: dict[str, Any] = {"size": "512x512"}


@pytest.fixture
def run(new_studio: Callable[..., Studio], tmp_path: Path) -> Callable[..., Batch]:
    """Run a batch in one folder, each time as a new process would."""

    def ran(rows: Any, **options: Any) -> Batch:
        return batch(rows, studio=new_studio(), out=tmp_path / "o", **SMALL, **options).run()

    return ran


def every(folder: Path) -> list[tuple[str, str, bool]]:
    """Return what a manifest tells: prompt, status, and whether the row is of the last table."""
    lines = [json.loads(text) for text in (folder / "manifest.jsonl").read_text().splitlines()]
    return [(line["prompt"], line["status"], line["current"]) for line in lines]


def test_a_second_table_adds_lines_and_takes_none_away(run: Callable[..., Batch]) -> None:
    run(["a", "b", "c"])
    made = run(["d"])
    assert [line["prompt"] for line in made.manifest] == ["d"]
    assert every(made.folder) == [
        ("d", "done", True),
        *((prompt, "done", False) for prompt in "abc"),
    ]


def test_failed_rows_alone_run_again_leave_the_others(run: Callable[..., Batch]) -> None:
    rows = [
        {"prompt": p, "model": m} for p, m in zip("ab", ("", "rehearsal-moderation"), strict=True)
    ]
    first = run(rows)
    failed = [line for line in first.manifest if line["status"] != "done"]
    again = run(failed)
    assert every(again.folder) == [("b", "failed", True), ("a", "done", False)]


def test_rows_that_were_not_reached_are_told_as_not_sent(
    new_studio: Callable[..., Studio], tmp_path: Path
) -> None:
    studio = new_studio(max_images_per_session=1)
    batch(["x", "y", "z"], studio=new_studio(), out=tmp_path, **SMALL).run()
    made = batch(["p", "q", "r"], studio=studio, out=tmp_path, **SMALL).run(concurrency=1)
    assert [line["status"] for line in made.manifest] == ["done", "failed", "not sent"]
    assert every(tmp_path)[3:] == [(prompt, "done", False) for prompt in "xyz"]


def test_two_batches_at_once_in_one_folder_keep_each_other_s_lines(tmp_path: Path) -> None:
    def begun(prompts: str) -> tuple[Manifest, Any]:
        rows = rows_of(list(prompts), None, {})
        manifest = Manifest(tmp_path, rows.table.rows, rows.plan)
        manifest.begin()
        return manifest, rows.plan

    (long, long_plan), (short, short_plan) = begun("abcdef"), begun("xy")
    for manifest, plan in ((long, long_plan), (short, short_plan)):
        for point in plan:
            manifest.add(point, Outcome("failed"))
    assert len(short.close()) == 2
    assert len(long.close()) == 6
    assert {
        (line["prompt"], line["current"])
        for line in read_lines(tmp_path / "manifest.jsonl").values()
    } == {(prompt, True) for prompt in "abcdefxy"}


def test_the_user_s_columns_stand_under_their_names(run: Callable[..., Batch]) -> None:
    own = {
        "id": "P-1",
        "status": "live",
        "files": ["a.psd"],
        "error": "none",
        "row": 9,
        "tokens": 1,
    }
    row = {"prompt": "a fox", **own, "when": dt.date(2026, 1, 1), "tags": ("x", "y")}
    (line,) = run([row]).manifest
    assert {name: line[name] for name in own} == own
    assert (line["when"], line["tags"]) == ("2026-01-01", ["x", "y"])
    assert (line["opeai_nb_status"], line["opeai_nb_row"]) == ("done", 1)
    assert len(line["opeai_nb_files"]) == 1


cells = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates()


@given(
    row=st.dictionaries(
        st.sampled_from([*OURS, "sku", "note"]).filter(lambda n: n not in ("prompt", "model")),
        cells | st.lists(cells, max_size=3),
        max_size=6,
    )
)
def test_any_cells_are_in_the_line_and_are_read_back(row: dict[str, Any]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = rows_of([{"prompt": "a fox", **row}], None, {}, field_columns=["prompt"])
    cells = rows.table.rows[0]
    line = line_of(rows.plan[0], cells, Outcome("unknown"), clashes([cells], rows.plan))
    assert json.loads(json.dumps(line)) == line
    assert ours(line, "status") == "unknown"
    for name, value in row.items():
        if isinstance(value, str) and value.strip():
            assert line[name] == value.encode("utf-8", "replace").decode()
    (read,) = parquet.read_table(BytesIO(parquet_of([line]))).to_pylist()
    assert read.keys() == line.keys()


def test_a_parquet_file_leaves_pyarrow_out_of_the_process_that_asks_for_it(tmp_path: Path) -> None:
    """It is made at the end of a batch, and would be most of what the batch needs of memory."""
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "manifest.parquet"
    asked = f"""if True:
        import pathlib, sys
        from opeai_nb.bulk.batch.manifest_file import write_parquet
        write_parquet(pathlib.Path({str(path)!r}), [{{"row": 1, "sku": "P-1"}}, {{"row": 2}}])
        sys.exit("pyarrow" in sys.modules)"""
    subprocess.run([sys.executable, "-c", asked], check=True)
    assert parquet.read_table(path).to_pylist() == [
        {"row": 1, "sku": "P-1"},
        {"row": 2, "sku": None},
    ]


def test_an_index_that_says_something_is_a_column(run: Callable[..., Batch]) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"prompt": ["a", "b"], "sku": ["P-1", "P-2"]}).set_index("sku")
    assert [line["sku"] for line in run(table).manifest] == ["P-1", "P-2"]


SAME = [{"prompt": "a cup", "sku": sku} for sku in ("A", "B", "C")]


def test_pictures_follow_the_key(run: Callable[..., Batch], transport: Watched) -> None:
    first = run(SAME, key="sku")
    pictures = {line["sku"]: line["files"] for line in first.manifest}
    assert len({name for names in pictures.values() for name in names}) == 3
    for rows in (SAME[1:], SAME[::-1], SAME):
        again = run(rows, key="sku")
        assert {line["sku"]: line["files"] for line in again.manifest}.items() <= pictures.items()
    assert transport.posts == 3


def test_a_key_may_be_named_later_and_nothing_is_paid_again(
    run: Callable[..., Batch], transport: Watched
) -> None:
    def pictures(made: Batch) -> dict[str, list[str]]:
        return {line["sku"]: line["files"] for line in made.manifest}

    first = pictures(run(SAME))
    named = pictures(run(SAME, key="sku"))
    assert sorted(named.values()) == sorted(first.values())
    assert pictures(run(SAME[::-1], key="sku")) == named
    assert transport.posts == 3


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [{"prompt": "a", "sku": "1"}, {"prompt": "b", "sku": "1"}],
            "Rows 1 and 2 have the same sku",
        ),
        ([{"prompt": "a", "sku": "1"}, {"prompt": "b"}], "Row 2 has no sku"),
        (
            [{"prompt": "a", "skus": "1"}],
            "no column named 'sku' to be the key. Did you mean 'skus'",
        ),
    ],
)
def test_a_key_that_is_none_is_refused(rows: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        rows_of(rows, None, {}, key="sku")


def test_a_manifest_of_0_1_0_is_kept_and_its_rows_are_not_told_twice(
    run: Callable[..., Batch], tmp_path: Path
) -> None:
    made = run(["a", "b"])
    old = [
        {"row": n, "prompt": p, "model": made.plan[0].request.model, "status": "done", "files": []}
        for n, p in enumerate("az")
    ]
    (made.folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    run(["a", "b"])
    assert [prompt for prompt, *_ in every(made.folder)] == ["a", "b", "z"]


def test_whoever_looks_while_it_runs_sees_every_row(tmp_path: Path) -> None:
    rows = rows_of(["a", "b"], None, {})
    manifest = Manifest(tmp_path, rows.table.rows, rows.plan)
    manifest.begin()
    manifest.add(rows.plan[1], Outcome("failed"))
    manifest.flush()
    assert [line["status"] for line in read_lines(manifest.path).values()] == ["not sent", "failed"]


def test_a_finished_folder_that_cannot_be_written_is_a_success(
    run: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(["a", "b"])
    manifest = first.folder / "manifest.jsonl"
    manifest.unlink()
    manifest.mkdir()  # root may write anywhere, but not a file where a folder is
    assert run(["a", "b"]).summary == "2 rows · 2 done"


def test_a_library_that_takes_no_manifest_has_its_second_home_for_it(
    new_studio: Callable[..., Studio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPEAI_NB_DATA", str(tmp_path / "data"))
    studio = new_studio()
    (studio.library.folder / "manifest.jsonl").mkdir(parents=True)
    made = batch(["a", "b"], studio=studio, **SMALL).run()
    assert [line["status"] for line in made.manifest] == ["done", "done"]
    assert len(read_lines(studio.library.homes.second / "manifest.jsonl")) == 2
    assert [line["status"] for line in batch(["a"], studio=studio, **SMALL).run().manifest] == [
        "done"
    ]


def test_prune_passes_over_what_a_person_has_removed(studio: Studio, tmp_path: Path) -> None:
    """It raised, and left the rest where it was."""
    batch(["a fox", "an owl", "a hare"], studio=studio, out=tmp_path, quiet=True).run()
    now = batch(["a hare"], studio=studio, out=tmp_path, quiet=True).run()
    for path in tmp_path.glob("*-a-fox-*"):
        path.unlink()
    assert len(now.unused) == 1
    assert now.prune() == 1
    assert now.unused == []
