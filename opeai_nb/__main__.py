"""``python -m opeai_nb``: the toolkit's commands."""

import argparse
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in *arguments* (None: those of the process) and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m opeai_nb", description="Generate images through the OPE.AI platform."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_serve(commands)
    _add_batch(commands)
    options = parser.parse_args(arguments)
    run: int = options.run(options)
    return run


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser(
        "serve",
        help="serve the embedded engine on 127.0.0.1",
        description="Serve the embedded engine: the platform's HTTP API with a painter of its own.",
    )
    serve.add_argument("--port", type=int, default=8765, help="0 takes a free one (default 8765)")
    serve.add_argument("--key", help="the only key that is accepted (default: any)")
    serve.add_argument("--latency", type=float, default=0.0, help="seconds each answer waits")
    serve.add_argument("--jitter", type=float, default=0.0, help="seconds more or less")
    serve.add_argument("--fail-rate", type=float, default=0.0, help="part of requests that fail")
    serve.add_argument("--seed", type=int, help="makes delays and failures the same on every run")
    serve.add_argument("--store", metavar="DIR", help="keeps tasks and pictures over restarts")
    serve.set_defaults(run=_serve)


def _add_batch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from opeai_nb.cli import batch as batch_command

    batch = commands.add_parser(
        "batch",
        help="make the pictures of a CSV or JSONL file",
        description="Make the pictures of a file, a row each; run it again for what is missing.",
    )
    batch_command.add_arguments(batch)
    batch.set_defaults(run=batch_command.run)


def _serve(options: argparse.Namespace) -> int:
    import sqlite3

    from opeai_nb.engine import Engine, serve

    def announce(url: str) -> None:
        print(f"export OPEAI_BASE_URL={url}")  # noqa: T201 -- a command's output
        # The key itself is never printed: it would stay in a terminal's history or a log.
        key = (
            "any-key  # any key is accepted"
            if options.key is None
            else "'<the key given by --key>'"
        )
        print(f"export OPEAI_API_KEY={key}", flush=True)  # noqa: T201 -- a command's output

    try:
        engine = Engine(
            store=options.store,
            key=options.key,
            latency=options.latency,
            jitter=options.jitter,
            fail_rate=options.fail_rate,
            seed=options.seed,
        )
        serve(engine, port=options.port, on_listening=announce)
    except (OSError, OverflowError, ValueError, sqlite3.Error) as error:
        print(f"opeai_nb serve: {error}", file=sys.stderr)  # noqa: T201 -- a command's output
        return 1
    engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
