"""What runs in processes of its own: one that is killed at a chosen point, one that looks after it.

Nothing of ours is patched. The first process counts the points that it passes, by a hook of the
interpreter (a file that is about to be opened for writing, renamed, removed) and by a transport
around the real one (a request that leaves, a head, a piece or the end of an answer that arrives),
and sends itself SIGKILL when it comes to the chosen one. The second one is a new session, with
nothing but what lies on the disk.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import numpy as np  # noqa: F401  these are what each process would have to import
import PIL.Image
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from opeai_nb.client import AsyncClient
from opeai_nb.client.http.connection_pool import AsyncWideTransport
from opeai_nb.engine import ENGINE_URL, EngineTransport
from opeai_nb.engine.server.engine_transport import shared_engine
from opeai_nb.library import Library, received_bytes
from opeai_nb.notebook.magic import run_cell  # noqa: F401
from opeai_nb.settings import settings
from opeai_nb.studio import Studio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_MOVING = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "sqlite3.connect"}
_CHANGING = re.compile(r"[0-9a-f]{8,}|\d{4}-\d\d-\d\d")

Point = tuple[str, int]


class Points:
    """Counts the points that a process passes, and kills it at *fatal*."""

    def __init__(self, library: Path, fatal: Point | None) -> None:
        self.passed: list[Point] = []
        self._library = str(library)
        self._fatal = fatal
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reach(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1
            point = (name, self._counts[name])
            self.passed.append(point)
            if point == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """See what the interpreter is about to do to a file of the library."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and self._is_ours(path):
                self.reach(f"write {self._name(path)}")
        elif event in _MOVING and self._is_ours(arguments[0]):
            self.reach(f"{event.partition('.')[2]} {self._name(arguments[0])}")

    def _is_ours(self, path: Any) -> bool:
        # What is removed with a folder is named relative to it.
        text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        return self._library in text or bool(text and not Path(text).is_absolute())

    def _name(self, path: Any) -> str:
        text = os.fsdecode(path).replace("file://", "").partition("?")[0]
        return _CHANGING.sub("#", text.replace(self._library, "").lstrip("/"))


class DyingTransport(httpx.AsyncBaseTransport):
    """Tells *points* of every step of an exchange over the *inner* transport."""

    def __init__(self, inner: httpx.AsyncBaseTransport, points: Points) -> None:
        self._inner = inner
        self._points = points

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        kind = _kind(request)
        self._points.reach(f"{kind}: about to leave")
        response = await self._inner.handle_async_request(request)
        self._points.reach(f"{kind}: head came")
        stream: Any = response.stream
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_DyingBody(stream, kind, self._points),
            extensions=response.extensions,
        )


class _DyingBody(httpx.AsyncByteStream):
    def __init__(self, inner: Any, kind: str, points: Points) -> None:
        self._inner, self._kind, self._points = inner, kind, points

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._points.reach(f"{self._kind}: a piece came")
            yield chunk
        self._points.reach(f"{self._kind}: all came")

    async def aclose(self) -> None:
        await self._inner.aclose()


def _kind(request: httpx.Request) -> str:
    if request.method == "POST":
        return "POST"
    return "poll" if "/v1/" in request.url.path else "download"


def _environment(folder: Path, base_url: str, key: str) -> None:
    for name in [name for name in os.environ if name.startswith("OPEAI")]:
        del os.environ[name]
    os.environ.update(
        OPEAI_BASE_URL=base_url,
        OPEAI_NB_CACHE=str(folder / "cache"),
        OPEAI_NB_TIME_SCALE="0.1",
        OPEAI_NB_LIBRARY=str(folder / "imagine"),
        IPYTHONDIR=str(folder / "ipython"),
    )
    if key:
        os.environ["OPEAI_API_KEY"] = key


def ask(folder: Path, base_url: str, key: str, fields: dict[str, Any], fatal: Point | None) -> None:
    """Ask for pictures as a notebook's kernel does, and die at *fatal*; else tell all points."""
    _environment(folder, base_url, key)
    points = Points(folder / "imagine", fatal)
    inner = EngineTransport() if base_url == "engine:" else AsyncWideTransport()
    client = AsyncClient(
        base_url=ENGINE_URL if base_url == "engine:" else base_url,
        api_key=key or "in-process",
        transport=DyingTransport(inner, points),
        allow_hosts={"127.0.0.1"},
    )
    studio = Studio(settings(), client=client)
    sys.addaudithook(points.audit)
    # A prompt of its own: of equal ones the engine paints another picture each time.
    studio.start(f"a fox in the snow, {folder.name}", **fields).result(60)
    (folder / "points.json").write_text(json.dumps(points.passed))


def look(folder: Path, base_url: str, key: str, then: str) -> None:
    """Look at what a dead process left, in a new session, and finish it; report.

    *then* is what becomes of an unknown outcome: `forget` or `send`.
    """
    _environment(folder, base_url, key)
    os.chdir(folder)
    config = Config()
    config.HistoryManager.enabled = False
    shell: Any = InteractiveShell.instance(config=config)
    magic = shell.run_line_magic
    magic("load_ext", "opeai_nb")
    library = Library(folder / "imagine")
    report: dict[str, Any] = {"before": _state(library), "tasks": repr(magic("imagine", "tasks"))}
    magic("imagine", "resume")
    report["resumed"] = _state(library)
    for entry in library.pending():
        magic("imagine", f"resume {entry.id} --send" if then == "send" else f"forget {entry.id}")
    report["after"] = _state(library)
    report["tasks after"] = repr(magic("imagine", "tasks"))
    report["posts here"] = sum(request.method == "POST" for request in shared_engine().requests)
    report["problems"] = library.problems()
    report["files"] = sorted(
        path.relative_to(folder / "imagine").as_posix()
        for path in (folder / "imagine").rglob("*")
        if path.is_file() and ".index" not in path.parts
    )
    (folder / "report.json").write_text(json.dumps(report))


def _state(library: Library) -> dict[str, Any]:
    """Return what the library says: unfinished requests, and records with their pictures."""
    return {
        "entries": [
            {
                "truth": entry.truth,
                "left": entry.time_left(),
                "key": entry.key,
                "task": entry.task_id,
                "received": sorted(entry.received()),
                "urls": _urls(entry.folder),
            }
            for entry in library.pending()
        ],
        "records": [
            {
                "pictures": [_digest(path) for path in record.paths],
                "failed": sum(item.error is not None for item in record.pictures),
                "task": record.task_id,
            }
            for record in library.records()
        ],
    }


def _urls(folder: Path | None) -> list[str]:
    """Return the paths of the pictures' URLs, as the journal has them."""
    assert folder is not None
    for line in reversed((folder / "journal.jsonl").read_text().splitlines()):
        if '"answer"' in line:
            items = json.loads(line)["answer"]["pictures"]
            return [urlsplit(item.get("url", "")).path for item in items]
    return []


def _digest(path: Path) -> str:
    """Return the sha256 of the bytes as they were received, the picture decoded to be sure."""
    import hashlib

    with PIL.Image.open(path) as image:
        image.load()
    return hashlib.sha256(received_bytes(path.read_bytes())).hexdigest()
