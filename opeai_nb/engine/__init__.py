"""An embedded platform: the same HTTP API, a painter that needs no GPU, rehearsal of faults.

``Engine`` is one ASGI application, ``EngineTransport`` reaches it in process through httpx, and
``serve`` runs it on 127.0.0.1. Written from platform.md alone: nothing of ours but ``families`` is
imported, so that a client's misreading of the wire shows up here.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opeai_nb.engine.app import ENGINE_URL as ENGINE_URL
    from opeai_nb.engine.app import Engine as Engine
    from opeai_nb.engine.server import serve as serve
    from opeai_nb.engine.transport import EngineTransport as EngineTransport

__all__ = ["ENGINE_URL", "Engine", "EngineTransport", "serve"]

_WHERE = {"ENGINE_URL": "app", "Engine": "app", "EngineTransport": "transport", "serve": "server"}


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
