"""A library in a folder below: papermill runs a notebook where papermill was started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.client.values.filename import slug
from opeai_nb.library.disk.files import names_in
from opeai_nb.library.disk.subfolder import slug_in
from opeai_nb.library.records.record import ENDING, record_said

if TYPE_CHECKING:
    from pathlib import Path

MOST_FOLDERS: Final = 200
"""Of more nobody keeps notebooks beside each other; to look at a home folder takes no second."""


def library_below(library: Path, request: str, prompt: str) -> Path | None:
    """Return a library of the same name one folder below that has a paid picture of *request*."""
    slugs = (slug(prompt), None)  # a person may rename any
    for name in sorted(names_in(library.parent))[:MOST_FOLDERS]:
        home = library.parent / name / library.name
        for file in names_in(home):
            if file.endswith(ENDING) and slug_in(file) in slugs:
                record = record_said(home, file)
                if record is None or record.origin != "platform":
                    continue
                if record.identity == request:
                    return home
    return None
