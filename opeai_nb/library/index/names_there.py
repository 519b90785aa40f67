"""Which records may be of a prompt, told by their names alone: while very many are read."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from opeai_nb.library.disk.files import is_text, names_in
from opeai_nb.library.disk.subfolder import (
    is_place,
    slug_in,
    subfolder_of,
    subfolders_among,
    time_in,
)
from opeai_nb.library.index.folder_time import time_of
from opeai_nb.library.records.record import ENDING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path


def records_among(names: Iterable[str], part: str = "") -> list[str]:
    """Return those of the *names* in a *part* that are of records, as an index has them."""
    found = [name for name in names if name.endswith(ENDING) and is_text(name)]
    return [f"{part}/{name}" for name in found] if part else found


class NamesThere:
    """The names of the records in *folder*, each listed once.

    A part of the folder, a sub-folder or "" for itself, is listed again when its time is not the
    one that *stamp* gave before its last listing. *files* are those of the first one, *times* the
    times before it.
    """

    def __init__(
        self,
        folder: Path,
        stamp: Callable[[str], int | None],
        files: Iterable[str] = (),
        times: Mapping[str, int | None] | None = None,
    ) -> None:
        self._folder = folder
        self._stamp = stamp
        self._times = dict(times or {"": None})
        self._unsorted = [*files]
        self._all: set[str] = set()
        self._by_slug: defaultdict[str | None, list[str]] = defaultdict(list)

    def of(self, slug: str) -> list[str]:
        """Return the files that may be of a prompt with this *slug*: a person may rename any."""
        self._look()
        self._sort()
        return [*self._by_slug.get(slug, ()), *self._by_slug.get(None, ())]

    def has_listed(self, part: str, time: int | None) -> bool:
        """Tell whether all is known of a part with this *time*: of one that is not there, None."""
        return self._times.get(part) == time

    def came(self, part: str, stamp: int | None, files: Sequence[str]) -> None:
        """Take it that *files*, and nothing else, have come into a *part*, which has *stamp* now.

        Of others that they lie in nothing is known by that.
        """
        self._times[part] = stamp
        self._unsorted += files
        for file in files:
            self._times.setdefault(subfolder_of(file), None)

    def _look(self) -> None:
        if self._has_changed(""):
            for name in subfolders_among(self._list("")):
                self._times.setdefault(name, None)
        for part in [*self._times]:
            if part and self._has_changed(part):
                self._list(part)

    def _has_changed(self, part: str) -> bool:
        time = self._times[part]
        return time is None or time != self._time_of(part)

    def _time_of(self, part: str) -> int | None:
        try:
            return time_in(self._folder, part) if part else time_of(self._folder)
        except OSError:  # it is gone
            return None

    def _list(self, part: str) -> list[str]:
        """Note what is in a part, and return all names there; none of what is a link."""
        if self._time_of(part) is None:
            return []
        self._times[part] = self._stamp(part)  # before: what comes in between shows next time
        names = names_in(self._folder / part)
        self._unsorted += filter(is_place, records_among(names, part))
        return names

    def _sort(self) -> None:
        for file in self._unsorted:
            if file not in self._all:
                self._all.add(file)
                self._by_slug[slug_in(file)].append(file)
        self._unsorted = []
