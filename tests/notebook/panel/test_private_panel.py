"""A panel for visitors: each has a library of its own, and the session's limit holds for all."""

from __future__ import annotations

from collections.abc import Callable

from opeai_nb.studio import Studio
from opeai_nb.studio.current_studio import private_studio
from tests.studio.conftest import engine, new_studio, studio, transport

__all__ = ["engine", "new_studio", "studio", "transport"]


def test_visitors_see_nothing_of_each_other(studio: Studio) -> None:
    one, other = private_studio(lambda: studio), private_studio(lambda: studio)
    one().generate("a fox", size="512x512")
    assert [len(it.library.search("fox")) for it in (one(), other(), studio)] == [1, 0, 0]
    assert one() is one()
    assert one().library.folder.parent.name == f"{studio.library.folder.name}-visitors"


def test_a_limit_of_the_session_holds_for_private_libraries(
    new_studio: Callable[..., Studio],
) -> None:
    shared = new_studio(max_images_per_session=3)
    private_studio(lambda: shared)().generate("a fox", n=2, size="512x512")
    assert shared.ledger.asked == 2


def test_a_price_list_of_the_notebook_s_own_is_no_hindrance(
    new_studio: Callable[..., Studio],
) -> None:
    priced = new_studio(prices={"currency": "EUR", "picture": {"qwen-image-2.0": "0.02"}})
    mine = private_studio(lambda: priced)
    assert mine() is mine()
    assert mine().settings.prices == priced.settings.prices
