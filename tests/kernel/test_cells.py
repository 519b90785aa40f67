"""`%%imagine` in a real kernel: what is shown, stored, interrupted and detached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kernel.watching import wait_for_badge

SLOW = "%%imagine --model rehearsal-slow -o slow\na fox in the snow"


def test_loading_prints_nothing_twice_and_unloading_takes_it_away(kernel: Any) -> None:
    kernel.good("%unload_ext opeai_nb")
    assert "not found" in kernel.run("%imagine help").stream
    for line in ("%load_ext opeai_nb", "%reload_ext opeai_nb", "%reload_ext opeai_nb"):
        found = kernel.good(line)
        assert (found.stream, found.displays, found.result) == ("", [], {})
    assert "--size" in kernel.good("%imagine help").result["text/plain"]


def test_a_cell_shows_badge_and_picture_and_stores_the_result(kernel: Any) -> None:
    found = kernel.good("%%imagine -n 2 --size 640x480 -o cats\na watercolour cat")
    expected = "2 pictures · qwen-image-2.0 · 640x480"
    assert found.badges[-1] == f"✓ {expected} · embedded engine"
    assert found.result["text/plain"] == f"<Generation: {expected}>"
    assert found.result["image/jpeg"]
    told = kernel.good("[im.size for im in cats], _ is not None, cats.request.n, cats.task_id")
    assert told.result["text/plain"] == "([(640, 480), (640, 480)], True, 2, None)"
    kept = sorted(p.suffix for p in (kernel.folder / "imagine").glob("[!.]*.*"))
    assert kept == [".json", ".png", ".png"]


def test_a_task_is_watched_with_a_live_badge(kernel: Any) -> None:
    found = kernel.good("%%imagine -m rehearsal-slow -s 512x512 -o sea\nthe sea at dawn")
    said = " ".join(found.badges)
    assert "queued" in said
    assert "painting" in said
    assert len(found.displays) == 1, "one display id a cell"
    assert kernel.good("bool(sea.task_id)").result["text/plain"] == "True"


def test_in_batch_the_badge_is_published_once_and_final(kernel: Any) -> None:
    found = kernel.good("%%imagine -m gpt-image-2\nthe sea at dawn", live=False)
    assert found.updates == []
    assert [line[0] for line in found.badges] == ["✓"]


def test_a_line_is_a_prompt_too_and_can_be_assigned(kernel: Any) -> None:
    found = kernel.good("x = %imagine -s 512x512 it's a cat's life\nx.request.prompt")
    assert found.result["text/plain"] == "\"it's a cat's life\""


def test_a_picture_in_a_variable_is_edited(kernel: Any) -> None:
    kernel.good("%%imagine -s 512x512 -o before\na red apple on a table")
    kernel.good("photo = before[0]")
    kernel.good("%%imagine -i photo -s 512x512 -o after\nmake it blue")
    told = kernel.good(
        "import numpy as np\n"
        "a, b = (np.asarray(g[0], dtype=float).mean((0, 1)) for g in (before, after))\n"
        "bool((b[2] - b[0]) > (a[2] - a[0]) + 10), len(after.request.image)"
    )
    assert told.result["text/plain"] == "(True, 1)"


def test_an_interrupt_detaches_and_the_job_still_delivers(kernel: Any) -> None:
    """The cell ends at once (bench_cell.py: how soon); the picture comes later."""
    message = kernel.send(SLOW)
    wait_for_badge(kernel, message, "painting")
    kernel.manager.interrupt_kernel()
    found = kernel.outcome(message)
    assert kernel.good("slow.is_settled").result["text/plain"] == "False", "it was not waited for"
    assert found.error["ename"] == "Detached"
    assert "the job goes on" in found.badges[-1]
    assert "resume" in "\n".join(found.error["traceback"])
    assert kernel.good("1 + 1").result["text/plain"] == "2"
    told = kernel.good("slow.result(60), slow.status")
    assert "1 picture" in told.result["text/plain"]
    assert list((kernel.folder / "imagine").glob("*.png"))


def test_a_post_ticks_while_nothing_comes_and_can_be_interrupted(kernel: Any) -> None:
    message = kernel.send("%%imagine -m rehearsal-stalled -n 2 -o stalled\na fox")
    wait_for_badge(kernel, message, "sending 1 s")
    kernel.manager.interrupt_kernel()
    assert kernel.outcome(message).error["ename"] == "Detached"
    kernel.good("stalled.stop()")
    assert kernel.run("stalled.result(30)").error["ename"] == "JobStoppedError"


def test_run_all_loses_no_cell(kernel: Any) -> None:
    """Five cells sent together, as Run All does it: every one is answered, in order."""
    cells = [
        "%%imagine -m gpt-image-2 -s 1024x1024 -o a\nthe sea",
        "print('B')",
        "%%imagine -s 512x512 -o b\na hill",
        "%%imagine -m gpt-image-2 -s 1024x1024 -o c\na wood",
        "len(a) + len(b) + len(c)",
    ]
    messages = [kernel.send(code, cell=f"cell-{n}") for n, code in enumerate(cells)]
    found = [kernel.outcome(message) for message in messages]
    assert [outcome.status for outcome in found] == ["ok"] * 5
    assert found[1].stream == "B\n"
    assert found[4].result["text/plain"] == "3"


@pytest.mark.parametrize("package", ["nest_asyncio", "nest_asyncio2"])
def test_a_users_own_nest_asyncio_does_no_harm(new_kernel: Any, package: str) -> None:
    kernel = new_kernel()
    kernel.good(f"import {package}; {package}.apply()")
    cells = ["%%imagine -m gpt-image-2 -s 1024x1024\nthe sea", "print('B')", "print('C')"]
    messages = [kernel.send(code) for code in cells]
    assert [kernel.outcome(message).status for message in messages] == ["ok"] * 3


@pytest.mark.parametrize(
    ("cell", "ename", "told"),
    [
        ("%%imagine -n 0\na cat", "InputError", "n is 0"),
        ("%%imagine -n two\na cat", "OptionError", "not a whole number"),
        ("%%imagine --size big\na cat", "InputError", "1024x1024"),
        ("%%imagine --sice 512x512\na cat", "OptionError", "Did you mean --size?"),
        ("%%imagine a cat\na cat", "OptionError", "into the body"),
        ("%%imagine -i missing.png\na cat", "ImageInputError", "no file 'missing.png'"),
        ("%%imagine -i no_such\na cat", "OptionError", "no variable"),
        ("%%imagine", "InputError", "prompt is empty"),
        ("# NBVAL_CHECK_OUTPUT\n%%imagine\n\n", "InputError", "prompt is empty"),
        ("%%imagine\na {bok}", "OptionError", "no variable 'bok'"),
        ("%imagine models of ships", "OptionError", "%imagine -- models of ships"),
        ("%%imagine -m no-such-model\na cat", "ModelNotFoundError", "another model"),
        ("%%imagine -m rehearsal-failed\na cat", "TaskFailedError", "failed"),
        ("%%imagine -m rehearsal-moderation\na cat", "ModerationError", "Word the prompt"),
    ],
)
def test_every_failure_is_a_real_exception_with_a_next_step(
    kernel: Any, cell: str, ename: str, told: str
) -> None:
    found = kernel.run(cell)
    assert found.status == "error"
    assert found.error["ename"] == ename
    traceback = "\n".join(found.error["traceback"])
    assert told in traceback
    assert traceback.count("\n") <= 2, "short: what happened, and the next step"


def test_a_file_that_is_no_picture_is_refused_before_anything_is_sent(kernel: Any) -> None:
    Path(kernel.folder / "notes.txt").write_text("no picture")
    found = kernel.run("%%imagine -i notes.txt\na cat")
    assert found.error["ename"] == "ImageInputError"
    assert not list((kernel.folder / "imagine").glob("[!.]*"))


def test_after_a_failure_the_variable_holds_the_job(kernel: Any) -> None:
    kernel.run("%%imagine -m rehearsal-failed -o lost\na cat")
    told = kernel.good("lost.status, bool(lost.task_id), type(lost.exception()).__name__")
    assert told.result["text/plain"] == "('failed', True, 'TaskFailedError')"


def test_a_server_that_is_not_there_and_a_wrong_key(kernel: Any) -> None:
    """The key is in the environment and in the request, and nowhere in what is shown."""
    key = "sk-secretsecretsecret12345"
    kernel.good(
        "import os\nos.environ['OPEAI_BASE_URL'] = 'http://127.0.0.1:9'\n"
        f"os.environ['OPEAI_API_KEY'] = '{key}'"
    )
    found = kernel.run("%%imagine\na cat")
    assert found.error["ename"] == "UnreachableError"
    assert key not in str(found)
    assert "secret" not in str(found)


def test_a_dry_run_shows_the_exact_json_and_sends_nothing(kernel: Any) -> None:
    found = kernel.good("%%imagine --dry-run -n 2 --size 1024×1024\na cat")
    text = found.result["text/plain"]
    assert '"size": "1024x1024"' in text
    assert "2 pictures. Nothing was sent." in text
    assert not list((kernel.folder / "imagine").glob("[!.]*"))


def test_what_a_cell_captures_ends_as_it_ended(kernel: Any) -> None:
    """`%%capture` keeps displays and no updates: a badge that began in it would stay so."""
    kernel.good("%%capture caught\n%imagine -s 512x512 a fox")
    shown = kernel.good("caught.show()")
    texts = [bundle["text/plain"] for bundle in shown.displays]
    assert texts[0].startswith("✓ 1 picture · ")
    assert not any("sending" in text for text in texts)
    assert any("image/jpeg" in bundle for bundle in shown.displays)
