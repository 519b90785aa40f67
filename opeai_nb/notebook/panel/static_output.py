"""The picture that a saved notebook shows in place of the panel, where there is no kernel.

A notebook keeps a widget's output as a reference to a model that is gone. So an ordinary output
stands beside the panel: hidden by the live panel's style sheet, shown by whoever has none.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opeai_nb.client import Generation

Bundle = dict[str, str]
TERMINAL_TEXT: Final = (
    "The panel needs Jupyter in a browser, as `jupyter lab` opens it. "
    "Here use %imagine, or opeai_nb.generate(…)."
)
# The place of a picture that is not there yet. As HTML JupyterLab would look for formulas in it: it
# loads MathJax, a megabyte, at the moment in which the page builds the panel.
EMPTY: Final[Bundle] = {"text/plain": ""}
PLAIN: Final = "opeai-nb-plain"
"""The class of the panel in stock widgets, which has no style sheet of its own."""
# Where the notebook is trusted, it also hides what the front end says of the widget that is gone,
# and itself beside a plain panel that is there.
_STYLE: Final = (
    "<style>.jp-OutputArea-child:has(+ .jp-OutputArea-child .opeai-nb-still):not(:has("
    f".opeai-nb-panel, .{PLAIN})), .jp-OutputArea:has(.{PLAIN}) "
    ".jp-OutputArea-child:has(.opeai-nb-still) { display: none; }</style>"
)


def still_bundle(generation: Generation | None) -> Bundle:
    """Return the last result as HTML that survives without trust: literal styles, one picture."""
    if generation is None or not len(generation):
        return EMPTY
    from opeai_nb.client.values.views.result_view import sheet_of

    sheet = sheet_of(generation.good)
    width, height = sheet.size
    source = f"data:{sheet.mime};base64,{b64encode(sheet.data).decode()}"
    prompt = " ".join(generation.request.prompt.split())
    html = (
        f'{_STYLE}<div class="opeai-nb-still">'
        f'<img src="{source}" alt="{escape(prompt)}" width="{width}" height="{height}" '
        'style="max-width:100%;height:auto;border-radius:8px"><div style="font:13px/1.5 system-ui,'
        f'sans-serif">{escape(prompt)}</div><div style="font:12px/1.5 system-ui,sans-serif;'
        f'opacity:0.8">{escape(generation.summary)} · run this cell for the panel</div></div>'
    )
    return {"text/plain": f"{prompt}\n{generation.summary}", "text/html": html}


class Still:
    """The output beside the panel: published with the cell, updated with each result."""

    def __init__(self) -> None:
        self._id: str | None = None

    def show(self, generation: Generation | None, frontend: str) -> None:
        """Publish it for the cell that runs.

        Where nobody looks yet (nbclient, nbval, Voilà) only a result that is there, and without
        an id: updates would differ from run to run, or never arrive.
        """
        from IPython.display import display

        if frontend == "live":
            import uuid

            self._id = self._id or uuid.uuid4().hex  # of one id: a panel shown twice is up to date
            display(still_bundle(generation), raw=True, display_id=self._id)
        elif generation is not None:
            display(still_bundle(generation), raw=True)

    def update(self, generation: Generation) -> None:
        """Put a new result in its place, from whatever thread."""
        if self._id is not None:
            from IPython.display import update_display

            update_display(still_bundle(generation), raw=True, display_id=self._id)
