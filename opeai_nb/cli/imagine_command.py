"""`python -m opeai_nb imagine`: the magic on a command line, with the same options and parser.

Paths, or JSON, on standard output; the badge and what went wrong on standard error.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.bulk.sweep.template import filled
from opeai_nb.cli.terminal.exit_codes import GOOD, SOME_FAILED, WRONG
from opeai_nb.cli.terminal.output import for_shell, tell
from opeai_nb.cli.terminal.terminal_picture import show_picture
from opeai_nb.client.values.name_template import Named, values_for
from opeai_nb.client.values.save_target import names_at
from opeai_nb.client.values.views.result_json import error_json, generation_json, print_json
from opeai_nb.client.values.views.text_output import from_here, show_wanted
from opeai_nb.client.values.words import WORDS, words_said
from opeai_nb.errors import InputError, OpeaiError, OptionError
from opeai_nb.fields import CONFIRM_ABOVE, DEFAULT_TIMEOUT
from opeai_nb.notebook.display.badge import bundle, failure_text, final_text, live_text
from opeai_nb.notebook.magic.confirm import confirm
from opeai_nb.notebook.magic.line import Parsed, parse_arguments
from opeai_nb.studio.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opeai_nb.bulk.sweep.plan import Point
    from opeai_nb.client import Generation, ImageRequest
    from opeai_nb.studio import Job, Studio

    Asked = tuple[Point, dict[str, Any]]

_AT_ONCE: Final = 16
_TICK: Final = 0.25
_CLEAR_LINE: Final = "\r\x1b[K"
_NOT_HERE: Final = {
    "out": "--out names a variable of a notebook; --save DIR makes copies.",
    "no_wait": "--no-wait is for notebooks; here & of the shell does it.",
}

OF_SHELLS: Final = frozenset({"doctor", "export", "presets", "tasks"})
OF_NOTEBOOKS: Final = OF_SHELLS.union(
    ("config", "forget", "help", "history", "info", "key", "models", "note", "panel", "resume"),
    ("restore", "star", "stop", "tag", "trash", "unstar", "untag", "usage", "version"),
)
"""The commands of `%imagine`: a picture of such a word is hardly meant.

Told here once more, for the command line knows no notebook; a test holds both lists together.
"""

USAGE: Final = """python -m opeai_nb imagine [options] "PROMPT"      options may follow the prompt
python -m opeai_nb imagine [options] -             a prompt on each line of standard input

The files are named on standard output, and are in the library (imagine/, or OPEAI_NB_LIBRARY).
"""
EXIT_CODES: Final = (
    "exit codes: 0 every request has its pictures; 1 some failed, or their outcome is unknown; "
    "2 the input is wrong, and nothing was sent; 130 interrupted"
)


def run(arguments: Sequence[str]) -> int:
    """Make the pictures and return the exit code.

    Raises `InputError` for what cannot be sent, `OptionError` for what a notebook alone can do, and
    for a first word that is a command there: messages tell of `%imagine tasks`.
    """
    if arguments and arguments[0] in OF_NOTEBOOKS:
        raise _no_prompt(arguments)
    parsed = parse_arguments(arguments)
    if parsed.cell.get("help"):
        from opeai_nb.notebook.magic.options import help_text

        print(f"{USAGE}\n{help_text()}\n\n{EXIT_CODES}")  # noqa: T201  it is what was asked for
        return GOOD
    for name in parsed.cell.keys() & _NOT_HERE.keys():
        raise OptionError(_NOT_HERE[name])
    return _run(parsed)


def _no_prompt(arguments: Sequence[str]) -> OptionError:
    name = arguments[0]
    here = "tasks" if name in {"resume", "forget"} else name
    there = f"The command: python -m opeai_nb {here}. " if here in OF_SHELLS else ""
    return OptionError(
        f"{name!r} is a command of %imagine in a notebook.",
        advice=f'{there}As a prompt: imagine -- "{" ".join(arguments)}". Nothing was sent.',
    )


def _run(parsed: Parsed) -> int:
    from opeai_nb.studio import Studio

    studio = Studio()
    words_said(parsed.cell)  # what they cannot be is told before anything is sent
    prompts = _prompts(parsed.rest)
    asked = [each for prompt in prompts for each in _asked(parsed, prompt, studio)]
    if not parsed.cell.keys() & {"yes", "dry_run"}:
        _confirm([point.request for point, _ in asked])
    requests = [point.request for point, _ in asked]
    if parsed.cell.get("save"):
        names_at(parsed.cell["save"], map(_named, range(1, len(asked) + 1), asked))
    _note(requests)
    if parsed.cell.get("dry_run"):
        from opeai_nb.notebook.magic.run_cell import dry_run

        for request in requests:
            print(dry_run(request, studio))  # noqa: T201  a command's output
        return GOOD
    RunOptions(max_cost=parsed.cell.get("max_cost")).refuse_above(studio.cost(requests))
    errors = _Making(studio, parsed.cell).make(asked)
    if len(errors) == len(requests) and all(isinstance(error, InputError) for error in errors):
        return WRONG
    return SOME_FAILED if errors else GOOD


def _prompts(rest: str) -> list[str]:
    if rest != "-":
        if not rest:
            raise InputError("There is no prompt.", advice='Write one: imagine "a red fox".')
        return [rest]
    prompts = [line.strip() for line in sys.stdin if line.strip()]
    if not prompts:
        raise InputError("Standard input holds no prompt.", advice="Write one on each line.")
    return prompts


def _named(number: int, asked: Asked) -> Named:
    """Return what the names of a request's files are made of."""
    point, words = asked
    values = {**values_for(point.request, number), **words}
    return Named(f"request {number}", point.request, values)


def _asked(parsed: Parsed, prompt: str, studio: Studio) -> list[Asked]:
    """Return the requests that a prompt and the options stand for; several where they say so.

    With each come the words of its axes.
    """
    from opeai_nb.bulk.sweep.plan import Asking
    from opeai_nb.notebook.magic.sweep_cell import plan_in

    plan = plan_in(parsed, prompt, Asking(lambda: studio.presets), names={})
    return [(point, plan.words(point)) for point in plan]


def _confirm(requests: Sequence[ImageRequest]) -> None:
    """Ask before many pictures are made. Raises `OptionError` where nobody agrees."""
    pictures = sum(request.count for request in requests)
    if len(requests) == 1 or pictures <= CONFIRM_ABOVE:
        return
    question = f"This asks for {pictures} pictures in {len(requests)} requests"
    confirm(question, may_ask=sys.stdin.isatty(), advice="Add --yes.")


def _note(requests: Sequence[ImageRequest]) -> None:
    from opeai_nb.client.wire.hints import hints

    for hint in dict.fromkeys(hint for request in requests for hint in hints(request)):
        tell(f"Note: {hint}")


class _Making:
    """Sends requests, some at once, and tells of each in the order in which they were asked."""

    def __init__(self, studio: Studio, cell: dict[str, Any]) -> None:
        self._studio = studio
        self._cell = cell
        self._as_json = bool(cell.get("json"))
        self._shows = "none" not in (show_wanted(), cell.get("show"))
        self._show = _Line(quiet=bool(cell.get("quiet")))
        self._errors: list[OpeaiError] = []

    def make(self, asked: Sequence[Asked]) -> list[OpeaiError]:
        """Make the pictures of what is *asked*; return the errors of those that have none.

        An interrupt sends nothing more and waits for what is under way; a second one does not wait.
        """
        waiting = deque(enumerate(asked, 1))
        jobs: deque[tuple[Job, dict[str, Any]]] = deque()
        try:
            while waiting or jobs:
                while waiting and len(jobs) < _AT_ONCE:
                    index, (point, words) = waiting.popleft()
                    jobs.append((self._start(point, words), {**words, "index": index}))
                self._tell(*jobs[0])
                jobs.popleft()
        except KeyboardInterrupt:
            tell("\nInterrupted: nothing more is sent; waiting for what is under way.")
            self._finish(jobs)
            raise KeyboardInterrupt("interrupted") from None
        return self._errors

    def _finish(self, jobs: deque[tuple[Job, dict[str, Any]]]) -> None:
        try:
            for job, words in jobs:
                self._tell(job, words)
        except KeyboardInterrupt:
            again = "Run the same again: what is under way is fetched, not paid for twice."
            raise KeyboardInterrupt(f"not waiting. {again}") from None

    def _start(self, point: Point, words: dict[str, Any]) -> Job:
        texts = {name: self._cell[name] for name in WORDS if name in self._cell}
        said: dict[str, Any] = {name: filled(text, words) for name, text in texts.items()}
        return self._studio.start(
            point.request,
            only=point.only,
            fresh=bool(self._cell.get("fresh")),
            metadata=self._cell.get("metadata"),
            beyond_limit=bool(self._cell.get("yes")),
            timeout=float(self._cell.get("timeout", DEFAULT_TIMEOUT)),
            **said,
        )

    def _tell(self, job: Job, words: dict[str, Any]) -> None:
        for update in job.follow(_TICK):
            if not job.is_settled:
                self._show.passing(update.state, live_text(update, job.origin))
        for note in job.take_notes():
            tell(f"Note: {note}")
        generation = None
        try:
            generation = job.result()
            self._tell_pictures(generation, words)
        except OpeaiError as error:
            self._errors.append(error)
            self._show.last(job.status, failure_text(job.status, error))
            if error.advice:
                tell(f"  → {for_shell(error.advice)}")
            if self._as_json:
                print_json(error_json(job.request.prompt, job.request.model, error, generation))

    def _tell_pictures(self, generation: Generation, words: dict[str, Any]) -> None:
        self._show.last("done", final_text(generation))
        for difference in generation.differences:
            tell(f"Note: {difference}")
        folder = self._cell.get("save")
        pictures = generation.good
        copies = generation.save(folder, words, metadata=True) if folder else None
        if self._as_json:
            print_json(generation_json(generation, copies))
            return
        paths = [picture.path for picture in pictures] if copies is None else copies
        for picture, path in zip(pictures, paths, strict=True):
            if self._shows:
                show_picture(picture)
            if path is not None:
                print(from_here(path), flush=True)  # noqa: T201  a command's output


class _Line:
    """The badge on one line of a terminal, written over; elsewhere its last state alone."""

    def __init__(self, *, quiet: bool) -> None:
        self._is_quiet = quiet
        self._is_live = sys.stderr.isatty() and not quiet

    def passing(self, state: str, text: str) -> None:
        if self._is_live:
            sys.stderr.write(_CLEAR_LINE + bundle(state, text)["text/plain"])
            sys.stderr.flush()

    def last(self, state: str, text: str) -> None:
        if not self._is_quiet or state != "done":
            start = _CLEAR_LINE if self._is_live else ""
            tell(start + bundle(state, text)["text/plain"])
