"""Where settings are found, and which of them wins."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client.values.views.text_output import from_here
from opeai_nb.errors import OptionError
from opeai_nb.secret import Secret, secret
from opeai_nb.settings import _typed, settings

KEY = "sk-abcdefghijklmnop"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory two folders below a home of its own, and an empty environment."""
    for name in [name for name in os.environ if name.startswith("OPEAI")]:
        monkeypatch.delenv(name)
    place = tmp_path / "project" / "notebooks"
    place.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(place)
    return place


def key_of(**given: str) -> str | None:
    found = settings(**given).api_key
    return None if found is None else found.reveal()


def test_given_wins_over_the_environment_and_that_over_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / ".env").write_text("OPEAI_API_KEY=sk-of-the-file\n")
    assert key_of() == "sk-of-the-file"
    monkeypatch.setenv("OPEAI_API_KEY", "sk-of-the-environment")
    assert key_of() == "sk-of-the-environment"
    assert key_of(api_key=" sk-given ") == "sk-given"


@pytest.mark.skipif(os.name == "nt", reason="nobody removes the folder that he is in there")
def test_a_working_folder_that_was_removed_has_no_file_and_hinders_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPEAI_API_KEY", KEY)
    folder.rmdir()
    assert key_of() == KEY
    assert from_here(folder / "a.png") == folder / "a.png"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"OPEAI_API_KEY={KEY}", KEY),
        (f"  export OPEAI_API_KEY = {KEY}  ", KEY),
        (f'OPEAI_API_KEY="{KEY}" # mine', KEY),
        (f"OPEAI_API_KEY='{KEY}'", KEY),
        (f"OPEAI_API_KEY={KEY} # mine", KEY),
        (f"\ufeffOPEAI_API_KEY={KEY}", KEY),
        ("OPEAI_API_KEY=sk-with#inside", "sk-with#inside"),
        ("OPEAI_API_KEY=", None),
        ("OPEAI_API_KEY= # none yet", None),
        (f"# OPEAI_API_KEY={KEY}", None),
        (f"MY_OPEAI_API_KEY={KEY}", None),
        (f"OPENAI_API_KEY={KEY}", None),
    ],
)
def test_a_line_of_the_file(folder: Path, line: str, expected: str | None) -> None:
    (folder / ".env").write_text(f"OTHER=1\n{line}\n", encoding="utf-8")
    if line.startswith("\ufeff"):
        (folder / ".env").write_text(line, encoding="utf-8")
    assert key_of() == expected


def test_the_nearest_file_counts(folder: Path) -> None:
    (folder.parent / ".env").write_text("OPEAI_API_KEY=sk-above\n")
    (folder / ".env").write_text("OPEAI_API_KEY=sk-beside\n")
    assert key_of() == "sk-beside"


def test_nothing_above_the_home_folder_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / ".env").write_text("OPEAI_API_KEY=sk-above\n")
    monkeypatch.setenv("HOME", str(folder))
    assert key_of() is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
def test_a_file_of_somebody_else_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("OPEAI_API_KEY=sk-planted\n")
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert key_of() is None


def test_a_folder_of_that_name_is_no_file(folder: Path) -> None:
    (folder / ".env").mkdir()
    assert key_of() is None


def test_a_key_shows_itself_to_nobody() -> None:
    key = Secret(KEY, "typed")
    assert repr(key) == str(key) == f"{key}" == "<key: set>"
    assert KEY[3:8] not in repr(settings(api_key=KEY))
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_without_a_key_the_engine_paints_unless_it_is_forbidden() -> None:
    assert settings().origin == "engine"
    assert settings(api_key=KEY).origin == "platform"
    assert settings(api_key=KEY, engine="always").origin == "engine"
    with pytest.raises(OptionError, match="forbidden"):
        _ = settings(engine="never").origin


# -- a `.env` that came with a folder


SERVER = "OPEAI_BASE_URL=https://elsewhere.example"


def refused(**given: str) -> str:
    found = settings(**given)
    with pytest.raises(OptionError, match="Nothing was sent") as raised:
        _ = found.origin
    assert found.base_url is None
    return raised.value.message


@pytest.mark.parametrize("where", ["environment", "given", "typed", "nowhere"])
def test_a_server_of_a_dotenv_file_never_gets_a_key_from_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (folder.parent / ".env").write_text(f"{SERVER}\n")
    if where == "environment":
        monkeypatch.setenv("OPEAI_API_KEY", KEY)
    if where == "typed":  # not by `take_key`: a person's own keyring would keep it
        monkeypatch.setitem(_typed, "api_key", secret(KEY, "typed"))
    assert "names a server" in refused(**({"api_key": KEY} if where == "given" else {}))


def test_a_server_of_a_dotenv_file_gets_the_key_of_that_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / ".env").write_text(f"{SERVER}\nOPEAI_API_KEY=sk-of-the-file\n")
    monkeypatch.setenv("OPEAI_API_KEY", KEY)
    assert key_of() == "sk-of-the-file"
    assert settings().origin == "platform"
    assert "names a server" in refused(api_key=KEY)


def test_a_server_of_the_environment_gets_the_key_of_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / ".env").write_text(f"{SERVER}\nOPEAI_API_KEY=sk-of-the-file\n")
    monkeypatch.setenv("OPEAI_API_KEY", KEY)
    monkeypatch.setenv("OPEAI_BASE_URL", "https://mine.example")
    assert key_of() == KEY
    assert settings().base_url == "https://mine.example"


def test_a_dotenv_file_may_choose_the_engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPEAI_API_KEY", KEY)
    (folder.parent / ".env").write_text("OPEAI_BASE_URL=engine:\n")
    assert settings().origin == "engine"


@pytest.mark.parametrize("place", ["../../elsewhere", "~/elsewhere", "/elsewhere", "link/inside"])
def test_a_dotenv_file_puts_the_library_nowhere_outside(
    folder: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder.parent / ".env").write_text(f"OPEAI_NB_LIBRARY={place}\n")
    assert "outside its own folder" in refused()
    assert settings().library == Path("imagine")
    assert settings(library="/mine").library == Path("/mine")
    assert settings(library="/mine").origin == "engine"


@pytest.mark.parametrize("place", ["pictures", "a/b", "../shared"])
def test_a_dotenv_file_may_put_the_library_below_its_folder(folder: Path, place: str) -> None:
    (folder.parent / ".env").write_text(f"OPEAI_NB_LIBRARY={place}\n")
    assert settings().library == Path(place)
    assert settings().origin == "engine"


SPELLINGS: list[bytes] = [
    *(b"export %s", b"  %s  # mine", b"\xef\xbb\xbf%s", b"A=1\r\n%s\r\n", b"A=1\r%s\r", b"%s\0"),
    *(b'A="\n%s\n"', b"OPEAI_BASE_URL=engine:\n%s", b"\xff\xfe\n%s", b"%s\nOPEAI_API_KEY=\n"),
    *(b"A=1\x0c%s", b"%s\nOPEAI_API_KEY=  # none", b"%s\nOPEAI_API_KEY=''", b"%s\napi_key=sk-x"),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("line", [SERVER, SERVER.replace("=", " = ", 1), f"{SERVER} "])
def test_no_spelling_of_a_dotenv_file_sends_a_key_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, spelling: bytes, line: str
) -> None:
    monkeypatch.setenv("OPEAI_API_KEY", KEY)
    (folder / ".env").write_bytes(spelling % line.encode())
    found = settings()
    assert found.base_url is None
    assert found.refusal is not None or b"\0" in spelling


@pytest.mark.parametrize(
    "written", ["$OPEAI_API_KEY", "${OPEAI_API_KEY}", "%OPEAI_API_KEY%", "$(x)"]
)
def test_a_dotenv_file_cannot_name_the_key_of_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("OPEAI_API_KEY", KEY)
    (folder / ".env").write_text(f"{SERVER}\nOPEAI_API_KEY={written}\n")
    assert key_of() == written


def test_no_other_variable_of_a_dotenv_file_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPEAI_API_KEY", KEY)
    (folder / ".env").write_text("https_proxy=http://x\nSSL_CERT_FILE=x\nPATH=x\nOPEAI_NB_X=1\n")
    before = dict(os.environ)
    assert settings().base_url is None
    assert dict(os.environ) == before


@pytest.mark.parametrize("place", ["a\0b", "loop/x", "~nobody-of-that-name/x", "link/x"])
def test_a_library_that_cannot_be_below_the_folder_is_outside(folder: Path, place: str) -> None:
    (folder / "loop").symlink_to("loop")
    (folder / "link").symlink_to(folder.parent.parent)
    (folder / ".env").write_text(f"OPEAI_NB_LIBRARY={place}\n")
    assert settings().refusal is not None


@pytest.mark.parametrize("number", ["9" * 5000, "²", "-1", "1e3", "\x1b[2J"])
def test_a_number_of_a_dotenv_file_that_is_none_is_told(folder: Path, number: str) -> None:
    (folder / ".env").write_text(f"OPEAI_NB_MAX_IMAGES_PER_SESSION={number}\n")
    with pytest.raises(OptionError, match="not a whole number") as raised:
        settings()
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize("kind", ["fifo", "loop", "device", "too large"])
def test_a_dotenv_file_that_is_none_blocks_nothing(folder: Path, kind: str) -> None:
    match kind:
        case "fifo":
            os.mkfifo(folder / ".env")
        case "loop":
            (folder / ".env").symlink_to(".env")
        case "device":
            (folder / ".env").symlink_to("/dev/zero")
        case _:
            (folder / ".env").write_text("#" * 1_100_000)
            with pytest.raises(OptionError, match="larger than 1 MB"):
                settings()
            return
    assert settings().refusal is None


PIECES = [
    *(
        "OPEAI_BASE_URL",
        "OPEAI_API_KEY",
        "export ",
        "=",
        " = ",
        "\n",
        "\r\n",
        "\r",
        "\0",
        "#",
        " #",
    ),
    *("'", '"', "engine:", "https://x.example", "sk-of-the-file", "$OPEAI_API_KEY", "\ufeff", "\\"),
    *("OPEAI_NB_LIBRARY", "../..", "/tmp", "a/b", "~", "\x1b[2J", "\u202e", "\x85", "\u2028", "\t"),
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14).map("".join))
def test_whatever_a_dotenv_file_says_the_key_goes_to_no_server_of_it(text: str) -> None:
    Path(".env").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPEAI_API_KEY", KEY)
        try:
            found = settings()
        except OptionError:
            return
    assert found.base_url is None or found.says_engine or found.api_key.reveal() != KEY
    home = Path.cwd()
    assert found.refusal is not None or (home / found.library).resolve().is_relative_to(home)
