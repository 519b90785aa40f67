"""The studio of here: a notebook's, or the process's own; and `opeai_nb.generate(…)` on it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

import opeai_nb
from opeai_nb import library
from opeai_nb.errors import LibraryError
from opeai_nb.studio.current_studio import set_studio_here, studio_here
from opeai_nb.testing import png
from tests.fork import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opeai_nb.studio import Studio


def test_a_notebooks_studio_goes_before_the_processs_own(
    new_studio: Callable[..., Studio],
) -> None:
    own, made = studio_here(), new_studio()
    set_studio_here(lambda: made)
    try:
        assert studio_here() is made
    finally:
        set_studio_here(None)
    assert studio_here().ledger is own.ledger


def test_a_copy_that_tells_nothing_is_known_again_by_the_library_of_here(
    studio: Studio, tmp_path: Path
) -> None:
    first = studio.generate("a red fox", size="512x512")
    edit = studio.generate("make it blue", image=first)
    (copy,) = edit.save(tmp_path / "copies")
    with pytest.raises(LibraryError, match="holds no record"):
        library.request_from(copy)
    set_studio_here(lambda: studio)
    try:
        assert opeai_nb.request_from(copy) == edit.request
        assert opeai_nb.info(str(copy))["request"]["prompt"] == "make it blue"
        copy.write_bytes(png())
        with pytest.raises(LibraryError, match="holds no record"):
            opeai_nb.request_from(copy)
    finally:
        set_studio_here(None)


def test_generate_works_in_a_plain_script_keeps_replays_and_loads_no_shell(tmp_path: Path) -> None:
    code = (
        "import sys, opeai_nb\n"
        "made = opeai_nb.generate('a red fox', size='512x512')\n"
        "print(made.summary, bool(made.replayed_from), 'IPython' in sys.modules)"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPEAI")}
    environment = {**kept, "OPEAI_BASE_URL": "engine:", "OPEAI_NB_CACHE": str(tmp_path / "cache")}
    lines = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env=environment,
        ).stdout.strip()
        for _ in range(2)
    ]
    text = "1 picture · qwen-image-2.0 · 512x512"
    assert lines == [f"{text} False False", f"{text} True False"]
    assert list((tmp_path / "imagine").glob("*.png"))


def test_threads_that_ask_first_at_one_moment_keep_one_limit_together(tmp_path: Path) -> None:
    code = """
        import sys, threading
        import opeai_nb.studio.studio, opeai_nb.library
        from opeai_nb.studio.current_studio import studio_here

        def ask():
            ledgers.append(studio_here().ledger)

        def hook(event, args):
            if event == "os.listdir" and str(args[0]).endswith(".sessions"):  # a session begins
                begun.append(event)
                if len(begun) == 1:
                    other.start()
                    other.join(1.0)  # it waits for this one

        ledgers, begun, other = [], [], threading.Thread(target=ask)
        sys.addaudithook(hook)
        ask()
        other.join()
        print(len(set(ledgers)))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert run(command, cwd=tmp_path).stdout == "1\n"
