"""The engine as a real server on 127.0.0.1, by uvicorn."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Final

from opeai_nb.engine.server.app import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import uvicorn

HOST: Final = "127.0.0.1"
_KEEP_ALIVE_SECONDS: Final = 75
_SWITCH_SECONDS: Final = 0.0005  # a tenth of Python's: polls get their turn between painters
_BACKLOG: Final = 1024  # connections that wait: a thousand tasks may poll at once
_GRACE_SECONDS: Final = 2  # for answers under way when the server is asked to stop


def serve(
    engine: Engine, *, port: int = 0, on_listening: Callable[[str], None] | None = None
) -> None:
    """Serve *engine* on 127.0.0.1 until Ctrl-C or SIGTERM, then return.

    *port* 0 takes a free one; *on_listening* is called with the base URL once the port is open.
    Who waits for an answer gets 2 seconds, then a 503. Raises OSError when the port is taken.
    """
    interval = sys.getswitchinterval()
    try:
        with _listening(port) as listener, _sigterm_as_ctrl_c():
            sys.setswitchinterval(_SWITCH_SECONDS)
            if on_listening is not None:
                on_listening(_url(listener))
            _server(engine).run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn raises the signal again once it has closed
        return
    finally:
        sys.setswitchinterval(interval)


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt: by default it ends the process and closes nothing."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def serving(engine: Engine) -> Iterator[str]:
    """Serve *engine* from a thread while the `with` block runs, which gets the base URL."""
    with _listening(port=0) as listener:
        server = _server(engine)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="opeai_nb-serving", daemon=True
        )
        thread.start()
        try:
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        if sys.platform != "win32":  # there it would let two servers share one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
        yield listener


def _url(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"


def _server(engine: Engine) -> uvicorn.Server:
    import uvicorn

    from opeai_nb.engine.server.paced_protocol import PacedProtocol

    config = uvicorn.Config(
        engine,
        http=PacedProtocol,
        lifespan="off",
        ws="none",  # else uvicorn imports websockets, which warns of old names in pairs of versions
        # A rehearsed drop is an application that ends early, which uvicorn logs as an error.
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        # uvicorn's 5 s are about the pause between two polls or cells: a POST would meet the close.
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    return uvicorn.Server(config)
