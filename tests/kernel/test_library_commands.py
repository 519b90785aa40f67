"""The commands that tell of the library, as they look in a real kernel."""

from __future__ import annotations

from typing import Any

import pytest

FOX = "%%imagine -s 512x512 -n 2 -o foxes\na red fox & a <b>bold</b> badger"
SLOW = "%%imagine -m rehearsal-slow --no-wait -o slow\na fox in the snow"


def text(kernel: Any, line: str) -> str:
    return str(kernel.good(line).result["text/plain"])


def test_history_lists_what_is_kept_with_pictures(kernel: Any) -> None:
    kernel.good(FOX)
    kernel.good("%%imagine -s 512x512\n猫 in the garden")
    found = kernel.good("%imagine history").result
    first, second = found["text/plain"].splitlines()[1:]
    assert "猫 in the garden" in first, "the newest first"
    assert "a red fox & a <b>bold</b> badger" in second
    html = found["text/html"]
    assert html.count('<img src="data:image/jpeg;base64,') == 2
    assert "a red fox &amp; a &lt;b&gt;bold&lt;/b&gt; badger" in html
    assert "<b>" not in html
    told = "found = %imagine history RED fox\n[record.prompt[:9] for record in found]"
    assert text(kernel, told) == "['a red fox']"
    assert text(kernel, "%imagine history walrus") == "Nothing kept matches this."


def test_what_is_starred_tagged_noted_and_trashed_is_found_again_and_comes_back(
    kernel: Any,
) -> None:
    kernel.good(FOX)
    kernel.good("%%imagine -s 512x512\n猫 in the garden")
    cat, fox = ids(kernel)
    assert text(kernel, f"%imagine star {fox[:6]}") == f"{fox}  ★"
    assert text(kernel, f"%imagine tag {fox} #poster") == f"{fox}  ★ #poster"
    assert text(kernel, f"%imagine note {fox} for the talk") == f"{fox}  ★ #poster for the talk"
    for asked in ("--starred", "--tag poster", "--tag=Poster fox", "--starred --model qwen*"):
        assert ids(kernel, asked) == [fox], asked
    assert ids(kernel, "--starred garden") == []
    told = text(kernel, f"%imagine trash {fox}")
    assert f"%imagine restore {fox}" in told
    assert (ids(kernel), ids(kernel, "--trash")) == ([cat], [fox])
    assert text(kernel, "%imagine usage").splitlines()[-1].split()[-3:-1] == ["2", "3"]
    kernel.good(f"%imagine trash {cat}")
    assert "in the trash" in text(kernel, "%imagine history")
    kernel.good(f"%imagine restore {fox} {cat}")
    assert ids(kernel) == [cat, fox]
    kernel.good(f"%imagine untag {fox} poster")
    assert text(kernel, f"%imagine unstar {fox}") == f"{fox}  for the talk"
    assert text(kernel, f"%imagine note {fox}") == f"{fox}  no marks"
    assert "a red fox" in text(kernel, f"%imagine info {fox}-2")
    assert kernel.run("%imagine star 00000000").error["ename"] == "LibraryError"
    assert "%imagine -- star over" in str(kernel.run("%imagine star over the sea").error)


def test_info_shows_edits_as_a_tree(kernel: Any) -> None:
    kernel.good("%%imagine -s 512x512 -o first\na hill")
    kernel.good("%%imagine -s 512x512 -i first -o blue\nmake it blue")
    kernel.good("%%imagine -s 512x512 -i blue -o last\nnow at night")
    last, blue, first = ids(kernel)
    lines = text(kernel, f"%imagine info {first}").splitlines()
    assert [line.split("  ")[-1].strip() for line in lines[-2:]] == [
        f"{blue} make it blue",
        f"· {last} now at night",
    ]
    assert f"made from {first}" in " ".join(text(kernel, f"%imagine info {blue}").split())
    assert eval(text(kernel, "opeai_nb.info(last.pictures[0].path)['made_from']")) == [blue]


def ids(kernel: Any, asked: str = "") -> list[str]:
    """Return the ids that `%imagine history` lists, the newest first."""
    kernel.good(f"import opeai_nb\nlisted = %imagine history {asked}")
    return list(eval(text(kernel, "[record.id for record in listed]")))


def test_before_there_is_anything_every_command_says_so(kernel: Any) -> None:
    for line in ("tasks", "resume"):
        assert text(kernel, f"%imagine {line}") == "Nothing is pending."
    for line in ("history", "usage"):
        assert text(kernel, f"%imagine {line}") == "The library is empty."
    assert not (kernel.folder / "imagine").exists()


def test_usage_tells_session_days_and_all(kernel: Any) -> None:
    kernel.good(FOX)
    kernel.good("%reload_ext opeai_nb")
    kernel.good("%%imagine -m gpt-image-2 -s 1024x1024\nthe sea")
    lines = text(kernel, "%imagine usage").splitlines()
    assert [line.split()[-3:-1] for line in lines] == [
        ["requests", "pictures"],
        ["1", "1"],
        *[["1", "1"], ["1", "2"]],
        ["2", "3"],
    ]
    assert lines[1].startswith("this session")
    assert lines[-1].startswith("in all")


def test_info_tells_where_a_file_comes_from(kernel: Any) -> None:
    kernel.good(FOX)
    path, name = eval(text(kernel, "p = foxes.pictures[1].path; str(p), p.name"))
    for named in (path, name, f'"{name}"'):
        told = text(kernel, f"%imagine info {named}")
        assert "a red fox & a <b>bold</b> badger" in told
        assert "qwen-image-2.0" in told
    kernel.good("from opeai_nb import info, request_from")
    again = "request_from(p) == foxes.request, info(p)['origin']"
    assert text(kernel, again) == "(True, 'engine')"
    kernel.good("%%imagine -s 512x512 --no-metadata -o plain\na secret")
    assert text(kernel, "b'secret' in plain.pictures[0].data") == "False"
    kernel.good("%config Imagine.metadata = False")
    kernel.good("%%imagine -s 512x512 -o plain\nanother secret")
    assert text(kernel, "b'secret' in plain.pictures[0].data") == "False"


def test_a_file_that_tells_nonsense_is_told_in_one_sentence(kernel: Any) -> None:
    from opeai_nb.library.metadata.png import insert
    from tests.pictures import png

    (kernel.folder / "half.png").write_bytes(
        insert(png(), '{"request": {"prompt": "\\ud83d"}}', "")
    )
    assert "?" in text(kernel, "%imagine info half.png")
    tellings = ('"request": 7', '"request": {"image": [7]}', '"size": 7', '"created": "soon"')
    for telling in tellings:
        (kernel.folder / "odd.png").write_bytes(insert(png(), f"{{{telling}}}", ""))
        found = kernel.run("%imagine info odd.png")
        assert found.error["ename"] == "LibraryError", telling
        assert "has been edited" in found.error["evalue"]


def test_a_job_is_listed_stopped_resumed_and_forgotten(kernel: Any) -> None:
    kernel.good(SLOW)
    kernel.good("next(update for update in slow.follow() if slow.task_id)")
    listed = kernel.good("%imagine tasks").result
    assert "runs in this kernel: stop" in listed["text/plain"]
    assert "a fox in the snow" in listed["text/html"]
    number = eval(text(kernel, "slow.id"))
    assert kernel.run(f"%imagine forget {number}").error["ename"] == "OptionError"
    assert "No longer waiting" in text(kernel, f"%imagine stop {number[:5]}")
    assert kernel.run("slow.result(60)").error["ename"] == "JobStoppedError"  # it has heard of it
    assert " pending " in text(kernel, "%imagine tasks")
    found = kernel.good("%imagine resume")
    assert "1 picture" in found.badges[-1]
    assert found.result["image/jpeg"]
    assert text(kernel, "%imagine tasks") == "Nothing is pending."


def test_an_unknown_outcome_is_forgotten_or_knowingly_sent(kernel: Any) -> None:
    for prompt in ("a fox", "a fox", "an owl"):  # the second run sends nothing
        cell = f"%%imagine -m rehearsal-dropped\n{prompt}"
        assert kernel.run(cell).error["ename"] == "OutcomeUnknownError"
    listed = text(kernel, "%imagine tasks")
    assert listed.count("outcome unknown") == 2
    assert "paid for" in listed
    assert "Nothing can be resumed by itself" in text(kernel, "%imagine resume")
    first, second = [line.split()[0] for line in listed.splitlines()[1:]]
    assert kernel.run(f"%imagine resume {first}").error["ename"] == "InputError"
    assert "1 picture" in kernel.good(f"%imagine resume {first} --send").badges[-1]
    assert text(kernel, f"%imagine forget {second}") == "Forgotten."
    assert text(kernel, "%imagine tasks") == "Nothing is pending."


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("stop abcd", "No job 'abcd'"),
        ("forget abcd", "No unfinished request"),
        ("resume abcd", "No unfinished request"),
        ("resume abcd defa", "one id, or none"),
        ("resume --send", "Name it"),
        ("info nothing.png", "cannot be read"),
        ("tasks for tomorrow", "%imagine -- tasks for tomorrow"),
    ],
)
def test_what_is_not_there_is_told_with_the_next_step(kernel: Any, line: str, told: str) -> None:
    found = kernel.run(f"%imagine {line}")
    assert told in "\n".join(found.error["traceback"])


def test_what_its_folder_does_not_take_is_kept_in_ones_own_and_told_once(kernel: Any) -> None:
    kernel.good("%config Imagine.library = '/dev/null/imagine'")
    first, second = (kernel.good(f"%%imagine -s 512x512\na {one}") for one in ("fox", "badger"))
    assert first.result["image/jpeg"]
    assert "kept in your own data folder" in first.stream
    assert second.result["image/jpeg"]
    assert second.stream == ""


def test_where_no_disk_would_take_a_picture_nothing_is_sent(kernel: Any) -> None:
    """Each time: the second loss is worth as much as the first."""
    kernel.good("import os\nos.environ['OPEAI_NB_DATA'] = '/dev/null/data'")
    kernel.good("%config Imagine.library = '/dev/null/imagine'")
    for prompt in ("a fox", "a badger"):
        found = kernel.run(f"%%imagine -s 512x512\n{prompt}")
        assert found.error["ename"] == "LibraryError"
        assert "Nothing was sent." in found.error["traceback"][-1]


def answered(kernel: Any, message: str, answer: str) -> Any:
    """Answer what a cell asks about three pictures, and return how it ended."""
    asked = kernel.client.get_stdin_msg(timeout=30)
    assert "3 pictures more" in asked["content"]["prompt"]
    kernel.client.input(answer)
    return kernel.outcome(message)


def test_a_job_in_the_background_is_asked_about_before_it_begins(kernel: Any) -> None:
    kernel.good("%config Imagine.max_images_per_session = 2")
    cell = "job = %imagine -s 512x512 -n 3 --no-wait a fox"
    refused = answered(kernel, kernel.send(cell), "n")
    assert refused.error["ename"] == "SessionLimitError"
    assert answered(kernel, kernel.send(cell), "y").status == "ok"
    assert kernel.good("len(job.result(60))").result["text/plain"] == "3"
    assert kernel.run(cell, live=False).error["ename"] == "SessionLimitError"


def test_more_pictures_than_the_limit_are_asked_about_first(kernel: Any) -> None:
    kernel.good("%config Imagine.max_images_per_session = 2")
    found = kernel.run("%%imagine -s 512x512 -n 3\na fox", live=False)
    assert found.error["ename"] == "SessionLimitError"
    assert "--yes" in "\n".join(found.error["traceback"])
    for answer, status in (("n", "error"), ("y", "ok")):
        message = kernel.send("%%imagine -s 512x512 -n 3\na fox", cell="one")
        found = answered(kernel, message, answer)
        assert found.status == status
        assert not [line for line in found.badges if "limit" in line], "a question, not a failure"
    assert "3 of 2 pictures" in text(kernel, "%imagine usage")
    kernel.good("%%imagine -s 512x512 --yes\na badger", live=False)
