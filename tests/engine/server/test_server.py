"""The engine over a real socket: its command, its restart, and the official SDK."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from opeai_nb.cli.main import main
from opeai_nb.cli.serve_command import engine_of, parser
from opeai_nb.engine import Engine
from opeai_nb.engine.server.uvicorn_server import serving
from tests.engine.conftest import PLAIN

KEY = {"Authorization": "Bearer sk-any"}


def got(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(url, headers=headers, timeout=60, **PLAIN)


class Served:
    """`python -m opeai_nb serve` as a person starts it."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-m", "opeai_nb", "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines = [self.process.stdout.readline().rstrip() for _ in range(3)]
        self.word = self.process.stderr.readline().rstrip()
        self.url = re.search(r"listening on (http://[\d.:]+)", self.word)[1]

    def interrupt(self, how: int = signal.SIGINT) -> tuple[int, str, str]:
        self.process.send_signal(how)
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


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_what_to_set_and_ends_in_order(served: Callable[..., Served], how: int) -> None:
    server = served()
    assert server.word == f"opeai_nb serve: listening on {server.url} (Ctrl-C stops)"
    assert server.lines == [
        f"export OPEAI_BASE_URL={server.url}",
        "export OPEAI_API_KEY=any-key  # any key is accepted",
        f"# an OpenAI client: OPENAI_BASE_URL={server.url}/v1, and the key as OPENAI_API_KEY",
    ]
    assert got(f"{server.url}/v1/models", KEY).status_code == 200
    assert server.interrupt(how) == (0, "", "")


def test_who_waits_when_it_ends_gets_an_envelope(served: Callable[..., Served]) -> None:
    server = served("--latency", "500")
    with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port), timeout=60) as line:
        line.sendall(b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\n")
        line.sendall(b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")
        settled(server.url)
        assert server.interrupt()[0] == 0
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 503 " in head
    assert json.loads(body)["error"]["code"] == "server_ending"


@pytest.mark.parametrize("way", ["--key", "--key-env", "--key-file"])
def test_a_key_is_demanded_and_not_printed(
    served: Callable[..., Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    file = tmp_path / "key"
    file.write_text("sk-of-mine\n")
    monkeypatch.setenv("KEY_OF_MINE", "sk-of-mine")
    value = {"--key": "sk-of-mine", "--key-env": "KEY_OF_MINE", "--key-file": str(file)}[way]
    server = served(way, value)
    assert server.lines[1] == "# OPEAI_API_KEY must be the key that was given"
    assert "sk-of-mine" not in "".join([*server.lines, server.word])
    right = {"Authorization": "Bearer sk-of-mine"}
    statuses = [got(f"{server.url}/v1/models", headers).status_code for headers in (KEY, right)]
    assert statuses == [401, 200]
    assert server.interrupt() == (0, "", "")


def test_it_serves_behind_a_proxy_and_without_tasks(served: Callable[..., Served]) -> None:
    base = "https://hub.example.org/engine"
    server = served("--base-url", base, "--sync", "--cors", "off", "--allow-host", "other.example")
    assert server.lines[0] == f"export OPEAI_BASE_URL={base}"
    with httpx.Client(base_url=server.url, headers=KEY, timeout=60, **PLAIN) as client:
        body = {"model": "dall-e-2", "prompt": "x", "size": "256x256", "response_format": "url"}
        for host, status in (
            ("hub.example.org", 200),
            ("other.example", 200),
            ("evil.example", 403),
        ):
            answer = client.post("/v1/images/generations", json=body, headers={"Host": host})
            assert answer.status_code == status
            assert "access-control-allow-origin" not in answer.headers
            if status == 200:
                assert answer.json()["data"][0]["url"].startswith(f"{base}/pictures/")
        models = {model["id"]: model for model in client.get("/v1/models").json()["data"]}
        assert not models["gpt-image-2"]["features"]["async_only"]


def settled(url: str) -> None:
    """Return when the server has read all that was sent before: it refuses what is no request."""
    with socket.create_connection(("127.0.0.1", httpx.URL(url).port), timeout=60) as line:
        line.sendall(b"no request\r\n\r\n")
        assert b" 400 " in line.recv(65536)


def outcome(ask: Callable[[], httpx.Response]) -> str:
    """Return what one request ends with: a status, or a cut."""
    try:
        return str(ask().status_code)
    except httpx.RemoteProtocolError:
        return "cut"


def test_fail_rate_and_seed_reach_the_engine(
    served: Callable[..., Served], client_of: Callable[..., httpx.Client]
) -> None:
    """The command's outcomes are those of an engine of the same options, in the same order."""
    engine = Engine(fail_rate=0.5, seed=4)
    with client_of(engine) as client:
        expected = [outcome(lambda: client.get("/v1/models")) for _ in range(12)]
    engine.close()
    assert len(set(expected)) > 3
    url = served("--fail-rate", "0.5", "--seed", "4").url
    assert [outcome(lambda: got(f"{url}/v1/models", KEY)) for _ in range(12)] == expected


def test_latency_and_jitter_reach_the_engine() -> None:
    engine = engine_of(parser().parse_args(["--latency", "500", "--jitter", "2000"]))
    assert (engine._faults._latency, engine._faults._jitter) == (500, 2000)
    engine.close()


def test_tasks_and_pictures_survive_a_restart(
    served: Callable[..., Served], tmp_path: Path
) -> None:
    first = served("--store", str(tmp_path))
    body = {"model": "rehearsal-slow", "prompt": "a cat", "size": "64x64"}
    with httpx.Client(base_url=first.url, headers=KEY, timeout=60, **PLAIN) as client:
        task = client.post("/v1/images/generations", json=body).json()["id"]
        picture = {"model": "dall-e-2", "size": "256x256", "prompt": "x", "response_format": "url"}
        url = client.post("/v1/images/generations", json=picture).json()["data"][0]["url"]
        before = got(url).content
    assert first.interrupt()[0] == 0
    second = served("--store", str(tmp_path))
    path = f"{second.url}/v1/images/generations/{task}"
    assert got(path, KEY).json()["id"] == task
    after = got(url.replace(first.url, second.url)).content
    assert after == before
    assert second.interrupt()[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "99999"], "--port must be from 0 to 65535"),
        (["--latency", "inf"], "must be seconds"),
        (["--base-url", "hub.example"], "--base-url must be http(s)://host"),
        (["--base-url", "ftp://hub.example"], "--base-url must be http(s)://host"),
        (["--base-url", ""], "--base-url must be http(s)://host"),
        (["--base-url", "https://hub.example/my lab"], "--base-url must be http(s)://host"),
        (["--base-url", "https://hub.example/#lab"], "--base-url must be http(s)://host"),
        (["--allow-host", ""], "--allow-host must be a host name"),
        (["--allow-host", "my lab"], "--allow-host must be a host name"),
        (["--allow-host", "fe80::2"], "--allow-host must be a host name"),
        (["--allow-host", "[fe80::2"], "--allow-host must be a host name"),
        (["--cors", ""], "--cors must be one origin"),
        (["--cors", "http://a.example, http://b.example"], "--cors must be one origin"),
        (["--cors", "http://a.example\nX-1: y"], "--cors must be one origin"),
        (["--fail-rate", "2"], "fail_rate must be from 0 to 1"),
        (["--store", os.devnull], "exists"),
        (["--key", ""], "the key is empty"),
        (["--key", "ключ"], "visible ASCII"),
        (["--key-env", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE is not set"),
        (["--key-file", "/no/such/file"], "No such file"),
    ],
)
def test_what_can_not_be_served_is_one_line_of_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["serve", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_key_file_that_holds_no_text_is_one_line_of_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    assert main(["serve", "--key-file", str(tmp_path / "key")]) == 2
    assert "holds no text" in capsys.readouterr().err


def test_addresses_are_taken_as_people_write_them(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbfsk-of-mine\r\n")
    arguments = ["--allow-host", "http://Pics.example:80", "--cors", "http://localhost:3000/"]
    engine = engine_of(parser().parse_args([*arguments, "--key-file", str(tmp_path / "key")]))
    gate = engine._gate
    assert (gate.key, gate.cors) == ("sk-of-mine", "http://localhost:3000")
    assert "pics.example" in gate.hosts
    engine.close()


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "serve" in capsys.readouterr().err


def test_picture_urls_over_a_socket_start_with_the_servers_origin(engine: Engine) -> None:
    with serving(engine) as url:
        body = {"model": "dall-e-2", "prompt": "x", "size": "256x256", "response_format": "url"}
        answer = httpx.post(
            f"{url}/v1/images/generations", json=body, headers=KEY, timeout=60, **PLAIN
        )
        picture = answer.json()["data"][0]["url"]
        assert picture.startswith(f"{url}/pictures/")
        assert got(picture).content.startswith(b"\x89PNG")
