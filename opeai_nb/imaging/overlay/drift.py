"""Whether an edited picture has moved against its original: found where both should be alike.

Both are looked at small, outside the region that was to change, as drawings of their edges: a day
that became a night has other light and the same edges. A coarse search, by correlation, finds large
shifts; what is left is fitted by least squares (Lucas-Kanade) to a tenth of a pixel. Numpy alone:
OpenCV and scikit-image do the same, and weigh 50 MB for one function.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from opeai_nb.guard import cached_property

if TYPE_CHECKING:
    from collections.abc import Iterator

Grey = npt.NDArray[np.float32]
Size = tuple[int, int]

_COARSE: Final = 128
"""Pixels of the longer side where shifts are searched for; more where it is fitted."""
_FINE: Final = 448
_ROUNDS: Final = 8
_FEW: Final = 4  # where it is close already
_ALIKE: Final = 0.8  # correlation of what is the same picture in hardly other strokes
_SURE: Final = 0.5
"""Correlation of edges, below which nobody can tell whether it has moved. Of the engine's pictures,
two that have nothing in common have 0.4 at most, and a picture and its edit 0.6 at least."""
_SURE_BY_LIGHT: Final = 0.9  # where there are no edges to speak of: a sky, a gradient
_GAIN: Final = 0.05  # of likeness: for less, nothing is moved
_FLAT: Final = 2.0  # levels of grey: less than that is no texture, and shows no movement
_LEAST_SEEN: Final = 0.02  # of the picture, that is to be alike
_SAME_SHAPE: Final = 0.01  # |ln| of two ratios of width and height
_ZOOMS: Final = tuple(1.02**step for step in range(-8, 9))
_FURTHEST: Final = 0.25  # of a side
_BLUR: Final = 1.0  # pixels: so that edges that are close are alike
_STILL: Final = 0.75
"""Pixels of the original: less than that is no movement that one could see."""


@dataclass(frozen=True)
class Fit:
    """How an answer lies on its original: `x = left + width_scale * x of the answer`.

    *likeness* is the correlation outside the region, 1 where both are the same, None where there is
    nothing to compare; *is_sure* that it is enough to say where it lies. *shift* is how far the
    answer had moved, in pixels of the original, at its middle, and *zoom* by what factor it had
    grown, besides what its size explains.
    """

    left: float
    top: float
    width_scale: float
    height_scale: float
    likeness: float | None = None
    shift: float = 0.0
    zoom: float = 1.0
    is_sure: bool = True

    def box(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """Return a box (left, top, right, bottom) of the original in pixels of the answer."""
        left, top, right, bottom = box
        return (
            (left - self.left) / self.width_scale,
            (top - self.top) / self.height_scale,
            (right - self.left) / self.width_scale,
            (bottom - self.top) / self.height_scale,
        )


def fit(original: Image.Image, answer: Image.Image, region: Image.Image) -> Fit:
    """Return how *answer* lies on *original*, judged by what is outside *region*.

    *region* is a mask (`L`, any size of the original's shape), white where the answer may differ.
    """
    bases = list(_bases(original.size, answer.size))
    near = _Seen.of(original, answer, region, _FINE)
    if not near.shows_movement:
        return bases[0]
    by_edges = _found(near.edges, bases, original.size, _SURE)
    if by_edges.is_sure:
        return by_edges
    by_light = _found(near, bases, original.size, _SURE_BY_LIGHT)
    return by_light if by_light.is_sure else by_edges


def _found(near: _Seen, bases: list[Fit], size: Size, sure: float) -> Fit:
    """Return the likeliest fit; a base, and not sure, where nothing is likely enough."""
    far = near.smaller(_COARSE / _FINE)
    best = max((far.fitted(base, _ROUNDS) for base in bases), key=_likeness)
    if _likeness(best) < _ALIKE:
        searched = (far.fitted(found, _ROUNDS) for base in bases for found in far.search(base))
        best = max([best, *searched], key=_likeness)
    is_likely = _likeness(best) >= sure
    base = _base_of(best, bases) if is_likely else bases[0]
    fine = near.fitted(best if is_likely else base, _FEW)
    if _likeness(fine) < sure or not _is_near(fine, base, size):
        return replace(base, likeness=_likeness(fine), is_sure=False)
    if near.likeness(base) >= _likeness(fine) - _GAIN:
        return replace(base, likeness=_likeness(fine))
    return _against(fine, base, size)


def _bases(original: Size, answer: Size) -> Iterator[Fit]:
    """Yield how an answer of this size lies if nothing moved: stretched, cut, or with more around.

    Of the same shape it is the first alone.
    """
    wide, high = original[0] / answer[0], original[1] / answer[1]
    yield Fit(0.0, 0.0, wide, high)
    if abs(math.log(wide / high)) <= _SAME_SHAPE:
        return
    for scale in (min(wide, high), max(wide, high)):
        left, top = ((original[at] - answer[at] * scale) / 2 for at in (0, 1))
        yield Fit(left, top, scale, scale)


def _base_of(fitted: Fit, bases: list[Fit]) -> Fit:
    """Return the one that *fitted* is nearest to."""
    return min(
        bases,
        key=lambda base: (
            abs(math.log(fitted.width_scale / base.width_scale))
            + abs(math.log(fitted.height_scale / base.height_scale))
        ),
    )


def _middle(fitted: Fit, base: Fit, size: Size) -> tuple[float, float]:
    """Return how far the original's middle has moved in the answer, in pixels of the original."""
    x, y = size[0] / 2, size[1] / 2
    across, down, _, _ = fitted.box((x, y, x, y))
    return (
        base.left + across * base.width_scale - x,
        base.top + down * base.height_scale - y,
    )


def _is_near(fitted: Fit, base: Fit, size: Size) -> bool:
    right, down = _middle(fitted, base, size)
    zoom = abs(math.log(fitted.width_scale / base.width_scale))
    return (
        abs(right) <= _FURTHEST * size[0]
        and abs(down) <= _FURTHEST * size[1]
        and zoom <= math.log(_ZOOMS[-1]) * 1.5
    )


def _against(fitted: Fit, base: Fit, size: Size) -> Fit:
    """Return what moved; the *base* itself where that is less than one could see."""
    right, down = _middle(fitted, base, size)
    zoom = base.width_scale / fitted.width_scale
    shift = math.hypot(right, down)
    if shift + abs(zoom - 1) * max(size) / 2 < _STILL:
        return replace(base, likeness=fitted.likeness)
    return replace(fitted, shift=shift, zoom=zoom)


def _likeness(fitted: Fit) -> float:
    return -1.0 if fitted.likeness is None else fitted.likeness


@dataclass(frozen=True)
class _Seen:
    """Both pictures small and in grey, and the *region* that does not count.

    *scale* is how large the original is here, *shrunk* how large the answer is.
    """

    original: Image.Image
    region: Image.Image
    answer: Image.Image
    shrunk: float
    scale: float

    @classmethod
    def of(
        cls, original: Image.Image, answer: Image.Image, region: Image.Image, side: int
    ) -> _Seen:
        scale = min(1.0, side / max(original.size))
        shrunk = min(1.0, side / max(answer.size))
        size = _sides(original.size, scale)
        inner = _sides(answer.size, shrunk)
        small = _small(original, size), _small(region, size), _small(answer, inner)
        return cls(*small, inner[0] / answer.width, scale)

    def smaller(self, part: float) -> _Seen:
        """Return both smaller still."""
        size, inner = _sides(self.original.size, part), _sides(self.answer.size, part)
        return _Seen(
            _small(self.original, size),
            _small(self.region, size),
            _small(self.answer, inner),
            self.shrunk * inner[0] / self.answer.width,
            self.scale * size[0] / self.original.width,
        )

    @property
    def edges(self) -> _Seen:
        """Both as drawings of their edges, which stay where they are in another light."""
        return replace(self, original=_edges(self.original), answer=_edges(self.answer))

    @cached_property
    def grey(self) -> Grey:
        """The original's levels."""
        return _array(self.original)

    @cached_property
    def weight(self) -> Grey:
        """1 where both are to be alike, 0 in the region."""
        outside = np.asarray(self.region) == 0
        return np.asarray(outside, np.float32)

    @property
    def shows_movement(self) -> bool:
        """Tell whether enough is to be alike, and anything is to be seen there."""
        total = float(self.weight.sum())
        if total < _LEAST_SEEN * self.weight.size:
            return False
        mean = float((self.grey * self.weight).sum()) / total
        spread = float((((self.grey - mean) ** 2) * self.weight).sum()) / total
        return math.sqrt(spread) > _FLAT

    def warped(self, fitted: Fit) -> tuple[Grey, Grey]:
        """Return the answer as it lies on the original, and the weight of what it covers."""
        width, height = self.original.size
        across = self.shrunk / (fitted.width_scale * self.scale)
        down = self.shrunk / (fitted.height_scale * self.scale)
        left = -fitted.left * self.shrunk / fitted.width_scale
        top = -fitted.top * self.shrunk / fitted.height_scale
        moved = self.answer.transform(
            (width, height),
            Image.Transform.AFFINE,
            (across, 0, left, 0, down, top),
            Image.Resampling.BILINEAR,
        )
        x = (np.arange(width, dtype=np.float32) + 0.5) * across + left
        y = (np.arange(height, dtype=np.float32) + 0.5) * down + top
        is_there = np.outer(
            (y >= 1) & (y <= self.answer.height - 1), (x >= 1) & (x <= self.answer.width - 1)
        )
        return _array(moved), self.weight * is_there.astype(np.float32)

    def likeness(self, fitted: Fit) -> float:
        """Return the correlation of both where they are to be alike."""
        moved, weight = self.warped(fitted)
        return _levelled(self.grey, moved, weight)[2]

    def fitted(self, fitted: Fit, rounds: int) -> Fit:
        """Return the fit made better: shift and zoom by which both are most alike outside."""
        best = replace(fitted, likeness=-1.0)
        for _ in range(rounds):
            moved, weight = self.warped(fitted)
            first, second, likeness = _levelled(self.grey, moved, weight)
            if likeness > _likeness(best):
                best = replace(fitted, likeness=likeness)
            step = _step(first, second, weight)
            if step is None:
                break
            zoom, right, down = step
            fitted = self._stepped(fitted, zoom, right, down)
            if max(abs(right), abs(down), abs(zoom) * max(first.shape)) < 0.01:  # noqa: PLR2004  of a pixel
                break
        return best

    def _stepped(self, fitted: Fit, zoom: float, right: float, down: float) -> Fit:
        """Move by pixels of the small picture, and grow about its middle."""
        width, height = self.original.size
        grow = math.exp(max(-0.1, min(0.1, zoom)))
        x, y = width / 2 / self.scale, height / 2 / self.scale
        return replace(
            fitted,
            left=x + (fitted.left - x) * grow + right / self.scale,
            top=y + (fitted.top - y) * grow + down / self.scale,
            width_scale=fitted.width_scale * grow,
            height_scale=fitted.height_scale * grow,
        )

    def search(self, base: Fit) -> Iterator[Fit]:
        """Yield the likeliest fits within a quarter of a side and a sixth in size, the best two."""
        found = []
        for zoom in _ZOOMS:
            fitted = self._stepped(base, math.log(zoom), 0.0, 0.0)
            moved, weight = self.warped(fitted)
            first, second, _ = _levelled(self.grey, moved, weight)
            right, down, height = _peak(first * weight, second * weight)
            found.append((height, self._stepped(fitted, 0.0, right, down)))
        found.sort(key=lambda pair: -pair[0])
        yield from (fitted for _, fitted in found[:2])


def _sides(size: Size, scale: float) -> Size:
    return max(8, round(size[0] * scale)), max(8, round(size[1] * scale))


def _small(image: Image.Image, size: Size) -> Image.Image:
    """Return *image* in grey at *size*: by a whole factor first, which is fast."""
    factor = max(1, min(image.width // size[0], image.height // size[1]))
    reduced = image.reduce(factor) if factor > 1 else image
    grey = reduced if reduced.mode == "L" else reduced.convert("L")
    return grey if grey.size == size else grey.resize(size, Image.Resampling.BILINEAR)


def _edges(image: Image.Image) -> Image.Image:
    grey = _array(image)
    right, down = np.zeros_like(grey), np.zeros_like(grey)
    right[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    down[1:-1] = grey[2:] - grey[:-2]
    steps = np.sqrt(np.hypot(right, down))  # the faint ones count, too
    drawn = Image.fromarray((steps * 255 / max(float(steps.max()), 1.0)).astype(np.uint8))
    return drawn.filter(ImageFilter.GaussianBlur(_BLUR))


def _array(image: Image.Image) -> Grey:
    return np.asarray(image, np.float32)


def _levelled(first: Grey, second: Grey, weight: Grey) -> tuple[Grey, Grey, float]:
    """Return both with mean 0 and deviation 1 where they count, and their correlation there."""
    total = float(weight.sum()) or 1.0
    levelled = []
    for each in (first, second):
        moved = each - float((each * weight).sum()) / total
        spread = float(((moved**2) * weight).sum() / total) ** 0.5
        levelled.append(moved / max(spread, 1e-3))
    likeness = float((levelled[0] * levelled[1] * weight).sum()) / total
    return levelled[0], levelled[1], likeness


def _step(first: Grey, second: Grey, weight: Grey) -> tuple[float, float, float] | None:
    """Return the zoom (as a logarithm) and the shift that make *second* more like *first*."""
    height, width = first.shape
    right, down = np.zeros_like(second), np.zeros_like(second)
    right[:, 1:-1] = (second[:, 2:] - second[:, :-2]) / 2
    down[1:-1] = (second[2:] - second[:-2]) / 2
    x = np.arange(width, dtype=np.float32) + 0.5 - width / 2
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, None]
    columns = [-(right * x + down * y), -right, -down]
    off = first - second
    robust = weight / (1 + off**2)  # what was painted anew counts less
    weighted = [column * robust for column in columns]
    left_side = np.array([[(a * b).sum() for b in columns] for a in weighted], np.float64)
    right_side = np.array([(a * off).sum() for a in weighted], np.float64)
    try:
        zoom, across, along = np.linalg.solve(left_side, right_side)
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite([zoom, across, along]).all():
        return None
    most = max(width, height) / 8
    return float(zoom), *(max(-most, min(most, float(each))) for each in (across, along))


def _peak(first: Grey, second: Grey) -> tuple[float, float, float]:
    """Return the shift (right, down) of *second* at which both correlate most, and how much."""
    height, width = first.shape
    wide, high = 2 * width, 2 * height  # so that what leaves on one side does not enter again
    product = np.fft.rfft2(first, (high, wide)) * np.conj(np.fft.rfft2(second, (high, wide)))
    whole = np.fft.irfft2(product, (high, wide))
    furthest = int(width * _FURTHEST), int(height * _FURTHEST)
    rows = np.r_[0 : furthest[1] + 1, high - furthest[1] : high]
    columns = np.r_[0 : furthest[0] + 1, wide - furthest[0] : wide]
    near = whole[np.ix_(rows, columns)]
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    down, right = int(rows[row]), int(columns[column])
    return (
        float(right - wide if right > width else right),
        float(down - high if down > height else down),
        float(near[row, column]),
    )
