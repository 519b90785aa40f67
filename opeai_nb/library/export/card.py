"""The card of a data set: the README.md that says what is in it, and what is left to decide."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from opeai_nb._version import __version__
from opeai_nb.printable import printable_line
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.library.export.piece import Piece

COLUMNS: Final = {
    "file_name": "the picture's file, beside this table",
    "prompt": "what was asked for",
    "negative_prompt": "what was to be left out, if anything",
    "revised_prompt": "the prompt as the model rewrote it, where it told",
    "model": "the model that was asked",
    "axes": "the values of the sweep that made it, by the names of its axes",
    "alt": "its text alternative, where a person wrote one",
    "caption": "its caption, where a person wrote one",
    "tags": "its tags, with a space between them",
    "starred": "whether it has a star",
    "note": "its note",
    "width": "in pixels",
    "height": "in pixels",
    "created": "when it was asked for, ISO 8601, UTC",
    "origin": "`platform`; `engine` for what the embedded engine painted, which is no AI",
    "id": "its id in the library",
    "sha256": "of the file as it was received, before anything was written into it",
    "inputs": "sha256 of each picture that was given with the prompt; these are not in the set",
    "request": "all other fields of the request, as JSON",
}
_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
_LARGEST: Final = "100K<n<1M"


@dataclass
class Census:
    """What is counted while a data set is written; *parts* are those of a split."""

    parts: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    days: set[str] = field(default_factory=set)
    has_axes: bool = False

    def count(self, piece: Piece, part: str) -> None:
        """Count a picture."""
        self.parts[part] += 1
        self.has_axes |= bool(piece.axes)
        self.models[piece.record.model] += 1
        self.origins[piece.record.origin] += 1
        self.days.add(str(piece.record.stands["created"])[:10])


MARK: Final = "made from prompts with opeai_nb"
"""What each export says in itself, and by which an earlier one is known."""


def card(name: str, census: Census, *, is_split: bool) -> str:
    """Return the README.md of the data set *name*."""
    columns = {
        column: text for column, text in COLUMNS.items() if column != "axes" or census.has_axes
    }
    return "\n".join(
        [
            "---",
            *_front_matter(name, census, is_split=is_split),
            "---",
            "",
            f"# {printable_line(name)}",
            "",
            f"{_pictures(census)}, {MARK} {__version__}, {_days(census)}.",
            "",
            *_counts("model", census.models),
            "",
            *(_counts("part", census.parts) if is_split else ()),
            *(("", _SPLIT, "") if is_split else ()),
            "```python",
            "from datasets import load_dataset",
            "",
            'pictures = load_dataset("imagefolder", data_dir="path/to/this/folder")',
            "```",
            "",
            "## Licence",
            "",
            _LICENCE,
            "",
            "## Columns",
            "",
            "| column | what it holds |",
            "| --- | --- |",
            *(f"| `{column}` | {text} |" for column, text in columns.items()),
            "",
        ]
    )


_LICENCE: Final = (
    "Not chosen yet. Whoever publishes this set adds a line `license: …` at the top of this file, "
    "and looks before at the terms of the models, and at whose pictures were given with the "
    "prompts."
)
_SPLIT: Final = (
    "All pictures of one prompt are in one part. The prompt alone decides which, so that it stays "
    "there when the set grows."
)


def _front_matter(name: str, census: Census, *, is_split: bool) -> list[str]:
    total = census.parts.total()
    size = next((text for most, text in _SIZES if total < most), _LARGEST)
    lines = [
        f"pretty_name: {json.dumps(printable_line(name))}",
        "task_categories:",
        "- text-to-image",
        "tags:",
        "- image",
        "- generated",
        "size_categories:",
        f"- {size}",
    ]
    if not is_split:
        return lines
    files = [
        line for part in census.parts for line in (f"  - split: {part}", f"    path: {part}/**")
    ]
    return [*lines, "configs:", "- config_name: default", "  data_files:", *files]


def _counts(head: str, counts: Mapping[str, int]) -> list[str]:
    rows = [f"| {_cell(name)} | {count} |" for name, count in sorted(counts.items())]
    return [f"| {head} | pictures |", "| --- | ---: |", *rows]


def _cell(text: str) -> str:
    return printable_line(text).replace("|", r"\|")


def _pictures(census: Census) -> str:
    return counted(census.parts.total(), "picture")


def _days(census: Census) -> str:
    first, last = min(census.days), max(census.days)
    return first if first == last else f"{first} to {last}"
