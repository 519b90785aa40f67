"""At DEBUG, no log that the HTTP stack writes holds the key, also when a server echoes it."""

from __future__ import annotations

import logging
from base64 import b64encode
from urllib.parse import quote

import pytest

from opeai_nb.client import Client
from opeai_nb.errors import OpeaiError
from opeai_nb.testing import Answer
from tests.client.misbehaving import misbehaving

KEY = "sk-4f9a+d81c/22be77"
QUOTED = quote(KEY, safe="")
ENCODED = [b64encode(f"{before}{KEY}".encode()).decode() for before in ("", "x", "Bearer ", "u:")]
ECHOES = [
    *(KEY, f"Bearer {KEY}", QUOTED, f"{KEY[:5]}****{KEY[-5:]}", f"x{KEY}x", f"Bearer%20{QUOTED}"),
    *(QUOTED.lower(), quote(QUOTED, safe=""), f"/a?k={QUOTED}&x", *ENCODED),
]


@pytest.mark.parametrize("echo", ECHOES)
def test_no_log_holds_a_key_that_a_server_echoes(
    echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = Answer({"error": {"message": echo}}, 400, {"X-Echo": echo, "X-Request-Id": echo})
    with (
        misbehaving(answer) as server,
        Client(base_url=server.url, api_key=KEY) as client,
        pytest.raises(OpeaiError),
    ):
        client.generate("a fox")
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    shown = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    encoded = [text[4:-4] for text in ENCODED]
    for part in (KEY, QUOTED, QUOTED.lower(), quote(QUOTED), KEY[:10], KEY[-8:], *encoded):
        assert part not in shown
