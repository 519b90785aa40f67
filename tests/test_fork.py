"""A forked process is one of its own: what `subprocess` promises of a start holds for it."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.fork import Fork, launch, run, start

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="there are no pidfds")
PYTHON = sys.executable
ROOT = Path(__file__).parents[1]


def said(code: str, *arguments: str, **options: Any) -> str:
    done = run([PYTHON, "-c", textwrap.dedent(code), *arguments], **options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_has_its_own_folder_environment_arguments_and_input(tmp_path: Path) -> None:
    code = """
        import os, sys
        print(os.getcwd(), dict(os.environ), sys.argv, sys.path[0], __name__, input(), sep="\\n")
    """
    lines = said(code, "a b", "", cwd=tmp_path, env={"A": "1"}, text="ä\n").splitlines()
    assert lines == [str(tmp_path), "{'A': '1'}", "['-c', 'a b', '']", "", "__main__", "ä"]


def test_without_a_folder_and_an_environment_it_has_those_of_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPEAI_NB_TEST", "here")
    code = "import os; print(os.getcwd(), os.environ['OPEAI_NB_TEST'])"
    assert said(code) == f"{tmp_path} here\n"


def test_the_modules_of_its_folder_and_of_its_path_come_first(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "path").mkdir()
    (tmp_path / "folder" / "one_of_two.py").write_text("print('folder')")
    for name in ("one_of_two", "other_of_two"):
        (tmp_path / "path" / f"{name}.py").write_text("print('path')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "path")}
    options: dict[str, Any] = {"cwd": tmp_path / "folder", "env": environment}
    assert said("import one_of_two, other_of_two", **options) == "folder\npath\n"
    assert run([PYTHON, "-m", "one_of_two"], **options).stdout == "folder\n"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 0),
        ("raise SystemExit(7)", 7),
        ("import os; os._exit(9)", 9),
        ("1 / 0", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_its_exit_code_is_that_of_a_process(code: str, status: int) -> None:
    done = run([PYTHON, "-c", code])
    assert done.returncode == status
    assert ("ZeroDivisionError" in done.stderr) == ("1 / 0" in code)


def test_what_is_printed_or_registered_for_the_end_comes_out() -> None:
    code = """
        import atexit, threading
        atexit.register(print, "atexit")
        threading.Thread(target=print, args=["thread"]).start()
        print("end")
    """
    assert sorted(said(code).split()) == ["atexit", "end", "thread"]


def test_it_hears_a_signal_and_can_be_killed() -> None:
    code = """
        import time
        try:
            print("ready", flush=True)
            while True:  # CPython lets a signal just before a sleep wait for its end
                time.sleep(0.05)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        time.sleep(60)
    """
    options = {"stdout": subprocess.PIPE, "text": True}
    with start([PYTHON, "-c", textwrap.dedent(code)], **options) as process:
        assert isinstance(process, Fork)
        assert process.pid not in {os.getpid(), os.getppid()}
        assert process.stdout.readline() == "ready\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert process.stdout.read() == ""
    assert not Path(f"/proc/{process.pid}").exists()


def test_it_ends_with_who_started_it() -> None:
    """A run that is killed leaves no process behind."""
    code = """
        import os, sys
        from tests.fork import start
        process = start([sys.executable, "-c", "import time; time.sleep(600)"])
        print(process.pid, flush=True)
        input()
    """
    with subprocess.Popen(
        [PYTHON, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        descriptor = os.pidfd_open(int(starter.stdout.readline()))
        starter.kill()
        starter.wait()
    assert select.select([descriptor], [], [], 60)[0], "the end of a process is to be read there"
    os.close(descriptor)


def test_who_asks_at_one_address_shares_the_process_that_forks_and_it_ends_with_them() -> None:
    """Each worker of a run loaded all of it anew, for a second of processor."""
    code = """
        import sys
        from tests import fork
        fork.address = "\\0" + sys.argv[1]
        ask = "import psutil; print(psutil.Process().parent().ppid())"  # its watcher's parent
        print(fork.run([sys.executable, "-c", ask]).stdout, flush=True)
        input()
    """
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [PYTHON, "-c", textwrap.dedent(code), f"opeai_nb-test-{os.getpid()}"]
    both = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    (server,) = {int(each.stdout.readline()) for each in both}
    descriptor = os.pidfd_open(server)
    for each in both:
        each.stdin.write("\n")
        each.stdin.flush()
    for each in both:  # who has started it waits for its end, and so for the other's
        each.communicate()
    assert select.select([descriptor], [], [], 60)[0], "the end of a process is to be read there"
    os.close(descriptor)


def test_two_have_random_numbers_of_their_own() -> None:
    code = "import random, uuid; print(random.random(), uuid.uuid4())"
    assert len({said(code) for _ in range(3)} | {f"{random.random()}"}) == 4


def test_a_kernel_is_one_for_those_too_who_want_to_hear_no_errors(tmp_path: Path) -> None:
    """So nbval starts them: for seven notebooks all of Jupyter was loaded seven times."""
    command = [PYTHON, "-m", "ipykernel_launcher", "-f", str(tmp_path / "kernel.json")]
    options = {"cwd": str(tmp_path), "env": {**os.environ, "HOME": str(tmp_path)}}
    process = launch(command, stderr=subprocess.DEVNULL, **options)
    process.kill()
    process.wait()
    assert isinstance(process, Fork)
