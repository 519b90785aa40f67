"""What is asked: every field by its own name, checked before anything is sent."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

from opeai_nb.client import ImageRequest, RequestWarning, build_request
from opeai_nb.client.wire.hints import hints
from opeai_nb.errors import InputError
from opeai_nb.testing import Script, pictures_answer, png
from tests.client.shells import URL, Shell

FIELDS = {
    "model": "gpt-image-2",
    "n": 2,
    "size": "1024x1024",
    "quality": "high",
    "response_format": "url",
    "output_format": "webp",
    "output_compression": 80,
    "background": "transparent",
    "moderation": "low",
    "style": "vivid",
    "user": "ann",
    "sequential_image_generation": "auto",
    "watermark": False,
}


def sent(shell: Callable[..., Shell], *args: Any, **fields: Any) -> dict[str, Any]:
    script = Script(pictures_answer(png()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RequestWarning)
        shell(transport=script).generate(*args, **fields)
    assert script.requests[0].headers["content-type"] == "application/json"
    return script.sent[0]


class TestWhatIsSent:
    def test_what_is_not_set_is_not_sent(self, shell: Callable[..., Shell]) -> None:
        assert sent(shell, "a fox") == {"model": "qwen-image-2.0", "prompt": "a fox"}

    def test_every_field_goes_by_its_own_name(self, shell: Callable[..., Shell]) -> None:
        assert sent(shell, "a fox", **FIELDS) == {"prompt": "a fox", **FIELDS}

    def test_false_and_zero_are_values(self, shell: Callable[..., Shell]) -> None:
        body = sent(shell, "a fox", watermark=False, output_compression=0)
        assert (body["watermark"], body["output_compression"]) == (False, 0)

    def test_unknown_fields_go_as_extra(self, shell: Callable[..., Shell]) -> None:
        body = sent(shell, "a fox", extra={"guidance_scale": 2.5, "tools": [{"type": "x"}]})
        assert (body["guidance_scale"], body["tools"]) == (2.5, [{"type": "x"}])

    def test_unknown_model_and_size_are_sent_as_they_are(self, shell: Callable[..., Shell]) -> None:
        body = sent(shell, "a fox", model="tomorrow-1", size="17x19")
        assert (body["model"], body["size"]) == ("tomorrow-1", "17x19")

    @pytest.mark.parametrize("dialect", ["openai", "aliyun"])
    def test_size_of_an_unknown_form_is_sent_as_it_is(
        self, shell: Callable[..., Shell], dialect: str
    ) -> None:
        body = sent(shell, "a fox", dialect=dialect, extra={"size": "adaptive"})
        assert body.get("parameters", body)["size"] == "adaptive"

    def test_chinese_and_emoji_travel(self, shell: Callable[..., Shell]) -> None:
        assert sent(shell, "一只狐狸 🦊")["prompt"] == "一只狐狸 🦊"

    def test_request_can_be_given_ready_made(self, shell: Callable[..., Shell]) -> None:
        request = ImageRequest("a fox", n=2)
        assert sent(shell, request)["n"] == 2
        assert sent(shell, request, n=3)["n"] == 3

    @pytest.mark.parametrize("base", [URL, f"{URL}/", f"{URL}/v1", f"{URL}/v1/images/generations"])
    def test_base_url_may_end_in_v1_or_not(self, shell: Callable[..., Shell], base: str) -> None:
        script = Script(pictures_answer(png()))
        shell(transport=script, base_url=base).generate("a fox")
        assert str(script.requests[0].url) == f"{URL}/v1/images/generations"

    def test_base_url_may_have_a_path_of_its_own(self, shell: Callable[..., Shell]) -> None:
        script = Script(pictures_answer(png()))
        shell(transport=script, base_url=f"{URL}/gateway/v1/").generate("a fox")
        assert str(script.requests[0].url) == f"{URL}/gateway/v1/images/generations"


class TestSizes:
    @pytest.mark.parametrize(
        ("size", "wire"),
        [
            ("1024x1024", "1024x1024"),
            ("1024×768", "1024x768"),
            ("1024*768", "1024x768"),
            (" 1024 X 768 ", "1024x768"),
            ("1024 \u0445 768", "1024x768"),
            ((1024, 768), "1024x768"),
            ([1024, 768], "1024x768"),
            ("0512x0512", "512x512"),
            ("2K", "2K"),
            ("4k", "4K"),
            ("auto", "auto"),
            ("AUTO", "auto"),
        ],
    )
    def test_size_is_brought_to_the_platforms_form(
        self, shell: Callable[..., Shell], size: list[int] | str | tuple[int, int], wire: str
    ) -> None:
        assert sent(shell, "a fox", size=size)["size"] == wire

    @pytest.mark.parametrize(
        ("model", "ratio", "size"),
        [
            ("qwen-image", "16:9", "1664x928"),
            ("wan2.6-t2i", "3:4", "1104x1472"),
            ("gpt-image-1", "3:2", "1536x1024"),
            ("gpt-image-1", "1/1", "1024x1024"),
        ],
    )
    def test_ratio_becomes_a_size_that_the_model_takes(
        self, shell: Callable[..., Shell], model: str, ratio: str, size: str
    ) -> None:
        assert sent(shell, "a fox", model=model, size=ratio)["size"] == size

    @pytest.mark.parametrize(
        "size",
        ["big", "", "1024", "x", "1024x", "0x5", "-1x5", "1x2x3", "0:1", 1024, (1, 2, 3), 1.5],
    )
    def test_what_is_no_size_is_refused(self, size: Any) -> None:
        with pytest.raises(InputError, match=r"is not a size.*Nothing was sent"):
            ImageRequest("a fox", size=size)


class TestBadInput:
    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"prompt": ""}, "prompt is empty"),
            ({"prompt": " \n "}, "prompt is empty"),
            ({"prompt": None}, "prompt is empty"),
            ({"prompt": 7}, "prompt is a int"),
            ({"prompt": "\ud800"}, "surrogate"),
            ({"model": ""}, "not the name of a model"),
            ({"model": None}, "not the name of a model"),
            ({"n": 0}, "n is 0"),
            ({"n": 129}, "n is 129"),
            ({"n": "two"}, "n is 'two', not a whole number"),
            ({"n": 1.5}, "not a whole number"),
            ({"n": True}, "not a whole number"),
            ({"size": "big"}, "is not a size"),
            ({"quality": 3}, "quality is 3"),
            ({"response_format": "png"}, "b64_json, url"),
            ({"sequential_image_generation": "on"}, "disabled, auto"),
            ({"dialect": "french"}, "openai, aliyun"),
            ({"output_compression": 101}, "output_compression is 101"),
            ({"watermark": "no"}, "True or False"),
            ({"seed": 1}, 'seed.*dialect="aliyun"'),
            ({"negative_prompt": "x"}, 'negative_prompt.*dialect="aliyun"'),
            ({"prompt_extend": True}, 'prompt_extend.*dialect="aliyun"'),
            ({"stream": True}, "stream=True is not supported"),
            ({"extra": {"stream": True}}, "stream"),
            ({"extra": {"n": 2}}, "field of its own"),
            ({"extra": {"size": "1x1"}, "size": "2x2"}, "field of its own"),
            ({"extra": [1]}, "not a dict"),
            ({"extra": {"x": object()}}, "written as JSON"),
            ({"extra": {"x": float("nan")}}, "written as JSON"),
            ({"extra": {"x": "\ud800"}}, "written as JSON"),
            ({"sise": "1x1"}, "Did you mean 'size'"),
            ({"num_images": 2}, "Did you mean 'n'"),
            ({"width": 512}, "Did you mean 'size'"),
            ({"zzz": 1}, "extra={'zzz'"),
        ],
    )
    def test_is_one_clear_error_and_nothing_is_sent(
        self, shell: Callable[..., Shell], fields: dict[str, Any], told: str
    ) -> None:
        script = Script()
        with pytest.raises(InputError, match=told) as caught:
            shell(transport=script).generate(**{"prompt": "a fox", **fields})
        assert script.requests == []
        assert isinstance(caught.value, ValueError)

    def test_stream_false_is_harmless(self, shell: Callable[..., Shell]) -> None:
        assert "stream" not in sent(shell, "a fox", stream=False)

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://x.test",
            "x.test",
            "http://",
            "http://x.test:99999",
            "http://[::1",
            7,
            "http://u:p@x",
            "https://x.test/openai/v1?api-version=1",
        ],
    )
    def test_base_url_that_cannot_be_is_refused(
        self, shell: Callable[..., Shell], url: int | str
    ) -> None:
        with pytest.raises(InputError, match="base URL"):
            shell(transport=Script(), base_url=url)

    def test_engine_url_says_who_knows_it(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(InputError, match="embedded engine"):
            shell(transport=Script(), base_url="engine:")


class TestHints:
    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"model": "qwen-image", "size": "1024x1024"}, "may refuse size 1024x1024"),
            ({"model": "dall-e-3", "n": 2}, "at most 1 at once"),
            ({"model": "wan2.6-image"}, "needs 1 input picture"),
            ({"model": "dall-e-3", "image": "https://x.test/1.png"}, "at most 0 input pictures"),
            ({"model": "wan2.6-t2i", "quality": "high"}, "ignores quality"),
            ({"model": "gpt-image-1", "output_compression": 0}, "output_compression=0 is dropped"),
            ({"model": "dall-e-2", "prompt": "x" * 1001}, "at most 1000 characters"),
            ({"dialect": "aliyun", "response_format": "url"}, "no field for response_format: not"),
        ],
    )
    def test_what_speaks_against_a_request_is_told_and_sent(
        self, shell: Callable[..., Shell], fields: dict[str, Any], told: str
    ) -> None:
        script = Script(pictures_answer(png()))
        with pytest.warns(RequestWarning, match=told) as caught:
            shell(transport=script).generate(**{"prompt": "a fox", **fields})
        assert len(script.posts) == 1
        assert all("opeai_nb" not in each.filename for each in caught)

    def test_nothing_is_said_of_an_unknown_model(self) -> None:
        assert hints(ImageRequest("a fox", model="tomorrow-1", size="1x1", n=99)) == ()

    def test_ready_made_request_is_not_told_twice(self, shell: Callable[..., Shell]) -> None:
        request = build_request("a fox", {"model": "dall-e-3", "n": 2})
        shell(pictures_answer(png())).generate(request)


class TestAliyun:
    def test_body_is_that_of_the_native_endpoint(self, shell: Callable[..., Shell]) -> None:
        script = Script(pictures_answer(png()))
        shell(transport=script).generate(
            "a fox",
            dialect="aliyun",
            image=["https://x.test/1.png", "https://x.test/2.png"],
            size="1328x1328",
            n=1,
            seed=42,
            negative_prompt="blur",
            prompt_extend=True,
            watermark=False,
            extra={"thinking": 1},
        )
        assert script.requests[0].url.path == "/aliyun/v1/images/generations"
        content = [
            {"image": "https://x.test/1.png"},
            {"image": "https://x.test/2.png"},
            {"text": "a fox"},
        ]
        assert script.sent[0] == {
            "model": "qwen-image-2.0",
            "input": {"messages": [{"role": "user", "content": content}]},
            "parameters": {
                "size": "1328*1328",
                "n": 1,
                "seed": 42,
                "negative_prompt": "blur",
                "prompt_extend": True,
                "watermark": False,
                "thinking": 1,
            },
        }

    def test_sync_answer_is_read(self, shell: Callable[..., Shell]) -> None:
        content = [{"image": "https://x.test/1.png", "type": "image"}, {"text": "a red fox"}]
        choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        body = {"request_id": "r-1", "output": {"choices": [choice], "finished": True}}
        usage = {"width": 1248, "height": 832, "image_count": 1}
        generation = shell({**body, "usage": usage}, png()).generate("a fox", dialect="aliyun")
        assert (len(generation), generation.request_id, generation.usage) == (1, "r-1", usage)
        assert generation.revised_prompt == "a red fox"

    def test_task_is_asked_about_where_aliyun_keeps_it(self, shell: Callable[..., Shell]) -> None:
        output = {"task_id": "0385dc79", "task_status": "SUCCEEDED"}
        item = {"orig_prompt": "a", "actual_prompt": "a red fox", "url": "https://x.test/1.png"}
        script = Script(
            {"request_id": "r", "output": {"task_id": "0385dc79", "task_status": "PENDING"}},
            {"output": {**output, "submit_time": "2025-09-09 11:38:54.741", "results": [item]}},
            png(),
        )
        generation = shell(transport=script).generate("a fox", dialect="aliyun")
        assert script.requests[1].url.path == "/aliyun/v1/tasks/0385dc79"
        assert (generation.task_id, generation.revised_prompt) == ("0385dc79", "a red fox")

    def test_other_places_are_tried_and_the_right_one_is_remembered(
        self, shell: Callable[..., Shell]
    ) -> None:
        from opeai_nb.testing import error_answer

        missing = error_answer("no", status=404)
        waiting = {"output": {"task_id": "t", "task_status": "RUNNING"}}
        done = {
            "output": {"task_status": "SUCCEEDED", "results": [{"url": "https://x.test/1.png"}]}
        }
        script = Script(waiting, missing, waiting, done, png())
        shell(transport=script).generate("a fox", dialect="aliyun")
        assert [request.url.path for request in script.requests[1:4]] == [
            "/aliyun/v1/tasks/t",
            "/aliyun/v1/images/generations/t",
            "/aliyun/v1/images/generations/t",
        ]

    @pytest.mark.parametrize("seed", [-1, 2**31, "x"])
    def test_seed_outside_its_range_is_refused(self, seed: Any) -> None:
        with pytest.raises(InputError, match="seed"):
            ImageRequest("a fox", dialect="aliyun", seed=seed)
