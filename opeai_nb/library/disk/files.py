"""Plain files: written whole or not at all, and never read through a link."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from functools import partial
from itertools import chain, takewhile
from typing import TYPE_CHECKING, Final
from zlib import crc32

from opeai_nb.plain_file import open_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    AnyPath = Path | str

_PLAIN_NAME = re.compile(r"[^./\\:\0][^/\\:\0]{0,254}")
_TRIES, _PAUSE = 100, 0.02  # seconds: two in all
PART: Final = ".part"
"""The ending of a file that is not complete."""
BLANK: Final = f".blank{PART}"
"""An empty file that is kept to be written to: to make one costs more than to write it."""
GONE: Final = ".gone-"
"""The beginning of the name of a folder that is being removed."""
LARGEST_MARK: Final = 2**62 - 1
_LONG_WAIT, _IN_A_ROW = 0.004, 40
"""Seconds, and waits: on an ordinary disk a busy interpreter makes 25 in a row of them so long."""
_NO_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What drives say that have no fsync, as some network and FUSE drives: nothing has failed."""


class Disk:
    """What writing asks of the operating system; a test's own refuses what a disk may refuse.

    *unsynced* is what a drive without fsync said, *busy* are the errors that pass in a moment;
    *clock* gives seconds. Each method raises `OSError`. A path is a `Path` or a text: a batch
    writes thirty names for each row, and a `Path` costs as much as a small write.
    """

    # Windows renames no file, and no folder, while somebody reads in it: a virus scanner, say.
    busy: tuple[type[OSError], ...] = (PermissionError,) if os.name == "nt" else ()

    def __init__(
        self,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.unsynced: OSError | None = None
        self._sleep = sleep
        self._clock = clock
        self._long_waits = 0

    @property
    def is_slow(self) -> bool:
        """Tell whether each of its last waits took long, as on network drives and turning disks."""
        return self._long_waits >= _IN_A_ROW

    def open(self, path: AnyPath, flags: int) -> int:
        """Open a plain file for writing."""
        handle = open_plain(path, flags)
        if flags & os.O_CREAT:
            _share(path, stat.S_IRGRP | stat.S_IWGRP)
        return handle

    def open_blank(self, path: AnyPath) -> int | None:
        """Open an empty file for writing that is kept to be used again; None where there is none.

        A stranger may have put another file of this user's in its place, by a second name.
        """
        try:
            handle = self.open(path, os.O_WRONLY)
        except OSError:
            return None
        status = os.fstat(handle)
        if status.st_size or status.st_nlink != 1:
            os.close(handle)
            return None
        _share(path, stat.S_IRGRP | stat.S_IWGRP)
        return handle

    def write(self, handle: int, data: bytes | memoryview) -> int:
        """Write some of *data* and return how much; a disk that fills takes a part."""
        return os.write(handle, data)

    def fsync(self, handle: int) -> None:
        """Wait until what was written will outlast a power cut."""
        os.fsync(handle)

    def mkdir(self, path: Path) -> None:
        """Make a folder, and those above it; one that is there stays.

        Raises `FileExistsError` where a file has its name.
        """
        if not _is_shared_or_gone(path.parent):  # as for all folders of a library once it is there
            with suppress(FileExistsError):
                os.mkdir(path)  # noqa: PTH102  a Path costs more
                return
        missing = list(takewhile(lambda each: not each.exists(), chain((path,), path.parents)))
        for each in reversed(missing):
            if _is_shared(each.parent):
                _make_shared(each)
            each.mkdir(exist_ok=True)
        if not missing and not path.is_dir():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))

    def rename(self, old: AnyPath, new: AnyPath) -> None:
        """Give a file another name, in the place of what has it, or a folder a free one."""
        for _ in range(_TRIES):
            try:
                return self.replace(old, new)
            except self.busy:
                self._sleep(_PAUSE)
        return self.replace(old, new)

    def replace(self, old: AnyPath, new: AnyPath) -> None:
        """Try once to give a file or a folder another name."""
        os.replace(old, new)  # noqa: PTH105  a Path makes another one of it

    def link(self, old: AnyPath, new: AnyPath) -> None:
        """Give a file a second name."""
        os.link(old, new)

    def write_all(self, handle: int, data: bytes, *, durable: bool) -> None:
        """Write all of *data*; it is on the disk when this returns, if *durable*."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.write(handle, rest) :]
        if durable:
            self.sync(handle)

    def sync(self, handle: int) -> None:
        """Wait for the disk, where it has an fsync; a drive without keeps files all the same."""
        began = self._clock()
        try:
            self.fsync(handle)
            is_long = self._clock() - began > _LONG_WAIT
            self._long_waits = self._long_waits + 1 if is_long else 0
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise
            self.unsynced = error


DISK: Final = Disk()
"""The disk of everything that is no library."""


def _is_shared(folder: AnyPath) -> bool:
    """Tell whether others may make and remove files in a folder; with a sticky bit, only theirs."""
    if os.name == "nt":
        return False  # what is made in a folder there has its rights by itself
    mode = os.stat(folder).st_mode  # noqa: PTH116  a Path costs more
    return bool(mode & (stat.S_IWGRP | stat.S_IWOTH)) and not mode & stat.S_ISVTX


def _is_shared_or_gone(folder: Path) -> bool:
    try:
        return _is_shared(folder)
    except FileNotFoundError:
        return True


def _make_shared(folder: Path) -> None:
    """Make a folder that others may write to from its first moment on.

    Else another who comes in that moment takes it for a folder that is closed to them.
    """
    new = passing_name(folder.parent)
    new.mkdir()
    _share(new, stat.S_IRWXG)
    try:
        new.rename(folder)
    except OSError:  # another was quicker
        new.rmdir()


def _share(path: AnyPath, rights: int) -> None:
    """Let others do with a file what the folder that it lies in is for, whatever the umask says.

    Those who share a folder take over from each other what one left. *rights* are as a group has
    them; its members get them where the file is the group's, as below set-gid and on macOS.
    """
    folder = os.path.dirname(path) or os.curdir  # noqa: PTH120  a Path costs more
    if not _is_shared(folder):
        return
    with suppress(OSError):  # another user's
        around, found = os.stat(folder), os.lstat(path)  # noqa: PTH116  as above
        wanted = rights if around.st_mode & stat.S_IWGRP and found.st_gid == around.st_gid else 0
        wanted |= rights >> 3 if around.st_mode & stat.S_IWOTH else 0
        if not stat.S_ISLNK(found.st_mode) and found.st_mode & wanted != wanted:
            os.chmod(path, stat.S_IMODE(found.st_mode) | wanted)  # noqa: PTH101  as above


def is_plain_name(name: object) -> bool:
    """Tell whether *name* can only be a visible file of the folder itself: no path, no `..`."""
    return isinstance(name, str) and _PLAIN_NAME.fullmatch(name) is not None


def is_text(name: str) -> bool:
    """Tell whether *name* is text: an archive of another system leaves names whose bytes are none.

    An index, a record and a notebook can tell no such name.
    """
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        # Where Python reads names by another code, good ones look so: told as they are read.
        return sys.getfilesystemencoding() != "utf-8"
    return True


def is_link(path: AnyPath) -> bool:
    """Tell whether *path* is a link; in a folder that this user may not enter nothing is one."""
    return os.path.islink(path)  # noqa: PTH114  a Path costs more, and tells why it does not know


def is_inside(path: Path, folder: Path) -> bool:
    """Tell whether *path*, as it is written, leads into *folder*."""
    return os.fspath(path).startswith(f"{folder}{os.sep}")


def is_plain_file(path: AnyPath) -> bool:
    """Tell whether *path* is a file with something in it, and no link to one."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0


def write_part(folder: AnyPath, data: bytes, *, durable: bool = True, disk: Disk = DISK) -> str:
    """Write *data* under a hidden passing name in *folder* and return its path.

    It is on the disk when this returns, unless not *durable*. Raises `OSError`, and leaves nothing.
    """
    part = passing_path(folder)
    return _written_to(part, partial(write_new, part, data, durable=durable, disk=disk))


def write_into_blank(folder: AnyPath, data: bytes, *, disk: Disk = DISK) -> str:
    """Do as `write_part` does, in the empty file that was kept in *folder*, if there is one."""
    if (handle := disk.open_blank(part := f"{folder}{os.sep}{BLANK}")) is None:
        return write_part(folder, data, disk=disk)
    return _written_to(part, partial(_write_and_close, handle, data, durable=True, disk=disk))


def _written_to(part: str, write: Callable[[], None]) -> str:
    try:
        write()
    except OSError:
        discard(part)
        raise
    return part


def passing_path(folder: AnyPath) -> str:
    """Return a hidden path in *folder* that nothing has."""
    return f"{folder}{os.sep}{_passing()}"


def passing_name(folder: Path) -> Path:
    """Return a hidden path in *folder* that nothing has, as a `Path`."""
    return folder / _passing()


def _passing() -> str:
    return f".{secrets.token_hex(8)}{PART}"


def sync_file(path: AnyPath, disk: Disk = DISK) -> None:
    """Wait until a file that was written without waiting is on the disk. Raises `OSError`."""
    handle = disk.open(path, os.O_RDWR)
    try:
        disk.sync(handle)
    finally:
        os.close(handle)


def write_new(path: AnyPath, data: bytes, *, durable: bool = True, disk: Disk = DISK) -> None:
    """Write a file that is not there yet. Raises `OSError`, and may leave a part of it."""
    handle = disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    _write_and_close(handle, data, durable=durable, disk=disk)


def write_empty(path: AnyPath, data: bytes, *, durable: bool = True, disk: Disk = DISK) -> None:
    """Write a file that is empty, or not there yet. Raises `OSError`, as `write_new`."""
    if (handle := disk.open_blank(path)) is None:
        return write_new(path, data, durable=durable, disk=disk)
    return _write_and_close(handle, data, durable=durable, disk=disk)


def _write_and_close(handle: int, data: bytes, *, durable: bool, disk: Disk) -> None:
    try:
        disk.write_all(handle, data, durable=durable)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes, *, durable: bool = True, disk: Disk = DISK) -> None:
    """Write a file that is seen whole or not at all. Raises `OSError`."""
    part = write_part(path.parent, data, durable=durable, disk=disk)
    try:
        disk.rename(part, path)
    except OSError:
        discard(part)
        raise


def discard(path: AnyPath) -> None:
    """Remove a file that may be there; a disk that refuses keeps it."""
    try:
        os.unlink(path)  # noqa: PTH108  a Path costs more
    except OSError:
        return


def blanked(path: AnyPath) -> bool:
    """Empty a file, if that name is its only one: what has another is somebody's."""
    try:
        handle = open_plain(path, os.O_WRONLY)
    except OSError:
        return False
    try:
        if os.fstat(handle).st_nlink != 1:
            return False
        os.ftruncate(handle, 0)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


class _Syncing:
    """Group commit: whoever waits for the same folder at the same time waits for one fsync."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._begun = self._done = 0

    @property
    def begun(self) -> int:
        """How many have begun."""
        return self._begun

    def through(self, sync: Callable[[], None], after: int | None = None) -> None:
        """Return when a *sync* that began after this call has ended, one's own or another's.

        Or after the call of which *after* tells how many had begun then.
        """
        with self._turn:
            wanted = (self._begun if after is None else after) + 1
            while self._begun > self._done and self._done < wanted:
                self._turn.wait()
            if self._done >= wanted:
                return
            self._begun += 1
            mine = self._begun
        try:
            sync()
        finally:
            with self._turn:
                self._done = mine
                self._turn.notify_all()


_syncing: defaultdict[tuple[int, str], _Syncing] = defaultdict(_Syncing)


def sync_folder(folder: AnyPath, after: int | None = None) -> None:
    """Make the names in *folder* durable, where the system can.

    *after* is what `syncs_begun` said once they were there: one that began since may do.
    """
    _syncing[os.getpid(), os.fspath(folder)].through(partial(_sync_folder, folder), after)


def syncs_begun(folder: AnyPath) -> int:
    """Return how many `sync_folder` of this process have begun with *folder*."""
    return _syncing[os.getpid(), os.fspath(folder)].begun


def sync_new_folder(folder: Path) -> None:
    """Make a folder's own name durable: once for each process, since another may have made it."""
    if (place := (os.getpid(), folder)) not in _synced:
        sync_folder(folder.parent)
        _synced.add(place)


_synced: set[tuple[int, Path]] = set()


def _sync_folder(folder: AnyPath) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError:  # some network file systems know no fsync of a folder
        return
    finally:
        os.close(handle)


def own_folder(path: Path, *, unlisted: bool = False, disk: Disk = DISK) -> Path:
    """Make a folder of the library and return it; *unlisted* hides it from git by its own file.

    Raises `OSError`, also when it is a link: the library writes nowhere else.
    """
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = 0
    if stat.S_ISLNK(mode):
        raise OSError(0, f"{path.name} is a link")
    if not stat.S_ISDIR(mode):
        disk.mkdir(path)
    if unlisted:
        _unlist(path, disk)
    return path


def _unlist(folder: Path, disk: Disk) -> None:
    """Hide a folder from git.

    A killed process would leave a temporary file for ever. Written in place, a kill leaves an empty
    file, and the next call replaces it.
    """
    path = f"{folder}{os.sep}.gitignore"
    with suppress(FileNotFoundError):
        if os.lstat(path).st_size:
            return
        os.unlink(path)  # noqa: PTH108  a Path costs more
    with suppress(FileExistsError):  # another process may be quicker
        write_new(path, b"*\n", durable=False, disk=disk)


def names_in(folder: AnyPath) -> list[str]:
    """Return the names in a folder; none where it is not there."""
    try:
        return os.listdir(folder)  # noqa: PTH208  Path.iterdir takes long for ten thousand
    except OSError:
        return []


def is_older(path: Path, seconds: float) -> bool:
    """Tell whether *path* is there and has not been changed for so long."""
    try:
        return time.time() - path.lstat().st_mtime > seconds
    except OSError:
        return False


def times_in(folder: Path, ending: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, time (in ns) and size of each file in a folder whose name ends so."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(ending):
                told = entry.stat(follow_symlinks=False)
                yield entry.name, told.st_mtime_ns, told.st_size


def mark_of(files: Iterable[tuple[str, int, int]]) -> int:
    """Return a number that changes with the name, time (in ns) or size of any file, of 62 bits.

    It is a sum: that of some files more, or less, follows from theirs. Numbers alone are hashed, as
    texts get another hash in each process.
    """
    total = 0
    for name, mtime, size in files:
        total += hash((crc32(name.encode("utf-8", "surrogateescape")), mtime, size))
    return total & LARGEST_MARK


def append_line(
    path: AnyPath,
    line: bytes,
    *,
    most: int | None = None,
    durable: bool = True,
    disk: Disk = DISK,
) -> None:
    """Add a line to a file that is there; it is on the disk when this returns, if *durable*.

    The line break before it keeps it apart from a line that a crash cut short. Raises `OSError`,
    also where the file would have more than *most* bytes.
    """
    handle = disk.open(path, os.O_WRONLY | os.O_APPEND)
    if most is not None and os.fstat(handle).st_size + len(line) > most:
        os.close(handle)
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    _write_and_close(handle, b"\n" + line, durable=durable, disk=disk)


def remove_folder(folder: AnyPath) -> None:
    """Remove a folder with all in it: gone at once under its name, then in fact.

    Of a link in its place the link alone: what it leads to is not the library's.
    """
    if (gone := emptied_folder(folder)) is not None:
        with suppress(OSError):
            os.rmdir(gone)  # noqa: PTH106  a Path costs more


def emptied_folder(folder: AnyPath, empty: Callable[[str, str], None] | None = None) -> str | None:
    """Remove all that is in a folder and give it the name of one that is being removed; return it.

    *empty* does so with a file in a folder; without, it is removed. Where that cannot be, as of a
    folder with folders in it, it is removed, and None returned.
    """
    if is_link(folder):
        discard(folder)
        return None
    around = os.path.dirname(folder) or os.curdir  # noqa: PTH120  a Path costs more
    gone = f"{around}{os.sep}{GONE}{secrets.token_hex(8)}"
    try:
        os.rename(folder, gone)  # noqa: PTH104  as above
    except OSError:  # gone already, or a file in it is open on Windows
        shutil.rmtree(folder, ignore_errors=True)
        return None
    try:
        for name in sorted(os.listdir(gone)):  # noqa: PTH208  as in names_in
            if empty is None:
                os.unlink(f"{gone}{os.sep}{name}")  # noqa: PTH108  a Path for each costs more
            else:
                empty(gone, name)
    except OSError:  # there are folders in it
        shutil.rmtree(gone, ignore_errors=True)
        return None
    return gone
