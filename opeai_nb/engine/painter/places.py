"""Places by name: the painter of each setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import landscapes
from .city import city
from .cosmos import space
from .depths import underwater
from .interiors import room, studio, table
from .meadow import meadow
from .woods import forest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .view import View

PLACES: Mapping[str, Callable[[View], None]] = {
    "sea": landscapes.sea,
    "lake": landscapes.lake,
    "mountains": landscapes.mountains,
    "hills": landscapes.hills,
    "desert": landscapes.desert,
    "arctic": landscapes.arctic,
    "forest": forest,
    "city": city,
    "space": space,
    "meadow": meadow,
    "underwater": underwater,
    "room": room,
    "table": table,
    "studio": studio,
}
