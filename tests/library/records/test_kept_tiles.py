"""Tiles of the gallery in the user's cache: made once for each picture, and never in the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from opeai_nb.library.kept_tiles import keep_tile, kept_tile
from opeai_nb.notebook.display import previews
from tests.pictures import encoded

OTHER = b"\xff\xd8\xff another tile"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path / "cache"))
    begin_session()
    return tmp_path / "cache" / "opeai_nb" / "tiles"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return painted(tmp_path / "fox.png", "red")


def painted(path: Path, colour: str) -> Path:
    path.write_bytes(encoded(Image.new("RGB", (64, 48), colour), "PNG"))
    return path


def begin_session() -> None:
    previews._tile.cache_clear()


def files(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def test_a_tile_that_an_earlier_session_made_is_read_and_not_made_again(
    cache: Path, picture: Path
) -> None:
    made = previews.tile(picture)
    (kept,) = files(cache)
    assert kept.read_bytes() == made
    kept.write_bytes(OTHER)  # so that it shows whence a tile comes
    begin_session()
    assert previews.tile(picture) == OTHER


def test_a_picture_that_was_changed_gets_another_tile(cache: Path, picture: Path) -> None:
    former, at = previews.tile(picture), picture.stat().st_mtime_ns
    painted(picture, "blue")
    os.utime(picture, ns=(at + 1, at + 1))
    assert previews.tile(picture) != former
    assert len(files(cache)) == 2


@pytest.mark.parametrize("content", [b"", b"<svg>", b"\x89PNG"])
def test_what_is_no_tile_is_made_anew(cache: Path, picture: Path, content: bytes) -> None:
    made = previews.tile(picture)
    (kept,) = files(cache)
    kept.write_bytes(content)
    begin_session()
    assert previews.tile(picture) == made
    assert kept.read_bytes() == made


def test_a_cache_that_cannot_be_written_takes_no_tile_away(
    tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the place of the cache")
    monkeypatch.setenv("OPEAI_NB_CACHE", str(tmp_path / "file"))
    begin_session()
    assert previews.tile(picture).startswith(b"\xff\xd8\xff")


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="links need rights there")
def test_a_link_in_the_place_of_a_tile_is_not_followed(
    cache: Path, picture: Path, tmp_path: Path
) -> None:
    made = previews.tile(picture)
    (kept,) = files(cache)
    (tmp_path / "theirs").write_bytes(OTHER)
    kept.unlink()
    kept.symlink_to(tmp_path / "theirs")
    begin_session()
    assert previews.tile(picture) == made
    assert (tmp_path / "theirs").read_bytes() == OTHER


def test_of_many_tiles_the_oldest_are_forgotten(cache: Path, picture: Path) -> None:
    keep_tile(picture, 1, "look", OTHER)
    (first,) = files(cache)
    for number in range(100):
        old = first.with_name(f"{number:03}")
        old.write_bytes(OTHER)
        os.utime(old, (number, number))
    keep_tile(picture, 1, "look", OTHER)
    left = {path.name for path in files(cache)}
    assert len(left) == 32
    assert "000" not in left
    assert "099" in left
    assert kept_tile(picture, 1, "look") == OTHER


def test_a_tile_that_is_made_otherwise_is_another(cache: Path, picture: Path) -> None:
    keep_tile(picture, 1, "176-72", OTHER)
    assert kept_tile(picture, 1, "88-72") is None
