"""`python -m opeai_nb export`: a data set, a page or a contact sheet of what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opeai_nb.cli.terminal.command_parser import CommandParser
from opeai_nb.cli.terminal.exit_codes import GOOD
from opeai_nb.cli.terminal.output import say, tell

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from opeai_nb.library import Library

_SELECTION: Final = ("starred", "tag", "model", "since", "until", "limit")


def run(arguments: Sequence[str]) -> int:
    """Write the export, its path on standard output and what is in it on standard error."""
    options = _parser().parse_args(arguments)
    library = _library(options.library)
    selection: dict[str, Any] = {name: getattr(options, name) for name in _SELECTION}
    made = library.export(
        options.target,
        " ".join(options.words),
        split=_split(options),
        side=options.side,
        replace=options.replace,
        **selection,
    )
    say(str(made.path))
    tell(str(made))
    return GOOD


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m opeai_nb export",
        description="Write pictures of the library for others. TARGET says what is made: a folder "
        "becomes a data set with metadata.jsonl and a card, NAME.html a page with the pictures in "
        "it, NAME.png, NAME.jpg or NAME.pdf a contact sheet.",
    )
    parser.add_argument("target", metavar="TARGET", help="a new folder, or a file to be")
    parser.add_argument("words", metavar="WORDS", nargs="*", help="words of the prompt")
    parser.add_argument("--starred", action="store_true", help="only pictures with a star")
    parser.add_argument("--tag", metavar="WORD", help="only pictures with this tag")
    parser.add_argument("--model", metavar="NAME", help="only of this model; * stands for the rest")
    parser.add_argument("--since", metavar="DATE", help="asked for on this day or later")
    parser.add_argument("--until", metavar="DATE", help="asked for on this day or before")
    parser.add_argument("--limit", metavar="N", type=int, help="the newest N requests at most")
    parser.add_argument(
        "--split", metavar="SHARE", help="0.2, or train=8,validation=1,test=1: by prompt"
    )
    parser.add_argument(
        "--side", metavar="N", type=int, help="longest side in pixels, in a page or a sheet"
    )
    parser.add_argument(
        "--replace", action="store_true", help="take the place of an earlier export"
    )
    parser.add_argument(
        "--library", metavar="DIR", help="default: OPEAI_NB_LIBRARY, else imagine/ here"
    )
    return parser


def _library(folder: str | None) -> Library:
    from opeai_nb.library import Library
    from opeai_nb.studio import Studio

    return Library(folder) if folder else Studio().library


def _split(options: Namespace) -> Any:
    from opeai_nb.library.export.split import split_in

    return None if options.split is None else split_in(options.split)
