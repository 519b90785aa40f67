"""A sweep sends what is missing, keeps all that comes, and lets nothing end the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.bulk import Outcome, Plan, Sweep
from opeai_nb.bulk.run.run import Run
from opeai_nb.bulk.sweep.plan import Point
from opeai_nb.bulk.sweep.sweep import sweep
from opeai_nb.client import AsyncClient
from opeai_nb.engine import ENGINE_URL, Engine
from opeai_nb.errors import AuthenticationError, InputError, ModerationError, OptionError
from opeai_nb.library import info
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from tests.studio.conftest import Watched

SMALL: dict[str, Any] = {"size": "512x512"}


def foxes(studio: Studio, **more: object) -> Sweep:
    values = {"animal": ["fox", "owl"], "style": ["ink", "oil", "neon"], **SMALL, **more}
    return sweep("a {animal} in {style}", studio=studio, **values)


def test_every_point_gets_its_pictures(studio: Studio, transport: Watched) -> None:
    made = foxes(studio).run()
    assert [g.request.prompt for g in made] == [p.request.prompt for p in made.plan]
    assert transport.posts == 6
    assert repr(made) == "<Sweep: 6 pictures · animal × style>"


def test_running_again_sends_only_what_is_missing(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    """In the same session, in a new one, and when the sweep has grown on both sides."""
    first = foxes(new_studio())
    first.run()
    first.run()
    assert transport.posts == 6
    again = foxes(new_studio())
    assert again.kept == frozenset(range(6))
    assert transport.posts == 6
    assert repr(again.run()) == repr(first)
    grown = foxes(new_studio(), animal=["wolf", "fox", "owl"], style=["oil", "chalk", "ink"])
    assert len(grown.kept) == 4
    grown.run()
    assert transport.posts == 6 + 5


def test_what_a_cell_of_an_earlier_session_made_is_found(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    new_studio().generate("a fox in ink", **SMALL)
    foxes(new_studio()).run()
    assert transport.posts == 6


def test_fresh_sends_all_anew(studio: Studio, transport: Watched) -> None:
    made = foxes(studio).run()
    made.run(fresh=True)
    assert transport.posts == 12


def test_the_same_request_several_times_gives_several_pictures_and_replays_them_all(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    def made() -> Sweep:
        return sweep("a fox", user=["a", "b", "c"], studio=new_studio(), **SMALL).run()

    first, second = made(), made()
    assert transport.posts == 3
    files = [generation.good[0].path for generation in first]
    assert len(set(files)) == 3
    assert [generation.good[0].path for generation in second] == files


def test_one_failure_ends_nothing_else(studio: Studio) -> None:
    made = foxes(studio, animal=["fox"], model=["qwen-image-2.0", "rehearsal-moderation"]).run()
    assert len(made.generations) == 3
    assert {labels[2] for labels in made.failed} == {"rehearsal-moderation"}
    with pytest.raises(ModerationError):
        made.at(style="ink", model="rehearsal-moderation")
    assert "3 failed" in repr(made)


def test_it_raises_where_nothing_came_at_all(studio: Studio) -> None:
    with pytest.raises(ModerationError):
        sweep("a {x}", x=["fox", "owl"], model="rehearsal-moderation", studio=studio).run()


def test_a_wrong_key_is_not_tried_for_every_point(tmp_path: Path) -> None:
    """What every other request would meet as well ends the sending."""
    engine = Engine(key="another-key")
    transport = Watched(engine)
    client = AsyncClient(base_url=ENGINE_URL, api_key="a-wrong-key", transport=transport)
    studio = Studio(settings(base_url="engine:", library=tmp_path), client=client)
    made = sweep("a {x}", x=range(50), studio=studio, **SMALL)
    with pytest.raises(AuthenticationError):
        made.run(concurrency=2)
    assert transport.posts <= 3
    assert made.running is not None
    assert f"{50 - transport.posts} not sent" in made.running.final
    engine.close()


def test_a_function_is_called_with_each_generation(studio: Studio) -> None:
    made = foxes(studio).run(then=lambda generation: generation[0].size)
    assert [made.outcome(point).value for point in made.plan] == [(512, 512)] * 6


def test_a_function_that_fails_costs_no_picture(studio: Studio) -> None:
    made = foxes(studio).run(then=lambda _: 1 / 0)
    assert len(made.generations) == 6
    assert "ZeroDivisionError" in made.outcome(made.plan[0]).reason


def test_values_are_asked_for_by_position_by_name_and_by_keyword(studio: Studio) -> None:
    made = foxes(studio).run()
    one = made["fox", "neon"]
    assert one.request.prompt == "a fox in neon"
    assert made["animal":"fox", "style":"neon"] is one
    assert made.at(animal="fox", style="neon") is one
    assert made[{"animal": "fox", "style": "neon"}] is one
    part = made["style":"ink"]
    assert [g.request.prompt for g in part] == ["a fox in ink", "a owl in ink"]
    with pytest.raises(KeyError, match="no value 'cat'"):
        made["cat"]
    with pytest.raises(KeyError, match="3 values for 2 axes"):
        made["fox", "ink", 1]
    with pytest.raises(InputError, match="not varied"):
        made.at(colour="red")


def test_a_run_is_followed_with_counts_that_add_up(studio: Studio) -> None:
    run = foxes(studio).start()
    seen = list(run.follow(tick=0.01, least=0.0))
    assert [p.settled for p in seen] == sorted(p.settled for p in seen)
    assert seen[-1].done == 6
    assert seen[-1].running == 0
    assert seen[-1].line() == "▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰ 6 of 6"


def test_halting_keeps_what_is_under_way_and_sends_nothing_more(
    studio: Studio, transport: Watched
) -> None:
    begun, halted = threading.Event(), threading.Event()
    made = sweep("a {x}", x=range(30), studio=studio, **SMALL)

    def look(request: httpx.Request) -> None:
        assert begun.wait(60)
        if request.method == "POST" and made.running is not None and not halted.is_set():
            halted.set()
            made.running.halt()

    transport.before = look
    run = made.start(concurrency=3)
    begun.set()
    assert run.wait(60)
    sent = transport.posts
    assert len(made.generations) == sent < 30
    assert f"{30 - sent} not sent" in run.final
    transport.before = lambda _: None
    made.run()
    assert transport.posts == 30
    assert len(made.generations) == 30


def test_it_does_not_run_twice_at_once(studio: Studio, transport: Watched) -> None:
    may_leave = threading.Event()
    transport.before = lambda _: may_leave.wait(60)
    made = foxes(studio)
    run = made.start()
    with pytest.raises(OptionError, match="running already"):
        made.start()
    may_leave.set()
    assert run.wait(60)


def test_a_table_has_a_row_for_each_point(studio: Studio) -> None:
    pytest.importorskip("pandas")
    table = foxes(studio, model=["qwen-image-2.0", "rehearsal-moderation"]).run().to_dataframe()
    assert len(table) == 12
    assert list(table["status"]).count("failed") == 6
    assert set(table["style"]) == {"ink", "oil", "neon"}


def test_a_grid_has_cells_of_one_size_and_marks_what_failed(
    studio: Studio,
) -> None:
    made = sweep(
        "a fox",
        size=["512x512", "768x512"],
        model=["qwen-image-2.0", "rehearsal-moderation"],
        studio=studio,
    ).run()
    grid = made.grid(rows="model", columns="size")
    assert grid.shape == (2, 2)
    page = grid.image()
    assert page.width >= 2 * 768
    assert page.height >= 2 * 512
    assert page.getpixel((page.width - 20, page.height - 20)) == (253, 236, 234)
    assert grid.sheet().width <= 1300


def test_axes_beyond_two_are_pages(studio: Studio) -> None:
    grid = foxes(studio, size=["512x512", "768x512"]).run().grid()
    assert (len(grid), grid.shape) == (2, (2, 3))
    assert grid.title(1) == "size: 768x512"


def test_pages_that_do_not_stand_in_the_sheet_are_told_of(studio: Studio) -> None:
    grid = foxes(studio, size=["512x512", "768x512"]).run().grid()
    _, (width, first) = grid.jpeg(1)
    assert grid.jpeg(2)[1][1] > first + 100
    assert first > grid.sheet(0).height
    assert width == grid.sheet(0).width


def test_a_cell_whose_file_is_gone_says_so(studio: Studio) -> None:
    made = sweep("a {x}", x=["fox", "owl"], studio=studio, **SMALL).run()
    before = made.grid().image()
    path = made["fox"].good[0].path
    assert path is not None
    path.unlink()
    again = sweep("a {x}", x=["fox", "owl"], studio=studio, **SMALL)
    again.outcomes = made.outcomes
    cell = again.grid().image().crop((0, 40, 500, before.height))
    inks = [colour for _, colour in cell.getcolors(1_000_000) or ()]
    assert (150, 30, 24) in inks


def test_a_saved_grid_tells_what_was_asked_for_in_each_cell(studio: Studio, tmp_path: Path) -> None:
    made = foxes(studio).run()
    (path,) = made.grid().save(tmp_path / "grid.png")
    told = info(path)
    assert told["axes"] == {"animal": ["fox", "owl"], "style": ["ink", "oil", "neon"]}
    assert [cell["request"]["prompt"] for cell in told["cells"]][:2] == [
        "a fox in ink",
        "a fox in oil",
    ]
    assert all(cell["files"] for cell in told["cells"])


def test_counts_tell_how_a_run_ended() -> None:
    run = Run(Plan((), [object(), object()]), lambda *_: None)  # type: ignore[list-item]
    point = Point(0, (), None, "")
    run.take(point, Outcome("done"))
    run.take(point, Outcome("unknown"))
    assert run.final == "1 of 2 done · 1 outcome unknown"


def test_a_session_s_limit_ends_the_sending_unless_somebody_agreed(
    new_studio: Callable[..., Studio], transport: Watched
) -> None:
    studio = new_studio(max_images_per_session=4)
    made = foxes(studio).run(concurrency=1)
    assert transport.posts == len(made.generations) == 4
    assert len(made.run(beyond_limit=True).generations) == 6
    assert transport.posts == 6


@pytest.mark.parametrize(
    ("orders", "words"),
    [({"concurrency": 0}, "concurrency"), ({"timeout": -1}, "timeout"), ({"timeout": "5"}, "time")],
)
def test_orders_that_cannot_be_right_are_refused_before_anything_is_paid(
    studio: Studio, transport: Watched, orders: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        foxes(studio).run(**orders)
    assert transport.posts == 0
