"""A signed picture is kept as it came: metadata of ours would make it read as tampered with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.client import Generation
from opeai_nb.library import info, received_bytes, request_from, with_provenance
from opeai_nb.library.metadata.content_credentials import has_content_credentials
from tests.library.metadata.test_provenance import FACTS

SIGNED = Path(__file__).with_name("signed")
FORMATS = ["png", "jpeg", "webp"]
WORDS = "present, kept, not verified"
HEADS = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xeb", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypavif"]


def signed(kind: str) -> bytes:
    return (SIGNED / f"signed.{kind}").read_bytes()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_signed_picture_is_kept_byte_for_byte_and_its_record_alone_knows_the_request(
    kind: str, keep: Callable[..., Generation], tmp_path: Path
) -> None:
    (kept,) = keep("a fox", pictures=[signed(kind)]).pictures
    assert kept.path is not None
    assert kept.path.read_bytes() == signed(kind) == kept.data
    told = info(kept.path)
    assert told["content_credentials"] == WORDS
    assert told["request"]["prompt"] == "a fox"
    assert request_from(kept.path).prompt == "a fox"

    away = tmp_path / f"away.{kind}"
    away.write_bytes(signed(kind))
    assert info(away) == {"content_credentials": WORDS}


def test_saving_gives_the_signed_bytes(keep: Callable[..., Generation], tmp_path: Path) -> None:
    (path,) = keep("a fox", pictures=[signed("jpeg")]).save(tmp_path / "out")
    assert path.read_bytes() == signed("jpeg")


def test_saving_gives_the_received_bytes_and_the_kept_ones_when_asked(
    keep: Callable[..., Generation], picture: Callable[..., bytes], tmp_path: Path
) -> None:
    made = keep("a fox", pictures=[picture("PNG")])
    (plain,) = made.save(tmp_path / "received")
    (told,) = made.save(tmp_path / "kept", metadata=True)
    assert plain.read_bytes() == picture("PNG")
    assert told.read_bytes() == made.pictures[0].data != picture("PNG")
    assert info(told)["request"]["prompt"] == "a fox"
    for folder in ("received", "kept"):
        for metadata in (False, True):
            made.save(tmp_path / folder, metadata=metadata)
        assert len(list((tmp_path / folder).iterdir())) == 1, "metadata makes no other picture"


def test_an_unsigned_picture_says_nothing_of_credentials(
    keep: Callable[..., Generation], picture: Callable[..., bytes]
) -> None:
    (kept,) = keep("a fox named c2pa", pictures=[picture("JPEG")]).pictures
    assert kept.path is not None
    assert "content_credentials" not in info(kept.path)
    assert received_bytes(kept.path.read_bytes()) == picture("JPEG")


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_is_put_into_a_signed_picture(kind: str) -> None:
    assert has_content_credentials(signed(kind))
    assert with_provenance(signed(kind), FACTS) == signed(kind)


def test_the_box_of_an_avif_is_found_behind_others() -> None:
    head = b"\0\0\0\x10ftypavif\0\0\0\0" + b"\0\0\0\x0cmeta1234"
    box = b"\0\0\0\x1cuuid" + bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"1234"
    assert has_content_credentials(head + box)
    assert not has_content_credentials(head + box.replace(b"uuid", b"free"))


@given(st.sampled_from(HEADS), st.binary(max_size=200))
def test_no_bytes_upset_the_look(head: bytes, rest: bytes) -> None:
    assert has_content_credentials(head + rest) in {True, False}
