"""`python -m opeai_nb`: the toolkit's commands, which stand in `opeai_nb/cli/`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  whoever runs a checkout has no pip to say so
    print(  # noqa: T201  one line instead of a traceback
        f"opeai_nb needs Python 3.11 or newer, and this is {sys.version.split()[0]}. "
        "Run it with another: python3.11 -m opeai_nb",
        file=sys.stderr,
    )
    sys.exit(2)

from opeai_nb.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
