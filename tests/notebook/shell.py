"""An IPython shell in the test's own process, whose requests are answered by a script."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from opeai_nb.client import AsyncClient
from opeai_nb.notebook.extension import load, unload
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import Script, pictures_answer, png


class Cells:
    """Runs cells in *shell*; *sent* are the prompts that were paid for."""

    def __init__(self) -> None:
        # The file of what was typed is shared by all processes of a user, and can be locked.
        config = Config({"HistoryManager": {"enabled": False}})
        self.shell = InteractiveShell.instance(user_ns={}, config=config)
        self.session = load(self.shell)
        self.session._studio = lambda: self.studio

    def begin(
        self,
        folder: Path,
        answers: Callable[[httpx.Request], Any] | None = None,
        **given: Any,
    ) -> None:
        """Begin anew, as a new kernel in a folder: no names, nothing shown, nothing sent.

        *given* are settings.
        """
        self.shell.reset()
        self._script = Script(answers or answered)
        server: dict[str, Any] = {"base_url": "https://api.example.com", "api_key": "k" * 20}
        client = AsyncClient(**server, transport=self._script)
        self.studio = Studio(settings(**server, library=folder / "imagine", **given), client=client)

    @property
    def sent(self) -> list[str]:
        return [body["prompt"] for body in self._script.sent]

    def run(self, code: str) -> Any:
        """Run a cell; return its value, or raise what it raised."""
        done = self.shell.run_cell(code, store_history=True)
        done.raise_error()
        return done.result


def answered(request: httpx.Request) -> Any:
    """Answer with a picture; an edit with another one, for its input comes back as no result."""
    return pictures_answer(png(8, 9 if b'"image"' in request.content else 8))


@contextmanager
def shell_cells() -> Iterator[Cells]:
    """Give cells, and put away what they changed in this process."""
    made = Cells()
    gc.collect()
    gc.freeze()  # `reset` collects: let it look at nothing but what the tests make
    try:
        yield made
    finally:
        unload(made.shell)
        made.shell.atexit_operations()
        atexit.unregister(made.shell.atexit_operations)
        InteractiveShell.clear_instance()
