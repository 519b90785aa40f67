"""The API key: found where people keep it, shown to nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kernel.echoing import echoing_platform

KEY = "sk-Zq7Wv3Lm9Xr2Tb5Kp8Ns1Hd4"
PARTS = [KEY[start : start + 5] for start in range(3, len(KEY) - 4)]
COLAB = """
import sys, types
colab = types.ModuleType("google.colab")
userdata = types.ModuleType("google.colab.userdata")
for name in ("SecretNotFoundError", "NotebookAccessError", "TimeoutException"):
    setattr(userdata, name, type(name, (Exception,), {}))
def get(name):
    if name in secrets:
        return secrets[name]
    raise userdata.SecretNotFoundError(name)
userdata.get = get
sys.modules |= {"google.colab": colab, "google.colab.userdata": userdata}
"""
KEYRING = """
import sys, types, importlib.machinery
ring = types.ModuleType("keyring")
ring.__spec__ = importlib.machinery.ModuleSpec("keyring", None)
ring.errors = types.SimpleNamespace(KeyringError=type("KeyringError", (Exception,), {}))
kept = {}
ring.get_password = lambda service, name: kept.get((service, name))
ring.set_password = lambda service, name, text: kept.__setitem__((service, name), text)
ring.delete_password = lambda service, name: kept.pop((service, name))
sys.modules["keyring"] = ring
"""


@pytest.fixture(scope="module")
def platform() -> Iterator[str]:
    with echoing_platform() as url:
        yield url


def keyless(kernel: Any) -> None:
    """Take away what chooses the engine, so that a key would be looked for."""
    kernel.good("import os\nos.environ.pop('OPEAI_BASE_URL')")


def settings_of(kernel: Any) -> dict[str, list[str]]:
    text = kernel.good("%imagine config").result["text/plain"]
    rows = [line.replace("API key", "key") for line in text.splitlines()]
    return {row.split()[0]: row.split()[1:] for row in rows}


def type_key(kernel: Any, key: str) -> Any:
    """Answer the question of `%imagine key` as a front end does."""
    message = kernel.send("%imagine key")
    asked = kernel.client.get_stdin_msg(timeout=10)
    assert asked["content"]["password"] is True
    kernel.client.input(key)
    return kernel.outcome(message)


@pytest.mark.parametrize("model", ["refused", "starred", "html", "flat", "task", "item", "paints"])
def test_a_server_that_says_the_key_cannot_make_us_show_it(
    kernel: Any, platform: str, model: str
) -> None:
    """In no output, traceback, badge, metadata or variable's repr, and in no file."""
    kernel.good(
        f"import os\nos.environ |= {{'OPEAI_BASE_URL': {platform!r}, 'OPEAI_API_KEY': {KEY!r}}}"
    )
    cell = f"%%imagine -m {model} -o x\na cat"
    found = [kernel.run(cell), kernel.run("x"), kernel.run("vars(x)"), kernel.run("%tb")]
    found += [kernel.run("%imagine models"), kernel.good("%imagine config")]
    found += [kernel.run("%imagine tasks"), kernel.good(f"%imagine --dry-run -m {model} a cat")]
    kernel.run("%xmode Verbose")
    found += [kernel.run(cell), kernel.run("import sys; repr(sys.last_value.__cause__)")]
    kernel.run("%xmode Context")
    shown = "\n".join(str(vars(outcome)) for outcome in found)
    written = b"".join(p.read_bytes() for p in kernel.folder.rglob("*") if p.is_file())
    assert "[key]" in shown, "the server did say it, and it was masked"
    assert not [part for part in PARTS if part in shown]
    assert not [part for part in PARTS if part.encode() in written]


def test_a_typed_key_is_used_and_told_as_set(kernel: Any) -> None:
    keyless(kernel)
    assert settings_of(kernel)["key"] == ["not", "set"]
    found = type_key(kernel, KEY)
    assert found.result["text/plain"] == "API key: set, until this kernel ends."
    assert settings_of(kernel)["key"] == ["set", "typed"]
    assert settings_of(kernel)["pictures"] == ["from", "platform"]
    found = type_key(kernel, "")
    assert found.result["text/plain"] == "API key: the typed one is forgotten."
    assert settings_of(kernel)["key"] == ["not", "set"]


def test_a_key_behind_the_command_is_not_said_again(kernel: Any) -> None:
    found = kernel.run(f"%imagine key {KEY}")
    assert found.error["ename"] == "OptionError"
    assert "The command: %imagine key." in "\n".join(found.error["traceback"])
    assert not [part for part in PARTS if part in str(found)]


def test_where_nobody_can_type_it_is_an_error(kernel: Any) -> None:
    found = kernel.run("%imagine key", live=False)
    assert found.error["ename"] == "OptionError"
    assert "OPEAI_API_KEY" in "\n".join(found.error["traceback"])


def test_a_dotenv_file_is_read_on_each_call_and_the_environment_wins(kernel: Any) -> None:
    keyless(kernel)
    dotenv = kernel.folder.parent / ".env"
    dotenv.write_text(f"# mine\nexport OPEAI_API_KEY='{KEY}' # secret\nOTHER=1\n")
    assert settings_of(kernel)["key"] == ["set", ".env", "file"]
    dotenv.write_text("OPEAI_NB_LIBRARY=pictures # here\n")
    told = settings_of(kernel)
    assert told["key"] == ["not", "set"]
    assert told["library"] == ["pictures/", ".env", "file"]
    kernel.good("os.environ['OPEAI_NB_LIBRARY'] = 'elsewhere'")
    assert settings_of(kernel)["library"] == ["elsewhere/", "environment"]
    kernel.good("%config Imagine.library = 'mine'")
    assert settings_of(kernel)["library"] == ["mine/", "%config"]


def test_colab_secrets_are_asked_once(kernel: Any) -> None:
    keyless(kernel)
    kernel.good(f"secrets = {{'OPEAI_API_KEY': {KEY!r}}}" + COLAB)
    assert settings_of(kernel)["key"] == ["set", "Colab", "secret"]
    kernel.good("secrets.clear()")
    assert settings_of(kernel)["key"] == ["set", "Colab", "secret"]


def test_a_secret_that_colab_refuses_is_no_key(kernel: Any) -> None:
    keyless(kernel)
    kernel.good("secrets = {}" + COLAB)
    assert settings_of(kernel)["key"] == ["not", "set"]


def test_the_system_keyring_keeps_a_typed_key(kernel: Any) -> None:
    keyless(kernel)
    kernel.good(KEYRING)
    found = type_key(kernel, KEY)
    assert found.result["text/plain"] == "API key: set, in the system keyring."
    kernel.good("import opeai_nb.settings as s; s._typed.clear(); s._stored_key.cache_clear()")
    assert settings_of(kernel)["key"] == ["set", "system", "keyring"]
    type_key(kernel, "")
    assert kernel.good("kept").result["text/plain"] == "{}"
    assert settings_of(kernel)["key"] == ["not", "set"]


def test_a_locked_keyring_is_no_keyring(kernel: Any) -> None:
    keyless(kernel)
    kernel.good(KEYRING + "def locked(*_): raise ring.errors.KeyringError('locked')\n")
    kernel.good("ring.get_password = ring.set_password = locked")
    found = type_key(kernel, KEY)
    assert found.result["text/plain"] == "API key: set, until this kernel ends."


def test_the_key_is_in_no_saved_output(kernel: Any) -> None:
    keyless(kernel)
    found = type_key(kernel, KEY)
    assert KEY[3:8] not in json.dumps(vars(found), default=str)
