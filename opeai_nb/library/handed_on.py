"""What functions given as `then` made of the records, so that each is called once for each.

    .then/1b2c3d4e.jsonl      {"record": "3f2a9c1d", "function": "upload", "value": "https://…"}

Git does not see the folder: what was uploaded for one person was not for whoever has a copy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.library.disk.line_folder import LineFolder
from opeai_nb.library.library_warning import reason, warn

if TYPE_CHECKING:
    from opeai_nb.library.disk.homes import Homes

FOLDER: Final = ".then"


class HandedOn:
    """The answers of functions for the records of one library, by the function's name."""

    def __init__(self, homes: Homes) -> None:
        self._folder = LineFolder(homes, FOLDER, unlisted=True)
        self._has_warned = False

    def answers(self, function: str) -> dict[str | None, Any]:
        """Return the last answer of *function* for each record that it was called for, by id."""
        return {
            line["record"]: line["value"]
            for line in self._folder.lines()
            if isinstance(line.get("record"), str)
            and line.get("function") == function
            and "value" in line
        }

    def add(self, record: str, function: str, value: Any) -> None:
        """Note an answer; one that JSON has no form for is not kept, so that it is asked anew."""
        line = {"record": record, "function": function, "value": value}
        try:
            if json.loads(json.dumps(line)) != line:
                return
        except (TypeError, ValueError, RecursionError):
            return
        try:
            self._folder.add(line)
        except OSError as error:
            if not self._has_warned:
                self._has_warned = True
                warn(f"What `then` made cannot be noted: {reason(error)}. It will be called again.")
