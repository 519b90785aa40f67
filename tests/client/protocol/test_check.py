"""`client.check()`: what a request depends on, seen by one GET and no POST."""

from __future__ import annotations

import threading
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.client.values.finding import Checkup, Finding
from opeai_nb.errors import UnreadableAnswerError
from opeai_nb.testing import Answer, Drop, Refuse, Script, Stall, error_answer
from tests.client.shells import KEY, Shell

Shells = Callable[..., Shell]
MODELS = Answer({"data": [{"id": "qwen-image-2.0"}, {"id": "gpt-image-1"}]})


def found(checkup: Checkup, name: str) -> Finding:
    (finding,) = (finding for finding in checkup if finding.name == name)
    return finding


def at(seconds: float) -> Answer:
    import time

    now = formatdate(time.time() + seconds, usegmt=True)
    return Answer(MODELS.body, headers={"Date": now})


def test_all_is_well_and_one_get_is_all_that_is_sent(shell: Shells) -> None:
    script = Script(at(0))
    checkup = shell(transport=script).check()
    assert checkup.is_well
    assert {finding.state for finding in checkup} == {"well"}
    assert [request.method for request in script.requests] == ["GET"]
    assert [finding.name for finding in checkup] == [
        *("base URL", "key", "proxy", "certificates", "platform", "models", "clock")
    ]
    assert "2 listed" in found(checkup, "models").text
    assert KEY not in repr(checkup)


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        (Refuse(), "not reached"),
        (Drop(), "no answer"),
        (Stall(), "no answer"),
        (error_answer("无效的令牌", status=401, code=""), "HTTP 401"),
        (error_answer("not allowed", status=403, code=""), "HTTP 403"),
        (Answer("<html><title>Log in</title></html>"), "not a list of models"),
        (Answer(b"", status=302, headers={"Location": "https://login.test/x"}), "redirects"),
        (Answer("<h1>502 Bad Gateway</h1>", status=502), "HTTP 502"),
        (Answer({"data": "nonsense"}), "not a list of models"),
        (Answer(b"\0\xff junk"), "not a list of models"),
    ],
)
def test_every_failure_is_one_line_with_a_remedy(shell: Shells, reply: Any, seen: str) -> None:
    script = Script(reply)
    checkup = shell(transport=script).check()
    finding = found(checkup, "platform")
    assert (finding.state, checkup.is_well) == ("wrong", False)
    assert seen in finding.text
    assert finding.remedy
    assert len(script.requests) == 1
    assert KEY not in repr(checkup)


@pytest.mark.parametrize(
    "reply", [Answer("<p>Log in</p>"), Answer(b"", status=302, headers={"Location": "/login"})]
)
def test_nothing_is_said_to_be_kept_of_what_is_no_list_of_models(
    shell: Shells, reply: Answer
) -> None:
    with pytest.raises(UnreadableAnswerError, match="OPEAI_BASE_URL") as caught:
        shell(transport=Script(*[reply] * 4)).models()
    assert "journal" not in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "state", "text"),
    [
        (0, "well", "agrees"),
        (-120, "note", "2 min ahead of the server's"),
        (7300, "wrong", "2 h behind the server's"),
        (-400_000, "wrong", "5 days ahead"),
    ],
)
def test_clock_is_compared(shell: Shells, seconds: float, state: str, text: str) -> None:
    finding = found(shell(at(seconds)).check(), "clock")
    assert finding.state == state
    assert text in finding.text
    assert bool(finding.remedy) == (state != "well")


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Nov 2026 01:00:00 GMT"])
def test_clock_of_a_server_that_tells_no_time_is_not_compared(shell: Shells, date: str) -> None:
    answer = Answer(MODELS.body, headers={"Date": date})
    assert "not compared" in found(shell(answer).check(), "clock").text


def test_gateway_without_a_list_of_models_is_noted(shell: Shells) -> None:
    checkup = shell(error_answer("Not Found", status=404, code="")).check()
    assert (found(checkup, "platform").state, checkup.is_well) == ("note", True)


def test_default_model_that_is_not_listed_is_noted(shell: Shells) -> None:
    finding = found(shell(Answer({"data": [{"id": "x"}]})).check(), "models")
    assert (finding.state, "not among them" in finding.text) == ("note", True)


@pytest.mark.parametrize(
    ("key", "state", "text"),
    [
        ("", "note", "not set"),
        (KEY, "well", "set (given)"),
        (f'"{KEY}"', "note", "quotes or a name around it"),
        (f"OPEAI_API_KEY={KEY}", "note", "quotes or a name around it"),
        ("your-api-key", "note", "set"),
        ("sk-xxxxxxxx", "note", "set"),
    ],
)
def test_key_is_judged_and_never_shown(shell: Shells, key: str, state: str, text: str) -> None:
    checkup = shell(MODELS, api_key=key).check()
    finding = found(checkup, "key")
    assert finding.state == state
    assert text in finding.text
    assert not key or key not in repr(checkup)


def test_key_of_the_environment_says_so(shell: Shells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPEAI_API_KEY", KEY)
    assert found(shell(MODELS, api_key=None).check(), "key").text == "set (environment)"


@pytest.mark.parametrize(
    ("variables", "url", "text"),
    [
        ({}, "http://a.test", "none: no variable names one"),
        ({"HTTP_PROXY": "http://me:secret@p:1"}, "http://a.test", "HTTP_PROXY (p:1) is used"),
        ({"HTTP_PROXY": "http://p:1"}, "http://127.0.0.1:9", "this machine is asked itself"),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": ".test"}, "http://a.test", "NO_PROXY exempts"),
        ({"ALL_PROXY": "nonsense://p"}, "http://a.test", "cannot be understood"),
    ],
)
def test_proxy_is_told_and_why(
    shell: Shells,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    url: str,
    text: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    checkup = shell(MODELS, base_url=url).check()
    assert text in found(checkup, "proxy").text
    assert "secret" not in repr(checkup)


def test_certificates_that_are_gone_are_named(
    shell: Shells, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    finding = found(shell(MODELS, base_url="https://a.test").check(), "certificates")
    assert (finding.state, "SSL_CERT_FILE" in finding.text) == ("wrong", True)
    assert finding.remedy


class _Mute(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Never answers, and lets no timeout of httpx end it."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.over.wait(30)
        raise httpx.ConnectError("over")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        import asyncio

        await asyncio.sleep(30)
        raise httpx.ConnectError("over")


def test_nothing_makes_it_hang(shell: Shells) -> None:
    mute = _Mute()
    finding = found(shell(transport=mute).check(timeout=0.05), "platform")
    mute.over.set()
    assert (finding.state, "no answer within" in finding.text) == ("wrong", True)


def test_redirect_inside_the_origin_is_followed_and_no_other(shell: Shells) -> None:
    moved = Answer(b"", status=301, headers={"Location": "/v1/models/"})
    script = Script(moved, {"data": [{"id": "m"}]})
    found = {finding.name: finding for finding in shell(transport=script).check()}
    assert found["platform"].state == "well"
    away = Script(Answer(b"", status=302, headers={"Location": "https://login.test/x"}))
    found = {finding.name: finding for finding in shell(transport=away).check()}
    assert "redirects to https://login.test/x" in found["platform"].text
    assert "resume" not in found["platform"].remedy
