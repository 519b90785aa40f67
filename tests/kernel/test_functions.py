"""`opeai_nb.generate(…)` in a cell of a real kernel, as a newcomer types it."""

from __future__ import annotations

from typing import Any

CELL = "import opeai_nb\nopeai_nb.generate('a red fox', size='512x512')"
# A second thread asks while the first has registered the magic, and has not done with it.
THREADS = """
import threading
from opeai_nb.notebook.functions import _session

class Configurables(list):
    def append(self, item):
        super().append(item)
        other.start()
        other.join(0.5)

def ask():
    sessions.append(_session())

sessions, other = [], threading.Thread(target=ask)
shell = get_ipython()
shell.configurables = Configurables(shell.configurables)
ask()
other.join()
assert len(sessions) == 2
"""


def test_generate_shows_a_badge_and_the_picture_without_the_extension(new_kernel: Any) -> None:
    kernel = new_kernel()
    kernel.good("%unload_ext opeai_nb")
    outcome = kernel.good(CELL, cell="cell-1")
    assert "1 picture · qwen-image-2.0 · 512x512 · embedded engine" in outcome.badges[-1]
    assert "image/jpeg" in outcome.result


def test_generate_after_a_restart_shows_what_its_cell_made(new_kernel: Any) -> None:
    """Two cells that ask the same keep their pictures apart; Run All after a restart is free."""
    look = "; _.pictures[0].path.name, bool(_.replayed_from)"
    kernel = new_kernel()

    def shown(cell: str) -> Any:
        kernel.good(CELL.replace("opeai_nb.generate", "_ = opeai_nb.generate"), cell=cell)
        return eval(kernel.good(look.lstrip("; ")).result["text/plain"])

    first, second = shown("cell-1"), shown("cell-2")
    kernel.restart()
    assert [shown("cell-1"), shown("cell-2")] == [(first[0], True), (second[0], True)]


def test_generate_counts_for_the_sessions_limit(kernel: Any) -> None:
    kernel.good("%config Imagine.max_images_per_session = 1")
    kernel.good(CELL)
    outcome = kernel.run(CELL, live=False)
    assert outcome.error["ename"] == "SessionLimitError"


def test_threads_that_generate_first_at_one_moment_load_the_extension_once(new_kernel: Any) -> None:
    kernel = new_kernel()
    kernel.good("%unload_ext opeai_nb")
    kernel.good(THREADS)
    assert kernel.good("len(set(sessions))").result["text/plain"] == "1"
