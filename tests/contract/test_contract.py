"""What holds wherever the platform is: scripted, in process, or on a socket; sync and async."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import Task
from opeai_nb.engine.faults.rehearsal import REHEARSALS
from opeai_nb.errors import (
    AuthenticationError,
    BadRequestError,
    ModelNotFoundError,
    ModerationError,
    NoPictureError,
    OpeaiError,
    OutcomeUnknownError,
    TaskExpiredError,
    TaskFailedError,
)
from opeai_nb.testing import png
from tests.client.shells import Shell
from tests.contract.conftest import Place, in_process, on_a_socket

SIZE = "512x512"  # the smallest that every model in use here takes
PLAIN: dict[str, Any] = {"model": "qwen-image-2.0", "size": SIZE}
SLOW: dict[str, Any] = {"model": "gpt-image-2", "size": SIZE}


def rehearsal(name: str, **fields: Any) -> dict[str, Any]:
    return {"model": f"rehearsal-{name}", "size": SIZE, **fields}


class TestPictures:
    def test_sync_model_answers_with_pictures_of_the_size(
        self, client: Shell, place: Place
    ) -> None:
        before = place.posts()
        generation = client.generate("a fox", n=2, **PLAIN)
        assert [image.size for image in generation] == [(512, 512)] * 2
        assert {picture.format for picture in generation.pictures} == {"png"}
        assert (generation.task_id, place.posts() - before) == (None, 1)

    def test_urls_are_fetched_and_kept(self, client: Shell) -> None:
        generation = client.generate("a fox", response_format="url", **PLAIN)
        assert generation[0].size == (512, 512)
        assert generation.pictures[0].url.startswith("http")

    def test_submit_fetches_nothing_and_fetch_does(self, client: Shell) -> None:
        generation = client.submit("a fox", response_format="url", **PLAIN)
        assert generation.pictures[0].data is None
        assert client.fetch(generation)[0].size == (512, 512)

    def test_pictures_go_into_a_folder(self, client: Shell, tmp_path: Path) -> None:
        for form in ("b64_json", "url"):
            generation = client.generate("a fox", response_format=form, into=tmp_path, **PLAIN)
            assert generation.pictures[0].path.parent == tmp_path
            assert generation[0].size == (512, 512)

    def test_picture_may_be_given(self, client: Shell) -> None:
        assert len(client.generate("make it blue", image=png(64, 64), **PLAIN)) == 1

    def test_native_dialect_is_spoken(self, client: Shell) -> None:
        generation = client.generate(
            "a fox", dialect="aliyun", seed=7, prompt_extend=False, **PLAIN
        )
        assert generation[0].size == (512, 512)
        assert generation.request_id

    def test_models_are_listed(self, client: Shell) -> None:
        assert {"qwen-image-2.0", "gpt-image-2"} <= {model.id for model in client.models()}


class TestTasks:
    def test_task_is_followed_to_its_pictures(self, client: Shell, place: Place) -> None:
        seen: list[Task] = []
        before = place.posts()
        generation = client.generate("a fox", n=2, on_update=seen.append, **SLOW)
        assert [image.size for image in generation] == [(512, 512)] * 2
        assert (seen[0].status, seen[-1].status) == ("queued", "done")
        assert {task.id for task in seen} == {generation.task_id}
        assert place.posts() - before == 1

    def test_task_is_found_again_by_its_id_alone(self, client: Shell, place: Place) -> None:
        task = client.submit("a fox", **SLOW)
        assert isinstance(task, Task)
        other = Shell(client.kind, place.transport, base_url=place.base_url)
        assert len(other.wait(task.id)) == 1
        other.shut()

    def test_failed_task_says_why(self, client: Shell) -> None:
        with pytest.raises(TaskFailedError, match="gave up") as caught:
            client.generate("a fox", **rehearsal("failed"))
        assert caught.value.task_id

    def test_task_that_is_gone_has_expired(self, client: Shell) -> None:
        with pytest.raises(TaskExpiredError, match="24 hours"):
            client.generate("a fox", **rehearsal("expired"))

    def test_unknown_task_has_expired(self, client: Shell) -> None:
        with pytest.raises(TaskExpiredError):
            client.task("image_ffffffffffffffffffffffff")


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "kind"),
        [
            (rehearsal("moderation"), ModerationError),
            (rehearsal("empty"), NoPictureError),
            ({"model": "nobody-has-this"}, ModelNotFoundError),
            (rehearsal("partial") | {"size": "1x1"}, BadRequestError),
            (rehearsal("502"), OutcomeUnknownError),
        ],
    )
    @pytest.mark.filterwarnings("ignore::opeai_nb.client.wire.hints.RequestWarning")
    def test_has_its_own_class_and_costs_one_request(
        self, client: Shell, place: Place, fields: dict[str, str], kind: type[Exception]
    ) -> None:
        before = place.posts()
        with pytest.raises(kind) as caught:
            client.generate("a fox", **fields)
        assert type(caught.value) is kind
        assert place.posts() - before == 1

    def test_wrong_key_is_told(self, client: Shell, place: Place) -> None:
        other = Shell(client.kind, place.transport, base_url=place.base_url, api_key="sk-wrong-key")
        with pytest.raises(AuthenticationError, match="无效的令牌"):
            other.generate("a fox", **PLAIN)
        other.shut()

    def test_busy_platform_is_asked_again_with_the_same_key(
        self, client: Shell, place: Place
    ) -> None:
        before = place.posts()
        assert len(client.generate("a fox", **rehearsal("rate-limited"))) == 1
        assert place.posts() - before == 3

    def test_partial_batch_keeps_what_came(self, client: Shell) -> None:
        generation = client.generate("a fox", n=2, **rehearsal("partial"))
        assert (len(generation), len(generation.failed)) == (1, 1)

    def test_dropped_answer_is_never_paid_twice(self, client: Shell, place: Place) -> None:
        before = place.posts()
        with pytest.raises(OutcomeUnknownError, match="not sent again"):
            client.generate("a fox", n=2, **rehearsal("dropped"))
        assert place.posts() - before == 1


FATES: dict[str, tuple[type[Exception] | None, int]] = {
    "rehearsal-slow": (None, 1),
    "rehearsal-failed": (TaskFailedError, 1),
    "rehearsal-expired": (TaskExpiredError, 1),
    "rehearsal-moderation": (ModerationError, 1),
    "rehearsal-rate-limited": (None, 3),
    "rehearsal-partial": (None, 1),
    "rehearsal-empty": (NoPictureError, 1),
    "rehearsal-dropped": (OutcomeUnknownError, 1),
    "rehearsal-502": (OutcomeUnknownError, 1),
    "rehearsal-stalled": (OutcomeUnknownError, 1),
    "rehearsal-envelope": (None, 1),
    "rehearsal-cdn": (None, 1),
    "rehearsal-hiccup": (None, 1),
    "rehearsal-stream": (None, 1),
    "rehearsal-no-image": (None, 1),
    "rehearsal-no-task": (NoPictureError, 1),
    "rehearsal-location": (None, 1),
    "rehearsal-spelling": (None, 1),
}
"""What comes of each rehearsal model, and the POSTs it takes; None is pictures."""


def test_every_rehearsal_has_its_fate() -> None:
    assert list(FATES) == list(REHEARSALS)


@pytest.mark.parametrize("place", [in_process, on_a_socket], indirect=True)
@pytest.mark.parametrize("model", FATES)
def test_every_rehearsal_ends_as_it_must_and_is_paid_once(
    client: Shell, place: Place, model: str
) -> None:
    fate, posts = FATES[model]
    before = place.posts()
    try:
        generation = client.generate("a fox", model=model, size=SIZE, n=2)
        end = None
        assert len(generation) == (1 if model == "rehearsal-partial" else 2)
    except OpeaiError as error:
        end = type(error)
    assert (end, place.posts() - before) == (fate, posts)
