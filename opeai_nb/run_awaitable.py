"""Plain code that waits for an awaitable, also where an event loop runs already.

nest_asyncio2 is applied only here and only when asked for: nothing of the toolkit waits this way.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

Result = TypeVar("Result")

# How long a cancelled task may clean up before an interrupt is passed on, in seconds.
_GRACE: Final = 0.2


def run(awaitable: Awaitable[Result]) -> Result:
    """Wait for *awaitable* and return its result, from plain code, whatever loop runs.

    In a notebook cell the kernel's loop goes on while this waits, so an awaitable that is bound to
    it (an `AsyncClient` opened in a cell) arrives. In an IPython terminal its loop is used, in a
    script or another thread a new one. An interrupt cancels what is waited for. Inside `async`
    code, `await` it.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # none runs in this thread
        return _run_on_idle_loop(awaitable)
    _make_reentrant(loop)
    return _waited(asyncio.ensure_future(awaitable, loop=loop), loop)


def _waited(task: asyncio.Future[Result], loop: asyncio.AbstractEventLoop) -> Result:
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        task.cancel()
        loop.run_until_complete(asyncio.wait({task}, timeout=_GRACE))
        raise


def _make_reentrant(loop: asyncio.AbstractEventLoop) -> None:
    """Patch *loop* with nest_asyncio2, also over nest_asyncio 1.6.0.

    On ipykernel 7.1 and newer 1.6.0 loses the cells that arrive during a nested run; its mark on
    the class is what would keep its continuation from helping.
    """
    import nest_asyncio2  # type: ignore[import-untyped]  # it carries no types

    kind: Any = type(loop)
    if hasattr(kind, "_nest_patched") and not hasattr(kind, "_nest_asyncio2"):
        del kind._nest_patched  # noqa: SLF001  the mark of nest_asyncio 1.6.0
    with warnings.catch_warnings():
        # It warns of 1.6.0's patches of asyncio; that of the loop, which does the harm, is gone.
        warnings.simplefilter("ignore")
        nest_asyncio2.apply(loop)


def _run_on_idle_loop(awaitable: Awaitable[Result]) -> Result:
    async def waited() -> Result:
        return await awaitable

    # A thread of the user's own has no part in the shell's loop, and waits on one of its own.
    if "IPython" in sys.modules and threading.current_thread() is threading.main_thread():
        from IPython.core.async_helpers import get_asyncio_loop
        from IPython.core.getipython import get_ipython

        if get_ipython() is not None:
            # What was opened in an earlier `await` cell of a terminal is bound to this loop.
            theirs: asyncio.AbstractEventLoop = get_asyncio_loop()  # type: ignore[no-untyped-call]  # IPython's
            return _waited(asyncio.ensure_future(awaitable, loop=theirs), theirs)
    return asyncio.run(waited())
