"""SIGTERM and SIGHUP end a command as Ctrl-C does: systemd, Slurm, docker, a closed terminal."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.cli.terminal.exit_codes import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS: Final = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_OF_THE_SHELL: Final = 128


class Stopped(KeyboardInterrupt):
    """A signal that asks to end; *exit_code* is what a shell expects then: 143, 129."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.exit_code = _OF_THE_SHELL + number


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code for what ended a command."""
    return interrupt.exit_code if isinstance(interrupt, Stopped) else INTERRUPTED


def _stop(number: int, _frame: Any) -> None:
    raise Stopped(number)


@contextmanager
def stop_signals() -> Iterator[None]:
    """Raise `Stopped` in the main thread for each of the signals."""
    with _handled(dict.fromkeys(_SIGNALS, _stop)):
        yield


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Let nothing interrupt what is short and has to be whole: closing files, a summary."""
    with _handled(dict.fromkeys((*_SIGNALS, "SIGINT"), signal.SIG_IGN)):
        yield


@contextmanager
def _handled(handlers: dict[str, Any]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals
        return
    before = {
        number: signal.signal(number, handler)
        for name, handler in handlers.items()
        if (number := getattr(signal, name, None)) is not None
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
