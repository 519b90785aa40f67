"""Foreign clients, pointed at the engine over loopback: what they send, it serves."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from opeai_nb.engine import Engine
from opeai_nb.engine.server.uvicorn_server import serving
from tests.engine.conftest import Answers, Files, Swatches

if TYPE_CHECKING:
    import openai  # loads for a second: at run time it comes with the first test that asks for it

VERBS = ("generate", "edit")


@pytest.fixture
def sdk(painter: Swatches) -> Iterator[openai.OpenAI]:
    import openai

    engine = Engine(painter=painter, key="sk-right")
    with (
        serving(engine) as url,
        httpx.Client(trust_env=False, timeout=60) as http,
        openai.OpenAI(
            base_url=f"{url}/v1", api_key="sk-right", max_retries=0, http_client=http
        ) as sdk,
    ):
        yield sdk
    engine.close()


def test_openai_python_generates_pictures(sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(model="qwen-image-2.0", prompt="a cat", n=2, size="1024x1024")
    assert [base64.b64decode(image.b64_json)[:4] for image in answer.data] == [b"\x89PNG"] * 2
    assert answer.usage.input_tokens_details.text_tokens == 1


def test_openai_python_gets_urls(sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(model="dall-e-3", prompt="a cat", response_format="url")
    assert answer.data[0].url.startswith("http://127.0.0.1:")
    assert answer.data[0].revised_prompt == "a cat"


def test_openai_python_lists_and_shows_models(sdk: openai.OpenAI) -> None:
    assert "gpt-image-2" in [model.id for model in sdk.models.list()]
    assert sdk.models.retrieve("dall-e-3").owned_by == "openai"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"prompt": ""}, "BadRequestError"),
        ({"model": "rehearsal-moderation"}, "BadRequestError"),
        ({"model": "rehearsal-rate-limited"}, "RateLimitError"),
        ({"model": "rehearsal-502"}, "InternalServerError"),
        ({"model": "nobody"}, "InternalServerError"),
    ],
)
def test_openai_python_raises_its_own_typed_errors(
    sdk: openai.OpenAI, fields: dict[str, Any], error: str
) -> None:
    import openai

    with pytest.raises(getattr(openai, error)) as raised:
        sdk.images.generate(**{"model": "qwen-image-2.0", "prompt": "a cat", **fields})
    assert raised.value.response.headers["X-Oneapi-Request-Id"]


def test_a_wrong_key_is_its_authentication_error(sdk: openai.OpenAI) -> None:
    import openai

    with pytest.raises(openai.AuthenticationError):
        sdk.with_options(api_key="sk-wrong").models.list()


def test_an_error_code_reaches_its_error(sdk: openai.OpenAI) -> None:
    import openai

    with pytest.raises(openai.BadRequestError) as raised:
        sdk.images.generate(model="rehearsal-moderation", prompt="a cat")
    assert raised.value.code == "moderation_blocked"


@pytest.mark.parametrize("many", [1, 2])
def test_openai_python_edits_pictures(sdk: openai.OpenAI, picture: Files, many: int) -> None:
    files = [(f"{n}.png", picture(600, 400), "image/png") for n in range(many)]
    answer = sdk.images.edit(
        model="gpt-image-1",
        image=files[0] if many == 1 else files,
        prompt="make it a sunny day",
        n=2,
        size="1024x1024",
    )
    sizes = [Image.open(io.BytesIO(base64.b64decode(one.b64_json))).size for one in answer.data]
    assert sizes == [(1024, 1024)] * 2
    assert answer.usage.input_tokens_details.image_tokens == 256 * many


def test_openai_python_edits_with_a_mask(sdk: openai.OpenAI, picture: Files) -> None:
    mask = io.BytesIO()
    Image.new("RGBA", (600, 400)).save(mask, "PNG")
    answer = sdk.images.edit(
        model="gpt-image-1",
        image=("cat.png", picture(600, 400)),
        mask=("mask.png", mask.getvalue()),
        prompt="a hat",
    )
    assert answer.size == "1536x1024"
    assert answer.usage.input_tokens_details.image_tokens == 256


def test_openai_python_is_refused_a_variation_once(sdk: openai.OpenAI, picture: Files) -> None:
    import openai

    refused = pytest.raises(openai.BadRequestError, match="Send the picture as `image`")
    with pytest.deprecated_call(), refused:
        sdk.with_options(max_retries=2).images.create_variation(image=("a.png", picture()))


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("qwen-image-2.0", {"n": 2}),
        ("qwen-image-2.0", {"response_format": "url"}),
        ("dall-e-3", {}),
        ("dall-e-3", {"response_format": "url"}),
        ("wan2.6-t2i", {}),
        ("gpt-image-1", {}),
        ("gpt-image-1", {"size": "auto", "quality": "auto"}),
        ("gpt-image-1", {"quality": "low", "size": "1536x1024", "background": "transparent"}),
        ("rehearsal-partial", {"n": 4}),
    ],
)
def test_answers_are_valid_by_openais_own_types(
    create: Answers, model: str, fields: dict[str, Any]
) -> None:
    from openai.types import ImagesResponse

    ImagesResponse.model_validate(create(model, **fields).json(), strict=True)


@pytest.mark.parametrize(
    ("model", "fields"),
    [("", {}), ("nobody", {}), ("gpt-image-1", {"size": "1x1"}), ("rehearsal-moderation", {})],
)
def test_errors_are_valid_by_openais_own_type(
    create: Answers, model: str, fields: dict[str, Any]
) -> None:
    from openai.types.shared import ErrorObject

    error = create(model, **fields).json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    ErrorObject.model_validate(error, strict=True)


def test_openai_python_finds_the_request_id(sdk: openai.OpenAI) -> None:
    assert sdk.images.generate(model="qwen-image-2.0", prompt="a cat")._request_id


@pytest.mark.long
class TestDashscope:
    """The vendor's own SDK, with the engine's `/aliyun/v1` as its base."""

    @pytest.fixture
    def base(self, painter: Swatches, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        dashscope = pytest.importorskip("dashscope")
        engine = Engine(painter=painter, task_seconds=(0.2, 0.2))
        with serving(engine) as url:
            monkeypatch.setattr(dashscope, "base_http_api_url", f"{url}/aliyun/v1")
            monkeypatch.setattr(dashscope, "api_key", "sk-any")
            monkeypatch.setenv("NO_PROXY", "*")
            yield url
        engine.close()

    def test_it_submits_waits_and_lists(self, base: str) -> None:
        from dashscope import ImageSynthesis

        asked = ImageSynthesis.call(model="qwen-image", prompt="a cat", size="1328*1328")
        assert asked.output.task_status == "SUCCEEDED", asked
        assert asked.output.results[0].url.startswith(base)
        listed = ImageSynthesis.list()
        assert listed.output or listed.status_code == 200

    def test_a_refusal_has_its_code_and_words(self, base: str) -> None:
        from dashscope import ImageSynthesis

        refused = ImageSynthesis.async_call(model="nobody", prompt="a cat")
        assert (refused.status_code, refused.code) == (503, "ModelNotFound")
        assert "No available channel" in refused.message


@pytest.mark.long
def test_the_readmes_table_of_clients_is_that_of_a_run(
    sdk: openai.OpenAI, picture: Files, tmp_path: Path
) -> None:
    """What foreign clients come to is what the README's table says, line for line."""
    here = Path(__file__).parent
    image = picture(512, 512)
    results = node_results(image, tmp_path)
    asked = {"model": "gpt-image-1", "prompt": "a cat"}
    results["openai-python generate"] = len(sdk.images.generate(**asked).data) == 1
    file = ("cat.png", image, "image/png")
    results["openai-python edit"] = len(sdk.images.edit(image=file, **asked).data) == 1
    results |= litellm_results(str(sdk.base_url), image) | form_results(str(sdk.base_url), image)
    readme = (here.parents[1] / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| client | generates | edits |\n|---|---|---|\n")[2]
    rows = table.partition("\n\n")[0].splitlines()
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(CLIENTS)
    for client, row in zip(CLIENTS, rows, strict=True):
        if f"{client} edit" in results:  # litellm or npm's packages may not be installed
            words = ["yes" if results[f"{client} {verb}"] is True else "no" for verb in VERBS]
            assert row == f"| {client} | {' | '.join(words)} |", results


CLIENTS = (
    *("openai-python", "openai-node", "AI SDK", "litellm"),
    *("Open WebUI (its requests, replayed)", "LobeChat (its requests, replayed)"),
)


def node_results(image: bytes, folder: Path) -> dict[str, object]:
    """Return what npm's clients came to; nothing where they cannot be installed."""
    packages = ["openai@6", "ai@6", "@ai-sdk/openai@3"]
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *packages]
    try:
        subprocess.run(install, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError):
        return {}  # no npm, or no registry
    script = shutil.copy(Path(__file__).parent / "strangers.mjs", folder)
    engine = Engine()
    with serving(engine) as url:
        command = ["node", script, url, base64.b64encode(image).decode()]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    engine.close()
    results: dict[str, object] = json.loads(done.stdout)
    return results


LITELLM = """
import base64, litellm, sys
where = dict(model="openai/gpt-image-1", prompt="a cat", api_base=sys.argv[1], api_key="sk-right")
print(bool(litellm.image_generation(**where).data[0].b64_json))
image = [base64.b64decode(sys.argv[2])]
print(bool(litellm.image_edit(**where, image=image).data[0].b64_json))
"""


def litellm_results(base: str, image: bytes) -> dict[str, object]:
    """Return what litellm's SDK came to; nothing where it is not installed."""
    if find_spec("litellm") is None:
        return {}
    command = [sys.executable, "-W", "ignore", "-c", LITELLM, base]
    done = subprocess.run(
        [*command, base64.b64encode(image).decode()],
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    words = done.stdout.split()
    return {f"litellm {verb}": words[n : n + 1] == ["True"] for n, verb in enumerate(VERBS)}


def form_results(base: str, image: bytes) -> dict[str, object]:
    """Return what the requests of two web applications came to, in the form that they send."""
    webui = {"model": "gpt-image-1", "prompt": "a cat", "n": 1, "size": "1024x1024"}
    lobe = {**webui, "seed": 7, "width": 1024, "height": 1024}
    form = {name: str(value) for name, value in webui.items()}
    several = [("image[]", (f"{n}.png", image, "image/png")) for n in range(2)]
    one = [("image", ("cat.png", image, "image/png"))]
    with httpx.Client(
        base_url=base, headers={"Authorization": "Bearer sk-right"}, timeout=60, trust_env=False
    ) as http:
        answers = {
            f"{CLIENTS[4]} generate": http.post("images/generations", json=webui),
            f"{CLIENTS[4]} edit": http.post("images/edits", data=form, files=several),
            f"{CLIENTS[5]} generate": http.post("images/generations", json=lobe),
            f"{CLIENTS[5]} edit": http.post(
                "images/edits", data={**form, "input_fidelity": "high"}, files=one
            ),
        }
    return {
        name: answer.is_success and bool(answer.json()["data"][0]["b64_json"])
        for name, answer in answers.items()
    }
