"""`--no-wait`: the job comes back at once, and fills the slots of its own cell when it ends."""

from __future__ import annotations

from typing import Any

from tests.kernel.watching import read_updates

TASK = "-m gpt-image-2 -s 1024x1024"


def test_the_slots_of_its_own_cell_are_filled_while_another_cell_runs(kernel: Any) -> None:
    found = kernel.good(f"%%imagine {TASK} --no-wait -o sea\nthe sea", cell="one")
    assert found.result == {}, "the slots show the job; a repr below them would say it twice"
    badge, gallery = found.slots
    busy = kernel.send("sea.result(30); print('B')", cell="two")
    filled = read_updates(kernel, busy, until=gallery, mime="image/jpeg")
    assert filled[badge]["text/plain"] == "✓ 1 picture · gpt-image-2 · 1024x1024 · embedded engine"
    assert filled[gallery]["image/jpeg"]
    told = kernel.good("sea.status, type(sea).__name__, len(sea.result())")
    assert told.result["text/plain"] == "('done', 'Job', 1)"


def test_the_job_comes_at_once_and_can_be_assigned(kernel: Any) -> None:
    code = "job = %imagine -m rehearsal-slow --no-wait a hill\nprint(job.is_settled)"
    assert kernel.good(code).stream == "False\n", "whoever waits has a job that is settled"
    assert kernel.good("len(job.result(30))").result["text/plain"] == "1"


def test_a_job_is_awaited_stopped_and_timed(kernel: Any) -> None:
    kernel.good(f"a = %imagine {TASK} --no-wait a hill\nb = %imagine {TASK} --no-wait a lake")
    assert kernel.good("len(await a)").result["text/plain"] == "1"
    code = "c = %imagine -m rehearsal-slow --no-wait a wood\n"
    found = kernel.run(code + "c.result(timeout=0.1)")
    assert found.error["ename"] == "TimeoutError"
    kernel.good("c.stop()")
    assert kernel.run("c.result(60)").error["ename"] == "JobStoppedError"
    assert kernel.good("c.status, len(b.result(30))").result["text/plain"] == "('stopped', 1)"


def test_a_job_is_shown_again_by_a_later_cell(kernel: Any) -> None:
    kernel.good(f"%%imagine {TASK} --no-wait -o sea\nthe sea")
    running = kernel.good("sea")
    assert len(running.slots) == 2
    kernel.good("sea.result(30)\nNone")
    again = kernel.good("sea")
    assert [bundle["text/plain"] for bundle in again.displays] == [
        "✓ 1 picture · gpt-image-2 · 1024x1024 · embedded engine",
        "<Generation: 1 picture · gpt-image-2 · 1024x1024>",
    ]
    assert again.displays[1]["image/jpeg"]


def test_a_failed_job_says_so_in_its_slot_and_in_its_result(kernel: Any) -> None:
    found = kernel.good("%%imagine -m rehearsal-failed --no-wait -o lost\na cat")
    badge, _ = found.slots
    wait = kernel.send("for _ in lost.follow(): pass")
    assert read_updates(kernel, wait, until=badge, word="✗")[badge]["text/plain"].startswith("✗")
    assert kernel.run("lost.result()").error["ename"] == "TaskFailedError"


def test_copies_are_saved_when_it_ends(kernel: Any) -> None:
    found = kernel.good("%%imagine -s 512x512 --no-wait --save out -o sea\nthe sea")
    wait = kernel.send("sea.result(30)")
    read_updates(kernel, wait, until=found.slots[1], mime="image/jpeg")
    assert [path.name for path in (kernel.folder / "out").iterdir()] == ["the-sea-1.png"]


def test_vs_code_gets_one_display_and_the_picture_takes_the_place_of_the_badge(kernel: Any) -> None:
    kernel.good("__vsc_ipynb_file__ = '/somewhere/a.ipynb'")
    found = kernel.good("%%imagine -s 512x512 --no-wait -o sea\nthe sea")
    (slot,) = found.slots
    wait = kernel.send("sea.result(30)")
    filled = read_updates(kernel, wait, until=slot, mime="image/jpeg")
    assert "text/html" not in filled[slot]


def test_in_batch_it_blocks_and_shows_the_end_once(kernel: Any) -> None:
    found = kernel.good(f"%%imagine {TASK} --no-wait -o sea\nthe sea", live=False)
    assert found.updates == []
    assert [bundle["text/plain"] for bundle in found.displays] == [
        "✓ 1 picture · gpt-image-2 · 1024x1024 · embedded engine",
        "<Generation: 1 picture · gpt-image-2 · 1024x1024>",
    ]
    assert found.slots == []
    told = kernel.good("type(sea).__name__, sea.status", live=False)
    assert told.result["text/plain"] == "('Job', 'done')"


def test_in_batch_its_failure_fails_the_cell(kernel: Any) -> None:
    """Else a job that nobody asks about would fail in silence."""
    found = kernel.run("%%imagine -m rehearsal-failed --no-wait\na cat", live=False)
    assert found.error["ename"] == "TaskFailedError"


def test_several_at_once_all_end(kernel: Any) -> None:
    code = (
        "jobs = []\n"
        "for word in ('hill', 'lake', 'wood', 'moor', 'fell', 'dale'):\n"
        "    job = %imagine -s 512x512 --no-wait a {word}\n"
        "    jobs.append(job)\n"
        "[len(job.result(60)) for job in jobs]"
    )
    assert kernel.good(code).result["text/plain"] == "[1, 1, 1, 1, 1, 1]"


def test_a_shutdown_leaves_nothing_hanging(new_kernel: Any) -> None:
    """Jobs under way: a task that is polled, and a POST whose answer never ends."""
    kernel = new_kernel(OPEAI_NB_TIME_SCALE="10")
    kernel.good("a = %imagine -m rehearsal-stalled --no-wait a cat\n")
    kernel.good("b = %imagine -m rehearsal-slow --no-wait a cat\n")
    kernel.good("next(update for update in b.follow() if b.task_id)")
    kernel.client.shutdown()
    process = kernel.manager.provisioner.process
    assert process.wait(60) == 0, "it does not wait for them: they take two minutes and more"
