"""What the pages show of other makers' tools is run with these, where they are installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.site.test_examples import ROOT
from tests.strangers import results_of

pytestmark = pytest.mark.long

LOGGED = """
import json
import sys
import mlflow
import opeai_nb

exec(sys.argv[1])
posters = opeai_nb.sweep("a {animal}", animal=["fox", "owl"], n=2, size="512x512")
posters.run(then=log)
mlflow.end_run()
files = [file.path for file in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
print(json.dumps({"files": sorted(files)}))
"""
GRADED = """
import json
import os
import pathlib
import subprocess
import sys
import nbformat
import nbgrader
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI

paths = [str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]
os.environ["PATH"] = os.pathsep.join(paths)  # nbgrader starts alembic, and is started

def cell(code, name, **facts):
    own = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    own = {**own, "grade_id": name, **facts}
    return nbformat.v4.new_code_cell(code, metadata={"nbgrader": own})

asked = "import opeai_nb\\nposter = opeai_nb.generate(\\"a lighthouse, {}\\", size='512x512')"
solution = f"### BEGIN SOLUTION\\n{asked.format('woodcut')}\\n### END SOLUTION"
source = pathlib.Path("source/lighthouse/poster.ipynb")
source.parent.mkdir(parents=True)
kernel = {"name": "python3", "display_name": "Python 3"}
book = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
book.cells = [
    cell(solution, "make", solution=True),
    cell(f"{sys.argv[1]}\\ntest_the_poster(poster)", "asked", grade=True, locked=True, points=2),
]
nbformat.write(book, source)
made = NbGraderAPI().generate_assignment("lighthouse")
assert made["success"], made
for student, word in (("ada", "woodcut"), ("bob", "photograph")):
    handed_in = pathlib.Path("submitted", student, "lighthouse/poster.ipynb")
    handed_in.parent.mkdir(parents=True)
    book.cells[0].source = asked.format(word)
    nbformat.write(book, handed_in)
done = subprocess.run(sys.argv[2], shell=True, capture_output=True, text=True)
assert done.returncode == 0, done.stderr
with Gradebook("sqlite:///gradebook.db") as grades:
    scores = {it.student.id: it.score for it in grades.assignment_submissions("lighthouse")}
print(json.dumps(scores))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Begin in an empty folder, without a key and with no other settings of Jupyter's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPEAI_API_KEY", raising=False)
    monkeypatch.setenv("OPEAI_BASE_URL", "engine:")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / "jupyter" / name.lower()))
    return tmp_path


def block(page: str, language: str, words: str) -> str:
    """Return the block of a page that has these words in it."""
    text = (ROOT / "notebooks" / "how-to" / page).read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (found,) = (code for code in blocks if words in code)
    return str(found)


def test_mlflow_has_each_picture_of_a_sweep() -> None:
    logged = results_of(LOGGED, block("track.md", "python", "import mlflow"))
    if logged is None:
        pytest.skip("mlflow is not installed")
    assert logged["files"] == [f"{animal}-{n}.png" for animal in ("fox", "owl") for n in (1, 2)]


def test_nbgrader_grades_what_was_asked_and_pays_nothing(folder: Path) -> None:
    test = block("class.md", "python", "def test_the_poster").replace("test_the_poster(first)", "")
    command = block("class.md", "sh", "nbgrader autograde")
    scores = results_of(GRADED, test, command.replace("/tmp/grading", str(folder / "grading")))
    if scores is None:
        pytest.skip("nbgrader is not installed")
    assert scores == {"ada": 2.0, "bob": 0.0}
    assert len(list((folder / "grading").glob("*.png"))) == 2
