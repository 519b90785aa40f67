"""Which API key a client sends."""

from __future__ import annotations

import os
import re

from opeai_nb.client.wire.log_filter import keep_out_of_logs
from opeai_nb.errors import InputError
from opeai_nb.secret import Secret, secret

_SENDABLE = re.compile(r"[!-~]+")


def checked_key(api_key: str | Secret | None) -> Secret | None:
    """Return the API key without what is pasted around it, else `OPEAI_API_KEY`, else None.

    Raises `InputError` (which does not show it) when it is no text, or holds what a header cannot
    carry.
    """
    if api_key is None:
        key = secret(os.environ.get("OPEAI_API_KEY", ""), "environment")
    elif isinstance(api_key, str):
        key = secret(api_key, "given")
    elif isinstance(api_key, Secret):
        key = api_key
    else:
        raise InputError(f"The API key is a {type(api_key).__name__}, not text.")
    if key is not None and not _SENDABLE.fullmatch(key.reveal()):
        raise InputError(
            "The API key holds a character that no key has (a space, a line break or a letter "
            "outside ASCII).",
            advice="Copy it again from the platform. Nothing was sent.",
        )
    if key is not None:
        keep_out_of_logs(key)
    return key
