"""Logs of the HTTP stack without API keys: at DEBUG, httpcore writes what a server echoed."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from opeai_nb.client.wire.redact import without_key
from opeai_nb.printable import printable_line

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


def keep_out_of_logs(key: Secret) -> None:
    """Let no log of httpx and httpcore show *key* from now on, in whatever form it is echoed."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)  # once: a filter that is there is not added
    _filter.keys[key] = None
    while len(_filter.keys) > _MOST_KEYS:
        _filter.keys.popitem(last=False)
