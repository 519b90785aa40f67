"""The magic in a real IPython terminal, typed at by pexpect."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.conftest import environment_in

pexpect = pytest.importorskip("pexpect", reason="there is no pexpect on this machine")

PROMPT = r"In \[\d+\]: "


def end(child: Any) -> None:
    """End a process, however long that takes: `close` gives it a tenth of a second to be gone."""
    child.kill(signal.SIGKILL)
    child.wait()
    child.close()


@pytest.fixture(scope="module")
def running_terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """One IPython with a plain prompt for all tests that do no lasting harm."""
    folder = tmp_path_factory.mktemp("terminal")
    child = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
        cwd=str(folder),
        env={**environment_in(folder), "TERM": "xterm"},
        encoding="utf-8",
        timeout=60,
        echo=False,
    )
    child.expect(PROMPT)

    def typed(*lines: str) -> str:
        for line in lines:
            child.sendline(line)
        child.expect(PROMPT)
        return str(child.before)

    typed.child = child  # type: ignore[attr-defined]  # for a test that interrupts
    typed("%load_ext opeai_nb")
    yield typed
    end(child)


@pytest.fixture
def terminal(running_terminal: Callable[..., str], tmp_path: Path) -> Callable[..., str]:
    """A terminal as it is after a start; calling it types a cell and returns what was printed."""
    running_terminal("%reset -f")
    running_terminal(f"import os; os.chdir({str(tmp_path)!r})")
    running_terminal("%unload_ext opeai_nb")
    running_terminal("%load_ext opeai_nb")
    return running_terminal


def test_a_session(terminal: Callable[..., str]) -> None:
    """A line, a variable, a badge written over in place, help, a failure, an interrupt."""
    said = terminal("%imagine -m gpt-image-2 -s 1024x1024 -o sea the sea at dawn")
    assert re.search(r"\r\x1b\[K◷ queued \d+ s · embedded engine", said)
    final = "✓ 1 picture · gpt-image-2 · 1024x1024 · embedded engine\r\n"
    assert said.count(final) == 1
    assert said.index("<Generation: 1 picture · gpt-image-2 · 1024x1024>") > said.index(final)
    assert "base64" not in said
    assert "(1024, 1024)" in terminal("sea[0].size")
    assert "Did you mean --size?" in terminal("%imagine --sice 1:1 a cat")

    terminal("job = %imagine -m gpt-image-2 -s 1024x1024 --no-wait a hill")
    assert "<Job: " in terminal("job")
    assert "1" in terminal("len(job.result())")
    assert "<Generation: 1 picture" in terminal("job")

    child = terminal.child  # type: ignore[attr-defined]  # set by the fixture
    child.sendline("%imagine -m rehearsal-slow -o slow a fox")
    child.expect("painting")
    child.sendintr()
    child.expect(PROMPT)
    assert "the job goes on" in child.before
    assert "Its pictures land in the library" in child.before
    assert "1 picture" in terminal("slow.result()")
    lines = re.findall(r"--[a-z-]+", terminal("%imagine help"))
    assert "--negative-prompt" in lines


def test_plain_code_waits_for_what_the_terminal_opened(terminal: Callable[..., str]) -> None:
    terminal("from opeai_nb.connect import async_client; import opeai_nb")
    terminal("client = async_client()")
    terminal("first = await client.generate('a hill', size='512x512')")
    said = terminal("len(opeai_nb.run(client.generate('a lake', size='512x512')))")
    assert said.strip().endswith("1")


def test_an_interrupt_in_a_terminal_ends_what_is_waited_for(
    terminal: Callable[..., str],
) -> None:
    terminal("import asyncio, opeai_nb")
    terminal("task = None")
    terminal(
        "async def endless():",
        "    global task",
        "    task = asyncio.current_task()",
        "    loop = asyncio.get_running_loop()",
        # CPython lets a signal that comes just before epoll_wait wait for the loop's next event.
        "    tick = lambda: task.done() or loop.call_later(0.05, tick)",
        "    tick()",
        "    print('beg' 'un')",
        "    await asyncio.sleep(60)",
        "",
    )
    child = terminal.child  # type: ignore[attr-defined]  # set by the fixture
    child.sendline("opeai_nb.run(endless())")
    child.expect("begun")
    child.sendintr()
    child.expect(PROMPT)
    assert "KeyboardInterrupt" in child.before
    # Cancelled, or the interrupt itself where it struck the task in the middle of a step.
    assert "True" in terminal("task.done()")


def test_tab_completes_an_option(tmp_path: Path, environment: dict[str, str]) -> None:
    """With the real prompt, whose completions come from the completer of IPython."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--no-banner", "--colors=nocolor"],
        cwd=str(tmp_path),
        env={**environment, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 120),
    )
    child.expect(r"In \[")
    child.send("%load_ext opeai_nb\r")
    child.expect(r"In \[")
    child.send("%imagine --dry\t")
    child.expect("-run")
    child.send(" a mouse\r")
    child.expect("Nothing was sent")
    end(child)


def test_the_files_are_named_where_no_picture_is_seen(terminal: Callable[..., str]) -> None:
    said = terminal("%imagine -s 512x512 -n 2 -o foxes a fox")
    assert len(re.findall(r"^  imagine/[\w-]+-[12]\.png", said, re.MULTILINE)) == 2
    assert "imagine/" not in terminal("%imagine -s 512x512 --quiet an owl")
    terminal("job = %imagine -s 512x512 --no-wait a pear")
    terminal("pears = job.result()")
    assert len(re.findall(r"^  imagine/[\w-]+\.png", terminal("job"), re.MULTILINE)) == 1
    said = terminal("%imagine -s 512x512 a {red|green|blue} plum")
    assert len(re.findall(r"^  imagine/[\w-]+\.png", said, re.MULTILINE)) == 3


def test_a_panel_says_that_it_needs_a_browser(terminal: Callable[..., str]) -> None:
    terminal("import opeai_nb")
    for call in ("opeai_nb.panel()", "opeai_nb.panel(plain=True)"):
        assert "The panel needs Jupyter in a browser" in terminal(call)


def test_a_console_is_told_the_last_state_and_where_the_picture_is(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """`jupyter console` takes no updates: a badge that began there would stay as it began."""
    pytest.importorskip("jupyter_console", reason="there is no jupyter console on this machine")
    child = pexpect.spawn(
        sys.executable,
        ["-m", "jupyter_console", "--simple-prompt"],
        cwd=str(tmp_path),
        env={**{k: v for k, v in environment.items() if k != "JPY_SESSION_NAME"}, "TERM": "dumb"},
        encoding="utf-8",
        timeout=60,
        echo=False,
    )
    child.expect(PROMPT)
    for line in ("%load_ext opeai_nb", "%imagine -s 512x512 -o fox a fox"):
        child.sendline(line)
        child.expect(PROMPT)
    said = str(child.before)
    child.sendline("import opeai_nb; opeai_nb.panel()")
    child.expect(PROMPT)
    panel = str(child.before)
    end(child)
    assert said.count("✓ 1 picture · qwen-image-2.0 · 512x512 · embedded engine") == 1
    assert "sending" not in said
    assert re.search(r"  imagine/[\w-]+\.png", said)
    assert "The panel needs Jupyter in a browser" in panel
