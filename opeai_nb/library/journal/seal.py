"""What this user wrote into a journal, told from what came with a folder of somebody else's.

A journal names where pictures are to be fetched from. Whoever hands a folder on could write any
host there, so each answer is sealed with a secret of the user's own, which lies in the data folder
and never in a library.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from opeai_nb.library.disk.files import DISK, Disk, discard, own_folder
from opeai_nb.library.disk.homes import data_folder
from opeai_nb.plain_file import open_plain, read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE: Final = "seal"
_BYTES: Final = 32


def sealed(entry: str, what: str, disk: Disk = DISK) -> str | None:
    """Return the seal over *what* an entry (its id) says; None where no secret can be kept."""
    secret = _secret(disk)
    text = f"{entry}\n{what}".encode("utf-8", "replace")
    return hmac.new(secret, text, hashlib.sha256).hexdigest() if secret else None


def is_sealed(seal: object, entry: str, what: str) -> bool:
    """Tell whether this user set *seal* over *what* an entry says."""
    own = sealed(entry, what)
    return (
        own is not None
        and isinstance(seal, str)
        and hmac.compare_digest(seal.encode(), own.encode())
    )


def hosts_in(answer: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the hosts that an answer's pictures are fetched from; `""` for its own server."""
    urls = [item.get("url") for item in (answer or {}).get("pictures", ())]
    return frozenset(host_of(url) for url in urls if url)


def host_of(url: str) -> str:
    """Return the host of a URL, in lower case; what names none stands for itself."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return url


def _secret(disk: Disk) -> bytes | None:
    """Return this user's secret, made when it is first needed; None where it cannot be kept."""
    path = data_folder().parent / _FILE
    if (known := _read(path)) is None:
        with suppress(OSError, ValueError):
            _make(own_folder(path.parent, disk=disk) / _FILE, disk)
        known = _read(path)
    return known


def _read(path: Path) -> bytes | None:
    """Return the secret in a file; None where there is none, or not all of it."""
    with suppress(OSError, ValueError):
        secret = read_plain(path, _BYTES)
        return secret if len(secret) == _BYTES else None
    return None


def _make(path: Path, disk: Disk) -> None:
    """Write a new secret, unless another process has: whole or not at all where there are links.

    Raises `OSError`.
    """
    secret = secrets.token_bytes(_BYTES)
    new = path.with_name(f".{_FILE}-{secrets.token_hex(8)}")
    _write(new, secret)
    try:
        disk.link(new, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        _write(path, secret)
    finally:
        discard(new)


def _write(path: Path, secret: bytes) -> None:
    handle = open_plain(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
    try:
        os.write(handle, secret)
    finally:
        os.close(handle)
