"""`python -m opeai_nb demo`: the quickstart, run cell by cell where nobody needs to look.

No key, no display, no browser: the embedded engine paints, and what came of it is in a folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.cli.terminal.command_parser import CommandParser
from opeai_nb.cli.terminal.exit_codes import GOOD, SOME_FAILED
from opeai_nb.cli.terminal.output import tell
from opeai_nb.cli.tutorials import QUICKSTART, python, tutorials, writable_folder
from opeai_nb.errors import InputError
from opeai_nb.wording import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FOLDER: Final = "opeai_nb-demo"
_CELL_TIMEOUT: Final = 300  # seconds; a cell takes one or two
_WIDTH: Final = 60


def run(arguments: Sequence[str]) -> int:
    """Run the quickstart and return the exit code.

    Raises `InputError` where it cannot begin, and `KeyboardInterrupt` with what is left of it.
    """
    parser = CommandParser(
        prog="python -m opeai_nb demo",
        description="Run the quickstart on the embedded engine: no key, no display, no browser.",
    )
    parser.add_argument("--dir", default=_FOLDER, help=f"gets what is made (default {_FOLDER})")
    folder = writable_folder(parser.parse_args(arguments).dir)
    nbformat = _need("nbformat")
    notebook = nbformat.read(tutorials()[0], as_version=4)
    began = time.monotonic()
    try:
        good = _execute(notebook, folder)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "interrupted; what was painted is kept. Run it again for the rest."
        ) from None
    _write(folder / QUICKSTART, nbformat.writes(notebook))
    page = (folder / QUICKSTART).with_suffix(".html")
    _write(page, html_of(notebook))
    if not good:
        return SOME_FAILED
    _tell_result(folder, page, time.monotonic() - began)
    return GOOD


def html_of(notebook: Any) -> str:
    """Return the notebook as a page that asks for nothing from elsewhere."""
    exporter = _need("nbconvert").HTMLExporter(raw_template=_PAGE)
    name = {"metadata": {"name": "opeai_nb: the quickstart"}}
    page: str = exporter.from_notebook_node(notebook, resources=name)[0]
    return page


# nbconvert's own page, without the scripts that it loads from the network.
_PAGE: Final = "{%- extends 'lab/index.html.j2' -%}" + "".join(
    f"{{%- block {name} -%}}{{%- endblock -%}}"
    for name in (
        "html_head_js",
        "html_head_js_mathjax",
        "html_head_js_mermaidjs",
        "jupyter_widgets",
    )
)


def _execute(notebook: Any, folder: Path) -> bool:
    """Execute the cells, a line for each; tell whether all went as the quickstart says."""
    nbclient = _need("nbclient")
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]

    def show(cell: Any, **_: Any) -> None:
        line = f"{cells.index(cell) + 1:>3}/{len(cells)}  {_line_of(cell)}"
        print(line, flush=True)  # noqa: T201  a command's output

    client = nbclient.NotebookClient(
        notebook,
        km=_kernel_manager(),
        extra_arguments=["--log-level=CRITICAL"],
        timeout=_CELL_TIMEOUT,
        resources={"metadata": {"path": str(folder)}},
        on_notebook_start=_hear_interrupts,
        on_cell_executed=show,
    )
    try:
        client.execute(env=_environment(folder))
    except nbclient.exceptions.CellExecutionError as error:
        tell(f"opeai_nb demo: a cell failed: {error.ename}: {error.evalue}")
        return False
    except nbclient.exceptions.DeadKernelError:
        tell("opeai_nb demo: the kernel ended. Run it again: what was painted is kept.")
        return False
    return True


def _hear_interrupts(**_: Any) -> None:
    """Let Ctrl-C end the demo: nbclient would end the kernel, and tell of that as a failure."""
    with contextlib.suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


def _kernel_manager() -> Any:
    """Return a manager of this very Python: another one may be registered as `python3`."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    _need("ipykernel")
    return AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))


def _environment(folder: Path) -> dict[str, str]:
    """Return the kernel's environment: nobody's key is spent, and pictures land in *folder*."""
    ours = {"OPEAI_BASE_URL": "engine:", "OPEAI_NB_LIBRARY": str(folder.resolve() / "imagine")}
    others = {name: value for name, value in os.environ.items() if name != "OPEAI_API_KEY"}
    return {**others, **ours}


def _line_of(cell: Any) -> str:
    """Return the beginning of a cell, and what came of it: the badge's text, or an error."""
    source = shortened(cell.source, _WIDTH)
    for output in cell.outputs:
        if output.output_type == "error":
            return f"{source:<{_WIDTH}}  refused, as it should be: {output.evalue.split('. ')[0]}"
        if text := output.get("data", {}).get("text/plain"):
            return f"{source:<{_WIDTH}}  {text.splitlines()[0]}"
    return source


def _tell_result(folder: Path, page: Path, seconds: float) -> None:
    from opeai_nb.library import Library

    records = Library(folder / "imagine").records(newest_first=False)
    pictures = [os.path.relpath(path) for record in records for path in record.paths]
    lines = [
        "",
        *(f"picture   {path}" for path in pictures),
        f"notebook  {folder / QUICKSTART}",
        f"page      {page}  (opens in any browser, without a network)",
        "",
        f"{len(pictures)} pictures in {seconds:.0f} s. The same in JupyterLab, with all tutorials:",
        f"  {python()} -m opeai_nb lab",
    ]
    print("\n".join(lines))  # noqa: T201  a command's output


def _write(path: Path, text: str) -> None:
    """Write a file whole, or not at all."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}.", advice="Give another: --dir DIR"
        ) from error


def _need(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"The demo needs {name}, which is not installed.",
            advice=f'Install it: {python()} -m pip install "opeai_nb[lab]"',
        ) from error
