"""Users as hubs, containers and batch systems make them: no home, no cache, warnings as errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opeai_nb import connect
from opeai_nb.client import AsyncClient
from opeai_nb.errors import OptionError
from opeai_nb.library import Slot
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.testing import Script
from tests.pictures import png

PAINT = "import opeai_nb; print(len(opeai_nb.Studio().generate('a fox', size='512x512')))"


@pytest.fixture
def other_user() -> Iterator[Callable[[str, dict[str, str]], subprocess.CompletedProcess[str]]]:
    """Run code as a user that the system does not know, in a folder of hers."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can be another user")
    become = ["setpriv", "--reuid=54321", "--clear-groups", sys.executable]
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 54321, -1)

        def run(code: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
            plain = {k: v for k, v in os.environ.items() if k != "HOME" and k[:5] != "OPEAI"}
            return subprocess.run(
                [*become, "-W", "error", "-c", code],
                env=plain | {"TMPDIR": folder} | variables,
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )

        if run("import opeai_nb", {}).returncode:
            pytest.skip("another user may not read this interpreter")
        yield run


OtherUser = Callable[[str, dict[str, str]], subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("home", [{}, {"HOME": "/"}])
def test_a_user_without_a_home_gets_pictures_under_any_warnings(
    other_user: OtherUser, home: dict[str, str]
) -> None:
    done = other_user(PAINT, home)
    assert (done.stdout, "Traceback" in done.stderr) == ("1\n", False), done.stderr
    assert done.stderr.count("Note: this user has no home.") == (not home), done.stderr


def test_a_library_that_this_user_may_not_enter_is_told_with_the_way_out(
    other_user: OtherUser, tmp_path: Path
) -> None:
    (tmp_path / "library").mkdir(mode=0o700)
    done = other_user(PAINT, {"OPEAI_NB_LIBRARY": str(tmp_path / "library")})
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("opeai_nb.errors.LibraryError: The library folder cannot be read: ")


def test_what_the_library_holds_is_shown_where_nobody_may_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPEAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPEAI_API_KEY", raising=False)
    script = Script({"data": [{"b64_json": b64encode(png()).decode()}]})
    client = AsyncClient(base_url="http://p.test", api_key="k-0123456789", transport=script)
    paid = settings(base_url="http://p.test", api_key="k-0123456789", library=tmp_path)
    Studio(paid, client=client).generate("a fox", slot=Slot("a", 1))
    never = settings(engine="never", library=tmp_path)
    later = Studio(never)
    assert later.generate("a fox", slot=Slot("a", 1)).replayed_from
    with pytest.raises(OptionError, match="no API key, and the embedded engine is forbidden"):
        later.generate("an owl", slot=Slot("b", 1))
    with pytest.raises(OptionError, match="forbidden"):
        connect.client(never)
    assert len(script.posts) == 1


def test_a_system_without_user_numbers_has_a_folder_for_who_has_no_home() -> None:
    """Windows has none; a user without a home must not meet an AttributeError there."""
    code = (
        "import os; del os.getuid; from opeai_nb.homeless import homeless_folder as f; print(f())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == Path(tempfile.gettempdir()) / "opeai_nb"
    assert "this user has no home" in done.stderr
