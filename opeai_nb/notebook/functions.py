"""`opeai_nb.panel()` and `opeai_nb.generate(…)`: functions that know the notebook they stand in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from opeai_nb.studio.current_studio import studio_here

if TYPE_CHECKING:
    from pathlib import Path

    from opeai_nb.client import Generation, ImageRequest
    from opeai_nb.notebook.panel.panel import Panel
    from opeai_nb.notebook.panel.plain_panel import PlainPanel
    from opeai_nb.notebook.session import Session


def panel(**controls: Any) -> Panel | PlainPanel:
    """Return the interactive panel; as the last value of a cell it is shown.

    *controls* set it: `panel(prompt="a fox", model="gpt-image-2", size="16:9")`; each is also a
    trait of the panel, by the name of the API's field (input pictures: `images`). Where the file
    of `Imagine.prices` has presets, one is chosen in a list, or by `preset="flat"`. *only*, a box
    `(x, y, width, height)` in pixels or a mask, is where the edit of its one input picture may
    change it; a person draws one by "Change only here". With *private* it has a library of its own,
    as each visitor of an app wants it (Voilà). *upload_limit* is how many bytes one upload may
    have, 50 MB unless said otherwise.

    With *plain* it is a small form of stock widgets, with the same traits: for a front end that
    shows nothing of the panel, as it has ipywidgets and no anywidget. Its uploads have 10 MB.

    It uses the studio of `%%imagine`: the same settings, library and session. Without a shell it
    makes one from the environment. Raises `TraitError` for a control that there is not,
    `InputError` for a region that the input picture does not have.
    """
    from opeai_nb.notebook.panel.panel import panel_on

    return panel_on(_session(), **controls)


def generate(prompt: str | ImageRequest | None = None, **fields: Any) -> Generation:
    """Ask for pictures and wait for them: kept in the library, and replayed from it.

    *fields* are those of `Studio.start`: `opeai_nb.generate("a fox", size="16:9", n=2)`, or
    `opeai_nb.generate("a hat", image="fox.png", only=(100, 80, 400, 300))`. In a cell
    it is one of that cell's requests, with its badge and the settings of `%config`; in a script it
    follows the environment. Raises `InputError` before anything is sent, `OpeaiError` for what the
    request failed of.
    """
    session = _session()
    if session is None:
        return studio_here().generate(prompt, **fields)
    from opeai_nb.studio.run_options import RunOptions, region_of

    only = fields.pop("only", None)
    options, fields = RunOptions.split(fields)
    request = session.studio.request(prompt, **fields)
    region = region_of(request, only)
    slot = session.slot(request, region)
    job = session.studio.start(request, slot=slot, options=options, only=region)
    session.watch(job)
    return job.result()


def info(file: str | Path) -> dict[str, Any]:
    """Return what is known of a picture file: from the file itself, else from the library.

    As `opeai_nb.library.info`; a copy that tells nothing by itself is known again by its bytes,
    where the library of `%%imagine` has the picture. Raises `LibraryError` when nothing is known or
    the file is unreadable.
    """
    from opeai_nb.library import info as told_by
    from opeai_nb.library.lineage import told_of

    return told_of(file, studio_here().library, told_by)


def request_from(file: str | Path) -> ImageRequest:
    """Return the request that a picture file was made by, ready to be sent again.

    Input pictures are looked for in the library beside the file; a copy that tells nothing by
    itself, or lies without its inputs, is looked for by its bytes in the library of `%%imagine`.
    Raises `LibraryError` when the picture is not known, or an input picture is not there.
    """
    from opeai_nb.library import request_from as written_in
    from opeai_nb.library.lineage import told_of

    return told_of(file, studio_here().library, written_in)


def _session() -> Session | None:
    """Return this shell's session, loaded now where it was not; None outside any shell."""
    if "IPython" not in sys.modules:  # a script: it need not wait for an import to know that
        return None
    from IPython.core.getipython import get_ipython

    from opeai_nb.notebook.extension import load

    shell = get_ipython()
    return None if shell is None else load(shell)
