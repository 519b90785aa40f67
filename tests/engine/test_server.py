"""The engine over a real socket: its command, its restart, and the official SDK."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from opeai_nb.cli.main import main
from opeai_nb.engine import Engine
from opeai_nb.engine.server.uvicorn_server import serving

KEY = {"Authorization": "Bearer sk-any"}


class Served:
    """`python -m opeai_nb serve` as a person starts it."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-m", "opeai_nb", "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines = [self.process.stdout.readline().rstrip() for _ in range(2)]
        self.url = self.lines[0].removeprefix("export OPEAI_BASE_URL=")

    def interrupt(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@pytest.fixture
def served() -> Iterator[Callable[..., Served]]:
    started = []

    def serve(*arguments: str) -> Served:
        started.append(Served(*arguments))
        return started[-1]

    yield serve
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


def test_it_prints_what_to_export_and_stops_on_ctrl_c(served: Callable[..., Served]) -> None:
    server = served()
    assert re.fullmatch(r"export OPEAI_BASE_URL=http://127\.0\.0\.1:\d+", server.lines[0])
    assert server.lines[1].startswith("export OPEAI_API_KEY=any-key")
    assert httpx.get(f"{server.url}/v1/models", headers=KEY, trust_env=False).status_code == 200
    assert server.interrupt() == (0, "", "")


def test_a_key_is_demanded_and_not_printed(served: Callable[..., Served]) -> None:
    server = served("--key", "sk-of-mine")
    assert server.lines[1] == "export OPEAI_API_KEY='<the key given by --key>'"
    assert "sk-of-mine" not in "".join(server.lines)
    assert httpx.get(f"{server.url}/v1/models", headers=KEY, trust_env=False).status_code == 401
    code, out, err = server.interrupt()
    assert code == 0
    assert "sk-of-mine" not in out + err


def outcome(url: str) -> str:
    """Return what one request ends with: a status, a cut, or a wait that nobody waits for."""
    try:
        answer = httpx.get(f"{url}/v1/models", headers=KEY, trust_env=False, timeout=2)
    except httpx.ReadTimeout:
        return "waits"
    except httpx.RemoteProtocolError:
        return "cut"
    return str(answer.status_code)


def test_latency_jitter_fail_rate_and_seed_reach_the_engine(
    served: Callable[..., Served], client_of: Callable[..., httpx.Client]
) -> None:
    """The command's outcomes are those of an engine of the same options, in the same order."""
    expected = []

    async def sleep(_: float) -> None:
        expected[-1] = "waits"

    engine = Engine(latency=500, jitter=2000, fail_rate=0.5, seed=4, sleep=sleep)
    with client_of(engine) as client:
        for _ in range(12):
            expected.append("")
            try:
                seen = str(client.get("/v1/models").status_code)
            except httpx.RemoteProtocolError:
                seen = "cut"
            expected[-1] = expected[-1] or seen
    engine.close()
    assert len(set(expected)) > 3
    options = ("--latency", "500", "--jitter", "2000", "--fail-rate", "0.5", "--seed", "4")
    server = served(*options)
    assert [outcome(server.url) for _ in range(12)] == expected


def test_tasks_and_pictures_survive_a_restart(
    served: Callable[..., Served], tmp_path: Path
) -> None:
    first = served("--store", str(tmp_path))
    body = {"model": "rehearsal-slow", "prompt": "a cat", "size": "64x64"}
    with httpx.Client(base_url=first.url, headers=KEY, trust_env=False) as client:
        task = client.post("/v1/images/generations", json=body).json()["id"]
        picture = {"model": "dall-e-2", "size": "256x256", "prompt": "x", "response_format": "url"}
        url = client.post("/v1/images/generations", json=picture).json()["data"][0]["url"]
        before = httpx.get(url, trust_env=False).content
    assert first.interrupt()[0] == 0
    second = served("--store", str(tmp_path))
    path = f"{second.url}/v1/images/generations/{task}"
    assert httpx.get(path, headers=KEY, trust_env=False).json()["id"] == task
    after = httpx.get(url.replace(first.url, second.url), trust_env=False).content
    assert after == before
    assert second.interrupt()[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "99999"], "port"),
        (["--fail-rate", "2"], "fail_rate must be from 0 to 1"),
        (["--store", os.devnull], "exists"),
    ],
)
def test_what_can_not_be_served_is_one_line_of_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["serve", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "serve" in capsys.readouterr().err


def test_picture_urls_over_a_socket_start_with_the_servers_origin(engine: Engine) -> None:
    with serving(engine) as url:
        body = {"model": "dall-e-2", "prompt": "x", "size": "256x256", "response_format": "url"}
        answer = httpx.post(f"{url}/v1/images/generations", json=body, headers=KEY, trust_env=False)
        picture = answer.json()["data"][0]["url"]
        assert picture.startswith(f"{url}/pictures/")
        assert httpx.get(picture, trust_env=False).content.startswith(b"\x89PNG")
