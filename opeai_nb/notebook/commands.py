"""The sub-commands of `%imagine`: words that stand alone, each a small answer in text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import OptionError
from opeai_nb.notebook.options import help_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opeai_nb.client import ImageRequest
    from opeai_nb.library import Entry
    from opeai_nb.notebook.magic import Imagine
    from opeai_nb.studio import Studio


class Text:
    """What a command answers: shown as it is, and the same string for whoever wants it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def command_in(line: str) -> Callable[[Imagine], Any] | None:
    """Return the command that *line* names, ready to run; None when it names none.

    Raises `OptionError` when a command's word is followed by anything but its own arguments: it
    may be a prompt, and says how to write that.
    """
    words = line.split()
    if not words or words[0] not in COMMANDS:
        return None
    name, arguments = words[0], words[1:]
    run, least, most = COMMANDS[name]
    if not least <= len(arguments) <= most:
        usage = " ".join([f"%imagine {name}", *["ID"] * most])
        raise OptionError(
            f"{name!r} is a command of %imagine.",
            advice=f"The command: {usage}. If it begins a prompt: %imagine -- {line.strip()}",
        )
    return lambda magic: run(magic, *arguments)


def _help(_: Imagine) -> Text:
    return Text(
        "%%imagine [options]      the prompt stands below, in the cell\n"
        "%imagine [options] a short prompt\n"
        "%imagine help | models | tasks | resume ID | stop ID | forget ID | version\n\n"
        + help_text()
    )


def _version(_: Imagine) -> Text:
    from opeai_nb import __version__

    return Text(f"opeai_nb {__version__}")


def _models(magic: Imagine) -> Text:
    listed = magic.studio.models()
    rows = [(model.id, _answers(model.async_only), model.description or "") for model in listed]
    return Text(_table(("model", "answers", ""), rows))


def _answers(async_only: bool | None) -> str:
    return {True: "with a task", False: "at once", None: ""}[async_only]


def _tasks(magic: Imagine) -> Text:
    entries = magic.studio.library.pending()
    if not entries:
        return Text("Nothing is pending.")
    return Text(_table(("id", "state", "model", "prompt"), [_row(entry) for entry in entries]))


def _row(entry: Entry) -> tuple[str, ...]:
    prompt = " ".join(entry.request.prompt.split())
    return entry.id, entry.truth, entry.request.model, prompt[:50]


def _resume(magic: Imagine, task: str) -> Any:
    from opeai_nb.notebook.running import watched
    from opeai_nb.notebook.screen import Screen

    running = next((job for job in magic.studio.jobs if job.id.startswith(task)), None)
    job = running or magic.studio.resume(task)
    return watched(job, Screen(magic.frontend))


def _stop(magic: Imagine, task: str) -> Text:
    for job in magic.studio.jobs:
        if job.id.startswith(task) and not job.is_settled:
            job.stop()
            return Text("Not waiting for it any more. What was sent goes on at the platform.")
    raise OptionError(f"No job {task!r} runs in this kernel.", advice="%imagine tasks lists all.")


def _forget(magic: Imagine, task: str) -> Text:
    magic.studio.library.entry(task).forget()
    return Text("Forgotten.")


COMMANDS: Final[Mapping[str, tuple[Callable[..., Any], int, int]]] = {
    "help": (_help, 0, 0),
    "version": (_version, 0, 0),
    "models": (_models, 0, 0),
    "tasks": (_tasks, 0, 0),
    "resume": (_resume, 1, 1),
    "stop": (_stop, 1, 1),
    "forget": (_forget, 1, 1),
}


def dry_run(request: ImageRequest, studio: Studio) -> Text:
    """Return the exact JSON that would be sent, where to, and how many pictures it asks for."""
    url, body = studio.preview(request)
    shown = json.dumps(_shortened(body), indent=2, ensure_ascii=False)
    count = request.n or 1
    pictures = f"{count} picture{'s' * (count != 1)}"
    return Text(f"POST {url}\n{shown}\n1 request, {pictures}. Nothing was sent.")


def _shortened(value: Any) -> Any:
    """Return *value* with the base64 of input pictures cut: nobody reads megabytes."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value[:40]}… ({len(value)} characters)"
    return value


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join(lines)
