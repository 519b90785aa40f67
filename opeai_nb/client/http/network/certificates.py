"""Which certificates are trusted: those that the environment names, else httpx's own."""

from __future__ import annotations

import os
import re
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx

from opeai_nb.secret import bare

VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""What names certificates, the first that is set; the last two as requests and curl read them."""


def named_certificates() -> tuple[str, str] | None:
    """Return the variable that names certificates, and what it names; None where none does."""
    named = ((name, bare(os.environ.get(name, ""))) for name in VARIABLES)
    return next(((name, text) for name, text in named if text), None)


def tls_context() -> ssl.SSLContext:
    """Return the TLS context of this environment.

    Raises `httpx.ConnectError` when what a variable names cannot be loaded, and names it.
    """
    named = named_certificates()
    if named is None:
        return httpx.create_ssl_context()
    variable, text = named
    try:
        return _context_of([_path(part) for part in _paths(text)])
    except (OSError, ValueError, RuntimeError) as error:  # gone, empty, or no path at all
        why = getattr(error, "strerror", None)
        if why is None or isinstance(error, ssl.SSLError):
            why = "it holds no certificates"
        raise httpx.ConnectError(
            f"the certificates for TLS that {variable} names cannot be loaded ({why})"
        ) from error


def _paths(text: str) -> list[str]:
    """Return the paths in what a variable says: one, or several folders as in PATH."""
    parts = [part for part in text.split(os.pathsep) if part]
    several = len(parts) > 1 and any(_path(part).is_dir() for part in parts)
    return parts if several else [text]


def _path(text: str) -> Path:
    return Path(text.removeprefix("file://")).expanduser()


def _context_of(paths: list[Path]) -> ssl.SSLContext:
    """Return a context that trusts files, and folders of them, whatever the names in these are.

    OpenSSL looks for names that are made of a hash (`c_rehash` makes them), and reads those that
    it needs; who puts a `.pem` there by hand seldom knows of it.
    """
    folders = [path for path in paths if path.is_dir()]
    if not folders:
        return ssl.create_default_context(cafile=str(paths[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusted = [_trust(context, folder) for folder in folders]
    if not any(trusted):
        raise ValueError("no certificates")
    return context


def _trust(context: ssl.SSLContext, folder: Path) -> bool:
    """Add the certificates of a folder; tell whether there are any."""
    files = [file for file in folder.iterdir() if file.is_file()]
    if any(_HASHED.fullmatch(file.name) for file in files):
        context.load_verify_locations(capath=str(folder))
        return True
    for file in files:
        with suppress(OSError):  # a README, a key, a file of somebody else
            context.load_verify_locations(cafile=str(file))
    return bool(context.cert_store_stats()["x509"])


_HASHED: Final = re.compile(r"[0-9a-f]{8}\.\d+")
