"""An export is loaded by the loader that it is made for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.library import Library
from tests.library.conftest import encoded
from tests.strangers import results_of

LOAD = """
import json
import sys
import datasets
datasets.disable_progress_bars()
result = {}
for name, arguments in json.loads(sys.argv[1]).items():
    loaded = datasets.load_dataset(**arguments, cache_dir=sys.argv[2])
    result[name] = {
        part: [[row["prompt"], row["tags"], row["starred"], row["image"].size] for row in rows]
        for part, rows in loaded.items()
    }
print(json.dumps(result))
"""


@pytest.mark.long
def test_datasets_loads_an_export(
    keep: Callable[..., Generation], library: Library, tmp_path: Path
) -> None:
    import json

    for number in range(4):
        keep(f"fox {number}\n水 <b>", pictures=[encoded(), encoded("JPEG"), encoded("WEBP")])
    keep(ImageRequest("make it blue", image=[encoded()]), origin="engine")
    library.mark(f"{library.search('fox 2')[0].id}-2", star=True, tag=["may", "talk"])
    whole = library.export(tmp_path / "whole", "fox")
    split = library.export(tmp_path / "split", split={"train": 1, "validation": 1, "test": 1})
    asked = {
        "whole": {"path": "imagefolder", "data_dir": str(whole.path)},
        "by path": {"path": str(split.path)},
        "split": {"path": "imagefolder", "data_dir": str(split.path)},
    }
    results = results_of(LOAD, json.dumps(asked), str(tmp_path / "cache"))
    if results is None:
        pytest.skip("datasets is not installed")
    (rows,) = results["whole"].values()
    assert len(rows) == 12 == whole.pictures
    assert {tuple(row[3]) for row in rows} == {(48, 32)}
    assert [row[1:3] for row in rows if row[2]] == [["may talk", True]]
    counts = {part: count for part, count in split.parts.items() if count}
    for name in ("split", "by path"):
        assert {part: len(rows) for part, rows in results[name].items()} == counts
        prompts = [{row[0] for row in rows} for rows in results[name].values()]
        assert len(set.union(*prompts)) == sum(map(len, prompts)) == 5
