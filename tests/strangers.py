"""Packages of other makers, in a Python of their own: what a script that uses them prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any


def results_of(script: str, *arguments: str) -> dict[str, Any] | None:
    """Return the JSON that *script* prints under the Python of `strangers`; None without one.

    `OPEAI_NB_STRANGERS` names that Python: an environment with the extra `strangers`, which is
    heavy, and no part of the test extra.
    """
    python = os.environ.get("OPEAI_NB_STRANGERS", sys.executable)
    needed = re.findall(r"^import (\w+)$", script, re.MULTILINE)
    if subprocess.run([python, "-c", FIND, *needed], check=False).returncode:
        return None
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*"}
    done = subprocess.run(
        [python, "-W", "ignore", "-c", script, *arguments],
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return results


FIND = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
