"""What IPython's completer calls; `completion` makes them, imported at the first Tab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from IPython.core.completer import SimpleCompletion, context_matcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from opeai_nb.notebook.magic.completion import Notebook
    from opeai_nb.notebook.magic.imagine import Imagine

IDENTIFIER: Final = "opeai_nb.imagine"


def matcher(shell: InteractiveShell, magic: Imagine) -> Callable[..., SimpleMatcherResult]:
    """Return the function that IPython's completer calls; it offers nothing outside our lines."""

    def imagine(context: CompletionContext) -> SimpleMatcherResult:
        if "%imagine" not in context.full_text:
            return {"completions": [], "suppress": False}
        from opeai_nb.notebook.magic.completion import complete

        lines = context.full_text.split("\n")[: context.cursor_line]
        found = complete("\n".join([*lines, context.text_until_cursor]), _notebook(shell, magic))
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


def _notebook(shell: InteractiveShell, magic: Imagine) -> Notebook:
    from opeai_nb.fields import DEFAULT_MODEL
    from opeai_nb.notebook.commands.sub_commands import COMMANDS
    from opeai_nb.notebook.magic.completion import Notebook

    hidden: Any = shell.user_ns_hidden
    return Notebook(
        {name: value for name, value in shell.user_ns.items() if name not in hidden},
        magic.models_told,
        magic.model or DEFAULT_MODEL,
        tuple(COMMANDS),
    )
