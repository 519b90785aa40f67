"""Whole requests, from what is asked to its pictures.

A flow performs no I/O: it yields steps (`steps.py`) and is obeyed by `Client` or `AsyncClient`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb.client.protocol.fetch_pictures import fetch
from opeai_nb.client.protocol.results import finished
from opeai_nb.client.protocol.steps import Now
from opeai_nb.client.protocol.submit import submit
from opeai_nb.client.values.task import Task

if TYPE_CHECKING:
    from opeai_nb.client.protocol.patience import Patience
    from opeai_nb.client.protocol.steps import Flow
    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.client.wire.endpoint import Endpoint


def wait(endpoint: Endpoint, task: Task, patience: Patience) -> Flow[Generation]:
    """Follow a task to its end and download its pictures."""
    from opeai_nb.client.protocol.poll import watch  # not before there is a task

    started: float = yield Now()
    last = yield from watch(endpoint, task, patience)
    now: float = yield Now()
    return (yield from fetch(endpoint, finished(last), patience.for_downloads(now - started)))


def generate(
    endpoint: Endpoint, request: ImageRequest, key: str, patience: Patience
) -> Flow[Generation]:
    """Submit, wait and download: from the request to its pictures."""
    answer = yield from submit(endpoint, request, key)
    if isinstance(answer, Task):
        return (yield from wait(endpoint, answer, patience))
    return (yield from fetch(endpoint, answer, patience.for_downloads(0.0)))
