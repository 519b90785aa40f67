"""Whatever lies in a library folder: no link is followed out of it, and no read blocks."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opeai_nb.bulk.batch.batch import batch
from opeai_nb.bulk.batch.manifest import Manifest
from opeai_nb.bulk.batch.manifest_file import read_lines
from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.client.values.image_input.input_image import input_images
from opeai_nb.errors import ImageInputError, InputError, LibraryError, NoPictureError, OpeaiError
from opeai_nb.library import Library, info
from opeai_nb.library.disk.homes import Homes
from opeai_nb.notebook.panel.save_files import upload_file

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
SECRET = b"the secret of another folder"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the user's own beside the library."""
    path = tmp_path / "secret.txt"
    path.write_bytes(SECRET)
    return path


def put(kind: str, path: Path, outside: Path) -> None:
    """Put something that is no plain file in the place of *path*."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    match kind:
        case "link":
            path.symlink_to(outside)
        case "dangling link":
            path.symlink_to(outside.with_name("not-there"))
        case "link to a device":
            path.symlink_to("/dev/zero")
        case "link to a folder":
            path.symlink_to(outside.parent)
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()


KINDS = ["link", "dangling link", "link to a device", "link to a folder", "fifo", "folder"]


def everything(library: Library) -> list[bytes]:
    """Ask a library all that reads its files; return the bytes of every picture that it gives."""
    data: list[bytes] = []
    for record in [*library.records(), *library.search("fox")]:
        for picture in library.generation(record).pictures:
            with suppress(OpeaiError):
                data.append(picture.data or b"")
        with suppress(OpeaiError):
            _ = record.request
    for entry in library.pending():
        with suppress(OpeaiError):
            entry.generation()
        entry.received()
        entry.unknown("looked at")
    library.problems()
    library.usage()
    return data


@pytest.mark.filterwarnings("ignore::opeai_nb.library.LibraryWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_anything_in_the_place_of_any_file_of_a_library(  # noqa: PLR0917  pytest passes by name
    kind: str,
    folder: Path,
    keep: Callable[..., Any],
    begin: Callable[..., Any],
    picture: Callable[..., bytes],
    outside: Path,
) -> None:
    library = Library(folder)
    keep("a fox", into=library)
    keep("an edited fox", into=library, image=picture("PNG", "red"))
    for _ in range(2):
        entry = begin("an owl", into=library)
        entry.answered(Generation((Picture(picture()),), entry.request))
    library.close()
    pristine = folder.with_name("pristine")
    shutil.copytree(folder, pristine)
    made = {"imagine", "pristine", "secret.txt"}
    for number, path in enumerate(sorted(pristine.rglob("*"))):
        # A folder of its own: whoever began entries in an earlier one still beats there.
        here = folder.with_name(f"imagine-{number}")
        shutil.copytree(pristine, here)
        made.add(here.name)
        put(kind, here / path.relative_to(pristine), outside)
        reader = Library(here)
        assert SECRET not in everything(reader)
        keep("a new fox", into=reader)
        reader.close()
        assert outside.read_bytes() == SECRET
        assert {each.name for each in outside.parent.iterdir()} == made


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_is_written_through_nothing(kind: str, folder: Path, outside: Path) -> None:
    folder.mkdir()
    put(kind, folder / "manifest.jsonl", outside)
    rows = rows_of(["a fox"], None, {})
    with pytest.raises(LibraryError, match=r"cannot be (read|written)"):
        Manifest(folder, rows.table.rows, rows.plan).begin()
    assert outside.read_bytes() == SECRET
    if kind != "dangling link":
        with pytest.raises(LibraryError, match="cannot be read"):
            read_lines(folder / "manifest.jsonl")


@pytest.mark.parametrize("kind", ["fifo", "folder", "link to a device"])
def test_what_is_no_file_is_refused_and_not_waited_for(
    kind: str, tmp_path: Path, outside: Path
) -> None:
    path = tmp_path / "fox.png"
    put(kind, path, outside)
    with pytest.raises(LibraryError, match="not a file"):
        info(path)
    with pytest.raises(ImageInputError, match=r"not a file|is a folder"):
        input_images(path)
    with pytest.raises(NoPictureError):
        _ = Picture(path).image
    with pytest.raises(NoPictureError):
        _ = Picture(path).data
    with pytest.raises(InputError, match="not a file"):
        batch(path.rename(tmp_path / "rows.csv"))


@pytest.mark.parametrize("kind", KINDS)
def test_saving_into_a_folder_writes_through_no_link(
    kind: str, folder: Path, outside: Path, picture: Callable[..., bytes]
) -> None:
    folder.mkdir()
    put(kind, folder / "a-fox-1.png", outside)
    made = Generation((Picture(picture()),), ImageRequest("a fox"))
    assert [path.name for path in made.save(folder)] == ["a-fox-1-v2.png"]
    assert outside.read_bytes() == SECRET
    assert not outside.with_name("not-there").exists()


@pytest.mark.parametrize("kind", ["link to a folder", "link"])
def test_uploads_go_into_no_folder_that_is_a_link(kind: str, folder: Path, outside: Path) -> None:
    folder.mkdir()
    put(kind, folder / "uploads", outside)
    homes = Homes(folder)
    path = upload_file(homes, "fox.png", b"\x89PNG\r\n\x1a\n")
    assert path.is_relative_to(homes.second)
    assert outside.read_bytes() == SECRET


def test_an_explicit_input_may_be_a_link(tmp_path: Path, picture: Callable[..., bytes]) -> None:
    """A user's own links are the user's: data folders are full of them."""
    (tmp_path / "fox.png").write_bytes(picture())
    (tmp_path / "link.png").symlink_to("fox.png")
    assert input_images(tmp_path / "link.png")[0].data == picture()
