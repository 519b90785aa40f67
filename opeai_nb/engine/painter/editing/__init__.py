"""Editing: what an instruction asks of a picture, and the picture painted again with it."""

from __future__ import annotations

from typing import Final

RECIPE: Final = "opeai_nb_recipe"
"""In the `info` of a picture under this name: what it was made from, so that `edit` knows it."""
