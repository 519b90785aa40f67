"""What is known of a model that speaks against a request: hints, never refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb.families import Family, accepts_size, family_of, is_same_shape, parse_size
from opeai_nb.fields import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opeai_nb.client.values.request import ImageRequest

_SHOWN = 6  # sizes of a model: enough to see what it takes


class RequestWarning(UserWarning):
    """A request is sent as it is, but something in it is likely to be refused or ignored."""


def hints(request: ImageRequest) -> tuple[str, ...]:
    """Return what one should know before sending *request*, one sentence each (platform.md 6).

    Nothing is known of a model outside `families.py`, and nothing is said of it.
    """
    family = family_of(request.model)
    found = []
    if request.output_compression == 0:
        found.append(
            "output_compression=0 is dropped by the platform; 1 is the least that it passes on."
        )
    asked = sorted(request.set_fields())
    if homeless := [name for name in asked if not BY_NAME[name].fits(request.dialect)]:
        names = ", ".join(homeless)
        found.append(f"The {request.dialect} dialect has no field for {names}: not sent.")
    if family is None:
        return tuple(found)
    name = request.model
    if request.size is not None and not accepts_size(family, request.size):
        found.append(f"{name} may refuse size {request.size}; it takes {_some(family.sizes)}.")
    if request.n is not None and request.n > family.n_max:
        found.append(f"{name} makes at most {family.n_max} at once; n={request.n} may be refused.")
    found += _of_inputs(request, family)
    if family.prompt_max is not None and len(request.prompt) > family.prompt_max:
        found.append(f"{name} reads at most {family.prompt_max} characters of a prompt.")
    if ignored := [name for name in asked if name in family.ignored]:
        found.append(f"{name} ignores {', '.join(ignored)}.")
    return tuple(found)


def _of_inputs(request: ImageRequest, family: Family) -> Iterator[str]:
    count, name = len(request.image), request.model
    if count > family.images_max:
        yield f"{name} takes at most {family.images_max} input pictures; {count} are given."
    if count < family.images_min:
        yield f"{name} edits: it needs {family.images_min} input picture or more."
    if request.size is None and (sides := _other_shape(request, family)):
        shape = f"{sides[0]}x{sides[1]}"
        yield (
            f"No size is named, so {family.default_size} is what may come: "
            f"size same keeps the shape of the input picture ({shape})."
        )


def _other_shape(request: ImageRequest, family: Family) -> tuple[int, int] | None:
    """Return the sides of an input picture that the model's default size would crop or stretch."""
    default = parse_size(family.default_size or "")
    sides = request.image[0].size if request.image and default else None
    if default is None or sides is None or "size" in request.extra:
        return None
    is_kept = is_same_shape(sides[0] / sides[1], default[0] / default[1])
    return None if is_kept else sides


def _some(sizes: tuple[str, ...]) -> str:
    return ", ".join(sizes[:_SHOWN]) + (" …" if len(sizes) > _SHOWN else "") or "others"
