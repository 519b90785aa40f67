"""What IPython's completer calls; `completion` makes them, imported at the first Tab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from IPython.core.completer import SimpleCompletion, context_matcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.completer import CompletionContext, SimpleMatcherResult

    from opeai_nb.notebook.magic.completion import Notebook
    from opeai_nb.notebook.session import Session

IDENTIFIER: Final = "opeai_nb.imagine"


def matcher(session: Session) -> Callable[..., SimpleMatcherResult]:
    """Return the function that IPython's completer calls; it offers nothing outside our lines."""

    def imagine(context: CompletionContext) -> SimpleMatcherResult:
        if "%imagine" not in context.full_text:
            return {"completions": [], "suppress": False}
        from opeai_nb.notebook.magic.completion import complete

        lines = context.full_text.split("\n")[: context.cursor_line]
        found = complete("\n".join([*lines, context.text_until_cursor]), _notebook(session))
        if found is None:
            return {"completions": [], "suppress": False}
        return {
            "completions": [SimpleCompletion(text, type=found.kind) for text in found.texts],
            "suppress": True,
            "matched_fragment": found.fragment,
        }

    marked: Callable[..., SimpleMatcherResult] = context_matcher(
        identifier=IDENTIFIER, priority=100
    )(imagine)
    return marked


def _notebook(session: Session) -> Notebook:
    from opeai_nb.fields import DEFAULT_MODEL
    from opeai_nb.notebook.commands import COMMANDS
    from opeai_nb.notebook.magic.completion import Notebook

    hidden: Any = session.shell.user_ns_hidden
    return Notebook(
        {name: value for name, value in session.names.items() if name not in hidden},
        session.models,
        session.request_defaults.get("model", DEFAULT_MODEL),
        {name: command.arguments for name, command in COMMANDS.items()},
        lambda: _presets(session),
    )


def _presets(session: Session) -> tuple[str, ...]:
    from opeai_nb.errors import OpeaiError
    from opeai_nb.studio.pricing import presets_of

    try:
        return tuple(presets_of(session.settings))
    except OpeaiError:  # told when one is used
        return ()
