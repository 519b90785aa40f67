"""Pictures inside a text, as chats answer: all of them, and each to its last byte."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from opeai_nb.testing import Answer, Script, png
from tests.client.shells import Shell

Shells = Callable[..., Shell]
RED, BLUE = png(64, 48, (200, 0, 0)), png(8, 8, (0, 0, 200))
LARGE = RED + bytes(range(256)) * 800
"""As large as pictures are: what is long of an answer is its pictures."""
DATA = "data:image/png;base64," + b64encode(LARGE).decode()
ONE, OTHER = "https://pictures.test/1.png", "https://pictures.test/other.png"


def plays(shell: Shells, body: Any) -> list[bytes | None]:
    """Return the pictures of an answer to one POST."""

    def answer(request: httpx.Request) -> Any:
        if request.method == "POST":
            return Answer(body, chunk=5000)
        return BLUE if "other" in request.url.path else RED

    script = Script(answer)
    generation = shell(transport=script).generate("a fox")
    assert len(script.posts) == 1
    return [picture.data for picture in generation.pictures]


def said(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


@pytest.mark.parametrize(
    "text",
    [
        f"![fox]({DATA})",
        f"Here it is:\n\n![fox]({DATA})\n\nEnjoy!",
        f"<p><img alt='fox' src=\"{DATA}\"> done",
        f"<img src={DATA} width=64>",
        "![fox](" + "\n".join(DATA[at : at + 76] for at in range(0, len(DATA), 76)) + ")",
        f"It is {DATA} as you wished",
    ],
    ids=lambda text: text[:24],
)
def test_long_picture_in_a_text_is_whole(shell: Shells, text: str) -> None:
    assert plays(shell, said(text)) == [LARGE]
    assert plays(shell, {"data": [{"url": text}]}) == [LARGE]


def test_each_picture_of_a_text_is_there(shell: Shells) -> None:
    small = "data:image/png;base64," + b64encode(BLUE).decode()
    text = f"![a]({DATA}) and ![b]({small}) and ![c]({ONE})"
    assert plays(shell, said(text)) == [LARGE, BLUE, RED]


@pytest.mark.parametrize("between", ["\n", "\n\n", " ", ",", ", ", ";", "|", "\r\n"])
def test_each_url_of_a_text_is_a_picture(shell: Shells, between: str) -> None:
    text = f"{ONE}{between}{OTHER}"
    for body in (said(text), said(f"{text}\nEnjoy!"), {"output": text}, {"data": [{"url": text}]}):
        assert plays(shell, body) == [RED, BLUE]


def test_url_in_the_marks_of_a_forum_is_a_picture(shell: Shells) -> None:
    text = f"[img]{ONE}[/img]"
    for body in (said(f"Here it is: {text}"), {"output": text}, {"data": [{"url": text}]}):
        assert plays(shell, body) == [RED]


@pytest.mark.parametrize("url", [f"{ONE}?w=1,h=2;q|3", f"{ONE}?from=https://a.test/b.png"])
def test_url_with_commas_or_another_inside_stays_one(shell: Shells, url: str) -> None:
    script = Script(Answer({"output": url}), RED)
    assert len(shell(transport=script).generate("a fox")) == 1
    assert script.requests[1].url == httpx.URL(url)
