"""A cell that sweeps, in a real kernel: the plan, the question, the bar, the grid."""

from __future__ import annotations

from typing import Any

from tests.kernel.watching import wait_for_badge

CELL = "%%imagine --size 512x512 -o made\na {fox|owl} in {ink|oil}"


def test_the_bar_counts_up_and_the_grid_follows(kernel: Any) -> None:
    found = kernel.good(CELL)
    assert any("▱" in line or "▰" in line for line in found.badges[:-1])
    assert found.badges[-1] == "✓ 4 of 4 done · embedded engine"
    assert found.result["text/plain"] == "<Sweep: 4 pictures · choice × choice_2>"
    assert "image/jpeg" in found.result
    assert kernel.good("print(made['fox', 'oil'].request.prompt)").stream == "a fox in oil\n"


def test_running_the_cell_again_shows_the_same_and_says_so(kernel: Any) -> None:
    kernel.good(CELL)
    again = kernel.good(CELL)
    assert any("nothing was sent" in line for line in again.badges)
    assert again.badges[-1] == "✓ 4 of 4 done · embedded engine"


def test_a_name_in_braces_is_filled_in_and_its_value_is_not_read_again(kernel: Any) -> None:
    kernel.good("animal = 'fox {x|y}'")
    kernel.good("%%imagine --size 512x512 -o made\na {animal} in {ink|{animal}}")
    shown = kernel.good("print([p.request.prompt for p in made.plan])").stream
    assert shown == "['a fox {x|y} in ink', 'a fox {x|y} in fox {x|y}']\n"


def test_a_dry_run_shows_the_plan_and_raw_text_has_no_alternatives(kernel: Any) -> None:
    found = kernel.good(CELL.replace("-o made", "--dry-run"))
    assert found.result["text/plain"].startswith("4 requests, 4 pictures: 0 in the library")
    assert found.result["text/plain"].endswith("Nothing was sent.")
    raw = kernel.good("%%imagine --size 512x512,768x512 --raw --dry-run\na {fox|owl}")
    assert raw.result["text/plain"].startswith("2 requests")


def test_many_pictures_fail_with_their_number_where_nobody_can_answer(kernel: Any) -> None:
    large = "%%imagine --size 512x512 {}\na {{a|b|c}} {{d|e|f}}"
    refused = kernel.run(large.format("--quiet"), live=False)
    assert refused.error["ename"] == "OptionError"
    assert "9 pictures in 9 requests" in refused.error["evalue"]
    kernel.good(large.format("--yes"), live=False)
    kernel.good(large.format(""), live=False)  # all of them are in the library now


def test_a_sweep_in_python_follows_the_notebooks_settings_and_shows_its_bar(kernel: Any) -> None:
    kernel.good("%config Imagine.library = 'elsewhere'")
    found = kernel.good(
        "import opeai_nb\nopeai_nb.sweep('a {x}', x=['fox', 'owl'], size='512x512').run()"
    )
    assert found.badges[-1] == "✓ 2 of 2 done · embedded engine"
    assert "image/jpeg" in found.result
    assert len(list((kernel.folder / "elsewhere").glob("*.png"))) == 2


def test_an_interrupt_keeps_what_came_and_sends_nothing_more(kernel: Any) -> None:
    kernel.good("%config Imagine.confirm_above = 100")
    cell = "%%imagine --model rehearsal-slow -o made\na {" + "|".join(map(str, range(40))) + "}"
    sent = kernel.send(cell)
    wait_for_badge(kernel, sent, "running")
    kernel.manager.interrupt_kernel()
    found = kernel.outcome(sent)
    assert found.error["ename"] == "SweepDetached"
    assert "not sent" in found.badges[-1]
    assert "nothing more is sent" in found.error["evalue"]
    counts = kernel.good("print(len(made.plan), made.running.is_halted)").stream
    assert counts == "40 True\n"


def test_a_sessions_limit_is_told_before_anything_is_sent_and_yes_agrees(kernel: Any) -> None:
    kernel.good("%config Imagine.max_images_per_session = 3")
    refused = kernel.run(CELL, live=False)
    assert refused.error["ename"] == "OptionError"
    assert "max_images_per_session (3)" in refused.error["evalue"]
    assert not list(kernel.folder.rglob("*.png"))
    kernel.good(CELL.replace("-o made", "-o made --yes"), live=False)
    kernel.good(CELL, live=False)  # all of them are in the library now


def test_one_answer_agrees_to_the_number_and_to_the_limit(kernel: Any) -> None:
    kernel.good("%config Imagine.confirm_above = 2")
    kernel.good("%config Imagine.max_images_per_session = 3")
    sent = kernel.send(CELL)
    asked = kernel.client.get_stdin_msg(timeout=60)["content"]["prompt"]
    assert asked.startswith("This cell asks for 4 pictures in 4 requests, more than max_images")
    kernel.client.input("y")
    assert kernel.outcome(sent).badges[-1] == "✓ 4 of 4 done · embedded engine"
