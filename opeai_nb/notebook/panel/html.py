"""How the panel looks in a page: its style sheet, its few lines of script, small pieces of HTML."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

_PIXEL: Final = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


@cache
def _file(name: str) -> str:
    return (files("opeai_nb.notebook.panel") / name).read_text(encoding="utf-8")


# After a reload, no front end lets a kernel change an output of before.
STILL_HTML: Final = (
    '<div class="ob-note ob-still-old">The saved notebook still shows the earlier picture. '
    "Run this cell again to update it.</div>"
)


def style_html(limit: int, name: str) -> str:
    """Return the style element of panel *name*; an upload may have *limit* bytes."""
    script = escape(_file("page.js"), quote=True)
    return (
        f'<style data-limit="{limit}" data-panel="{escape(name)}" onload="{script}">'
        f"{_file('page.css')}</style>"
    )


def error_html(error: BaseException) -> str:
    """Return an error as a person reads it: what happened, the next step, the evidence."""
    message = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
    advice = getattr(error, "advice", "")
    evidence = error.evidence() if hasattr(error, "evidence") else ""
    parts = [f"<strong>{escape(message)}</strong>"]
    parts += [f"<p>{escape(advice)}</p>"] if advice else []
    parts += [f"<small>{escape(evidence)}</small>"] if evidence else []
    return f'<div class="ob-error" role="alert">{"".join(parts)}</div>'


def note_html(*notes: str, css: str = "ob-note") -> str:
    """Return notes below one another; nothing where there are none."""
    return "".join(f'<div class="{css}">{escape(note)}</div>' for note in notes if note)


def code_html(code: str, *, is_free: bool) -> str:
    """Return the code of a cell, to copy; the page puts it below where it can.

    *is_free* says that its first run shows the picture on the stage.
    """
    shown = escape(code)
    first = "shows this picture and sends nothing" if is_free else "asks for what the controls say"
    return (
        '<div class="ob-code"><div class="ob-code-head"><span class="ob-to-copy">Copy it into a '
        'cell below</span><span class="ob-is-below">✓ Added below. Its first run '
        f'{first}.</span><button data-copy="{shown}">Copy</button>'
        f"</div><pre><code>{shown}</code></pre>"
        f'<img alt="" hidden src="{_PIXEL}" onload="this.dispatchEvent(new CustomEvent('
        "'ob-code', {bubbles: true}))\"></div>"
    )


def path_html(path: str) -> str:
    """Return a path that can be copied."""
    shown = escape(path)
    return (
        f'<div class="ob-path"><code>{shown}</code><button data-copy="{shown}" '
        'title="Copy the path of this file">Copy path</button></div>'
    )


def compare_html(before: str, after: str, alt: str, size: tuple[int, int]) -> str:
    """Return two pictures of one size, one over the other, and a slider that moves the cut."""
    width, height = size
    ratio = f"aspect-ratio:{width}/{height};max-width:{width}px;--cut:50%"
    return (
        f'<div class="ob-compare" style="{ratio}">'
        f'<img src="{before}" alt="Before: the picture that was given">'
        f'<img class="ob-after" src="{after}" alt="After: {escape(alt)}">'
        '<span class="ob-tag ob-tag-before">before</span>'
        '<span class="ob-tag ob-tag-after">after</span><span class="ob-cut"></span>'
        '<input type="range" min="0" max="100" value="50" '
        'aria-label="Compare before and after"></div>'
    )


def empty_stage_html() -> str:
    """Return what stands where the picture will be."""
    return (
        '<div class="ob-empty"><div>Your picture appears here.</div>'
        "<small>Describe it on the left, then Generate (Ctrl+Enter).</small></div>"
    )
