"""A cell that sweeps: several values for an option, or alternatives in the prompt."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opeai_nb.bulk.sweep.braces import is_doubtful
from opeai_nb.client.values.views.text_output import is_text_alone
from opeai_nb.fields import FIELDS
from opeai_nb.notebook.display.badge_display import Screen
from opeai_nb.notebook.display.watch import watch_run
from opeai_nb.notebook.magic.confirm import confirm
from opeai_nb.presets.preset import PRESET
from opeai_nb.studio.session_limit import Limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.bulk import Sweep
    from opeai_nb.bulk.sweep.plan import Asking, Plan
    from opeai_nb.notebook.display.table import Text
    from opeai_nb.notebook.magic.line import Parsed
    from opeai_nb.notebook.session import Session

# In free text such as `style` a comma is a comma: several styles are a list in a variable.
LISTED: Final = (*(field.name for field in FIELDS if field.kind == "word"), PRESET)

Bundle = tuple[dict[str, Any], dict[str, Any]]


def _values_in(parsed: Parsed) -> dict[str, Any]:
    """Return the request's options, `a,b` and lists of variables as lists."""
    values = dict(parsed.request)
    for name in LISTED:
        text = values.get(name)
        if isinstance(text, str) and "," in text:
            values[name] = [part.strip() for part in text.split(",") if part.strip()]
    return values


def is_sweep(parsed: Parsed, prompt: str) -> bool:
    """Tell whether a cell asks for more than one request."""
    lists = (value for name, value in _values_in(parsed).items() if name not in {"image", "extra"})
    if any(isinstance(value, list | range) for value in lists):
        return True
    if parsed.cell.get("raw") or "|" not in prompt:
        return False
    from opeai_nb.bulk.sweep.alternatives import parts_of

    return parts_of(prompt) != (prompt,)


def run(session: Session, parsed: Parsed, prompt: str, names: Mapping[str, Any]) -> Any:
    """Plan the cell's sweep, ask where it is large, run it with a live badge, and return it.

    With `--dry-run` the plan is returned and nothing is sent. Raises the error of a point where no
    point has pictures, `SweepDetached` on an interrupt, `OptionError` where it may not be sent.
    """
    cell = session.cell_options(parsed.cell)
    swept = _planned(session, parsed, prompt, names)
    if cell.get("save"):
        swept.names(cell["save"])
    doubtful = not cell.get("raw") and is_doubtful(prompt)
    question = None if cell.get("yes") else _question(session, swept, cell.get("fresh"), doubtful)
    if cell.get("dry_run"):
        return _plan(swept, question)
    if question is not None:
        confirm(question.text, may_ask=session.may_ask, advice=question.advice)
    session.store(cell.get("out"), swept)
    running = swept.start(
        fresh=bool(cell.get("fresh")),
        timeout=float(cell["timeout"]),
        max_cost=cell.get("max_cost"),
        beyond_limit=question is not None or bool(cell.get("yes")),
        metadata=cell.get("metadata"),
        alt=cell.get("alt"),
        caption=cell.get("caption"),
        keywords=cell.get("keywords"),
    )
    session.will_show(swept, cell["show"])
    if cell.get("no_wait") and session.frontend != "batch":
        return swept
    watch_run(running, Screen(session.frontend, quiet=bool(cell.get("quiet"))))
    if cell.get("json"):
        return swept
    swept.check()
    if cell.get("save"):
        swept.save(cell["save"], metadata=True)
    return swept


def _plan(swept: Sweep, question: _Question | None) -> Text:
    from opeai_nb.notebook.display.table import Text

    asks = [] if question is None else [f"{question.text}. It would ask first."]
    return Text("\n".join([swept.table, *asks, "Nothing was sent."]))


def _planned(session: Session, parsed: Parsed, prompt: str, names: Mapping[str, Any]) -> Sweep:
    from opeai_nb.bulk import Sweep
    from opeai_nb.bulk.sweep.plan import Asking

    asking = Asking(lambda: session.studio.presets, session.request_defaults)
    return Sweep(plan_in(parsed, prompt, asking, names), session.studio)


def plan_in(parsed: Parsed, prompt: str, asking: Asking, names: Mapping[str, Any]) -> Plan:
    """Return the requests that a prompt and the options of its line stand for."""
    from opeai_nb.bulk.sweep.plan import plan_of
    from opeai_nb.notebook.magic.prompt import interpolated

    # Raw text has no alternatives and no words: as one of several prompts it is taken as it is.
    raw = bool(parsed.cell.get("raw"))
    word = (lambda text: text) if raw else partial(interpolated, names=names)
    values = _values_in(parsed)
    if (images := values.get("image")) is not None:
        values["image"] = {"image": images}  # several pictures belong to one request
    only = parsed.cell.get("only")
    return plan_of(prompt, values, word=word, raw=raw, asking=asking, only=only)


class _Question(NamedTuple):
    """What somebody has to agree to before a cell sends, and what answers it in advance."""

    text: str
    advice: str


def _question(session: Session, swept: Sweep, fresh: object, doubtful: object) -> _Question | None:
    """Return what is to be asked before many pictures are paid for, or more than the session may.

    Also where it is *doubtful* that braces in the prompt are meant as alternatives.
    """
    kept = frozenset[int]() if fresh else swept.kept
    requests = [point.request for point in swept.plan if point.number not in kept]
    if not requests:
        return None
    pictures = sum(request.count for request in requests)
    confirm_above = session.config.trait_values()["confirm_above"]
    studio = session.studio
    limit = Limit.of(studio.settings)
    passed = studio.ledger.setting_passed(limit, pictures, studio.cost(requests))
    told = f"This cell asks for {pictures} pictures in {len(requests)} requests"
    told += studio.told_cost(requests)
    if passed or pictures > confirm_above:
        name = passed or "confirm_above"
        most = getattr(studio.settings, passed) if passed else confirm_above
        return _Question(
            f"{told}, more than {name} ({most}) allows without asking",
            f"Add --yes, or set %config Imagine.{name}.",
        )
    if doubtful:
        return _Question(
            f"{told}, as if its braces were alternatives",
            "Add --yes, or --raw, or write {{…|…}} to keep the braces.",
        )
    return None


def sweep_bundle(sweep: Sweep, show: str = "thumb") -> Bundle:
    """Return data and metadata that show a sweep, as text alone where *show* is `none`."""
    if show == "none" and sweep.outcomes and not is_text_alone():
        return {"text/plain": repr(sweep)}, {}
    return sweep._repr_mimebundle_()
