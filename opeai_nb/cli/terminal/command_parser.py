"""How a command reads its arguments: what is wrong is one line that names the way out."""

from __future__ import annotations

import argparse
from typing import NoReturn

from opeai_nb.errors import InputError


class CommandParser(argparse.ArgumentParser):
    """argparse, whose own errors print the whole usage before the one line that matters."""

    def error(self, message: str) -> NoReturn:
        """Raise `InputError`, which the command line shows as one line, with exit code 2."""
        raise InputError(
            f"{message[:1].upper()}{message[1:]}.",
            advice=f"{self.prog} --help lists the options. Nothing was sent.",
        )
