"""A paid request is sent once: counted on a real server that misbehaves at each stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from opeai_nb.errors import (
    BadRequestError,
    OpeaiError,
    OutcomeUnknownError,
    RateLimitError,
    UnreachableError,
)
from opeai_nb.testing import (
    Answer,
    Drop,
    Refuse,
    Script,
    Stall,
    error_answer,
    pictures_answer,
    png,
    task_answer,
)
from tests.client.misbehaving import GOOD, busy, in_seconds, misbehaving, nobody
from tests.client.shells import KEY, Shell

# stage, the POSTs that we send, the error
STAGES = {
    "drops before an answer": ("drop", 1, OutcomeUnknownError),
    "answers half": ("half", 1, OutcomeUnknownError),
    "stalls before an answer": ("mute", 1, OutcomeUnknownError),
    "stalls in the middle": ("stall", 1, OutcomeUnknownError),
    "500": (error_answer("no", status=500, code=None), 1, OutcomeUnknownError),
    "502 with a page": (Answer("<html>Bad Gateway</html>", 502), 1, OutcomeUnknownError),
    "503": (Answer(b"", 503), 1, OutcomeUnknownError),
    "408": (Answer(b"", 408), 1, OutcomeUnknownError),
    "409": (error_answer("no", status=409, code=None), 1, OpeaiError),
    "409, of a proxy that sent it twice": (
        error_answer("This Idempotency-Key is in use", status=409, code=None),
        1,
        OutcomeUnknownError,
    ),
    "400, of a gateway that lost who paints": (
        error_answer("upstream request timeout", status=400, code=None),
        1,
        OutcomeUnknownError,
    ),
    "424": (error_answer("the model has failed", status=424, code=None), 1, OutcomeUnknownError),
    "400, of an input that was not fetched": (
        error_answer("Timed out while downloading the image", status=400, code=None),
        1,
        BadRequestError,
    ),
    "400, of a field": (
        error_answer("timeout must be below 600", status=400, code=None),
        1,
        BadRequestError,
    ),
    "429": (busy(), 5, RateLimitError),
    "429, empty": (Answer(b"", 429), 5, RateLimitError),
    "429, Retry-After seconds": (busy(Retry_After="2"), 5, RateLimitError),
    "429, Retry-After a fraction": (busy(Retry_After="0.5"), 5, RateLimitError),
    "429, Retry-After a date": (busy(**in_seconds(3)), 5, RateLimitError),
    "429, Retry-After garbage": (busy(Retry_After="soon"), 5, RateLimitError),
    "429, Retry-After an hour": (busy(Retry_After="3600"), 1, RateLimitError),
    "429, quota": (error_answer("no", status=429, code="insufficient_quota"), 1, OpeaiError),
}
SILENT = ("mute", "stall")
PAUSES = {
    "429": [1, 2, 4, 8],
    "429, Retry-After seconds": [2, 2, 2, 2],
    "429, Retry-After a fraction": [0.5, 0.5, 0.5, 0.5],
    "429, Retry-After a date": [3, 3, 3, 3],
    "429, Retry-After garbage": [1, 2, 4, 8],
}


@pytest.mark.parametrize("name", STAGES)
def test_posts_on_a_misbehaving_server(shell: Callable[..., Shell], name: str) -> None:
    stage, posts, kind = STAGES[name]
    with misbehaving(stage) as server:
        client = shell(base_url=server.url, submit_timeout=0.2 if stage in SILENT else 60.0)
        with pytest.raises(kind) as caught:
            client.generate("a fox")
        server.wait_for(posts)
    assert (len(server.keys), len(set(server.keys))) == (posts, 1)
    assert caught.value.idempotency_key == server.keys[0]
    assert PAUSES.get(name, client.pauses) == client.pauses


def test_refused_connection_is_tried_again_and_nothing_was_sent(
    shell: Callable[..., Shell],
) -> None:
    with nobody() as url:
        client = shell(base_url=url)
        with pytest.raises(UnreachableError, match="nothing was paid"):
            client.generate("a fox")
    assert client.pauses == [0.5, 1.0]


def test_mainstream_sdk_pays_more_often(capsys: pytest.CaptureFixture[str]) -> None:
    """The same stages with openai-python as it comes: what the rule is worth."""
    import openai  # loads for a second

    rows = []
    for name, (stage, ours, _) in STAGES.items():
        if "Retry-After" in name or "stall" in name:
            continue  # these take openai-python minutes
        with misbehaving(stage) as server:
            peer = openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY, timeout=60.0)
            peer._calculate_retry_timeout = lambda *_, **__: 0.0  # type: ignore[method-assign]  # it waits
            with pytest.raises(openai.OpenAIError):
                peer.images.generate(prompt="a fox", model="m")
            peer.close()
        rows.append((name, ours, len(server.keys)))
    with capsys.disabled():
        print("\n  POSTs that reach the server      ours   openai-python")
        for name, ours, theirs in rows:
            print(f"  {name:<32}{ours:>5}{theirs:>16}")
    unknown = [(ours, theirs) for name, ours, theirs in rows if "429" not in name]
    assert all(ours == 1 for ours, _ in unknown)
    assert max(theirs for _, theirs in unknown) == 3


class TestScripted:
    """The same rule, stage after stage in one conversation."""

    def test_refusals_and_busyness_end_in_one_generation(self, shell: Callable[..., Shell]) -> None:
        script = Script(Refuse(), busy(), Refuse(), Answer(b"", 429), GOOD)
        client = shell(transport=script)
        assert len(client.generate("a fox")) == 1
        keys = {request.headers["idempotency-key"] for request in script.posts}
        assert (len(script.posts), len(keys)) == (5, 1)

    @pytest.mark.parametrize("failure", [Drop(), Stall(), GOOD.half(), Answer(b"", 500)])
    def test_nothing_is_sent_after_an_unknown_outcome(
        self, shell: Callable[..., Shell], failure: Answer | Drop | Stall
    ) -> None:
        script = Script(busy(), failure)
        with pytest.raises(OutcomeUnknownError, match="not sent again"):
            shell(transport=script).generate("a fox")
        assert len(script.posts) == 2

    def test_each_request_has_a_key_of_its_own(self, shell: Callable[..., Shell]) -> None:
        script = Script(GOOD, GOOD)
        client = shell(transport=script)
        client.generate("a fox")
        client.generate("a fox")
        assert len({request.headers["idempotency-key"] for request in script.posts}) == 2

    def test_key_can_be_given(self, shell: Callable[..., Shell]) -> None:
        script = Script(GOOD)
        shell(transport=script).generate("a fox", idempotency_key="mine-1")
        assert script.posts[0].headers["idempotency-key"] == "mine-1"

    @pytest.mark.parametrize("key", ["", "a b", "a\nb", "ä", "k" * 256, 7])
    def test_key_that_no_header_carries_is_refused(
        self, shell: Callable[..., Shell], key: int | str
    ) -> None:
        script = Script()
        with pytest.raises(OpeaiError, match="idempotency_key"):
            shell(transport=script).generate("a fox", idempotency_key=key)
        assert script.requests == []

    def test_pictures_complete_before_a_cut_are_on_the_error(
        self, shell: Callable[..., Shell]
    ) -> None:
        large = png() + bytes(range(256)) * 40
        answer = pictures_answer(large, large, large)
        cut = Answer(answer.body, drop_after=len(answer.content) - 4000)
        with pytest.raises(OutcomeUnknownError) as caught:
            shell(cut).generate("a fox", n=3)
        assert [picture.data for picture in caught.value.pictures] == [large, large]
        assert caught.value.status_code == 200

    @pytest.mark.parametrize("end", ["drop_after", "stall_after"])
    @pytest.mark.parametrize("part", [1.0, 0.6])
    def test_task_whose_id_came_before_the_cut_is_followed(
        self, shell: Callable[..., Shell], end: str, part: float
    ) -> None:
        content = task_answer("QUEUED", id="image_2f9b9a3d8c1e4f5a6b7c8d9e").content
        cut = Answer(content, **cast("Any", {end: int(len(content) * part)}))
        script = Script(cut, task_answer("SUCCESS", data=GOOD.body["data"]))
        generation = shell(transport=script).generate("a fox")
        assert generation.task_id == "image_2f9b9a3d8c1e4f5a6b7c8d9e"
        assert (len(generation), len(script.posts)) == (1, 1)

    def test_pictures_that_came_count_more_than_a_task_id_beside_them(
        self, shell: Callable[..., Shell]
    ) -> None:
        large = pictures_answer(png() + bytes(range(256)) * 40).body
        content = json.dumps({"task_id": "t1", **large}).encode()
        with pytest.raises(OutcomeUnknownError) as caught:
            shell(Answer(content, drop_after=len(content) - 5)).generate("a fox")
        assert len(caught.value.pictures) == 1

    def test_half_without_a_length_tells_its_task_too(self, shell: Callable[..., Shell]) -> None:
        content = task_answer("QUEUED", id="image_2f9b9a3d8c1e4f5a6b7c8d9e").content
        script = Script(content[:90], task_answer("SUCCESS", data=GOOD.body["data"]))
        assert len(shell(transport=script).generate("a fox")) == 1

    def test_answer_that_is_whole_before_the_cut_is_an_answer(
        self, shell: Callable[..., Shell]
    ) -> None:
        for answer in (GOOD, pictures_answer("https://pictures.test/1.png")):
            cut = Answer(answer.body, drop_after=len(answer.content))
            script = Script(cut, png())
            assert [p.data for p in shell(transport=script).generate("a fox").pictures] == [png()]
            assert len(script.posts) == 1

    @pytest.mark.parametrize("body", [{}, "ok", {"error": {"message": "no"}}, {"prompt": '"id":'}])
    def test_cut_that_tells_nothing_leaves_the_outcome_unknown(
        self, shell: Callable[..., Shell], body: dict[str, Any] | str
    ) -> None:
        answer = Answer(json.dumps(body).encode())
        with pytest.raises(OutcomeUnknownError, match="the connection broke"):
            shell(replace(answer, drop_after=len(answer.content))).generate("a fox")

    def test_read_timeout_of_a_post_is_five_minutes(self, shell: Callable[..., Shell]) -> None:
        script = Script(GOOD)
        shell(transport=script).generate("a fox")
        assert script.posts[0].extensions["timeout"]["read"] == 300.0
