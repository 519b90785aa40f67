"""The page at `/`: the engine is alive, what it offers, and what was asked last. No scripts."""

from __future__ import annotations

import re
import time
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import HTMLResponse

from opeai_nb.engine.api.model_catalogue import MODELS
from opeai_nb.engine.faults.rehearsal import REHEARSALS

if TYPE_CHECKING:
    from collections.abc import Iterable


class AnsweredRequest(NamedTuple):
    """One line of the page: when (seconds since the epoch), what was asked, the status."""

    seconds: float
    method: str
    path: str
    status: int


def home_page(
    base: str, requests: Iterable[AnsweredRequest], *, needs_key: bool, sync: bool
) -> HTMLResponse:
    """Return the page; it tells no prompt, and no id of a task or picture."""
    template = Template(files(__package__).joinpath("home.html").read_text(encoding="utf-8"))
    page = template.substitute(
        base=escape(base),
        key="its key is needed" if needs_key else "any key is accepted",
        models="\n".join(_model(name, sync=sync) for name in MODELS),
        requests="\n".join(map(_request, requests)) or "<tr><td>none yet",
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


def _model(name: str, *, sync: bool) -> str:
    model = MODELS[name]
    word = "a rehearsed fault" if name in REHEARSALS else "pictures"
    if name not in REHEARSALS and model.async_only and not sync:
        word = "a task"
    return f"<tr><td><code>{name}</code><td>{word}<td>{escape(model.description)}"


def _request(request: AnsweredRequest) -> str:
    when = time.strftime("%H:%M:%S", time.gmtime(max(0.0, request.seconds)))
    path = re.sub(r"/[^/]*\d[^/]{11,}", "/…", request.path)[:100]
    what = escape(f"{request.method} {path}")
    return f"<tr><td>{when}<td><code>{what}</code><td>{request.status or 'cut'}"
