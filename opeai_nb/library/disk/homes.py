"""Where a library's files lie: in its folder, and where that cannot be written in a second home.

A student in a teacher's course folder, a folder on a full disk: what is made there lies in the
user's own data folder, and is read together with the rest.

    ~/.local/share/opeai_nb/libraries/imagine-1b2c3d4e5f60/library.txt    whose second home it is
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from opeai_nb.homeless import homeless_folder
from opeai_nb.library.disk.files import DISK, Disk, is_inside, own_folder, write_whole
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable

DATA_VARIABLE: Final = "OPEAI_NB_DATA"
_OF: Final = "library.txt"
_DIGITS: Final = 12
_LONGEST: Final = 100_000  # bytes of a path

Result = TypeVar("Result")


class Homes:
    """The folders of one library, and the *disk* that they are written with.

    *folder* is the library's own. *refusal* is why it could not be written, once it was tried.
    """

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self.folder = folder
        self.disk = disk
        self.refusal: OSError | None = None
        self._second: Path | None = None

    @property
    def second(self) -> Path:
        """The second home, whether it is there or not."""
        if self._second is None:
            self._second = second_home(self.folder)
        return self._second

    @property
    def all(self) -> tuple[Path, Path]:
        """Both homes, the library's own folder first; either may not be there."""
        return self.folder, self.second

    @property
    def there(self) -> tuple[Path, ...]:
        """Those of both that are there: of most libraries the first alone."""
        return tuple(home for home in self.all if os.path.isdir(home))  # noqa: PTH112  a Path is dear

    def place_of(self, path: Path) -> tuple[int, str] | None:
        """Return the number of the home that a file lies in, and its name there; else None.

        The name includes the sub-folder: `2026-11-22/….json`.
        """
        for number, home in enumerate(self.all):
            if is_inside(path, home):
                return number, os.fspath(path)[len(f"{home}{os.sep}") :].replace(os.sep, "/")
        return None

    def write(self, work: Callable[[Path], Result]) -> Result:
        """Do *work* in the library's folder, or where that refuses in the second home.

        Raises the `OSError` of the second one where both refuse.
        """
        try:
            return work(self.folder)
        except OSError as error:
            self.refusal = error
        return work(self._made_second())

    def _made_second(self) -> Path:
        if not (self.second / _OF).is_file():
            own_folder(self.second, disk=self.disk)
            write_whole(self.second / _OF, os.fsencode(self.folder), disk=self.disk)
        return own_folder(self.second, disk=self.disk)


def library_of(folder: Path) -> Path:
    """Return the library whose second home *folder* is; *folder* itself where it is none.

    What a stranger writes into such a file leads nowhere: only the folder of that name is believed.
    """
    try:
        library = Path(os.fsdecode(read_plain(folder / _OF, _LONGEST)))
    except OSError:
        return folder
    return library if library.is_absolute() and second_home(library) == folder else folder


def second_home(library: Path) -> Path:
    """Return the folder in the user's own data folder that belongs to a library."""
    real = os.path.realpath(library)
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:_DIGITS]
    return data_folder() / f"{Path(real).name}-{digest}"


def data_folder() -> Path:
    """Return `opeai_nb/libraries` below `OPEAI_NB_DATA`, else below the system's data folder."""
    if own := os.environ.get(DATA_VARIABLE):
        return Path(own).expanduser().absolute() / "opeai_nb" / "libraries"
    from platformdirs import user_data_path

    try:
        return user_data_path("opeai_nb", appauthor=False) / "libraries"
    except RuntimeError:
        return homeless_folder() / "libraries"
