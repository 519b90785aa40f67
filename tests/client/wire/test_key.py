"""The key is never visible, in whatever form a server echoes it."""

from __future__ import annotations

import pickle
import random
import traceback
import tracemalloc
import warnings
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client import AsyncClient, Client
from opeai_nb.client.wire.key import checked_key
from opeai_nb.client.wire.redact import _parts, echoed_parts, masked, without_key
from opeai_nb.errors import InputError, OpeaiError, TaskTimeoutError
from opeai_nb.secret import Secret
from opeai_nb.testing import (
    Answer,
    Drop,
    Refuse,
    Script,
    error_answer,
    pictures_answer,
    png,
    task_answer,
)
from tests.client.shells import KEY, Shell

PIECES = [KEY[start : start + 6] for start in range(len(KEY) - 5)]
ECHOES = [
    KEY,
    f"Bearer {KEY}",
    f"'{KEY}'",
    f"key={KEY}&x=1",
    KEY.replace("-", "%2D"),
    KEY[:12],
    KEY[5:20],
    KEY[-9:],
    KEY[:6],
    f"{KEY[:5]}***{KEY[-4:]}",
    f"{KEY[:7]}********",
    f"****{KEY[-4:]}",
    f"{KEY[:6]}...{KEY[-4:]}",
    f"{KEY[:6]}…{KEY[-4:]}",
    f"{KEY[:5]}••••{KEY[-4:]}",
    f"{KEY[:8]}...",
]


def shows_key(text: str) -> bool:
    return any(piece in text for piece in PIECES) or f"{KEY[:5]}*" in text or f"*{KEY[-4:]}" in text


def everything_of(error: BaseException) -> str:
    lines = traceback.TracebackException.from_exception(error, capture_locals=False).format()
    told = [
        *lines,
        repr(error),
        str(error),
        repr(vars(error)),
        str(getattr(error, "__notes__", "")),
    ]
    if isinstance(error, OpeaiError):
        told += [error.evidence(), *error._render_traceback_()]
    return "\n".join(told)


class TestEchoed:
    @pytest.mark.parametrize("place", ["message", "code", "type", "page", "header", "escaped"])
    def test_error_does_not_show_it(self, shell: Callable[..., Shell], place: str) -> None:
        assert [echo for echo in ECHOES if self.is_shown(shell, echo, place)] == []

    def is_shown(self, shell: Callable[..., Shell], echo: str, place: str) -> bool:
        answers = {
            "message": error_answer(f"Incorrect API key provided: {echo}. Look it up."),
            "code": error_answer("no", code=echo),
            "type": error_answer("no", type=echo),
            "page": Answer(f"<html>{echo}</html>", status=401),
            "header": error_answer("no", headers=[("x-request-id", ascii(echo)[1:-1])]),
            "escaped": Answer(
                ('{"error": "' + "".join(f"\\u{ord(c):04x}" for c in echo) + '"}').encode(), 400
            ),
        }
        with pytest.raises(OpeaiError) as caught:
            # A random Idempotency-Key may hold six hexadecimal digits of the key by chance.
            shell(answers[place]).generate("a fox", idempotency_key="mine")
        return shows_key(everything_of(caught.value))

    def test_values_do_not_show_it(self, shell: Callable[..., Shell]) -> None:
        item = {"url": "", "b64_json": pictures_answer(png()).body["data"][0]["b64_json"]}
        for echo in ECHOES:
            body = {"data": [{**item, "revised_prompt": f"with {echo}"}], "usage": {echo: echo}}
            generation = shell(Answer({**body, "model": echo})).generate("a fox")
            told = (generation, generation.usage, generation.model, generation.revised_prompt)
            assert not shows_key(repr(told)), echo

    def test_task_does_not_show_it(self, shell: Callable[..., Shell]) -> None:
        for echo in ECHOES:
            failed = task_answer("FAILURE", fail_reason=f"bad key {echo}", prompt=echo)
            with pytest.raises(OpeaiError) as caught:
                shell(task_answer(progress=echo), failed).generate("a fox")
            assert not shows_key(everything_of(caught.value)), echo

    def test_download_page_does_not_show_it(self, shell: Callable[..., Shell]) -> None:
        page = Answer(f"<p>no access with {KEY}</p>", status=403)
        with pytest.raises(OpeaiError) as caught:
            shell(pictures_answer("https://p.test/1.png"), *[page] * 4).generate("a fox")
        assert not shows_key(everything_of(caught.value))

    def test_other_words_are_left_alone(self, shell: Callable[..., Shell]) -> None:
        told = "**bold** text... and so on…, a post-process of sk-etches"
        body = {"data": [{**pictures_answer(png()).body["data"][0], "revised_prompt": told}]}
        assert shell(Answer(body)).generate("a fox").revised_prompt == told


def locals_of(error: BaseException | None) -> str:
    """Return what a debugger shows of the client's frames, through all that caused *error*."""
    told = []
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "opeai_nb/client" in frame.f_code.co_filename:
                told.append(repr(frame.f_locals))
        error = error.__cause__ or error.__context__
    return "\n".join(told)


class TestOurOwn:
    @pytest.mark.parametrize("kind", [Client, AsyncClient])
    def test_client_does_not_show_it(self, kind: type[Any]) -> None:
        client = kind(api_key=KEY, transport=Script())
        assert not shows_key(repr(client) + repr(vars(client)) + str(client))
        assert "key set" in repr(client)

    @pytest.mark.parametrize("failure", [Refuse(), Drop(), httpx.ReadError("x")])
    def test_failures_do_not_show_it_even_with_their_locals(
        self, shell: Callable[..., Shell], failure: Drop | Refuse | httpx.ReadError
    ) -> None:
        with pytest.raises(OpeaiError) as caught:
            shell(lambda _: failure).generate("a fox")
        assert not shows_key(locals_of(caught.value))

    @pytest.mark.parametrize(
        "answer",
        [
            error_answer(f"bad key {KEY}", status=401, code=KEY),
            Answer(b"{}", status=400, headers={"X-Echo": KEY, "Set-Cookie": f"k={KEY}"}),
            Answer(f"<html>{KEY}</html>".encode(), status=403),
            Answer(b"", status=302, headers={"Location": f"https://x.test/{KEY}"}),
            Answer({"weird": KEY, "more": [KEY]}),
            Answer(f"your key is {KEY}".encode()),
            Answer(f'{{"key": "{KEY}", "data": ['.encode()),
            Answer(f'data: {{"key": "{KEY}"}}\n\ndata: {{"x": "{KEY}"}}\n\n'.encode()),
            task_answer("FAILED", fail_reason=KEY),
        ],
    )
    def test_echoes_are_not_in_the_locals_of_a_failure(
        self, shell: Callable[..., Shell], answer: Answer
    ) -> None:
        with pytest.raises(OpeaiError) as caught:
            shell(answer).generate("a fox")
        assert not shows_key(everything_of(caught.value) + locals_of(caught.value))

    def test_warnings_do_not_show_it(self, shell: Callable[..., Shell]) -> None:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            shell(pictures_answer(png())).generate("a fox", size="99x99", model="dall-e-3")
        assert told
        assert not any(shows_key(str(each.message)) for each in told)

    def test_key_is_never_pickled(self) -> None:
        with pytest.raises(TypeError, match="never written"):
            pickle.dumps(Secret(KEY))

    @pytest.mark.parametrize("key", ["sk-a b", "sk-ä", "sk-\n-x", f"{KEY}\r\nX: 1", 7])
    def test_key_that_cannot_be_is_refused_and_not_shown(self, key: Any) -> None:
        with pytest.raises(InputError) as caught:
            Client(api_key=key)
        assert not shows_key(everything_of(caught.value))

    @pytest.mark.parametrize(
        "pasted",
        [
            *(
                '"{}"',
                "'{}'",
                "“{}”",
                "„{}“",
                "«{}»",
                "\uff02{}\uff02",
                '\\"{}\\"',
                "<{}>",
                "\ufeff{}",
                "{}\u200b",
            ),
            *(
                "{}\0",
                "{},",
                "{};",
                "{} # mine",
                "Bearer {}",
                "Authorization: Bearer {}",
                "x-api-key: {}",
            ),
            *(
                "OPEAI_API_KEY={}",
                "export OPEAI_API_KEY='{}'",
                "OPEAI_API_KEY=Bearer {}",
                "- A_KEY={}",
            ),
            *(
                'setx OPEAI_API_KEY "{}"',
                "%env OPEAI_API_KEY={}",
                "%env OPEAI_API_KEY {}",
                "key={}",
            ),
            *(
                '$env:OPEAI_API_KEY = "{}"',
                'os.environ["OPEAI_API_KEY"] = "{}"',
                '"api_key": "{}",',
            ),
            *("set -gx OPEAI_API_KEY {}", "ENV OPEAI_API_KEY {}", "API key: {}"),
        ],
    )
    @pytest.mark.parametrize("key", [KEY, "ollama", "k/ey+w1th=", "key"])
    def test_what_is_pasted_around_it_is_taken_off(self, pasted: str, key: str) -> None:
        assert checked_key(pasted.format(key)).reveal() == key

    def test_white_space_around_it_is_removed(self) -> None:
        assert checked_key(f"  {KEY}\n").bearer() == f"Bearer {KEY}"

    @pytest.mark.parametrize("empty", ["", "  ", None])
    def test_no_key_is_no_header(self, shell: Callable[..., Shell], empty: str | None) -> None:
        script = Script(pictures_answer(png()))
        shell(transport=script, api_key=empty).generate("a fox")
        assert "authorization" not in script.requests[0].headers

    def test_environment_gives_it(
        self, shell: Callable[..., Shell], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPEAI_API_KEY", KEY)
        script = Script(pictures_answer(png()))
        shell(transport=script, api_key=None).generate("a fox")
        assert script.requests[0].headers["authorization"] == f"Bearer {KEY}"


class TestMasks:
    @pytest.mark.parametrize("text", ["sk-abcdef123456", "sk-ab***yz", "sk-ab••••", "****wxyz"])
    def test_what_looks_like_a_key_is_masked_without_knowing_it(self, text: str) -> None:
        assert masked(f"key {text}!") == "key [key]!"

    def test_short_key_is_masked_as_a_word_only(self) -> None:
        assert without_key("abc of abcdef", Secret("abc")) == "[key] of abcdef"

    @pytest.mark.parametrize("text", ["a" * 200_000, "*" * 200_000, "a-" * 100_000, "." * 200_000])
    def test_long_text_takes_linear_time(self, text: str) -> None:
        assert len(masked(text)) <= len(text)
        assert len(without_key(text, Secret(KEY))) <= len(text)


ODD = "k/ey+With=0dd&signs%7~A1b2C3d4"
"""A random key of signs that every kind of text escapes."""
SPELLINGS = {
    "as it is": lambda key: key,
    "in a URL": lambda key: quote(key, safe=""),
    "in a URL, twice": lambda key: quote(quote(key, safe="")),
    "in a URL, all of it": lambda key: "".join(f"%{byte:02x}" for byte in key.encode()),
    "in JSON": lambda key: "".join(f"\\u{byte:04x}" for byte in key.encode()),
    "in JSON of Go": lambda key: key.replace("&", "\\u0026").replace("/", "\\/"),
    "in slashed JSON": lambda key: key.replace("/", "\\/"),
    "in HTML": lambda key: key.replace("&", "&amp;").replace("=", "&#61;").replace("+", "&#x2B;"),
    "in capitals": str.upper,
    "in small letters": str.lower,
    "wide": lambda key: "".join(chr(ord(letter) + 0xFEE0) for letter in key),
    "with breaks": "\u200b".join,
    "in hexadecimal": lambda key: key.encode().hex().upper(),
    "in hexadecimal, apart": lambda key: key.encode().hex("-"),
    "in base64": lambda key: b64encode(b":" + key.encode()).decode(),
    "in base64 for URLs": lambda key: urlsafe_b64encode(b"Bearer " + key.encode()).decode(),
    "as its ends": lambda key: f"{key[:5]} *** {key[-4:]}",
    "as its ends and x": lambda key: f"{key[:6]}xxxxxx{key[-4:]}",
    "as its ends and a word": lambda key: f"{key[:6]}[...]{key[-4:]}",
}


DISK_SPELLINGS = (
    *("as it is", "in a URL", "in a URL, all of it", "in JSON", "in slashed JSON", "in capitals"),
    *("in small letters", "in hexadecimal", "in base64", "in base64 for URLs"),
)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("key", [KEY, ODD])
def test_key_is_masked_in_every_spelling(key: str, spelling: str) -> None:
    echo = SPELLINGS[spelling](key)
    told = without_key(f"The key {echo} is not known here.", Secret(key))
    assert "[key]" in told
    pieces = [echo[start : start + 6] for start in range(len(echo) - 5)]
    assert not [piece for piece in pieces if piece in told]


BITS = st.tuples(st.integers(0, 30), st.integers(0, 14)).map(
    lambda at: KEY[at[0] :][: at[1]].lower()
)


@given(st.lists(BITS | st.text("st3-k ", max_size=7), max_size=6).map("".join))
def test_parts_of_a_key_are_found_at_every_place(text: str) -> None:
    every = {text[start : start + 8] for start in range(len(text) - 7)}
    assert echoed_parts(text, KEY) == _parts(KEY)[0] & every


def test_picture_in_a_text_is_looked_through_in_the_memory_that_it_takes_itself() -> None:
    text = "data:image/png;base64," + b64encode(random.Random(1).randbytes(300_000)).decode()
    tracemalloc.start()
    try:
        assert without_key(text, Secret(KEY)) == text
        assert tracemalloc.get_traced_memory()[1] < 3 * len(text)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("spelling", DISK_SPELLINGS)
def test_key_is_not_on_the_disk_and_comes_back(spelling: str) -> None:
    answer = f'{{"echo": "{SPELLINGS[spelling](ODD)}", "key": "{ODD}"}}'.encode()
    hidden = Secret(ODD).hidden(answer)
    assert ODD.encode() not in hidden
    assert SPELLINGS[spelling](ODD).encode()[4:20] not in hidden
    assert Secret(ODD).restored(hidden) == answer


def test_key_in_base64_or_in_wide_letters_is_hidden_and_turned_back() -> None:
    key = Secret(KEY)
    encoded = b64encode(KEY.encode())
    for data in (b"it was " + encoded, f"so: {KEY}!".encode("utf-16-le")):
        hidden = key.hidden(data)
        assert hidden != data
        assert encoded.rstrip(b"=") not in hidden
        assert KEY.encode("utf-16-le") not in hidden
        assert key.restored(hidden) == data
    assert encoded.decode().rstrip("=") not in without_key(f"bad: {encoded.decode()}", key)


def test_status_that_is_the_key_is_not_shown(shell: Callable[..., Shell]) -> None:
    script = Script(lambda _: Answer({"task_id": "t", "status": KEY}))
    with pytest.raises(TaskTimeoutError) as caught:
        shell(transport=script).generate("a fox", timeout=30)
    assert KEY not in everything_of(caught.value)
