"""Run foreign clients against the engine, and write what came of it: `works_with.json`, README.

Run: python tests/engine/works_with.py. Clients of npm need npm and its registry; litellm stands in
the Python that `OPEAI_NB_STRANGERS` names. One that cannot be had keeps what was written of it.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
RESULTS: Final = Path(__file__).with_suffix(".json")
VERBS: Final = ("generate", "edit")
OF_NPM: Final = ("openai-node", "AI SDK")
OPEN_WEBUI: Final = "Open WebUI (its requests, replayed)"
LOBE_CHAT: Final = "LobeChat (its requests, replayed)"
CLIENTS: Final = ("openai-python", *OF_NPM, "litellm", OPEN_WEBUI, LOBE_CHAT)
KEY: Final = "sk-right"
HEAD: Final = "| client | generates | edits |\n|---|---|---|\n"
PACKAGES: Final = ("openai@6", "ai@6", "@ai-sdk/openai@3", "openapi-typescript@7", "typescript@5")
LITELLM = """
import base64
import json
import sys
import litellm
where = dict(model="openai/gpt-image-1", prompt="a cat", api_base=sys.argv[1], api_key="sk-right")
image = [base64.b64decode(sys.argv[2])]
print(json.dumps({
    "litellm generate": bool(litellm.image_generation(**where).data[0].b64_json),
    "litellm edit": bool(litellm.image_edit(**where, image=image).data[0].b64_json),
}))
"""


def written() -> dict[str, dict[str, bool]]:
    """Return what the last run found: for each client, what works."""
    results: dict[str, dict[str, bool]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return results


def table(results: dict[str, dict[str, bool]]) -> str:
    """Return the README's table of *results*."""
    rows = [
        f"| {client} | {' | '.join('yes' if works[verb] else 'no' for verb in VERBS)} |\n"
        for client, works in results.items()
    ]
    return HEAD + "".join(rows) + "\n"


def with_table(readme: str, results: dict[str, dict[str, bool]]) -> str:
    """Return the text of the README with the table of *results* in the place of its own."""
    before, _, rest = readme.partition(HEAD)
    return before + table(results) + rest.partition("\n\n")[2]


def results_of_client(client: str, image: bytes, npm: Path | None) -> dict[str, bool] | None:
    """Return what of `VERBS` works for *client*; None where it cannot be had."""
    from opeai_nb.engine import Engine
    from opeai_nb.engine.server.uvicorn_server import serving
    from tests.strangers import results_of

    engine = Engine()
    with serving(engine) as url:
        base = f"{url}/v1"
        if client == "openai-python":
            found: dict[str, Any] | None = sdk_results(base, image)
        elif client in OF_NPM:
            found = None if npm is None else node_results(npm, url, image)
        elif client == "litellm":
            found = results_of(LITELLM, base, base64.b64encode(image).decode())
        else:
            found = form_results(base, image)
    engine.close()
    return found and {verb: found[f"{client} {verb}"] is True for verb in VERBS}


def npm_installs(folder: Path) -> bool:
    """Install what npm has of the clients into *folder*, and tell whether that worked."""
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
    try:
        subprocess.run(install, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def node_results(folder: Path, url: str, image: bytes) -> dict[str, Any]:
    """Return what npm's clients came to."""
    script = shutil.copy(Path(__file__).parent / "strangers.mjs", folder)
    command = ["node", script, url, base64.b64encode(image).decode()]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def sdk_results(base: str, image: bytes) -> dict[str, Any]:
    """Return what OpenAI's SDK for Python came to."""
    import openai

    asked: Any = {"model": "gpt-image-1", "prompt": "a cat"}
    file = ("cat.png", image, "image/png")
    http: Any = httpx.Client(trust_env=False, timeout=60)
    with openai.OpenAI(base_url=base, api_key=KEY, max_retries=0, http_client=http) as sdk:
        return {
            "openai-python generate": len(sdk.images.generate(**asked).data) == 1,
            "openai-python edit": len(sdk.images.edit(image=file, **asked).data) == 1,
        }


def form_results(base: str, image: bytes) -> dict[str, Any]:
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
            f"{OPEN_WEBUI} generate": http.post("images/generations", json=webui),
            f"{OPEN_WEBUI} edit": http.post("images/edits", data=form, files=several),
            f"{LOBE_CHAT} generate": http.post("images/generations", json=lobe),
            f"{LOBE_CHAT} edit": http.post(
                "images/edits", data={**form, "input_fidelity": "high"}, files=one
            ),
        }
    return {
        name: answer.is_success and bool(answer.json()["data"][0]["b64_json"])
        for name, answer in answers.items()
    }


def main() -> None:
    """Run every client that can be had, and write what it came to."""
    results = written()
    file = io.BytesIO()
    Image.new("RGB", (512, 512), (0, 128, 128)).save(file, "PNG")
    with tempfile.TemporaryDirectory() as folder:
        npm = Path(folder) if npm_installs(Path(folder)) else None
        for client in CLIENTS:
            found = results_of_client(client, file.getvalue(), npm)
            print(f"{client}: {'not to be had' if found is None else found}")
            results[client] = found or results[client]
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(with_table(readme, results), encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
