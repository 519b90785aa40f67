"""Which decoders can be reached: the listed ones alone, wherever a picture is opened."""

from __future__ import annotations

import ast
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import opeai_nb
from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.client.values.image_input.input_image import input_images
from opeai_nb.client.values.views.result_view import generation_bundle
from opeai_nb.engine.api.error_envelope import ApiError
from opeai_nb.engine.work import render
from opeai_nb.errors import ImageInputError, NoPictureError
from opeai_nb.formats import DECODABLE, sniff_format
from opeai_nb.imaging.open_picture import UndecodableError, decoders, open_picture, picture_size
from opeai_nb.notebook.display import previews
from tests.pictures import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE = Path(opeai_nb.__file__).parent
POSTSCRIPT = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    b"1 0 0 setrgbcolor 0 0 9 9 rectfill showpage\n" + b"\n" * 5000
)


def calls_of_open(path: Path) -> Iterator[ast.Call]:
    """Yield each `Image.open(…)` of a file, under whatever name PIL's module is imported."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)) if ".open" in text else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if node.func.attr == "open" and owner.split(".")[-1] in {"Image", "PILImage", "PIL"}:
                yield node


def test_every_opening_of_a_picture_names_the_list() -> None:
    """One place in the toolkit, one in the engine; a third is a hole."""
    calls = {
        path.relative_to(HOUSE).as_posix(): call
        for path in HOUSE.rglob("*.py")
        for call in calls_of_open(path)
    }
    assert set(calls) == {"imaging/open_picture.py", "engine/work/render.py"}
    for call in calls.values():
        assert any(keyword.arg == "formats" for keyword in call.keywords)


def test_the_engine_takes_nothing_that_the_toolkit_would_not_open() -> None:
    """The engine has a list of its own: what the models take (platform.md 3.5)."""
    assert set(render._FORMATS) <= set(DECODABLE)


def test_no_listed_decoder_starts_programs_or_reads_other_files() -> None:
    """EPS runs Ghostscript; FITS, GBR, WMF and stubs hand the bytes on; IPTC, MIC read inside."""
    assert not {"EPS", "WMF", "FLI", "GRIB", "HDF5", "BUFR", "MIC", "FPX", "PSD"} & set(decoders())
    assert {"PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"} <= set(decoders())


def samples() -> dict[str, bytes]:
    """Return a small file of every format that Pillow writes, by Pillow's name."""
    Image.init()
    files = {"EPS": POSTSCRIPT}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for kind in sorted(set(Image.SAVE) - {"EPS"}):
            for mode in ("RGB", "L", "1", "P", "F"):
                try:
                    files[kind] = encoded(Image.new(mode, (64, 64)), kind)
                    break
                except (OSError, KeyError, ValueError, AttributeError, TypeError):
                    continue  # a stub, or not of this mode
    return files


SAMPLES = samples()
FOREIGN = sorted(set(SAMPLES) - set(DECODABLE) - {"MPO"})  # an MPO begins with a JPEG


@pytest.fixture
def ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `gs` into the path that leaves a file when it is run; return that file."""
    programs, trace = tmp_path / "bin", tmp_path / "gs-was-run"
    programs.mkdir()
    (programs / "gs").write_text(f"#!/bin/sh\n: > {trace}\n")
    (programs / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    return trace


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_of_a_format_that_is_not_listed_is_no_picture(
    kind: str, tmp_path: Path, ghostscript: Path
) -> None:
    """At every door: results, inputs, previews, sheets and the engine."""
    data, path = SAMPLES[kind], tmp_path / "picture.png"
    path.write_bytes(data)
    with pytest.raises(UndecodableError):
        open_picture(data)
    for picture in (Picture(data), Picture(path)):
        with pytest.raises(NoPictureError) as raised:
            picture.image  # noqa: B018  it is decoded here
        assert str(tmp_path) not in str(raised.value)
    with pytest.raises(ImageInputError, match="not an image"):
        input_images(path)
    with pytest.raises(UndecodableError):
        previews.tile(path)
    with pytest.raises(UndecodableError):
        previews.large_of(data, (9, 9))
    with pytest.raises(ApiError):
        render.checked_size(data)
    assert generation_bundle(Generation((Picture(data),), ImageRequest("a fox")))
    assert not ghostscript.exists()


@pytest.mark.parametrize("kind", sorted(set(decoders()) & set(SAMPLES)))
def test_a_file_of_a_listed_format_opens_and_its_beginning_tells_which_it_is(kind: str) -> None:
    data = SAMPLES[kind]
    assert open_picture(data).size == (64, 64)
    assert sniff_format(data[:16]) == kind.lower()


def test_a_fifo_in_the_place_of_a_picture_is_refused_at_once(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no FIFOs here")
    os.mkfifo(tmp_path / "fox.png")
    with pytest.raises(OSError, match="not a file"):
        open_picture(tmp_path / "fox.png")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_the_size_of_a_png_is_told_as_pillow_tells_it(mode: str) -> None:
    data = encoded(Image.new(mode, (33, 21)), "PNG")
    assert picture_size(data) == open_picture(data).size == (33, 21)


@pytest.mark.parametrize("place", [0, 12, 19, 24, 26, 31])
def test_a_png_whose_head_is_broken_has_no_size(place: int) -> None:
    data = bytearray(encoded(Image.new("RGB", (33, 21)), "PNG"))
    data[place] ^= 0x55
    with pytest.raises(UndecodableError):
        picture_size(bytes(data))
