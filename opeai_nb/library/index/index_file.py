"""Where the index of a library lies: in the user's own cache, never in the library.

A database in a folder that is shared or was given is a program of a stranger: its rollback journal
names files to delete, its views and triggers run, a link in its place is written through.
"""

from __future__ import annotations

import hashlib
import os
import random
import stat
from pathlib import Path
from typing import Final

from opeai_nb.homeless import homeless_folder
from opeai_nb.library.disk.files import names_in, own_folder, remove_folder, write_whole
from opeai_nb.plain_file import read_plain

CACHE_VARIABLE: Final = "OPEAI_NB_CACHE"
_FILE: Final = "index-8.sqlite3"  # the number is that of its tables, and of what rows say
_OF: Final = "library.txt"
_DIGITS: Final = 24
_LOOKS: Final = 50
"""Indexes of other libraries that a new one looks at."""


def index_file(library: Path) -> Path:
    """Return the file of a library's index; its folder is made, for this user alone.

    Raises `OSError` where there can be none: the cache belongs to somebody else, or is a link.
    """
    real = os.path.realpath(library)
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:_DIGITS]
    folder = cache_folder() / digest
    if not folder.is_dir():
        _forget_what_is_gone(folder.parent)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(folder / _OF, os.fsencode(real), durable=False)
    _refuse_a_strangers(own_folder(folder))
    return folder / _FILE


def cache_folder() -> Path:
    """Return `opeai_nb/index` below `OPEAI_NB_CACHE`, else below the system's cache folder."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).expanduser().absolute() / "opeai_nb" / "index"
    from platformdirs import user_cache_path

    try:
        return user_cache_path("opeai_nb", appauthor=False, opinion=False) / "index"
    except RuntimeError:  # no home: what the folder holds is checked as everywhere
        return homeless_folder() / "index"


def _refuse_a_strangers(folder: Path) -> None:
    """Raise `OSError` when somebody else may have put something into *folder*."""
    if os.name == "nt":
        return  # the cache lies in the user's profile
    status = folder.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError(0, "the cache folder is not this user's alone")
    for name in names_in(folder):
        if name.startswith(_FILE) and (folder / name).is_symlink():
            raise OSError(0, f"{name} is a link")


def _forget_what_is_gone(cache: Path) -> None:
    """Remove indexes of libraries that are no longer there, of some that are looked at.

    Each new library looks at more than the one that it adds, so what is gone does not pile up, and
    a cache of a thousand costs no more than one of fifty.
    """
    names = names_in(cache)
    for name in random.sample(names, min(_LOOKS, len(names))):
        try:
            library = read_plain(cache / name / _OF)
        except OSError:
            continue  # it is none of ours
        if not os.path.lexists(library):
            remove_folder(cache / name)
