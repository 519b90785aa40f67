"""`python -m opeai_nb COMMAND`: finds the command, and says in one line what went wrong."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from opeai_nb.cli.terminal.exit_codes import GOOD, SOME_FAILED, WRONG
from opeai_nb.cli.terminal.output import close_pipe, prepare, tell
from opeai_nb.cli.terminal.stop_signals import exit_code
from opeai_nb.errors import InputError, OpeaiError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS: Final = {
    "demo": "run the quickstart here, with no key: pictures, the notebook and a page to look at",
    "lab": "open the tutorials in JupyterLab",
    "imagine": "make pictures from a prompt",
    "batch": "make the pictures of a CSV or JSONL file",
    "tasks": "list what is unfinished; finish it, or drop it",
    "export": "write pictures of the library for others: a data set, a page, a contact sheet",
    "presets": "list the presets: options and words under a name of your own",
    "doctor": "look at what pictures depend on: key, network, library, versions",
    "serve": "serve the embedded engine on 127.0.0.1, for any client of the API",
}
"""`demo` is `demo_command.run(arguments) -> exit code`, and so on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in *arguments* (None: those of the process) and return its exit code."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if name in {"-h", "--help", "help"}:
        print(usage())  # noqa: T201  it is what was asked for
        return GOOD
    if name in {"-V", "--version", "version"}:
        from opeai_nb._version import __version__

        print(f"opeai_nb {__version__}")  # noqa: T201  it is what was asked for
        return GOOD
    if name not in COMMANDS:
        return _fail("", _unknown(name))
    prepare()
    try:
        run: Callable[[Sequence[str]], int] = import_module(f"opeai_nb.cli.{name}_command").run
        return run(rest)
    except OpeaiError as error:
        return _fail(name, error)
    except KeyboardInterrupt as interrupt:
        tell(f"opeai_nb {name}: {str(interrupt) or 'interrupted'}")
        return exit_code(interrupt)
    except BrokenPipeError:  # `| head` has seen enough
        close_pipe()
        return GOOD


def usage() -> str:
    """Return what there is, a line for each command."""
    lines = [f"  {name:<9}{summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "Generate images through the OPE.AI platform, or with the embedded engine.",
            "",
            "python -m opeai_nb COMMAND [--help]",
            "",
            *lines,
            f"  {'--version':<9}",
        ]
    ).rstrip()


def _unknown(name: str) -> InputError:
    hint = did_you_mean(name, COMMANDS, shape="{}")
    return InputError(
        f"There is no command {name!r}.{hint}" if name else "Which command?",
        advice=f"Commands: {', '.join(COMMANDS)}; --help says what they do.",
    )


def _fail(command: str, error: OpeaiError) -> int:
    tell(f"{' '.join(filter(None, ('opeai_nb', command)))}: {error}")
    return WRONG if isinstance(error, InputError) else SOME_FAILED
