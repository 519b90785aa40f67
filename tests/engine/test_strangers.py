"""Foreign clients, pointed at the engine over loopback: what they send, it serves."""

from __future__ import annotations

import base64
import io
import json
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from PIL import Image

from opeai_nb.engine import Engine
from opeai_nb.engine.api.model_catalogue import MODELS, CatalogueModel
from opeai_nb.engine.server.uvicorn_server import serving
from tests.engine import works_with
from tests.engine.conftest import PLAIN, Answers, Files, Swatches
from tests.strangers import results_of

if TYPE_CHECKING:
    import openai  # loads for a second: at run time it comes with the first test that asks for it


@pytest.fixture
def sdk(painter: Swatches) -> Iterator[openai.OpenAI]:
    import openai

    engine = Engine(painter=painter, key="sk-right")
    with (
        serving(engine) as url,
        httpx.Client(timeout=60, **PLAIN) as http,
        openai.OpenAI(
            base_url=f"{url}/v1", api_key="sk-right", max_retries=0, http_client=cast("Any", http)
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


SYNC = [m for m in MODELS.values() if not m.async_only and m.family.vendor != "engine"]


@pytest.mark.parametrize("form", ["b64_json", "url"])
@pytest.mark.parametrize("edits", [False, True], ids=["generate", "edit"])
@pytest.mark.parametrize("model", SYNC, ids=lambda model: model.id)
def test_every_models_answers_are_valid_by_openais_own_types(
    create: Answers, picture: Files, model: CatalogueModel, edits: bool, form: str
) -> None:
    from openai.types import ImagesResponse
    from openai.types.shared import ErrorObject

    family = model.family
    image = "data:image/png;base64," + base64.b64encode(picture()).decode()
    answer = create(model.id, response_format=form, **({"image": image} if edits else {}))
    body = answer.json()
    if edits > bool(family.images_max) or edits < bool(family.images_min):
        assert answer.status_code == 400
        ErrorObject.model_validate(body["error"], strict=True)
        return
    if family.vendor == "ark":  # its usage is passed through as it is, platform.md 2.3, 4.2
        assert body.pop("usage").keys() == {"generated_images", "output_tokens", "total_tokens"}
    ImagesResponse.model_validate(body, strict=True)


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


DASHSCOPE = """
import json
import sys
import dashscope
dashscope.base_http_api_url, dashscope.api_key = sys.argv[1], "sk-any"
asked = dashscope.ImageSynthesis.call(model="qwen-image", prompt="a cat", size="1328*1328")
listed = dashscope.ImageSynthesis.list()
refused = dashscope.ImageSynthesis.async_call(model="nobody", prompt="a cat")
print(json.dumps({
    "status": asked.output.task_status, "url": asked.output.results[0].url,
    "listed": listed.status_code,
    "refused": [refused.status_code, refused.code, refused.message],
}))
"""


@pytest.mark.long
def test_dashscopes_own_sdk_submits_waits_lists_and_reads_refusals(painter: Swatches) -> None:
    engine = Engine(painter=painter, task_seconds=(0.2, 0.2))
    with serving(engine) as url:
        results = results_of(DASHSCOPE, f"{url}/aliyun/v1")
    engine.close()
    if results is None:
        pytest.skip("dashscope is not installed")
    assert (results["status"], results["listed"]) == ("SUCCEEDED", 200)
    assert results["url"].startswith(url)
    status, code, message = results["refused"]
    assert (status, code) == (503, "ModelNotFound")
    assert "No available channel" in message


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clients and the generator that npm has; skips where npm reaches nothing."""
    folder = tmp_path_factory.mktemp("npm")
    if not works_with.npm_installs(folder):
        pytest.skip("npm cannot install the clients")
    return folder


@pytest.mark.long
def test_openapi_typescript_makes_types_of_every_operation_and_its_errors(
    node_modules: Path,
) -> None:
    source = files("opeai_nb.engine.api") / "openapi.json"
    binaries, types = node_modules / "node_modules/.bin", node_modules / "api.ts"
    subprocess.run(
        [binaries / "openapi-typescript", str(source), "-o", types], check=True, timeout=120
    )
    paths = json.loads(source.read_text(encoding="utf-8"))["paths"]
    # DashScope's errors are flat.
    errors = {
        one["operationId"]: "bad" if path.startswith("/aliyun/") else "bad.error"
        for path, operations in paths.items()
        for one in operations.values()
    }
    uses = [
        f"export const {name} = (\n"
        f'  good: operations["{name}"]["responses"][200]["content"]["application/json"],\n'
        f'  bad: operations["{name}"]["responses"][401]["content"]["application/json"],\n'
        f"): string => `${{good}} ${{{error}.message.trim()}}`;\n"
        for name, error in errors.items()
    ]
    use = node_modules / "use.ts"
    use.write_text('import type { operations } from "./api";\n' + "".join(uses), encoding="utf-8")
    check = [str(binaries / "tsc"), "--noEmit", "--strict", str(use)]
    done = subprocess.run(check, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout


@pytest.mark.long
@pytest.mark.parametrize("client", works_with.CLIENTS)
def test_what_is_written_of_a_client_is_what_a_run_finds(
    client: str, picture: Files, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue("node_modules") if client in works_with.OF_NPM else None
    results = works_with.results_of_client(client, picture(512, 512), folder)
    if results is None:
        pytest.skip(f"{client} is not installed")
    assert results == works_with.written()[client]


def test_the_readmes_table_is_that_of_the_last_run() -> None:
    assert works_with.table(works_with.written()) in works_with.README.read_text(encoding="utf-8")


def test_the_last_run_has_each_client() -> None:
    assert list(works_with.written()) == list(works_with.CLIENTS)
