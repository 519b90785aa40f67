"""What the page knows of models, so that it answers while the kernel is busy: one table as JSON."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.families import FAMILIES, SIDE_MAX
from opeai_nb.notebook.display.badge import LOOKS
from opeai_nb.notebook.panel.controls import ADVANCED_FIELDS
from opeai_nb.notebook.panel.model_options import UNKNOWN, size_label

if TYPE_CHECKING:
    from opeai_nb.families import Family
    from opeai_nb.fields import Field

_EXAMPLES: Final = {"pairs": '{"field": "value"}'}
_UNSEEN: Final = frozenset({"answers", "response_forms"})


@cache
def model_table() -> dict[str, Any]:
    """Return the families, what is offered for an unknown model, further fields and badges."""
    return {
        "families": [_row(family) for family in FAMILIES],
        "unknown": _row(UNKNOWN),
        "fields": [_field(field) for field in ADVANCED_FIELDS],
        "badges": dict(LOOKS),
    }


def _row(family: Family) -> dict[str, Any]:
    return {
        **{
            each.name: getattr(family, each.name)
            for each in fields(family)
            if each.name not in _UNSEEN
        },
        "labels": [size_label(size).split("\n") for size in family.sizes],
        "ignored": sorted(family.ignored),
        "sides": family.sides or (1, SIDE_MAX),
    }


def _field(field: Field) -> dict[str, Any]:
    choices = ("yes", "no") if field.kind == "flag" else field.choices
    hint = _EXAMPLES.get(field.kind) or field.range or field.help
    said = {"name": field.name, "label": field.label, "kind": field.kind, "only": field.only}
    return {**said, "choices": choices, "hint": hint}
