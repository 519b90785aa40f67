"""A share of a plan, made by one worker of a cluster on its own loop."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opeai_nb.bulk.run.before_paying import kept_of
from opeai_nb.bulk.run.workers import Workers
from opeai_nb.errors import OptionError
from opeai_nb.library.disk.files import discard, own_folder, write_part
from opeai_nb.library.disk.homes import second_home
from opeai_nb.library.journal.journal import FOLDER
from opeai_nb.library.journal.process import this_process
from opeai_nb.library.library_warning import reason
from opeai_nb.settings import settings
from opeai_nb.studio import Studio
from opeai_nb.studio.loop import schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.bulk.run.bulk_options import BulkOptions
    from opeai_nb.bulk.run.outcome import Outcome
    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.settings import Settings, SubfolderChoice

_SHARES: Final = ".shares"
_studios: dict[tuple[int, Site], Studio] = {}


@dataclass(frozen=True)
class Site:
    """Where requests go and pictures are kept: settings without the key, which never travels.

    *second* is where whoever asks keeps what the *library* does not take: its host, and the folder.
    """

    origin: str
    base_url: str | None
    engine: str
    library: str
    second: str
    allow_hosts: frozenset[str]
    replay: bool
    metadata: bool
    subfolders: SubfolderChoice

    @classmethod
    def of(cls, settings: Settings, library: Path) -> Site:
        """Return the site of a studio."""
        return cls(
            origin=settings.origin,
            base_url=settings.base_url,
            engine=settings.engine,
            library=str(library),
            second=_second(library),
            allow_hosts=settings.allow_hosts,
            replay=settings.replay,
            metadata=settings.metadata,
            subfolders=settings.subfolders,
        )

    def studio(self) -> Studio:
        """Return this process's studio for the site; the key is that of its own environment.

        Raises `OptionError` where the platform is asked and this worker has no key.
        """
        known = _studios.get((os.getpid(), self))
        if known is not None:
            return known
        here = settings(
            base_url=self.base_url,
            engine=self.engine,
            library=Path(self.library),
            allow_hosts=self.allow_hosts,
            replay=self.replay,
            metadata=self.metadata,
            subfolders=self.subfolders,
        )
        if self.origin == "platform" and here.api_key is None:
            raise OptionError(
                "A worker has no API key: the key never travels with the work.",
                advice="Set OPEAI_API_KEY in the environment of the workers. Nothing was sent.",
            )
        return _studios.setdefault((os.getpid(), self), Studio(here))


def make(
    site: Site, run: str, points: Sequence[Point], options: BulkOptions, *, is_marked: bool = False
) -> list[tuple[Point, Outcome]]:
    """Make a share and return what became of its points; those not begun are left out.

    *is_marked* says that whoever asks has marked its library for this run (`mark`).

    A cluster may take a slow worker for dead and give its share to another: that one waits, point
    by point, for what the first makes, and finds in the library what it made. Raises `OptionError`
    where nobody else would find what is made here.
    """
    made: list[tuple[Point, Outcome]] = []
    if is_marked:
        _check_sight(Path(site.library), run)
    studio = site.studio()
    _check_library(site, studio, points, options)
    sign = halt_sign(Path(site.library), run)
    workers = Workers(
        studio, points, options, lambda *each: made.append(each), is_halted=sign.exists
    )
    schedule(workers.work()).result()
    return made


def _check_sight(library: Path, run: str) -> None:
    """Look whether this worker sees the library of whoever asks, or another folder at its path."""
    if not _sign(library, run, "begun").exists():
        raise OptionError(
            f"A worker on {this_process()['host']} does not see the library folder {library} "
            "of whoever asks: what it made would lie out of everybody's sight, and be paid for "
            "again.",
            advice="Set Imagine.library to a folder that all workers see under the same path. "
            "Nothing was sent by this worker.",
        )


def _check_library(
    site: Site, studio: Studio, points: Sequence[Point], options: BulkOptions
) -> None:
    """Look whether pictures would be kept on this machine alone, out of everybody's sight."""
    library = studio.library
    if site.second == _second(library.folder):
        return
    try:
        folder = own_folder(library.folder / FOLDER, unlisted=True, disk=library.homes.disk)
        discard(write_part(folder, b"", durable=False, disk=library.homes.disk))
    except OSError as error:
        if not options.fresh and len(kept_of(studio, points)) == len(points):
            return
        raise OptionError(
            f"A worker cannot write to the library folder ({reason(error)}): what it made would "
            "lie on its own machine, and be paid for again from elsewhere.",
            advice=f"Let the workers on {this_process()['host']} write to it, or set "
            "Imagine.library to a folder that all of them can write to. Nothing was sent.",
        ) from error


def _second(library: Path) -> str:
    return f"{this_process()['host']}:{second_home(library)}"


def halt_sign(library: Path, run: str) -> Path:
    """Return the file whose being there tells every worker to begin nothing more."""
    return _sign(library, run, "halt")


def mark(library: Path, run: str) -> bool:
    """Mark the library for a run: a worker that sees no mark looks at another folder.

    False where the mark cannot be set: that says nothing about the workers. The name is new with
    each run, so that no network file system can remember it as missing.
    """
    try:
        _folder(library)
        _sign(library, run, "begun").touch()
    except OSError:
        return False
    return True


def halt(library: Path, run: str) -> None:
    """Tell every worker of a run to begin nothing more. Raises `OSError`."""
    _folder(library)
    halt_sign(library, run).touch()


def clear(library: Path, run: str) -> None:
    """Remove the signs of a run that is over."""
    for path in (library / FOLDER / _SHARES).glob(f"{run}*"):
        path.unlink(missing_ok=True)


def _sign(library: Path, run: str, kind: str) -> Path:
    return library / FOLDER / _SHARES / f"{run}.{kind}"


def _folder(library: Path) -> Path:
    return own_folder(own_folder(library / FOLDER, unlisted=True) / _SHARES)
