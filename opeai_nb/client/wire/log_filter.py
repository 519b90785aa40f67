"""Logs and outputs without API keys: at DEBUG, httpcore writes what a server echoed."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from opeai_nb.client.wire.redact import without_key
from opeai_nb.printable import add_filter, printable_line

if TYPE_CHECKING:
    from opeai_nb.secret import Secret

_LOGGERS: Final = (
    *("httpcore.connection", "httpcore.http11", "httpcore.http2"),
    *("httpcore.proxy", "httpcore.socks", "httpx"),
)
_MOST_KEYS: Final = 64  # a process has one or two; each embedded engine's client has its own


class _WithoutKeys(logging.Filter):
    """Rewrites records; asked only for those that somebody wants to see."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: OrderedDict[Secret, None] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        for key in list(self.keys):
            text = without_key(text, key)
        record.msg, record.args = printable_line(text), None
        return True


_filter: Final = _WithoutKeys()


def _without_whole_keys(text: str) -> str:
    """Return *text* without random keys as a whole: a user's own words may stand in it, too."""
    for key in list(_filter.keys):
        text = key.hidden_in(text)
    return text


add_filter(_without_whole_keys)


def keep_out_of_logs(key: Secret) -> None:
    """Show *key* nowhere from now on: in logs of httpx and httpcore not in any form of an echo.

    In all else that is shown it is a placeholder, as on the disk: an id or a URL of a server is
    used as it came, and may hold it.
    """
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)  # once: a filter that is there is not added
    _filter.keys[key] = None
    while len(_filter.keys) > _MOST_KEYS:
        _filter.keys.popitem(last=False)
