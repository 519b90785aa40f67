"""Which API key a client sends."""

from __future__ import annotations

import os
import re

from opeai_nb.client.wire.log_filter import keep_out_of_logs
from opeai_nb.errors import InputError
from opeai_nb.secret import Secret, secret

_SENDABLE = re.compile(r"[!-~]+")


def checked_key(api_key: str | None) -> Secret | None:
    """Return the API key without what is pasted around it, else `OPEAI_API_KEY`, else None.

    Raises `InputError` (which does not show it) when it is no text, or holds what a header cannot
    carry.
    """
    text = os.environ.get("OPEAI_API_KEY", "") if api_key is None else api_key
    if not isinstance(text, str):
        raise InputError(f"The API key is a {type(text).__name__}, not text.")
    key = secret(text)
    if key is not None and not _SENDABLE.fullmatch(key.reveal()):
        raise InputError(
            "The API key holds a character that no key has (a space, a line break or a letter "
            "outside ASCII).",
            advice="Copy it again from the platform. Nothing was sent.",
        )
    if key is not None:
        keep_out_of_logs(key)
    return key
