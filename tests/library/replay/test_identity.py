"""What makes two requests the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.client import Generation, ImageRequest
from opeai_nb.client.values.image_input.input_image import InputImage
from opeai_nb.library import Library, identity
from tests.library.replaying import shown

CHANGES: dict[str, Any] = {
    "prompt": "a dog",
    "model": "gpt-image-2",
    "n": 2,
    "size": "1024x1024",
    "quality": "high",
    "output_format": "webp",
    "output_compression": 50,
    "background": "transparent",
    "moderation": "low",
    "style": "vivid",
    "sequential_image_generation": "auto",
    "watermark": True,
    "extra": {"strength": 0.5},
}
ALIYUN = {"seed": 7, "negative_prompt": "blurry", "prompt_extend": False}


@pytest.mark.parametrize("name", [*CHANGES, *ALIYUN, "image", "dialect"])
def test_every_field_that_changes_the_result_counts(
    name: str, picture: Callable[..., bytes]
) -> None:
    base: dict[str, Any] = {"prompt": "a cat", "dialect": "aliyun" if name in ALIYUN else "openai"}
    values = {**CHANGES, **ALIYUN, "image": picture(), "dialect": "aliyun"}
    changed = {**base, name: values[name]}
    assert identity(ImageRequest(**base)) != identity(ImageRequest(**changed))


@pytest.mark.parametrize("change", [{"response_format": "url"}, {"user": "ada"}])
def test_how_it_travels_and_whose_it_is_do_not_count(change: dict[str, Any]) -> None:
    assert identity(ImageRequest("a cat")) == identity(ImageRequest("a cat", **change))


@pytest.mark.parametrize(
    "saved", ["café \t\nsnow", "café\r\nsnow", "café  \r\nsnow", "cafe\u0301\nsnow"]
)
def test_texts_are_the_same_however_an_editor_saves_them(saved: str) -> None:
    """By one on Windows, or on a Mac, or one that takes off blanks at the ends of lines."""
    for name in ("prompt", "negative_prompt"):
        fields: dict[str, Any] = {"prompt": "a", "dialect": "aliyun"}
        plain, other, *others = (
            identity(ImageRequest(**{**fields, name: text}))
            for text in (
                "café\nsnow",
                saved,
                "café snow",
                "cafe\nsnow",
                "café\n snow",
                "café\n\nsnow",
            )
        )
        assert plain == other
        assert plain not in others


def test_a_prompt_that_an_editor_has_saved_otherwise_is_shown(
    keep: Callable[..., Generation], library: Library, folder: Path
) -> None:
    keep("a café \nin snow")
    (record,) = library.records()
    assert record.prompt == "a café \nin snow"
    for prompt in ("a café\nin snow", "a cafe\u0301\r\nin snow"):
        found = shown(Library(folder), ImageRequest(prompt))
        assert found is not None
        assert found.id == record.id


def test_every_field_is_decided_on() -> None:
    decided = {*CHANGES, *ALIYUN, "image", "dialect", "response_format", "user"}
    assert decided == set(ImageRequest.__dataclass_fields__)


def test_input_pictures_count_by_content_and_not_by_path(
    tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(picture())
    (tmp_path / "c.png").write_bytes(picture(colour="red"))
    a, b, c = (identity(ImageRequest("x", image=tmp_path / f"{n}.png")) for n in "abc")
    assert a == b == identity(ImageRequest("x", image=picture()))
    assert a != c


def test_the_order_of_input_pictures_counts(picture: Callable[..., bytes]) -> None:
    one, two = picture(), picture(colour="red")
    assert identity(ImageRequest("x", image=[one, two])) != identity(
        ImageRequest("x", image=[two, one])
    )


def test_the_order_in_a_dict_does_not_count() -> None:
    one = ImageRequest("x", extra={"a": 1, "b": 2}, image=({"url": "u", "detail": "d"},))
    two = ImageRequest("x", extra={"b": 2, "a": 1}, image=({"detail": "d", "url": "u"},))
    assert identity(one) == identity(two)


def test_an_input_by_url_is_not_one_by_the_bytes_of_the_url() -> None:
    by_url = ImageRequest("x", image=InputImage(url="https://x.example/a.png"))
    by_bytes = ImageRequest("x", image=InputImage(data=b"https://x.example/a.png"))
    assert identity(by_url) != identity(by_bytes)


def test_the_identity_is_the_same_on_every_machine() -> None:
    known = "337476d5"
    assert identity(ImageRequest("水彩猫", n=2))[:8] == known
