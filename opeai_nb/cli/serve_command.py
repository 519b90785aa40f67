"""`python -m opeai_nb serve`: the embedded engine as a server, for any client of the API."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opeai_nb.cli.terminal.command_parser import CommandParser
from opeai_nb.cli.terminal.exit_codes import GOOD
from opeai_nb.cli.terminal.output import tell
from opeai_nb.errors import InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from opeai_nb.engine import Engine

_HOST: Final = re.compile(r"(?:https?://)?(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?/?")


def run(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM. Raises `InputError` for what cannot be served."""
    from opeai_nb.engine import serve

    options = parser().parse_args(arguments)
    try:
        options.base_url = _base_url(options.base_url)
        engine = engine_of(options)
        serve(engine, port=options.port, on_listening=lambda url: _announce(url, options))
    except (OSError, OverflowError, ValueError, sqlite3.Error) as error:
        raise _refusal(error, options) from error
    engine.close()
    return GOOD


def engine_of(options: argparse.Namespace) -> Engine:
    """Return the engine that the options ask for. Raises what `Engine` and a key's file raise."""
    from opeai_nb.engine import Engine

    return Engine(
        store=options.store,
        key=_key(options),
        base_url=options.base_url,
        hosts=_hosts(options),
        cors=_cors(options.cors),
        sync=options.sync,
        latency=options.latency,
        jitter=options.jitter,
        fail_rate=options.fail_rate,
        seed=options.seed,
    )


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = CommandParser(
        prog="python -m opeai_nb serve",
        description="Serve the embedded engine: the platform's HTTP API with a painter of its own.",
    )
    add = parser.add_argument
    add("--port", type=int, default=8765, help="0 takes a free one (default 8765)")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--key", help="the only key that is accepted (default: any)")
    keys.add_argument("--key-env", metavar="NAME", help="the variable that holds the key")
    keys.add_argument("--key-file", metavar="FILE", help="the file that holds the key")
    add("--base-url", metavar="URL", help="where clients reach it, if not where it listens")
    add("--allow-host", metavar="NAME", action="append", default=[], help="answer for it, too; *")
    add("--cors", metavar="ORIGIN", default="*", help="whose pages may ask; off (default *: all)")
    add("--sync", action="store_true", help="no tasks: every model answers with pictures")
    add("--latency", type=float, default=0.0, help="seconds each answer waits")
    add("--jitter", type=float, default=0.0, help="seconds more or less")
    add("--fail-rate", type=float, default=0.0, help="part of requests that fail")
    add("--seed", type=int, help="makes delays and failures the same on every run")
    add("--store", metavar="DIR", help="keeps tasks and pictures over restarts")
    return parser


def _key(options: argparse.Namespace) -> str | None:
    if options.key_file is not None:
        try:
            return Path(options.key_file).read_text(encoding="utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise ValueError(f"{options.key_file} holds no text") from error
    key: str | None = options.key
    if options.key_env is not None:
        key = os.environ.get(options.key_env)
        if key is None:
            raise ValueError(f"the variable {options.key_env} is not set")
    return key


def _hosts(options: argparse.Namespace) -> set[str] | None:
    """Return the host names that are answered; None for all."""
    if "*" in options.allow_host:
        return None
    own = {urlsplit(options.base_url).hostname or ""} if options.base_url else set()
    return {"127.0.0.1", "localhost", "::1", *own, *map(_host, options.allow_host)}


def _host(text: str) -> str:
    """Return the name in *text*, a host or a URL. Raises ValueError where no Host has it."""
    match = _HOST.fullmatch(text.lower())
    if match is None:
        raise ValueError(f"--allow-host must be a host name, an address in brackets or *: {text!r}")
    return match[1] or match[2]


def _base_url(text: str | None) -> str | None:
    """Return *text* without the /v1 of an OpenAI client. Raises ValueError for what is no URL."""
    if text is None:
        return None
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or not re.fullmatch(r"[!-~]+", text)  # it stands in picture URLs as it is
    ):
        raise ValueError(f"--base-url must be http(s)://host, with or without a path: {text!r}")
    return text.rstrip("/").removesuffix("/v1").rstrip("/")


def _cors(text: str) -> str | None:
    """Return the origin, `*` or None for `off`. Raises ValueError for what no browser sends."""
    if text in ("*", "off"):
        return None if text == "off" else text
    origin = text.rstrip("/")
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^\s/,?#@]+", origin, re.IGNORECASE):
        raise ValueError(f"--cors must be one origin, as http://localhost:3000, * or off: {text!r}")
    return origin


def _announce(url: str, options: argparse.Namespace) -> None:
    base = (options.base_url or url).rstrip("/")
    # The key itself is never printed: it would stay in a terminal's history or a log.
    is_open = options.key is None and options.key_env is None and options.key_file is None
    lines = [
        f"export OPEAI_BASE_URL={base}",
        "export OPEAI_API_KEY=any-key  # any key is accepted"
        if is_open
        else "# OPEAI_API_KEY must be the key that was given",
        f"# an OpenAI client: OPENAI_BASE_URL={base}/v1, and the key as OPENAI_API_KEY",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201  a command's output
    where = url if base == url else f"{url}, for clients at {base}"
    tell(f"opeai_nb serve: listening on {where} (Ctrl-C stops)")


def _refusal(error: Exception, options: argparse.Namespace) -> InputError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return InputError(
            f"Port {options.port} is taken.", advice="Give another: --port 0 takes a free one."
        )
    if isinstance(error, (OSError, sqlite3.Error)):
        return InputError(f"{error}.", advice="Give another --store, --key-file or --port.")
    if isinstance(error, OverflowError):
        return InputError("--port must be from 0 to 65535.", advice="0 takes a free one.")
    return InputError(f"{error}.", advice="--help says what is taken.")
