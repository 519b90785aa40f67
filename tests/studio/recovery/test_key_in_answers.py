"""Wherever a server puts the key, it is neither shown nor written; what is used has it."""

from __future__ import annotations

import json
import tempfile
import traceback
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opeai_nb.client.values.views.result_json import error_json, generation_json, print_json
from opeai_nb.client.values.views.result_view import generation_bundle
from opeai_nb.errors import OpeaiError, TaskExpiredError
from opeai_nb.notebook.commands.pending_commands import tasks
from opeai_nb.studio import Studio
from opeai_nb.testing import Answer, Script, error_answer, png
from tests.studio.recovery.test_kept_answers import KEY, studio_on, written_in

RED = b64encode(png()).decode()
URL = "http://p.test/files/1.png"
DONE = {"status": "SUCCESS", "data": [{"url": URL, "revised_prompt": "a fox"}]}
PLAYS: dict[str, tuple[Any, ...]] = {
    "at once": (
        {"created": 1, "id": "g1", "model": "m", "data": [{"url": URL}], "usage": {"kind": "a"}},
    ),
    "bytes": ({"request_id": "r1", "images": [{"b64_json": RED, "revised_prompt": "a fox"}]},),
    "task": ({"task_id": "t1", "status": "queued", "poll_url": "/v1/t/1", "prompt": "p"}, DONE),
    "several": ({"tasks": [{"task_id": "t1", "status": "queued"}, {"task_id": "t2"}]}, DONE),
    "failed": ({"id": "t1", "status": "queued"}, {"status": "failed", "fail_reason": "no"}),
    "unknown": ({"id": "t1", "status": "queued"}, {"status": "cooking", "message": "soon"}),
    "lost": ({"task_id": "t1"}, {"error": {"message": "no such task", "code": "x"}}),
    "odd": ({"code": 31, "message": "something is up", "result": "1712204995849323"},),
    "refused": ({"error": {"message": "no", "code": "c", "type": "t"}, "task_id": "t1"},),
    "picture to come": ({"data": [{"url": URL}, {"task_id": "t2", "status": "queued"}]}, DONE),
    "no picture": ({"data": [{"url": "http://p.test/gone/1"}], "id": "g1"},),
}
WAYS: dict[str, Callable[[str], str]] = {
    "instead": lambda _: KEY,
    "before": lambda text: KEY + text,
    "behind": lambda text: f"{text}/{KEY}",
    "as a query": lambda text: f"{text}?key={KEY}",
    "inside": lambda text: f"{text[: len(text) // 2]}-{KEY}_{text[len(text) // 2 :]}",
}


def texts_in(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the texts of an answer stand."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in items:
        if isinstance(inner, (dict, list)):
            yield from texts_in(inner, (*at, name))
        elif isinstance(inner, str) and inner != RED:
            yield (*at, name)


def with_key(body: Any, at: tuple[Any, ...], write: Callable[[str], str]) -> Any:
    body = json.loads(json.dumps(body))
    holder = body
    for name in at[:-1]:
        holder = holder[name]
    holder[at[-1]] = write(holder[at[-1]])
    return body


PLACES = [
    (name, turn, at)
    for name, play in PLAYS.items()
    for turn, body in enumerate(play)
    for at in texts_in(body)
]
chosen = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(sorted(WAYS))), min_size=1, max_size=3
).filter(lambda picks: len({name for (name, _, _), _ in picks}) == 1)


def script_of(picks: list[tuple[tuple[str, int, tuple[Any, ...]], str]]) -> Script:
    play = list(PLAYS[picks[0][0][0]])
    for (_, turn, at), way in picks:
        play[turn] = with_key(play[turn], at, WAYS[way])

    def answer(request: httpx.Request) -> Any:
        if request.method == "POST":
            return Answer(play[0])
        if ".png" in str(request.url) or "/files/" in str(request.url) or len(play) == 1:
            return Answer(b"no", status=404) if "gone" in str(request.url) else png()
        return Answer(play[1])

    return Script(answer)


def shown(studio: Studio, capsys: Any) -> str:
    """Return all that is shown of what a request came to: outputs, lists, logs, warnings."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        job = studio.start("a fox")
        updates = [repr(update) for update in job.follow(tick=0.01)]
        texts = [*updates, repr(job), repr(job.snapshots)]
        try:
            made = job.result(60)
        except OpeaiError as error:
            used = {"task_id", "url"}  # who shows them is looked at
            texts += [*traceback.format_exception(error), *error._render_traceback_(), str(error)]
            texts += [repr({k: v for k, v in vars(error).items() if k not in used})]
            print_json(error_json("a fox", None, error))
        else:
            print_json(generation_json(made))
            texts += [repr(made), repr(made.pictures), repr(generation_bundle(made))]
        session: Any = SimpleNamespace(studio=studio)
        texts += [repr(tasks(session))]
    return "\n".join([*texts, *map(str, told), *capsys.readouterr()])


@given(chosen)
@example([(("at once", 0, ("data", 0, "url")), "inside")])
@example([(("task", 0, ("task_id",)), "instead")])
@example([(("lost", 0, ("task_id",)), "before")])
def test_key_in_any_text_of_an_answer_is_neither_shown_nor_written(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, picks: Any
) -> None:
    caplog.clear()
    with tempfile.TemporaryDirectory() as folder, caplog.at_level("DEBUG"):
        studio = studio_on(Path(folder), script := script_of(picks))
        told = shown(studio, capsys)
        assert KEY not in told
        assert KEY not in caplog.text
        assert KEY.encode() not in written_in(studio)
    assert len(script.posts) == 1


@pytest.mark.parametrize("way", sorted(WAYS))
def test_task_whose_id_has_the_key_in_it_is_resumed_by_the_id_as_it_came(
    tmp_path: Path, way: str
) -> None:
    task_id = WAYS[way]("t1")
    gone = error_answer("no such task", status=404, code="ResourceNotFound")
    script = Script(lambda sent: {"task_id": task_id} if sent.method == "POST" else gone)
    studio = studio_on(tmp_path, script)
    with pytest.raises(TaskExpiredError) as caught:
        studio.generate("a fox")
    assert caught.value.task_id == task_id
    (entry,) = studio.library.pending()
    later = studio_on(
        tmp_path, again := Script(lambda sent: png() if "png" in str(sent.url) else DONE)
    )
    assert len(later.resume(entry).result(60)) == 1
    assert again.requests[0].url == script.requests[-1].url
    assert KEY.encode() not in written_in(later)
