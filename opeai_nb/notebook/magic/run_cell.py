"""A request run from a cell: the cell's own thread waits, shows and stores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from opeai_nb.client.values.save_target import refuse_target
from opeai_nb.client.values.views.result_view import full_bundles
from opeai_nb.errors import SessionLimitError
from opeai_nb.notebook.display.badge_display import Screen, publish
from opeai_nb.notebook.display.frontend import is_vscode
from opeai_nb.notebook.display.job_view import JobView
from opeai_nb.notebook.display.table import Text
from opeai_nb.notebook.display.watch import TICK, Detached, tell_notes, watch_job
from opeai_nb.notebook.magic.confirm import is_agreed
from opeai_nb.studio.run_options import region_of
from opeai_nb.studio.session_limit import Limit
from opeai_nb.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client import Generation, ImageRequest
    from opeai_nb.library import Slot
    from opeai_nb.notebook.magic.line import Parsed
    from opeai_nb.notebook.session import Session
    from opeai_nb.studio import Job, Studio


def run(
    session: Session, parsed: Parsed, prompt: str, names: Mapping[str, Any]
) -> Generation | Job | Text:
    """Start the cell's request and wait for it with a live badge, unless its options say not to.

    *names* are those that the calling code sees. Returns what the cell shows: the generation, the
    job in the background, or with `--dry-run` what would be sent. Raises what the job failed of
    (then the `-o` variable holds the job), or `Detached`. Asks whoever sits there before the
    session's limit of pictures is passed.
    """
    request = _request(session, parsed, prompt, names)
    only = region_of(request, parsed.cell.get("only"))
    cell = {**session.cell_options(parsed.cell), "only": only}
    if cell.get("save"):
        refuse_target(cell["save"], request)  # what cannot be is said before it costs
    if parsed.cell.get("dry_run"):
        return dry_run(request, session.studio)
    slot = session.slot(request, only)
    try:
        return _run(session, request, cell, slot)
    except SessionLimitError as error:
        if not session.may_ask or not is_agreed(f"{error.message} Send it all the same?"):
            raise
        return _run(session, request, {**cell, "yes": True}, slot)


def _request(
    session: Session, parsed: Parsed, prompt: str, names: Mapping[str, Any]
) -> ImageRequest:
    """Return the request that a line and a prompt say, with the defaults of `%config`."""
    from opeai_nb.client.values.request import build_request
    from opeai_nb.client.wire.hints import hints
    from opeai_nb.notebook.magic.prompt import interpolated
    from opeai_nb.presets.preset import with_preset

    if not parsed.cell.get("raw"):
        prompt = interpolated(prompt, names)
    presets, defaults = (lambda: session.studio.presets), session.request_defaults
    request = build_request(*with_preset(prompt, parsed.request, presets, defaults))
    tell_notes(hints(request))
    return request


def dry_run(request: ImageRequest, studio: Studio) -> Text:
    """Return the exact JSON that would be sent, where to, and how many pictures it asks for."""
    url, body = studio.preview(request)
    shown = json.dumps(_shortened(body), indent=2, ensure_ascii=False)
    pictures = counted(request.count, "picture")
    cost = studio.told_cost([request])
    return Text(f"POST {url}\n{shown}\n1 request, {pictures}{cost}. Nothing was sent.")


def _shortened(value: Any) -> Any:
    """Return *value* with the base64 of input pictures cut: nobody reads megabytes."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value[:40]}… ({len(value)} characters)"
    return value


def _run(
    session: Session, request: ImageRequest, cell: Mapping[str, Any], slot: Slot | None
) -> Generation | Job:
    studio = session.studio
    limit = Limit.of(studio.settings)
    job = studio.start(
        request,
        only=cell["only"],
        fresh=bool(cell.get("fresh")),
        slot=slot,
        metadata=cell.get("metadata"),
        beyond_limit=bool(cell.get("yes")),
        max_cost=cell.get("max_cost"),
        timeout=float(cell["timeout"]),
        alt=cell.get("alt"),
        caption=cell.get("caption"),
        keywords=cell.get("keywords"),
    )
    if limit != Limit() and not cell.get("yes") and session.may_ask:
        _let_in(session, job, cell)
    if cell.get("no_wait"):
        return _begun(session, job, cell)
    return _waited(session, job, cell)


def _let_in(session: Session, job: Job, cell: Mapping[str, Any]) -> None:
    """Wait a moment, until *job* is begun: a refusal is to be asked about, and not to be shown.

    Raises `SessionLimitError` for a job that would pass the limit.
    """
    try:
        for _ in job.follow(TICK):
            if job.id or job.is_settled or job.status == "waiting":
                break
    except KeyboardInterrupt:
        session.store(cell.get("out"), job)
        raise Detached(job) from None
    error = job.exception()
    if isinstance(error, SessionLimitError):
        session.store(cell.get("out"), job)
        raise error


def _waited(session: Session, job: Job, cell: Mapping[str, Any]) -> Generation:
    """Wait for *job* in this cell, and do with its result what the options say."""
    name = cell.get("out")
    try:
        generation = watch_job(job, Screen(session.frontend, quiet=bool(cell.get("quiet"))))
    except BaseException:
        session.store(name, job)
        raise
    session.store(name, generation)
    if cell.get("save") and not cell.get("json"):
        generation.save(cell["save"], metadata=True)
    if cell["show"] == "full" and len(generation) > 1:
        for data, metadata in full_bundles(generation):
            publish(data, metadata)
        session.will_show(generation, "none")
    else:
        session.will_show(generation, cell["show"])
    return generation


def _begun(session: Session, job: Job, cell: Mapping[str, Any]) -> Job:
    """Leave *job* in the background; where nobody looks at the notebook, wait for it after all."""
    session.store(cell.get("out"), job)
    kind = session.frontend
    quiet = bool(cell.get("quiet"))
    if kind == "batch":
        generation = watch_job(job, Screen(kind, quiet=quiet))
        if cell.get("save"):
            generation.save(cell["save"], metadata=True)
        JobView(job, kind, show=cell["show"]).show_result()
    elif kind == "live":
        view = JobView(
            job,
            kind,
            show=cell["show"],
            save=cell.get("save"),
            quiet=quiet,
            one_slot=is_vscode(session.shell),
        )
        view.open()
    if kind in {"batch", "live"}:
        session.will_show(job, "none")
    return job
