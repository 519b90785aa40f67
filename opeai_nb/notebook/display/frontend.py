"""What looks at our output: found out once a cell, from what the kernel itself knows."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Frontend = Literal["live", "batch", "terminal", "script"]

_CHOICES: Final = ("live", "batch", "terminal", "script")
VARIABLE: Final = "OPEAI_NB_FRONTEND"


def frontend(shell: Any) -> Frontend:
    """Return who looks at the output of *shell*.

    `live`: a person in JupyterLab, Notebook, VS Code or Colab. `batch`: nbclient, nbval, papermill,
    Voilà: nobody, or somebody later; they send `allow_stdin: false`.
    `terminal`: IPython in a terminal, and consoles (`jupyter console`, qtconsole, euporie), which
    take no updates. `script`: no shell. The variable `OPEAI_NB_FRONTEND`
    overrides. Raises `OptionError` when it holds none of these.
    """
    said = os.environ.get(VARIABLE, "")
    if said:
        if said not in _CHOICES:
            from opeai_nb.errors import OptionError

            raise OptionError(f"{VARIABLE} is {said!r}.", advice=f"One of {', '.join(_CHOICES)}.")
        return said  # type: ignore[return-value]  # checked in the line above
    if shell is None:
        return "script"
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return "terminal"
    if not _content(kernel).get("allow_stdin", False):
        return "batch"
    return "live" if _is_notebook(shell) else "terminal"


def _is_notebook(shell: Any) -> bool:
    """Tell whether a notebook asks, not a console: both are a person's, only one takes updates.

    A notebook names its cell, or its kernel was started by a Jupyter server, VS Code or Colab; a
    console starts its kernel itself.
    """
    started_by_server = "JPY_SESSION_NAME" in os.environ or "google.colab" in sys.modules
    return started_by_server or cell_id(shell) is not None or is_vscode(shell)


def is_captured() -> bool:
    """Tell whether `%%capture` takes the output of this cell: it keeps no update, only displays."""
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.getipython import get_ipython

    return isinstance(getattr(get_ipython(), "display_pub", None), CapturingDisplayPublisher)


def is_vscode(shell: Any) -> bool:
    """Tell whether the notebook is open in VS Code, which tells its path in the namespace."""
    return "__vsc_ipynb_file__" in getattr(shell, "user_ns", {})


def cell_id(shell: Any) -> str | None:
    """Return the id of the cell that runs, where the front end sends it (JupyterLab does)."""
    kernel = getattr(shell, "kernel", None)
    metadata = _parent(kernel).get("metadata", {}) if kernel is not None else {}
    found = metadata.get("cellId")
    return found if isinstance(found, str) else None


def run_id(shell: Any) -> str:
    """Return what tells this run of a cell from any other: the id of its execute request."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return str(getattr(shell, "execution_count", ""))
    return str(_parent(kernel).get("header", {}).get("msg_id", ""))


def notebook_folder(shell: Any) -> Path:
    """Return the folder of the notebook where it is known, else the working directory."""
    file = notebook_file(shell)
    return Path.cwd() if file is None else file.parent


def notebook_file(shell: Any) -> Path | None:
    """Return the file of the notebook; None where it is not known.

    VS Code puts the notebook's path into the namespace; Jupyter starts the kernel in its folder and
    tells a session name, which counts only where it is an absolute path.
    """
    named = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__")
    for path in (named, os.environ.get("JPY_SESSION_NAME")):
        if path and os.path.isabs(path) and Path(path).is_file():  # noqa: PTH117  a str is asked
            return Path(path)
    return None


def is_tty() -> bool:
    """Tell whether a line of the terminal can be written over."""
    return sys.stdout.isatty()


def _content(kernel: Any) -> Mapping[str, Any]:
    content: Mapping[str, Any] = _parent(kernel).get("content", {})
    return content


def _parent(kernel: Any) -> Mapping[str, Any]:
    parent: Mapping[str, Any] = kernel.get_parent() or {}
    return parent
