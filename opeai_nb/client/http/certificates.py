"""Which certificates are trusted: those that the environment names, else httpx's own."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Final

import httpx

VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""What names certificates, the first that is set; the last two as requests and curl read them."""


def named_certificates() -> tuple[str, str] | None:
    """Return the variable that names certificates, and what it names; None where none does."""
    return next(((name, os.environ[name]) for name in VARIABLES if os.environ.get(name)), None)


def tls_context() -> ssl.SSLContext:
    """Return the TLS context of this environment.

    Raises `httpx.ConnectError` when what a variable names cannot be loaded, and names it.
    """
    named = named_certificates()
    if named is None:
        return httpx.create_ssl_context()
    variable, text = named
    path = Path(text).expanduser()
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=str(path))
        return ssl.create_default_context(cafile=str(path))
    except OSError as error:  # gone, unreadable, or no certificates
        why = error.strerror or "it holds no certificates"
        if isinstance(error, ssl.SSLError):
            why = "it holds no certificates"
        raise httpx.ConnectError(
            f"the certificates for TLS that {variable} names cannot be loaded ({why})"
        ) from error
