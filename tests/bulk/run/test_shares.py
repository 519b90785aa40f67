"""Shares of a plan on a cluster that a test plays: it loses them at every moment there is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opeai_nb.bulk import Sweep
from opeai_nb.bulk.run.bulk_options import BulkOptions
from opeai_nb.bulk.run.dask_cluster import shares_of
from opeai_nb.bulk.run.dask_worker import Site, clear, make, mark
from opeai_nb.bulk.run.outcome import Outcome
from opeai_nb.bulk.sweep.plan import Point
from opeai_nb.bulk.sweep.sweep import sweep
from opeai_nb.errors import OpeaiError, OptionError
from opeai_nb.studio import Studio

LOST = "The cluster lost this share: it was cancelled."


class Share(Future[Any]):
    """A future as Dask's are: it can be cancelled after it has ended, and it can be let go."""

    lost: Exception | None = None

    def result(self, timeout: float | None = None) -> Any:
        made = super().result(timeout)
        if self.lost is not None:
            raise self.lost
        return made

    def release(self) -> None:
        self.is_released = True


class Cluster:
    """A `distributed.Client` of two workers: *ends* tells for each share in turn how it ends."""

    def __init__(self, ends: Callable[[int, Share, Sequence[Point]], object]) -> None:
        self.shares: list[Share] = []
        self.status = "running"
        self._ends = ends

    def nthreads(self) -> dict[str, int]:
        return {"one": 1, "two": 1}

    def submit(
        self, make: object, site: object, run: str, points: Sequence[Point], *_: object, **how: Any
    ) -> Share:
        share = Share()
        self._ends(len(self.shares), share, points)
        self.shares.append(share)
        return share


def good(share: Share, points: Sequence[Point]) -> None:
    share.set_result([(point, Outcome("replayed")) for point in points])


def cancelled(share: Share, points: Sequence[Point]) -> None:
    share.cancel()


def cancelled_after_its_end(share: Share, points: Sequence[Point]) -> None:
    """Dask's own text ends with a full stop and names the share."""
    good(share, points)
    share.lost = CancelledError("opeai_nb-share-1 cancelled for reason: unknown.")


def cut_while_its_result_travels(share: Share, points: Sequence[Point]) -> None:
    share.set_exception(CancelledError("scheduler-connection-lost"))


def over(made: Sweep, client: Cluster) -> Sweep:
    run = made.start(on=client, concurrency=2)
    assert run.wait(60)
    return made


@pytest.mark.parametrize("lose", [cancelled, cancelled_after_its_end, cut_while_its_result_travels])
@pytest.mark.parametrize("number", [0, 5, 15])
def test_a_share_that_is_lost_at_any_moment_is_the_same_error_of_its_points(
    studio: Studio, lose: Callable[[Share, Sequence[Point]], None], number: int
) -> None:
    client = Cluster(
        lambda count, share, points: (lose if count == number else good)(share, points)
    )
    made = over(sweep("a {x}", x=range(32), studio=studio), client)
    assert [str(error.message) for error in made.failed.values()] == [LOST] * 2
    assert len(made.outcomes) == 32
    assert all(share.is_released for share in client.shares)


def test_a_cluster_that_takes_no_more_shares_loses_those(studio: Studio) -> None:
    def gone(count: int, share: Share, points: Sequence[Point]) -> None:
        if count >= 4:
            raise RuntimeError("Client is closed.")
        good(share, points)

    client = Cluster(gone)
    made = over(sweep("a {x}", x=range(32), studio=studio), client)
    assert {error.message for error in made.failed.values()} == {
        "The cluster lost this share: RuntimeError: Client is closed."
    }
    assert len(made.failed) == 24
    assert len(made.outcomes) == 32


def test_a_client_that_closes_as_its_scheduler_is_gone_loses_what_it_took_since(
    studio: Studio,
) -> None:
    """What Dask takes while it looks for the scheduler never ends: nor did the run."""

    def gone(count: int, share: Share, points: Sequence[Point]) -> None:
        if count < 4:
            good(share, points)
        else:
            client.status = "closed"

    client = Cluster(gone)
    made = over(sweep("a {x}", x=range(32), studio=studio), client)
    assert {error.message for error in made.failed.values()} == {
        "The cluster lost this share: ConnectionError: its scheduler is gone."
    }
    assert len(made.failed) == 24


def test_what_no_cluster_can_take_is_raised_before_anything_is_sent(studio: Studio) -> None:
    def refused(count: int, share: Share, points: Sequence[Point]) -> None:
        raise TypeError("cannot pickle a lock")

    made = sweep("a {x}", x=range(4), studio=studio)
    with pytest.raises(OpeaiError, match="lost this run: TypeError: cannot pickle a lock"):
        made.run(on=Cluster(refused))
    assert made.outcomes == {}


def test_a_worker_that_cannot_work_ends_the_run_after_what_is_under_way(studio: Studio) -> None:
    def keyless(count: int, share: Share, points: Sequence[Point]) -> None:
        if count == 0:
            share.set_exception(OptionError("A worker has no API key."))
        else:
            good(share, points)

    client = Cluster(keyless)
    made = sweep("a {x}", x=range(32), studio=studio)
    with pytest.raises(OptionError, match="no API key"):
        made.run(on=client, concurrency=2)
    assert len(client.shares) == 2
    assert len(made.outcomes) == 2  # those of the worker that has a key


def test_shares_fill_the_lanes_and_cover_every_point() -> None:
    shares = shares_of(list(range(1000)), lanes=4, concurrency=4)  # type: ignore[arg-type]
    assert [point for share in shares for point in share] == list(range(1000))
    assert len(shares) >= 16
    assert max(len(share) for share in shares) <= 64


def test_a_worker_whose_pictures_nobody_would_find_makes_none(
    studio: Studio, tmp_path: Path
) -> None:
    """Its library cannot be written, and what it keeps instead lies on its own machine."""
    elsewhere = replace(Site.of(studio.settings, tmp_path / "imagine"), second="host7:/home/ann")
    points = [*sweep("a {x}", x=range(2), size="512x512", studio=studio).plan]
    first = make(elsewhere, "run-1", points, BulkOptions())
    assert [outcome.state for _, outcome in first] == ["done"] * 2
    closed = tmp_path / "closed"
    closed.write_text("no folder")
    with pytest.raises(OptionError, match="would lie on its own machine") as raised:
        make(replace(elsewhere, library=str(closed)), "run-2", points, BulkOptions())
    assert "Nothing was sent" in str(raised.value)
    shut(tmp_path / "imagine")
    again = make(elsewhere, "run-3", points, BulkOptions())
    assert [outcome.state for _, outcome in again] == ["replayed"] * 2, "which costs nothing"


def test_a_worker_that_sees_another_folder_under_the_library_s_path_sends_nothing(
    studio: Studio, tmp_path: Path
) -> None:
    """As on a machine where the share is not mounted: the path is there, or can be made."""
    here, elsewhere = tmp_path / "imagine", tmp_path / "unmounted"
    site = Site.of(studio.settings, here)
    points = [*sweep("a {x}", x=range(2), size="512x512", studio=studio).plan]
    assert mark(here, "run-1")
    with pytest.raises(OptionError, match="does not see the library folder") as raised:
        make(replace(site, library=str(elsewhere)), "run-1", points, BulkOptions(), is_marked=True)
    assert str(elsewhere) in str(raised.value)
    assert not elsewhere.exists()
    made = make(site, "run-1", points, BulkOptions(), is_marked=True)
    assert [outcome.state for _, outcome in made] == ["done"] * 2
    clear(here, "run-1")
    assert list((here / ".pending" / ".shares").iterdir()) == []


def test_the_library_is_marked_before_the_first_share_is_handed_out(
    studio: Studio, tmp_path: Path
) -> None:
    signs: list[list[str]] = []

    def looked_at(count: int, share: Share, points: Sequence[Point]) -> None:
        signs.append([path.suffix for path in (tmp_path / "imagine/.pending/.shares").iterdir()])
        good(share, points)

    over(sweep("a {x}", x=range(4), studio=studio), Cluster(looked_at))
    assert signs == [[".begun"]] * len(signs)
    assert list((tmp_path / "imagine/.pending/.shares").iterdir()) == []


def shut(library: Path) -> None:
    """Let nothing be written into the journal of a library, whoever tries."""
    shutil.rmtree(library / ".pending")
    (library / ".pending").write_text("no folder")
