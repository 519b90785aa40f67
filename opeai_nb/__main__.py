"""`python -m opeai_nb`: the toolkit's commands, which stand in `opeai_nb/cli/`."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036  whoever runs a checkout has no pip to say so
    print(  # noqa: T201  one line instead of a traceback
        f"opeai_nb needs Python 3.11 or newer, and this is {sys.version.split()[0]}. "
        "Run it with another: python3.11 -m opeai_nb",
        file=sys.stderr,
    )
    sys.exit(2)

_INTERRUPTED = 130


def _code() -> int:
    """Return the exit code; an interrupt that comes while modules are read is one, too."""
    try:
        from opeai_nb.cli.main import main

        return main()
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    code = _code()
    if code >= _INTERRUPTED - 1:
        # Ended by a signal: threads of a user's function are not waited for. 129, 130, 143.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
