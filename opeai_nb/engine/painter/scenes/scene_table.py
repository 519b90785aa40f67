"""Places by name: the painter of each setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb.engine.painter.scenes import landscapes
from opeai_nb.engine.painter.scenes.city import city
from opeai_nb.engine.painter.scenes.interiors import room, studio, table
from opeai_nb.engine.painter.scenes.meadow import meadow
from opeai_nb.engine.painter.scenes.space import space
from opeai_nb.engine.painter.scenes.underwater import underwater
from opeai_nb.engine.painter.scenes.woods import forest
from opeai_nb.engine.painter.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


SCENES: Mapping[str, Callable[[View], None]] = {
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
