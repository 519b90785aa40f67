"""Where a batch puts its pictures when it is large."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from opeai_nb.bulk.batch.batch import batch
from opeai_nb.library.disk.subfolder import is_subfolder
from opeai_nb.library.records.spreading import MANY
from opeai_nb.studio import Studio


def test_a_manifest_names_files_with_their_subfolder_sent_or_shown(studio: Studio) -> None:
    spread = studio.adjusted(replace(studio.settings, subfolders="always"))
    made = batch(["a fox", "an owl"], studio=spread, size="512x512").run()
    again = batch(["a fox", "an owl"], studio=studio, size="512x512").run()
    assert studio.library.usage().total.requests == 2
    texts = (made.folder / "manifest.jsonl").read_text().splitlines()
    written = [json.loads(text) for text in texts]
    for one in (made.manifest, again.manifest, written):
        for line in one:
            (name,) = line["files"]
            assert is_subfolder(name.partition("/")[0])
            assert (made.folder / name).is_file()


@pytest.mark.parametrize(("count", "spreads"), [(MANY, False), (MANY + 1, True)])
def test_a_batch_of_more_than_ten_thousand_rows_spreads_by_itself(
    studio: Studio, count: int, spreads: bool
) -> None:
    rows = [f"fox {number}" for number in range(count)]
    made = batch(rows, studio=studio, size="512x512")
    made.start(concurrency=1).halt()
    made.wait()
    folders = [path for path in made.folder.iterdir() if is_subfolder(path.name)]
    assert bool(folders) == spreads
