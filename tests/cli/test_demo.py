"""`python -m opeai_nb demo` and `lab`: the quickstart, with nobody there and with somebody."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opeai_nb.cli import lab_command
from opeai_nb.cli.main import main
from opeai_nb.cli.tutorials import QUICKSTART, tutorials
from opeai_nb.formats import sniff_format
from tests import fork

_FROM_ELSEWHERE = re.compile(
    r"""<(?:script|link|iframe)\b[^>]*|@import[^;]*|url\((?!["']?data:)[^)]*"""
)


@pytest.fixture(scope="module")
def shown(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A demo that has run, with a key in the environment that must not be used."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {name: value for name, value in os.environ.items() if name != "OPEAI_NB_LIBRARY"}
    environment |= {"HOME": str(folder), "OPEAI_API_KEY": "sk-of-somebody"}
    done = subprocess.run(
        [sys.executable, "-m", "opeai_nb", "demo"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return folder / "opeai_nb-demo", done


Shown = tuple[Path, subprocess.CompletedProcess[str]]


@pytest.mark.kernel
def test_the_demo_ends_by_itself_with_a_line_for_each_cell(shown: Shown) -> None:
    _, done = shown
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if re.match(r" *\d+/12 ", line)]
    assert len(lines) == 12
    assert "✓ 1 picture · qwen-image-2.0 · 1024x1024 · embedded engine" in lines[1]
    assert "-m opeai_nb lab" in done.stdout


@pytest.mark.kernel
def test_the_demo_names_every_picture(shown: Shown) -> None:
    folder, done = shown
    named = re.findall(r"^picture +(\S+)$", done.stdout, re.MULTILINE)
    assert {folder.parent / name for name in named} == set(folder.glob("imagine/*.png"))
    assert len(named) == 6


@pytest.mark.kernel
def test_the_page_opens_offline_with_the_pictures_in_it(shown: Shown) -> None:
    folder, _ = shown
    page = (folder / "01_quickstart.html").read_text(encoding="utf-8")
    assert _FROM_ELSEWHERE.findall(page) == []
    assert len(re.findall(r'<img\b[^>]*src="data:image/', page)) == 5
    assert 'src="http' not in page


@pytest.mark.kernel
def test_the_executed_notebook_is_there(shown: Shown) -> None:
    folder, _ = shown
    notebook = json.loads((folder / QUICKSTART).read_text(encoding="utf-8"))
    counts = [cell["execution_count"] for cell in notebook["cells"] if "outputs" in cell]
    assert counts == list(range(1, 13))


@pytest.mark.kernel
@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_an_interrupted_demo_says_so_and_the_next_one_finishes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "opeai_nb", "demo"]
    environment = {**os.environ, "HOME": str(tmp_path)}
    with fork.start(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert any(line.startswith("  4/12") for line in demo.stdout)  # the next cell paints
        demo.send_signal(signal.SIGINT)
        _, error = demo.communicate()
    assert demo.returncode == 130
    assert error == (
        "opeai_nb demo: interrupted; what was painted is kept. Run it again for the rest.\n"
    )
    again = fork.run(command, cwd=tmp_path, env=environment)
    assert (again.returncode, again.stderr) == (0, "")
    assert "6 pictures in" in again.stdout


@pytest.mark.parametrize("command", ["demo", "lab"])
def test_a_folder_that_cannot_be_made_is_one_line_and_2(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main([command, "--dir", str(tmp_path / "file" / "below")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--dir" in error


@pytest.mark.parametrize(("command", "module"), [("demo", "nbformat"), ("lab", "jupyterlab")])
def test_what_is_not_installed_is_one_line_and_2(
    command: str,
    module: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert main([command, "--dir", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert 'pip install "opeai_nb[lab]"' in error


def test_lab_copies_the_tutorials_and_keeps_what_was_changed(tmp_path: Path) -> None:
    (tmp_path / QUICKSTART).write_text("mine", encoding="utf-8")
    lab_command.copy_tutorials(tmp_path)
    assert {path.name for path in tmp_path.glob("*.ipynb")} == {path.name for path in tutorials()}
    assert len(tutorials()) == 7
    texts = [path.read_text(encoding="utf-8") for path in tutorials()]
    pictures = re.findall(r"\]\((pictures/[^)]*)\)", "".join(texts))
    assert pictures
    for picture in pictures:
        assert sniff_format((tmp_path / picture).read_bytes())
    assert (tmp_path / QUICKSTART).read_text(encoding="utf-8") == "mine"


def test_lab_opens_the_quickstart(tmp_path: Path) -> None:
    command = lab_command.lab_command(tmp_path, has_display=True, is_root=False)
    assert f"--LabApp.default_url=/lab/tree/{QUICKSTART}" in command
    assert not {"--allow-root", "--no-browser"} & set(command)
    bare = lab_command.lab_command(tmp_path, has_display=False, is_root=True)
    assert {"--allow-root", "--no-browser"} <= set(bare)
