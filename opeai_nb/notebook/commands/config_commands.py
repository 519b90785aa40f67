"""`%imagine config` and `%imagine key`: what holds now, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opeai_nb.errors import OptionError
from opeai_nb.notebook.display.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from opeai_nb.client.values.finding import Finding
    from opeai_nb.notebook.session import Session
    from opeai_nb.settings import Settings

_PROMPT = "API key of the OPE.AI platform (empty: forget it): "


def rows(session: Session) -> list[tuple[str, str, str]]:
    """Return name, value and source of every setting; of the key, no more than that it is set."""
    from opeai_nb.settings import sources

    now, found_in = session.settings, sources()
    key = ("set", now.api_key.source) if now.api_key else ("not set", "")
    found = [("API key", *key), ("pictures from", _painter(now), "")]
    for name, trait in sorted(session.config.traits(config=True).items()):
        value = getattr(session.config, name)
        source = "%config" if value != trait.default() else found_in.get(name, "default")
        found.append((name, _text(getattr(now, name, value), session.folder), source))
    return found


def doctor(session: Session) -> Table:
    """Look at all that a picture depends on; nothing is paid."""
    from opeai_nb.client.values.finding import SIGNS
    from opeai_nb.studio.doctor import examine

    checkup = examine(lambda: session.settings, *_notebook(session))
    rows = [(SIGNS[f.state], f.name, f.text, f.remedy) for f in checkup]
    note = "Nothing is wrong." if checkup.is_well else ""
    return Table(("", "what", "seen", "what helps"), rows, items=checkup, note=note)


def _notebook(session: Session) -> list[Finding]:
    """Return what only a notebook knows: who looks at it, and where it lies."""
    from importlib.util import find_spec

    from opeai_nb.client.values.finding import Finding

    try:
        front = Finding("front end", f"{session.frontend}, in {session.folder}")
    except OptionError as error:
        front = Finding("front end", error.message, "wrong", error.advice)
    missing = [name for name in ("ipywidgets", "anywidget") if find_spec(name) is None]
    if missing:
        remedy = f"pip install {missing[0]}, where JupyterLab runs and where the kernel does."
        return [front, Finding("panel", f"{missing[0]} is not installed", "note", remedy)]
    # What a page can show, no kernel knows: whoever sees an empty place finds the way out here.
    return [front, Finding("panel", "with anywidget; opeai_nb.panel(plain=True) needs none")]


def ask_for_key() -> str:
    """Ask for the API key, unseen, and use it from now on; return what became of it.

    Raises `OptionError` where nobody is there to type.
    """
    from getpass import getpass

    from opeai_nb.settings import take_key

    try:
        text = getpass(_PROMPT)
    except (EOFError, RuntimeError) as error:  # ipykernel: StdinNotImplementedError
        raise OptionError(
            "There is nobody here to type a key.",
            advice="Set OPEAI_API_KEY, or write it into a .env file.",
        ) from error
    kept = take_key(text)
    if not text.strip():
        return "API key: the typed one is forgotten."
    where = "in the system keyring" if kept else "until this kernel ends"
    return f"API key: set, {where}."


def _painter(now: Settings) -> str:
    try:
        return "embedded engine" if now.origin == "engine" else "platform"
    except OptionError as error:
        return error.message


def _text(value: Any, folder: Path) -> str:
    if hasattr(value, "is_relative_to"):
        inside = value.is_relative_to(folder)
        return f"{value.relative_to(folder).as_posix()}/" if inside else str(value)
    if isinstance(value, dict) and value:
        return "given here"
    if isinstance(value, (list, frozenset)):
        return ", ".join(sorted(value)) or "–"
    return str(value) if value not in ("", None) and (value or value is False) else "–"
