"""An embedded platform: the same HTTP API, a painter that needs no GPU, rehearsal of faults.

`Engine` is one ASGI application, `EngineTransport` reaches it in process through httpx, and
`serve` runs it on 127.0.0.1. Written from platform.md alone: nothing of ours but `families` is
imported, so that a client's misreading of the wire shows up here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb._lazy import attach

if TYPE_CHECKING:
    from opeai_nb.engine.server.app import ENGINE_URL as ENGINE_URL
    from opeai_nb.engine.server.app import Engine as Engine
    from opeai_nb.engine.server.engine_transport import EngineTransport as EngineTransport
    from opeai_nb.engine.server.uvicorn_server import serve as serve

__getattr__, __dir__ = attach(__name__)
