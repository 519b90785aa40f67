"""`python -m opeai_nb lab`: the tutorials in JupyterLab, opened on the quickstart."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from opeai_nb.cli.terminal.command_parser import CommandParser
from opeai_nb.cli.terminal.output import tell
from opeai_nb.cli.tutorials import PICTURE, QUICKSTART, python, tutorials, writable_folder
from opeai_nb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FOLDER: Final = "opeai_nb-tutorials"


def run(arguments: Sequence[str]) -> int:
    """Copy the tutorials and run JupyterLab until it ends; return its exit code.

    Arguments that are not ours go to JupyterLab. Raises `InputError` where it cannot begin.
    """
    parser = CommandParser(
        prog="python -m opeai_nb lab",
        description="Open the tutorials in JupyterLab. All other options go to JupyterLab.",
    )
    parser.add_argument("--dir", default=_FOLDER, help=f"gets the tutorials (default {_FOLDER})")
    options, others = parser.parse_known_args(arguments)
    if find_spec("jupyterlab") is None:
        raise InputError(
            "JupyterLab is not installed.",
            advice=f'Install it: {python()} -m pip install "opeai_nb[lab]"',
        )
    folder = writable_folder(options.dir)
    copy_tutorials(folder)
    command = lab_command(folder, has_display=_has_display(), is_root=_is_root())
    tell(f"The tutorials are in {folder}. Ctrl-C ends JupyterLab.")
    if os.name != "nt":
        # In our place: Ctrl-C is then JupyterLab's alone, which asks before it ends.
        os.execv(sys.executable, [*command, *others])  # noqa: S606  our own Python
    return subprocess.call([*command, *others])  # noqa: S603  our own Python


def copy_tutorials(folder: Path) -> None:
    """Copy the tutorials that are not there yet: what a person changed stays."""
    there = tutorials()
    for path in (*there, there[0].parent / PICTURE):
        copied = folder / path.relative_to(there[0].parent)
        if not copied.exists():
            copied.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copied)


def lab_command(folder: Path, *, has_display: bool, is_root: bool) -> list[str]:
    """Return the command that opens the quickstart; without a display it prints its address."""
    return [
        *(sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}"),
        "--ServerApp.log_level=WARN",
        f"--LabApp.default_url=/lab/tree/{QUICKSTART}",
        *([] if has_display else ["--no-browser"]),
        *(["--allow-root"] if is_root else []),
    ]


def _has_display() -> bool:
    import webbrowser

    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
