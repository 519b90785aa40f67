"""A look at everything: each thing that is wrong is a line with its remedy, and nothing is sent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opeai_nb.client.values.finding import Checkup
from opeai_nb.errors import OptionError
from opeai_nb.settings import Settings, settings
from opeai_nb.studio.doctor import examine
from tests.client.misbehaving import misbehaving, nobody


def names(checkup: Checkup) -> list[str]:
    return [finding.name for finding in checkup]


def wrong(checkup: Checkup) -> dict[str, str]:
    return {finding.name: finding.remedy for finding in checkup if finding.state == "wrong"}


def test_the_engine_is_looked_at_without_a_key(tmp_path: Path) -> None:
    chosen = settings(base_url="engine:", library=tmp_path / "imagine")
    checkup = examine(lambda: chosen)
    assert checkup.is_well
    assert names(checkup)[:3] == ["painter", "platform", "models"]
    assert {"library", "locks", "room", "versions", "Python"} <= set(names(checkup))
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_platform_is_asked_by_a_get_alone(tmp_path: Path) -> None:
    with misbehaving("drop") as server:
        chosen = settings(base_url=server.url, api_key="k", library=tmp_path)
        checkup = examine(lambda: chosen)
        assert [line.split()[0] for line, _ in server.requests] == ["GET"]
    assert list(wrong(checkup)) == ["platform"]
    assert wrong(checkup)["platform"]


def test_without_a_network_all_else_is_still_told(tmp_path: Path) -> None:
    with nobody() as url:
        chosen = settings(base_url=url, api_key="k", library=tmp_path)
        checkup = examine(lambda: chosen)
    assert list(wrong(checkup)) == ["platform"]
    assert {"base URL", "key", "proxy", "library", "versions"} <= set(names(checkup))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"base_url": "nonsense"}, "base URL"),
        ({"api_key": "sk- with a space"}, "key"),
        ({"engine": "never"}, "settings"),
    ],
)
def test_a_setting_that_cannot_be_is_a_line(
    given: dict[str, str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPEAI_BASE_URL", raising=False)
    checkup = examine(lambda: settings(library=tmp_path, **given))
    assert list(wrong(checkup)) == [line]
    assert wrong(checkup)[line]
    assert {"library", "versions"} <= set(names(checkup))


@pytest.mark.parametrize(
    ("variable", "text", "line"),
    [
        ("OPEAI_NB_LIBRARY", "~nobody-is-called-so/x", "settings"),
        ("OPEAI_NB_LIBRARY", "loop", "library"),
        ("OPEAI_NB_LIBRARY", "dangling", "library"),
        ("OPEAI_NB_PRICES", "gone.toml", "prices"),
        ("OPEAI_NB_PRICES", "bad.toml", "prices"),
        ("OPEAI_NB_PRICES", "preset.toml", "presets"),
        ("OPEAI_NB_PRICES", "~nobody-is-called-so/x", "settings"),
        ("OPEAI_NB_MAX_COST_PER_SESSION", "much", "limit"),
        ("OPEAI_NB_MAX_COST_PER_SESSION", "3", "limit"),
        ("OPEAI_NB_MAX_IMAGES_PER_SESSION", "-3", "settings"),
        ("OPEAI_NB_ENGINE", "perhaps", "settings"),
        ("OPEAI_API_KEY", "a b", "key"),
        ("OPEAI_BASE_URL", "http://<host>/v1", "base URL"),
    ],
)
def test_a_variable_that_cannot_be_is_a_line_with_a_remedy(
    variable: str, text: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "bad.toml").write_text("[[[")
    (tmp_path / "preset.toml").write_text('[preset.poster]\nprompt = "no place for the prompt"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPEAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPEAI_NB_ENGINE", "always" if variable.startswith("OPEAI_NB") else "auto")
    monkeypatch.setenv(variable, text)
    checkup = examine()
    assert list(wrong(checkup)) == [line]
    assert wrong(checkup)[line]


def test_prices_that_can_be_read_are_counted(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(
        'currency = "EUR"\n[[price]]\nmodel = "m"\npicture = 1\n', "utf-8"
    )
    given = {"base_url": "engine:", "library": tmp_path, "prices": tmp_path / "prices.toml"}
    found = {finding.name: finding.text for finding in examine(lambda: settings(**given))}
    assert found["prices"] == "1 of models, and 0 presets"


def test_settings_that_cannot_be_read_are_a_line() -> None:
    def broken() -> Settings:
        raise OptionError("The file .env cannot be read.", advice="Give it read permission.")

    checkup = examine(broken)
    assert wrong(checkup) == {"settings": "Give it read permission."}


def test_a_library_that_is_a_file_is_told(tmp_path: Path) -> None:
    place = tmp_path / "imagine"
    place.write_text("")
    checkup = examine(lambda: settings(base_url="engine:", library=place))
    assert list(wrong(checkup)) == ["library"]
    checkup = examine(lambda: settings(base_url="engine:", library=place / "below"))
    assert list(wrong(checkup)) == ["library"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_library_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    checkup = examine(lambda: settings(base_url="engine:", library=tmp_path / "imagine"))
    tmp_path.chmod(0o700)
    assert list(wrong(checkup)) == ["library"]
