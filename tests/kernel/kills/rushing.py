"""What runs in the processes of random kills: kernels that ask, resume, or run a batch, and die.

Each counts every step that it takes on the disk of its library and on the network, and sends itself
SIGKILL at the one that it is told. The network is the real one: a request is noted as sent when the
connection stands, as in a notebook.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opeai_nb.bulk.batch.batch import batch
from opeai_nb.client import AsyncClient
from opeai_nb.client.http.connection_pool import AsyncWideTransport
from opeai_nb.library import Slot, received_bytes
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from tests.kernel.kills.dying import Points

if TYPE_CHECKING:
    import httpx

    from opeai_nb.client import Generation


class Steps(Points):
    """Counts all steps together; the *fatal* one is the last."""

    def __init__(self, library: Path, fatal: int | None) -> None:
        super().__init__(library, None)
        self._last = fatal

    def reach(self, name: str) -> None:
        super().reach(name)
        if len(self.passed) == self._last:
            os.kill(os.getpid(), 9)


class RushedTransport(AsyncWideTransport):
    """The real way to the network; *steps* hears when it begins and when it is answered."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._steps = steps

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._steps.reach(f"{request.method}: begins")
        answer = await super().handle_async_request(request)
        self._steps.reach(f"{request.method}: head came")
        return answer


def live(folder: Path, url: str, work: dict[str, Any], fatal: int | None, report: str) -> None:
    """Be a kernel that does *work* on the library in *folder*, and write down what came of it."""
    os.environ.update(OPEAI_NB_CACHE=str(folder / "cache"), HOME=str(folder))
    steps = Steps(folder / "imagine", fatal)
    server: dict[str, Any] = {"base_url": url, "api_key": "any-key-at-all"}
    client = AsyncClient(**server, transport=RushedTransport(steps), allow_hosts={"127.0.0.1"})
    studio = Studio(settings(**server, library=folder / "imagine"), client=client)
    sys.addaudithook(steps.audit)
    said: dict[str, Any] = {}
    for name, do in (("resume", resume), ("cell", cell), ("batch", run_batch)):
        if name in work["does"]:
            said[name] = told(do, studio, work)
    said["left"] = [entry.truth for entry in studio.library.pending()]
    said["steps"] = len(steps.passed)
    (folder / report).write_text(json.dumps(said))
    os._exit(0)  # no thread that still sleeps holds the process up


def told(do: Any, studio: Studio, work: dict[str, Any]) -> Any:
    try:
        return do(studio, work)
    except Exception as error:  # noqa: BLE001  whatever it is, the test looks at it
        return f"{type(error).__name__}: {error}"


def resume(studio: Studio, _: dict[str, Any]) -> list[Any]:
    return [
        told(lambda *_, job=job: digests(job.result(60)), studio, {}) for job in studio.resume_all()
    ]


def cell(studio: Studio, work: dict[str, Any]) -> dict[str, Any]:
    job = studio.start(work["prompts"][0], slot=Slot("cell-1", 1), **work["fields"])
    return {work["prompts"][0]: digests(job.result(60))}


def run_batch(studio: Studio, work: dict[str, Any]) -> dict[str, Any]:
    rows = [{"prompt": prompt, **work["fields"]} for prompt in work["prompts"]]
    lines = batch(rows, studio=studio).run(concurrency=2).manifest
    return {
        line["prompt"]: [sha256_of(studio.library.folder / name) for name in line["files"]]
        if line["files"]
        else f"{line['status']}: {line.get('error')}"
        for line in lines
    }


def digests(generation: Generation) -> list[str]:
    return [
        hashlib.sha256(received_bytes(picture.data)).hexdigest()
        if picture.data
        else str(picture.error)
        for picture in generation.pictures
    ]


def sha256_of(path: Path) -> str:
    return hashlib.sha256(received_bytes(path.read_bytes())).hexdigest()
