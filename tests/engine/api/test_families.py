from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opeai_nb.families import FAMILIES, accepts_size, family_of, parse_size, size_for_ratio


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("qwen-image-2.0", "qwen-image-2.0"),
        ("qwen-image-2.0-pro", "qwen-image-2.0"),
        ("Qwen-Image", "qwen-image"),
        ("qwen-image-plus", "qwen-image"),
        ("doubao-seedream-4.5", "seedream"),
        ("doubao-seedream-4-0-250828", "seedream-4.0"),
        ("bytedance-seedream-5.0", "seedream"),
        ("gpt-image-2-2026-04-21", "gpt-image-2"),
        ("gpt-image-1.5", "gpt-image-1"),
        ("dall-e-3", "dall-e-3"),
        ("dall-e-2", "dall-e-2"),
        ("rehearsal-slow", "rehearsal-task"),
        ("rehearsal-502", "rehearsal"),
    ],
)
def test_the_longest_prefix_names_the_family(model: str, family: str) -> None:
    assert family_of(model).name == family


def test_an_unknown_model_has_no_family() -> None:
    assert family_of("somebody-else") is None


def test_every_family_accepts_what_it_offers_and_its_default() -> None:
    for family in FAMILIES:
        for size in (*family.sizes, family.default_size):
            assert size is None or accepts_size(family, size), (family.name, size)


@pytest.mark.parametrize(
    ("model", "size", "accepted"),
    [
        ("qwen-image-2.0", "512x512", True),
        ("qwen-image-2.0", "2049x2048", False),
        ("qwen-image-plus", "1024x1024", False),
        ("wan2.6-t2i", "1024x1024", False),
        ("wan2.6-t2i", "1696x960", True),
        ("doubao-seedream-4.5", "1024x1024", False),
        ("doubao-seedream-4.0", "1024x1024", True),
        ("gpt-image-2", "1000x1000", False),
        ("gpt-image-2", "3840x2160", True),
        ("gpt-image-2", "3840x1264", False),
        ("gpt-image-1", "2048x2048", False),
        ("dall-e-3", "1792x1024", True),
        ("qwen-image-2.0", "1024×1024", False),
        ("qwen-image-2.0", "1024X1024", False),
        ("qwen-image-2.0", "01024x1024", False),
        ("doubao-seedream-4.5", "2k", True),
    ],
)
def test_sizes_are_judged_by_the_documented_limits(model: str, size: str, accepted: bool) -> None:
    assert accepts_size(family_of(model), size) is accepted


@pytest.mark.parametrize(
    ("model", "ratio", "size"),
    [
        ("qwen-image-2.0", (1, 1), "1024x1024"),
        ("qwen-image-2.0", (16, 9), "2688x1536"),
        ("qwen-image-plus", (16, 9), "1664x928"),
        ("gpt-image-1", (16, 9), "1536x1024"),
        ("gpt-image-2", (16, 9), "2048x1152"),
        ("dall-e-3", (9, 16), "1024x1792"),
        ("unknown-model", (3, 2), "1248x832"),
    ],
)
def test_a_ratio_becomes_a_size(model: str, ratio: tuple[int, int], size: str) -> None:
    assert size_for_ratio(model, ratio) == size


@given(
    st.sampled_from([prefix for family in FAMILIES for prefix in family.prefixes]),
    st.tuples(st.integers(1, 100), st.integers(1, 100)),
)
def test_any_ratio_becomes_a_size_that_the_model_accepts(
    model: str, ratio: tuple[int, int]
) -> None:
    size = size_for_ratio(model, ratio)
    assert accepts_size(family_of(model), size)
    assert parse_size(size) is not None


@pytest.mark.parametrize("ratio", [(0, 1), (1, 0), (-16, 9)])
def test_a_ratio_without_positive_terms_is_an_error(ratio: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        size_for_ratio("qwen-image-2.0", ratio)
