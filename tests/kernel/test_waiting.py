"""`opeai_nb.run` in real kernels: plain code waits for what is bound to the kernel's own loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.kernel.conftest import Kernel, environment_in

OPEN = """
import asyncio, opeai_nb
from opeai_nb.connect import async_client

client = async_client()
first = await client.generate("a hill", size="512x512")   # binds it to the kernel's loop

def plain():
    return len(opeai_nb.run(client.generate("a lake", size="512x512")))
"""
APPLIED = ["", "nest_asyncio", "nest_asyncio2"]


@pytest.fixture(scope="module", params=APPLIED)
def applied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A kernel whose user applied one of the two packages, or neither."""
    folder = tmp_path_factory.mktemp("applied")
    kernel = Kernel(folder, environment_in(folder))
    kernel.good("%load_ext opeai_nb")
    kernel.good("%config Completer.use_jedi = False")  # it parses Python's builtins: three seconds
    if request.param:
        kernel.good(f"import {request.param}; {request.param}.apply()")
    kernel.good(OPEN)
    yield kernel
    kernel.stop()


def test_plain_code_waits_and_no_cell_is_lost(applied: Any) -> None:
    """Run All: the cells and the completion that arrive during the nested run are all answered."""
    cells = [
        "opeai_nb.run(asyncio.sleep(0.7, 'slept')), plain()",
        "print('B')",
        "%%imagine -s 512x512 -o c\na wood",
        "plain()",
        "len(c)",
    ]
    messages = [applied.send(code, cell=f"cell-{n}") for n, code in enumerate(cells)]
    asked = applied.client.complete("opeai_n")
    found = [applied.outcome(message) for message in messages]
    assert [outcome.status for outcome in found] == ["ok"] * 5
    assert found[0].result["text/plain"] == "('slept', 1)"
    assert found[1].stream == "B\n"
    assert [found[n].result["text/plain"] for n in (3, 4)] == ["1", "1"]
    assert "opeai_nb" in applied.reply(asked, 30)["matches"]


def test_an_interrupt_cancels_what_is_waited_for(applied: Any) -> None:
    applied.good(
        "ended = []\n"
        "async def endless():\n"
        "    loop = asyncio.get_running_loop()\n"
        "    def tick():  # CPython lets a signal just before epoll_wait wait for the next event\n"
        "        ended or loop.call_later(0.05, tick)\n"
        "    try:\n"
        "        tick()\n"
        "        loop.call_soon(lambda: print('begun', flush=True))  # when it waits\n"
        "        await asyncio.sleep(60)\n"
        "    except asyncio.CancelledError:\n"
        "        ended.append('cancelled')\n"
        "        raise"
    )
    message = applied.send("opeai_nb.run(endless())")
    while applied.client.get_iopub_msg(timeout=30)["content"].get("text") != "begun\n":
        pass
    applied.manager.interrupt_kernel()
    found = applied.outcome(message, timeout=30)  # half of what it would sleep
    assert found.error["ename"] == "KeyboardInterrupt"
    assert applied.good("ended, plain()").result["text/plain"] == "(['cancelled'], 1)"


def test_nothing_is_patched_until_it_is_called(kernel: Any) -> None:
    kernel.good("%%imagine -s 512x512\na hill")
    told = kernel.good(
        "import asyncio, opeai_nb\n"
        "opeai_nb.run.__name__, hasattr(asyncio, '_nest_patched'), "
        "hasattr(asyncio.get_running_loop(), '_nest_patched')"
    )
    assert told.result["text/plain"] == "('run', False, False)"


def test_threads_of_the_user_wait_each_for_itself(applied: Any) -> None:
    applied.good("from concurrent.futures import ThreadPoolExecutor")
    found = applied.good(
        "with ThreadPoolExecutor(3) as pool:\n"
        "    done = list(pool.map(lambda n: opeai_nb.run(asyncio.sleep(0.3, n)), range(3)))\n"
        "done"
    )
    assert found.result["text/plain"] == "[0, 1, 2]"


def test_a_job_is_waited_for_too(applied: Any) -> None:
    applied.good("import opeai_nb\njob = %imagine -s 512x512 --no-wait a hill")
    assert applied.good("len(opeai_nb.run(job))").result["text/plain"] == "1"
    found = applied.run("job = %imagine -m rehearsal-failed --no-wait a hill\nopeai_nb.run(job)")
    assert found.error["ename"] == "TaskFailedError"
