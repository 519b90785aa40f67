"""Which process this is, and whether another one is provably gone.

A process id alone tells nothing: it is used again, it means another process in another container,
and a shared folder is seen by machines that know nothing of each other's.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATE, _START = 0, 19  # fields of /proc/PID/stat behind the name: proc(5)
_DEAD: Final = "ZX"  # a zombie has ended, only nobody has asked how
_GONE: Final = "gone"
_FIRST_SPACE: Final = "pid:[4026531836]"
"""The kernel's own name for the processes of no container (PROC_PID_INIT_INO in Linux)."""
_UNKNOWN: Final = ""


def this_process() -> Mapping[str, Any]:
    """Return who this process is, as it stands in a claim.

    *start* is when it began, *machine* the computer that it runs on and *system* its boot, and
    *space* says in which container its *pid* holds; *user* and *host* are for people.
    """
    return _process(os.getpid())


@lru_cache(1)
def _process(pid: int) -> Mapping[str, Any]:
    return {
        "pid": pid,
        "start": start_of(pid),
        "machine": _machine(),
        "system": _system(),
        "space": _space(),
        "host": socket.gethostname(),
        "user": _user(),
    }


def is_gone(owner: Mapping[str, Any], here: Mapping[str, Any] | None = None) -> bool:
    """Tell whether the process of a claim has ended, where that can be known from *here*.

    *here* is who looks: this process, where none is named.
    """
    here, pid = here or this_process(), owner.get("pid")
    if not isinstance(pid, int) or pid <= 0 or owner.get("host") != here["host"]:
        return False
    if "system" not in owner:  # written by 0.1.0
        return start_of(pid) == _GONE
    if _was_booted_since(owner, here):
        return True
    if any(not owner.get(name) or owner[name] != here[name] for name in ("system", "space")):
        return False
    start = start_of(pid)
    return start == _GONE or bool(start and owner.get("start") and start != owner["start"])


def _was_booted_since(owner: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    """Tell whether the machine has been started anew since.

    Not asked in containers: theirs may have one name and one machine's id on many machines.
    """
    same = all(owner.get(name) and owner[name] == here[name] for name in ("machine", "space"))
    booted = owner.get("system") and here["system"] and owner["system"] != here["system"]
    return bool(same and here["space"] == _FIRST_SPACE and booted)


def describe(owner: Mapping[str, Any]) -> str:
    """Return who works there, for people: `another kernel`, `ann's kernel on host7`."""
    here = this_process()
    user, host = (printable_line(str(owner.get(name) or "")) for name in ("user", "host"))
    whose = f"{user}'s" if user and user != here["user"] else "another"
    return f"{whose} kernel" + f" on {host}" * (bool(host) and host != here["host"])


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        return ""


if sys.platform == "linux":

    def start_of(pid: int) -> str:
        """Return when a process began, `gone` where there is none, empty where that is not told."""
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return _GONE
        except PermissionError:
            pass  # another user's
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  a Path costs more
                stat = file.read().rpartition(b") ")[2].decode("ascii").split()
        except OSError:  # hidden from other users
            return _UNKNOWN
        return _GONE if stat[_STATE] in _DEAD else stat[_START]

    def _system() -> str:
        try:
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123  as above
                return file.read().strip()
        except OSError:
            return _UNKNOWN

    def _machine() -> str:
        # A copy of a virtual machine has its machine-id, and network cards of its own.
        try:
            name = Path("/etc/machine-id").read_bytes().strip()
            cards = sorted(Path("/sys/class/net").glob("*/device"))
            addresses = [(card.parent / "address").read_bytes().strip() for card in cards]
        except OSError:
            return _UNKNOWN
        if not name:
            return _UNKNOWN
        return hashlib.sha256(b" ".join((name, *addresses))).hexdigest()[:16]

    def _space() -> str:
        try:
            return os.readlink("/proc/self/ns/pid")  # noqa: PTH115  it leads to no path
        except OSError:
            return _UNKNOWN

else:  # pragma: no cover  the other half runs there

    def start_of(pid: int) -> str:
        """Return when a process began, `gone` where there is none, empty where that is not told."""
        import psutil

        try:
            process = psutil.Process(pid)
            ended = process.status() == psutil.STATUS_ZOMBIE
            return _GONE if ended else f"{process.create_time():.3f}"
        except psutil.NoSuchProcess:
            return _GONE
        except psutil.Error:
            return _UNKNOWN

    def _system() -> str:
        # The start of a process is a moment there, not counted from a boot: the machine will do.
        import uuid

        return f"{uuid.getnode():012x}"

    def _machine() -> str:
        return _UNKNOWN

    def _space() -> str:
        return "machine"
