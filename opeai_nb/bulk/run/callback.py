"""The function that a user gives as `then`: called in a thread of its own, whatever it raises."""

from __future__ import annotations

import asyncio
import inspect
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opeai_nb.client.values.generation import Generation


def takes_row(function: Callable[..., Any]) -> bool:
    """Tell whether *function* wants the row, too: by a parameter `row`, or a second required one.

    A second parameter that has a default is the user's own: `lambda generation, size=3: …`.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a built-in says nothing of what it takes
        return False
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    return len(required) > 1 or any(p.name == "row" for p in parameters)


def name_of(function: Callable[..., Any]) -> str:
    """Return what a function is called, whatever module or notebook it stands in."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))


async def call_then(
    function: Callable[..., Any], generation: Generation, row: Mapping[str, Any]
) -> tuple[Any, BaseException | None]:
    """Return what *function* makes of a generation, or what it raised: `SystemExit` included.

    The row is given as `row` where the function has such a parameter, else as the second one. The
    thread is a daemon's and no pool's: what hangs in it holds up neither the disk nor the end of
    the process.
    """
    if not takes_row(function):
        return await _in_thread(function, generation)
    if "row" in inspect.signature(function).parameters:
        return await _in_thread(lambda: function(generation, row=dict(row)))
    return await _in_thread(function, generation, dict(row))


async def _in_thread(
    function: Callable[..., Any], *arguments: Any
) -> tuple[Any, BaseException | None]:
    loop = asyncio.get_running_loop()
    ending: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def tell(value: Any, error: BaseException | None) -> None:
        if not ending.done():
            ending.set_result((value, error))

    def work() -> None:
        value, caught = None, None
        try:
            value = function(*arguments)
        except BaseException as error:  # noqa: BLE001  argparse and click raise SystemExit
            caught = error
        with suppress(RuntimeError):  # the loop is gone, and whoever waited with it
            loop.call_soon_threadsafe(tell, value, caught)

    threading.Thread(target=work, name="opeai_nb-then", daemon=True).start()
    return await ending
