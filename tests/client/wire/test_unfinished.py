"""Answers of which a part is still being painted: nobody takes the part for all."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.client.protocol.results import is_unfinished
from opeai_nb.client.values.answer_notes import GUESS
from opeai_nb.errors import (
    AnswerError,
    OpeaiError,
    OutcomeUnknownError,
    TaskExpiredError,
    TaskFailedError,
    TaskTimeoutError,
)
from opeai_nb.testing import Answer, Script, png
from tests.client.shells import Shell
from tests.studio.recovery.test_kept_answers import studio_on

Shells = Callable[..., Shell]
TASK = {"task_id": "t1", "status": "queued"}
WAITS = {"id": "x2", "status": "processing", "message": "still painting"}


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"url": f"https://pictures.test/{number}.png", **more}


GONE = Answer({"error": {"message": "image not found", "code": "ResourceNotFound"}}, status=404)
BOTH = {"status": "SUCCESS", "data": [item(1), item(2)]}


def over(post: Any, *polls: Any) -> Script:
    left = list(polls)

    def answer(request: httpx.Request) -> Any:
        if request.url.host == "pictures.test":
            return png(16 + int(request.url.path[1]), 16)
        if request.method == "POST":
            return Answer(post)
        told = left.pop(0) if len(left) > 1 else left[0]
        return told if isinstance(told, Answer) else Answer(told)

    return Script(answer)


def widths(generation: Any) -> list[int]:
    return [image.width - 16 for image in generation]


@pytest.mark.parametrize(
    "poll",
    [
        {"status": "processing", "data": [item(1)]},
        {"data": {"task_status": "RUNNING", "images": [item(1)]}},
        {"status": "SUCCESS", "data": [item(1), WAITS]},
        {"status": "SUCCESS", "data": [item(1), {"task_id": "t2", "status": "queued"}]},
    ],
    ids=["no id", "no id, wrapped", "item", "item's task"],
)
def test_poll_that_shows_a_part_is_not_the_last(shell: Shells, poll: Any) -> None:
    script = over(TASK, poll, BOTH)
    assert widths(shell(transport=script).generate("a fox", n=2)) == [1, 2]
    assert len(script.posts) == 1


@pytest.mark.parametrize("word", ["partial", "some"])
def test_word_that_nobody_knows_beside_too_few_pictures_is_asked_about(
    shell: Shells, word: str
) -> None:
    script = over({"task_id": "t1", "status": word, "data": [item(1)]}, BOTH)
    assert widths(shell(transport=script).generate("a fox", n=2)) == [1, 2]


@pytest.mark.parametrize("more", [{}, {"task_id": "t1"}], ids=str)
def test_history_of_a_task_ends_with_what_it_has_come_to(shell: Shells, more: Any) -> None:
    steps = [{"status": word, **more} for word in ("queued", "processing")]
    done = {"status": "SUCCESS", "data": [item(1)], **more}
    for last in ([*steps, done], {"data": [done, *steps[::-1]]}):
        generation = shell(transport=over(TASK, steps, last)).generate("a fox")
        assert (widths(generation), generation.failed) == ([1], ())
    failed = [*steps, {"status": "FAILED", "error": {"message": "too dark"}, **more}]
    with pytest.raises(TaskFailedError, match="too dark"):
        shell(transport=over(TASK, steps, failed)).generate("a fox")


def test_pictures_that_each_say_how_they_stand_are_no_history(shell: Shells) -> None:
    rows = [item(1, status="succeeded"), {"status": "processing"}]
    script = over(TASK, {"data": rows}, BOTH)
    assert widths(shell(transport=script).generate("a fox", n=2)) == [1, 2]


@pytest.mark.parametrize("names", [("t-1", "t-2"), ("8151", "8152"), ("one", "two")], ids=str)
def test_tasks_by_their_ids_are_followed(shell: Shells, names: tuple[str, str]) -> None:
    rows = {name: {"status": "queued"} for name in names}
    one, other = names
    both = {"tasks": {one: made(1), other: WAITS}}
    script = apart({"tasks": rows}, **{one: [both], other: [both, {"tasks": {other: made(2)}}]})
    assert widths(shell(transport=script).generate("a fox", n=2)) == [1, 2]
    assert len(script.posts) == 1


def test_other_tasks_in_the_answer_to_a_question_are_not_ours(shell: Shells) -> None:
    rows = [
        {"task_id": "t0", "status": "SUCCESS", **item(9)},
        {"task_id": "t1", "status": "processing"},
    ]
    done = [rows[0], {"task_id": "t1", "status": "SUCCESS", **item(1)}]
    script = over(TASK, {"data": rows}, {"data": {"items": done}})
    assert widths(shell(transport=script).generate("a fox")) == [1]


@pytest.mark.parametrize(
    "more", [WAITS, {"task_id": "t2", "status": "queued"}, {"task_id": "t2"}], ids=str
)
def test_picture_that_is_still_to_come_is_told_and_kept(shell: Shells, more: Any) -> None:
    body = {"data": [item(1), more]}
    generation = shell(transport=over(body, GONE)).generate("a fox", n=2)
    (failed,) = generation.failed
    assert (widths(generation), generation.answer) == ([1], Answer(body).content)
    assert is_unfinished(failed) == ("status" in more)
    assert failed.error is not None
    assert failed.error.task_id in (more.get("task_id"), more.get("id"), None)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"task_id": f"t{i}", "status": "queued"} for i in (1, 2)]},
        {"tasks": [{"task_id": "t1"}, {"task_id": "t2"}], "status": "queued"},
        {"task_id": "t1", "task_ids": ["t1", "t2"], "status": "queued"},
        {"task_id": ["t1", "t2"], "status": "queued"},
        {"code": 0, "data": {"status": "queued", "taskIds": ["t1", "t2"]}},
        {"code": 0, "data": {"taskList": [{"taskId": "t1"}, {"taskId": "t2"}]}},
        {"code": 0, "data": {"ids": ["t1", "t2"]}},
        {"tickets": ["t1", "t2"], "status": "queued"},
        {"uuids": ["t1", "t2"], "status": "queued"},
        [{"id": "t1", "status": "queued"}, {"id": "t2", "status": "queued"}],
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [1, 2])
def test_several_tasks_for_one_request_are_all_followed(
    shell: Shells, body: Any, count: int
) -> None:
    script = apart(body, t1=[WAITS, made(1)], t2=[made(2)])
    generation = shell(transport=script).generate("a fox", n=count)
    assert (widths(generation), generation.task_id) == ([1, 2], "t1, t2")
    assert generation.usage == {"generated_images": 2, "input_tokens_details": {"image_tokens": 4}}
    assert (len(script.posts), generation.answer) == (1, None)


@pytest.mark.parametrize(
    "body", [["task_1001", "task_1002"], {"data": ["task_1001", "task_1002"]}], ids=str
)
def test_ids_alone_in_a_list_are_tasks(shell: Shells, body: Any) -> None:
    script = apart(body, task_1001=[made(1)], task_1002=[made(2)])
    generation = shell(transport=script).generate("a fox", n=2)
    assert (widths(generation), len(script.posts)) == ([1, 2], 1)


def made(number: int) -> dict[str, Any]:
    usage = {"generated_images": 1, "input_tokens_details": {"image_tokens": 2}}
    return {"status": "SUCCESS", "data": [item(number)], "usage": usage}


def apart(post: Any, **tasks: list[Any]) -> Script:
    """Answer as a server does that has a task for each picture; the last answer stays."""

    def answer(request: httpx.Request) -> Any:
        if request.url.path == "/404.png":
            return GONE
        if request.url.host == "pictures.test":
            return png(16 + int(request.url.path[1]), 16)
        if request.method == "POST":
            return Answer(post)
        left = tasks[request.url.path.rpartition("/")[2]]
        told = left.pop(0) if len(left) > 1 else left[0]
        return told if isinstance(told, Answer) else Answer(told)

    return Script(answer)


SEVERAL = {"data": [{"task_id": "t1", "status": "queued"}, {"task_id": "t2"}]}
FAILED = {"status": "FAILED", "error": {"message": "too dark", "code": "x"}}


@pytest.mark.parametrize("end", [FAILED, GONE, {"status": "SUCCESS"}], ids=str)
@pytest.mark.parametrize("bad", ["t1", "t2"])
def test_one_of_several_tasks_that_fails_costs_the_others_nothing(
    shell: Shells, bad: str, end: Any
) -> None:
    script = apart(SEVERAL, **{"t1": [made(1)], "t2": [made(2)], bad: [end]})
    generation = shell(transport=script).generate("a fox", n=2)
    assert (widths(generation), len(generation.failed)) == ([2 if bad == "t1" else 1], 1)
    assert generation.pictures.index(generation.failed[0]) == int(bad == "t2")


@pytest.mark.parametrize("end", [FAILED, GONE], ids=str)
def test_a_step_that_fails_beside_all_that_was_asked_for_is_no_picture(
    shell: Shells, end: Any
) -> None:
    generation = shell(transport=apart(SEVERAL, t1=[BOTH], t2=[end])).generate("a fox", n=2)
    assert (widths(generation), generation.failed) == ([1, 2], ())


@pytest.mark.parametrize(("end", "kind"), [(FAILED, TaskFailedError), (GONE, TaskExpiredError)])
def test_several_tasks_that_all_fail_say_why(shell: Shells, end: Any, kind: Any) -> None:
    with pytest.raises(kind) as caught:
        shell(transport=apart(SEVERAL, t1=[end], t2=[end])).generate("a fox", n=2)
    assert caught.value.task_id == "t1, t2"


@pytest.mark.parametrize("other", [FAILED, made(1)], ids=["failed", "done"])
def test_one_of_several_tasks_that_nobody_knows_is_resumed_later(
    tmp_path: Path, other: Any
) -> None:
    first = studio_on(tmp_path, apart(SEVERAL, t1=[other], t2=[GONE]))
    if other is FAILED:
        with pytest.raises(TaskExpiredError):
            first.generate("a fox", n=2)
    else:
        assert widths(first.generate("a fox", n=2)) == [1]
    script = apart(None, t1=[other], t2=[made(2)])
    later = studio_on(tmp_path, script)
    (entry,) = later.library.pending()
    assert widths(later.resume(entry).result(60)) == ([2] if other is FAILED else [1, 2])
    assert (script.posts, later.library.pending()) == ([], [])


def test_several_tasks_are_asked_where_each_says(shell: Shells) -> None:
    post = {"data": [{"task_id": f"t{i}", "poll_url": f"/jobs/{i}"} for i in (1, 2)]}
    script = apart(post, **{"1": [made(1)], "2": [made(2)]})
    assert widths(shell(transport=script).generate("a fox", n=2)) == [1, 2]


def test_several_tasks_out_of_time_are_waited_for_again_by_one_id(shell: Shells) -> None:
    waits = [WAITS] * 9
    client = shell(transport=apart(SEVERAL, t1=[made(1)], t2=[*waits, made(2)]))
    with pytest.raises(TaskTimeoutError) as caught:
        client.generate("a fox", n=2, timeout=10)
    assert widths(client.wait(caught.value.task_id)) == [1, 2]


def test_several_tasks_are_resumed_together_and_by_the_id_of_any(tmp_path: Path) -> None:
    first = studio_on(tmp_path, apart(SEVERAL, t1=[made(1)], t2=[WAITS]))
    with pytest.raises(TaskTimeoutError):
        first.generate("a fox", n=2)
    script = apart(None, t1=[made(1)], t2=[made(2)])
    later = studio_on(tmp_path, script)
    assert widths(later.resume(later.library.entry("t2")).result(60)) == [1, 2]
    assert (script.posts, later.library.pending()) == ([], [])
    (record,) = later.library.search()
    assert len(record.paths) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"task_id": "t1", "status": "queued"}, {"status": "failed", "message": "dark"}]},
        {"data": [{"id": "t1", "status": "queued"}, {"id": "t2", "status": "FAILED"}]},
    ],
    ids=str,
)
def test_a_row_that_failed_hides_no_task(shell: Shells, body: Any) -> None:
    script = apart(body, t1=[made(1)], t2=[FAILED])
    assert widths(shell(transport=script).generate("a fox", n=2)) == [1]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({**TASK, "job_ids": ["w1", "w2"]}, 1),
        ({**TASK, "job_ids": ["w1", "w2"]}, 2),
        ({**TASK, "task_ids": ["t1"]}, 2),
        ({"id": "t1", "status": "queued", "items": [{**WAITS, "id": "1"}, WAITS]}, 1),
        ({"id": "t1", "status": "queued", "data": [{"task_id": "w1"}, {"task_id": "w2"}]}, 2),
    ],
)
def test_steps_of_one_task_are_one(shell: Shells, body: Any, count: int) -> None:
    assert widths(shell(transport=over(body, BOTH)).generate("a fox", n=count)) == [1, 2]


def test_unknown_word_without_an_id_hides_no_picture(shell: Shells) -> None:
    body = {"status": "fine", "url_1": item(1)["url"], "url_2": item(2)["url"]}
    with pytest.warns(UserWarning, match="seemed to be"):
        assert widths(shell(transport=over(body)).generate("a fox", n=2)) == [1, 2]


@pytest.mark.parametrize(
    "first", [item(1), {"b64_json": b64encode(png(17, 16)).decode()}], ids=["url", "bytes"]
)
def test_picture_that_is_still_to_come_is_waited_for_by_its_task(shell: Shells, first: Any) -> None:
    script = apart({"data": [first, {"task_id": "t2", "status": "queued"}]}, t2=[WAITS, made(2)])
    generation = shell(transport=script).generate("a fox", n=2)
    assert (widths(generation), generation.answer, len(script.posts)) == ([1, 2], None, 1)


@pytest.mark.filterwarnings("ignore:The answer was cut off")
def test_several_tasks_in_a_cut_answer_are_followed(shell: Shells) -> None:
    half = json.dumps({"data": [{"task_id": "t1"}, {"task_id": "t2"}, {"task_id": "t3"}]})[:-7]
    script = apart(half.encode(), t1=[made(1)], t2=[made(2)])
    assert widths(shell(transport=script).generate("a fox", n=3)) == [1, 2]
    assert len(script.posts) == 1


CUT_INSIDE_AN_ID = [
    b'{"tasks": [{"task_id": "t1", "status": "queued"}, {"task_id": "t2"}, {"task_id": "t',
    b'{"data": [{"id": "t1", "status": "queued"}, {"id": "t2", "status": "queued"}, {"id": "t3',
    b'{"task_ids": ["t1", "t2", "t3',
    b'{"tasks": {"t1": {"status": "queued"}, "t2": {"status": "queued"}, "t',
]


def test_one_task_by_its_id_is_followed(shell: Shells) -> None:
    script = apart({"jobs": {"t1": {"status": "queued"}}}, t1=[{"jobs": {"t1": made(1)}}])
    assert widths(shell(transport=script).generate("a fox")) == [1]


@pytest.mark.filterwarnings("ignore:The answer was cut off")
@pytest.mark.parametrize("half", CUT_INSIDE_AN_ID)
def test_task_whose_id_is_cut_off_is_told_beside_the_others(shell: Shells, half: bytes) -> None:
    script = apart(half, t1=[made(1)], t2=[WAITS, made(2)])
    generation = shell(transport=script).generate("a fox", n=3)
    assert (widths(generation), generation.answer) == ([1, 2], half)
    assert ["cut off" in note for note in generation.notes] == [True]
    assert len(script.posts) == 1


def test_cut_behind_all_that_was_asked_for_is_not_told(shell: Shells) -> None:
    script = apart(CUT_INSIDE_AN_ID[0], t1=[made(1)], t2=[made(2)])
    generation = shell(transport=script).generate("a fox", n=2)
    assert (widths(generation), generation.answer, generation.notes) == ([1, 2], None, ())


@pytest.mark.filterwarnings("ignore:The answer was cut off")
@pytest.mark.parametrize("is_killed", [False, True])
def test_answer_that_is_cut_inside_an_id_stays_in_the_journal(
    tmp_path: Path, *, is_killed: bool
) -> None:
    first = studio_on(tmp_path, apart(CUT_INSIDE_AN_ID[0], t1=[made(1)], t2=[made(2)]))
    if is_killed:
        first.library.keep = None  # type: ignore[method-assign]  # nothing is kept
        with pytest.raises(TypeError):
            first.generate("a fox", n=3)
    else:
        assert widths(first.generate("a fox", n=3)) == [1, 2]
    script = apart(None, t1=[made(1)], t2=[made(2)])
    later = studio_on(tmp_path, script)
    for _ in range(2):
        (entry,) = later.library.pending()
        assert widths(later.resume(entry).result(60)) == [1, 2]
    (entry,) = later.library.pending()
    assert (entry.truth, entry.answer()) == ("answer not read", CUT_INSIDE_AN_ID[0])
    assert (len(list(later.library.search())), script.posts) == (1, [])


@pytest.mark.parametrize(
    "first", [item(1), {"b64_json": b64encode(png(17, 16)).decode()}], ids=["url", "bytes"]
)
def test_picture_and_task_of_a_cut_answer_are_both_resumed(tmp_path: Path, first: Any) -> None:
    half = json.dumps({"data": [first, {"task_id": "t2", "status": "queued"}, {"url": "x"}]})[:-6]
    script = apart(half.encode(), t2=[made(2)])
    studio = studio_on(tmp_path, script)
    with pytest.raises(OutcomeUnknownError, match="cut off"):
        studio.generate("a fox", n=2)
    (entry,) = studio.library.pending()
    assert widths(studio.resume(entry).result(60)) == [1, 2]
    assert (len(script.posts), studio.library.pending()) == (1, [])


def test_task_that_was_to_bring_one_picture_may_bring_two(tmp_path: Path, shell: Shells) -> None:
    post = {"data": [item(1), {"task_id": "t2", "status": "queued"}]}
    two = {"status": "SUCCESS", "data": [item(2), item(3)]}
    assert widths(shell(transport=apart(post, t2=[two])).generate("a fox", n=3)) == [1, 2, 3]
    script = apart(post, t2=[WAITS, two])
    studio = studio_on(tmp_path, script)
    assert widths(studio.generate("a fox", n=3)) == [1, 2, 3]
    assert (len(script.posts), studio.library.pending()) == (1, [])


@pytest.mark.filterwarnings("ignore:1 of 3 pictures could not be downloaded yet")
def test_second_picture_of_a_task_that_was_to_bring_one_is_resumed(tmp_path: Path) -> None:
    post = {"data": [item(1), {"task_id": "t2", "status": "queued"}]}
    two = {"status": "SUCCESS", "data": [item(2), item(3)]}
    script = apart(post, t2=[two])
    is_up = False

    def answer(request: httpx.Request) -> Any:
        is_away = request.url.path == "/3.png" and not is_up
        return GONE if is_away else script.handle_request(request)

    assert widths(studio_on(tmp_path, Script(answer)).generate("a fox", n=3)) == [1, 2]
    is_up = True
    later = studio_on(tmp_path, Script(answer))
    (entry,) = later.library.pending()
    assert widths(later.resume(entry).result(60)) == [1, 2, 3]
    assert (len(script.posts), later.library.pending()) == (1, [])


@pytest.mark.parametrize("form", ["data: {}\n\n", "{}\n"], ids=["events", "lines"])
def test_task_of_a_stream_beside_too_few_pictures_is_followed(shell: Shells, form: str) -> None:
    told = [{"data": [item(1)]}, {"task_id": "t2", "status": "queued"}]
    body = "".join(form.format(json.dumps(each)) for each in told)
    script = apart(body.encode(), t2=[WAITS, made(2)])
    assert widths(shell(transport=script).generate("a fox", n=2)) == [1, 2]
    assert len(script.posts) == 1


@pytest.mark.filterwarnings("ignore:The answer is of a form that nobody described")
@pytest.mark.parametrize(
    "post",
    [
        {**item(1), "task_id": "t1"},
        {"image": item(1)["url"], "status_url": "/v1/x/t1"},
        {"output": item(1), "job_id": "t1", "status": "warm"},
    ],
    ids=str,
)
def test_picture_beside_a_task_that_nobody_knows_is_taken(
    shell: Shells, tmp_path: Path, post: Any
) -> None:
    script = apart(post, t1=[GONE])
    generation = shell(transport=script).generate("a fox")
    assert (widths(generation), GUESS in generation.notes, len(script.posts)) == ([1], True, 1)
    script = apart(post, t1=[GONE])
    studio = studio_on(tmp_path, script)
    assert widths(studio.generate("a fox")) == [1]
    assert (len(script.posts), studio.library.pending()) == (1, [])


@pytest.mark.filterwarnings("ignore:The answer is of a form that nobody described")
def test_picture_beside_a_task_is_kept_while_asking_fails(shell: Shells, tmp_path: Path) -> None:
    post, down = {**item(1), "task_id": "t1"}, Answer(b"", status=502)
    with pytest.raises(OpeaiError) as caught:
        shell(transport=apart(post, t1=[down])).generate("a fox")
    assert [picture.url for picture in caught.value.pictures] == [item(1)["url"]]
    studio = studio_on(tmp_path, apart(post, t1=[down]))
    with pytest.raises(OpeaiError):
        studio.generate("a fox")
    later = studio_on(tmp_path, apart(None, t1=[WAITS, GONE]))
    (entry,) = later.library.pending()
    assert json.loads(entry.answer() or b"") == post
    assert widths(later.resume(entry).result(60)) == [1]


def test_bytes_beside_the_address_of_a_status_are_the_picture(shell: Shells) -> None:
    script = apart({"b64_json": b64encode(png(17, 16)).decode(), "status_url": "/v1/x/t1"})
    assert widths(shell(transport=script).generate("a fox")) == [1]
    assert len(script.requests) == 1


def test_picture_that_is_still_to_come_and_fails_says_why(shell: Shells) -> None:
    script = apart({"data": [item(1), {"task_id": "t2", "status": "queued"}]}, t2=[FAILED])
    (failed,) = shell(transport=script).generate("a fox", n=2).failed
    assert "too dark" in str(failed.error)


@pytest.mark.filterwarnings("ignore:1 of 2 pictures could not be downloaded yet")
@pytest.mark.parametrize("end", ["killed", "in vain", "not downloaded"])
def test_picture_that_was_still_to_come_is_resumed(tmp_path: Path, end: str) -> None:
    post = {"data": [item(1), {"task_id": "t2", "status": "queued"}]}
    ends: dict[str, list[Any]] = {
        "killed": [TASK],
        "in vain": [GONE],
        "not downloaded": [made(404)],
    }
    first = studio_on(tmp_path, apart(post, t2=ends[end]))
    if end == "killed":
        first.library.keep = None  # type: ignore[method-assign]  # nothing is kept
        with pytest.raises(TypeError):
            first.generate("a fox", n=2)
    else:
        assert widths(first.generate("a fox", n=2)) == [1]
    script = apart(None, t2=[made(2)])
    later = studio_on(tmp_path, script)
    (entry,) = later.library.pending()
    assert widths(later.resume(entry).result(60)) == [1, 2]
    assert (script.posts, later.library.pending()) == ([], [])


def test_task_of_which_each_picture_is_refused_is_settled(tmp_path: Path) -> None:
    refused = {"status": "SUCCESS", "data": [{"error": {"message": "too dark", "code": "x"}}]}
    studio = studio_on(tmp_path, over(TASK, refused))
    with pytest.raises(AnswerError, match="too dark"):
        studio.generate("a fox")
    assert studio.library.pending() == []


def test_resume_asks_the_task_for_what_was_still_to_come(tmp_path: Path) -> None:
    first = studio_on(tmp_path, over(TASK, {"status": "SUCCESS", "data": [item(1), WAITS]}))
    assert widths(first.generate("a fox", n=2)) == [1]
    (entry,) = first.library.pending()
    assert (entry.truth, entry.task_id) == ("answer not read", "t1")
    script = over(TASK, BOTH)
    later = studio_on(tmp_path, script)
    assert widths(later.resume(entry).result(60)) == [1, 2]
    assert (script.posts, later.library.pending()) == ([], [])
    (record,) = later.library.search()
    assert len(record.paths) == 2
