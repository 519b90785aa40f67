"""`python -m opeai_nb serve`: the embedded engine as a server, for any client of the API."""

from __future__ import annotations

import argparse
import errno
import sqlite3
from typing import TYPE_CHECKING

from opeai_nb.cli.exit_codes import GOOD
from opeai_nb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C. Raises `InputError` for what cannot be served."""
    from opeai_nb.engine import Engine, serve

    options = _parser().parse_args(arguments)
    try:
        engine = Engine(
            store=options.store,
            key=options.key,
            latency=options.latency,
            jitter=options.jitter,
            fail_rate=options.fail_rate,
            seed=options.seed,
        )
        serve(engine, port=options.port, on_listening=lambda url: _announce(url, options.key))
    except (OSError, OverflowError, ValueError, sqlite3.Error) as error:
        raise _refusal(error, options) from error
    engine.close()
    return GOOD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m opeai_nb serve",
        description="Serve the embedded engine: the platform's HTTP API with a painter of its own.",
    )
    add = parser.add_argument
    add("--port", type=int, default=8765, help="0 takes a free one (default 8765)")
    add("--key", help="the only key that is accepted (default: any)")
    add("--latency", type=float, default=0.0, help="seconds each answer waits")
    add("--jitter", type=float, default=0.0, help="seconds more or less")
    add("--fail-rate", type=float, default=0.0, help="part of requests that fail")
    add("--seed", type=int, help="makes delays and failures the same on every run")
    add("--store", metavar="DIR", help="keeps tasks and pictures over restarts")
    return parser


def _announce(url: str, key: str | None) -> None:
    # The key itself is never printed: it would stay in a terminal's history or a log.
    shown = "any-key  # any key is accepted" if key is None else "'<the key given by --key>'"
    print(f"export OPEAI_BASE_URL={url}\nexport OPEAI_API_KEY={shown}", flush=True)  # noqa: T201  a command's output


def _refusal(error: Exception, options: argparse.Namespace) -> InputError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return InputError(
            f"Port {options.port} is taken.", advice="Give another: --port 0 takes a free one."
        )
    if isinstance(error, (OSError, sqlite3.Error)):
        return InputError(f"{error}.", advice="Give another --store or --port.")
    return InputError(f"{error}.", advice="--help says what is taken.")
