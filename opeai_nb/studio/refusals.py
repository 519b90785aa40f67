"""Why a run does not pay: an earlier one may have, or what it would show is only out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opeai_nb.errors import OptionError, OutcomeUnknownError
from opeai_nb.library.library_below import library_below
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from opeai_nb.library import Entry, Library, Session
    from opeai_nb.settings import Settings
    from opeai_nb.studio.request_run import Ask

_OR_AGAIN: Final = "Or run the cell again, or with --fresh: then it asks for a new picture."
_LOST: Final = (
    "The library seems to have a record of this request, and it or a picture of it is missing or "
    "damaged."
)
_BRING_BACK: Final = (
    "Bring the file back (a whole copy of the folder, git lfs pull): %imagine tasks names what is "
    "damaged. "
)
BRING_BACK_OF_MANY: Final = (
    f"{_BRING_BACK}Or run it again, or with send_unknown=True (--send-unknown): then it asks for "
    "new pictures. Nothing was sent."
)
_ELSEWHERE: Final = (
    "This request was sent to another server before, and is unfinished: it may be paid for there."
)
_FINISH_THERE: Final = (
    "%imagine tasks lists it, and with that server's OPEAI_BASE_URL it can be finished. "
    f"{_OR_AGAIN} Nothing was sent."
)
_BELOW: Final = (
    "The library in {folder}/{library} has a picture for this request, and there is none here: a "
    "notebook of that folder seems to be run from above it."
)
_GO_THERE: Final = (
    "Run it there (papermill --cwd {folder}), or set OPEAI_NB_LIBRARY={folder}/{library}. "
    f"{_OR_AGAIN} Nothing was sent."
)


def lost(ask: Ask, library: Library, settings: Settings) -> OptionError | None:
    """Return that files of what would be shown are no more, if that seems so.

    What the engine has painted costs nothing, and is painted again.
    """
    or_damaged = settings.asks == "platform"
    if not library.lost([(ask.identity, ask.request.prompt)], or_damaged=or_damaged):
        return None
    of_one = f"{_BRING_BACK}{_OR_AGAIN} Nothing was sent."
    return OptionError(_LOST, advice=of_one if ask.caller == "cell" else BRING_BACK_OF_MANY)


def elsewhere() -> OptionError:
    """Return that another server was sent the same, and it is unfinished there."""
    return OptionError(_ELSEWHERE, advice=_FINISH_THERE)


def below(ask: Ask, library: Library, session: Session) -> OptionError | None:
    """Return that a picture for this request lies in the library of a folder below, if it does.

    Asked where nobody has worked yet, and the notebook's own folder is not known.
    """
    if session.notebook is not None or library.origins():
        return None
    found = library_below(library.folder, ask.identity, ask.request.prompt)
    if found is None:
        return None
    told = {"folder": found.parent.name, "library": found.name}
    return OptionError(_BELOW.format(**told), advice=_GO_THERE.format(**told))


def in_trash() -> OptionError:
    """Return that what would be shown is in the trash."""
    return OptionError(
        "What this cell would show is in the trash.",
        advice="`%imagine history --trash` lists it, `%imagine restore ID` brings it back. Or run "
        "the cell again: then it asks for a new picture. Nothing was sent.",
    )


def painted_over(library: Library, settings: Settings) -> OptionError | None:
    """Return that the engine would paint for want of a key beside pictures of the platform.

    A notebook that came with its library would silently get another picture than it shows.
    """
    by_default = settings.origin == "engine" and not settings.engine_is_chosen
    if not by_default or "platform" not in library.origins():
        return None
    return OptionError(
        "The library holds pictures of the platform, none of them for this request, and there is "
        "no API key.",
        advice="Set OPEAI_API_KEY to ask the platform, or OPEAI_BASE_URL=engine: to let the "
        "embedded engine paint. Nothing was sent.",
    )


def unknown(ask: Ask, entry: Entry) -> OutcomeUnknownError:
    """Return that an earlier run may have been paid for."""
    advice = (
        "Look: %imagine tasks and %imagine resume. Drop it: %imagine forget. Or send it again "
        "knowingly, with --fresh. Nothing was sent."
    )
    if ask.caller == "point":
        advice = (
            "So it is not sent again by itself. send_unknown=True (--send-unknown) sends such "
            "requests anew; %imagine tasks tells of them."
        )
    end = (
        "got an answer that could not be read, and is kept"
        if entry.truth == "answer not read"
        else "was cut off before its answer came"
    )
    error = OutcomeUnknownError(
        f"An earlier run of this request {end}: "
        f"{counted(ask.request.count, 'picture')} may have been painted and paid for.",
        advice=advice,
        task_id=entry.task_id,
        request=ask.request,
    )
    error.idempotency_key = entry.key
    error.is_of_earlier_run = True
    return error
