"""The lattice on which dots lie: found from a few neighbours, grown dot by dot, then fitted as a plane seen at an angle.

The nearest neighbours of a dot of DotCode stand diagonally, so the lattice is that of the diagonals; a step along one of them is one
row and one column.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from node.formats.dotcode.dots import Numbers
from node.limits import DOTCODE_SEEDS_MAX

Exact: TypeAlias = npt.NDArray[np.float64]
Steps: TypeAlias = npt.NDArray[np.int64]

DOTS_MIN: Final = 24
"""The smallest message, one character, has about thirty."""
_STEP_MIN, _STEP_MAX = 3.4, 11.0
"""Pixels between diagonal neighbours in the size of picture that suits them."""
_NEIGHBOURS: Final = 6
_NEIGHBOURS_AT_ONCE: Final = 128
_COSINE_MAX: Final = 0.3
_LENGTH_RATIO_MIN: Final = 0.75
"""Seen at an angle a square becomes oblong and skew: up to some forty degrees."""
_COMPANY_MIN: Final = 5
"""Of the twelve `_OFFSETS`, of which a symbol fills seven on average: some dot of it has as many, and growing begins there."""
_PADDING: Final = 24
"""Pixels: more than two steps of `_STEP_MAX`."""
_REACH: Final = 0.27
"""How far from its place a dot may lie, in steps."""
_ROUNDS: Final = 3
_OFFSETS: Final = (
    *((along, across) for along in (-1, 0, 1) for across in (-1, 0, 1) if (along, across) != (0, 0)),
    *((2, 0), (-2, 0), (0, 2), (0, -2)),
)
"""Nearly half of the places are empty: with four neighbours only, growing would often end too early."""


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Dots with their rows and columns.

    Attributes:
        dots: which summits they are.
        steps: column and row of each; their sums are even.
        plane: the projection from column and row to pixels, as a matrix for homogeneous coordinates.
    """

    dots: Steps
    steps: Steps
    plane: Exact

    def pixels(self, columns_and_rows: Steps) -> Numbers:
        """Where these places are in the picture."""
        return _projected(self.plane, columns_and_rows)


def lattices(summits: Numbers) -> Iterator[Lattice]:
    """The lattices among the dots, the surest seeds first; a dot belongs to one at most."""
    if len(summits) < DOTS_MIN:
        return
    index, free = _Index(summits), np.ones(len(summits), dtype=bool)
    seeds, bases = _seeds(summits)
    tried = 0
    for seed, basis in zip(seeds, bases, strict=True):
        if not free[seed]:
            continue
        tried += 1
        if tried > DOTCODE_SEEDS_MAX:
            return
        grown = _grow(index, free, int(seed), basis)
        if len(grown) < DOTS_MIN:
            continue
        lattice = _fitted(summits, free, grown)
        if lattice is not None:
            free[lattice.dots] = False
            yield lattice


class _Index:
    """Summits by where they lie, for looking one up near a place."""

    def __init__(self, summits: Numbers) -> None:
        self.points = [(float(x), float(y)) for x, y in summits]
        self._cells: dict[tuple[int, int], list[int]] = {}
        for number, (x, y) in enumerate(self.points):
            self._cells.setdefault((int(x) >> 2, int(y) >> 2), []).append(number)

    def nearest(self, x: float, y: float, reach: float) -> int | None:
        """The summit closest to the place and within reach of it."""
        best, found = reach * reach, None
        for column in range(int(x - reach) >> 2, (int(x + reach) >> 2) + 1):
            for row in range(int(y - reach) >> 2, (int(y + reach) >> 2) + 1):
                for number in self._cells.get((column, row), ()):
                    distance = (self.points[number][0] - x) ** 2 + (self.points[number][1] - y) ** 2
                    if distance < best:
                        best, found = distance, number
        return found


def _seeds(summits: Numbers) -> tuple[Steps, Exact]:
    """Summits with two neighbours that make a square corner, the squarest first, and the two ways there."""
    near = _neighbours(summits)
    ways = summits[near] - summits[:, None, :]
    lengths = np.linalg.norm(ways, axis=2)
    best = np.full(len(summits), np.inf)
    bases = np.zeros((len(summits), 2, 2))
    for one, other in combinations(range(near.shape[1]), 2):
        shorter, longer = lengths[:, one], lengths[:, other]
        cosine = np.abs(np.sum(ways[:, one] * ways[:, other], axis=1)) / np.maximum(shorter * longer, 1e-6)
        ratio = shorter / np.maximum(longer, 1e-6)
        fits = (cosine < _COSINE_MAX) & (ratio > _LENGTH_RATIO_MIN) & (shorter > _STEP_MIN) & (longer < _STEP_MAX)
        crookedness = np.where(fits, cosine + 1 - ratio + longer / np.maximum(lengths[:, 0], 1e-6), np.inf)
        better = crookedness < best
        best = np.where(better, crookedness, best)
        bases[better] = np.stack([ways[better, one], ways[better, other]], axis=1)
    best[_company(summits, bases) < _COMPANY_MIN] = np.inf
    order = np.argsort(best, kind="stable")
    order = order[np.isfinite(best[order])]
    return order.astype(np.int64), bases[order]


def _company(summits: Numbers, bases: Exact) -> Steps:
    """How many of the places that growing looks at from each summit have one, to a pixel or so: in text and texture hardly any."""
    cells = np.rint(summits).astype(np.int64) + _PADDING
    width, height = (int(one) for one in cells.max(axis=0) + _PADDING + 1)
    taken = np.zeros((height, width), dtype=bool)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            taken[cells[:, 1] + down, cells[:, 0] + right] = True
    places = np.rint(np.array(_OFFSETS) @ bases).astype(np.int64) + cells[:, None, :]
    company: Steps = taken[places[..., 1], places[..., 0]].sum(axis=1)
    return company


def _neighbours(summits: Numbers) -> Steps:
    """The nearest ones of each summit, in the order of their distance; those further than a step above or below do not matter."""
    count, order = min(_NEIGHBOURS, len(summits) - 1), np.argsort(summits[:, 1], kind="stable")
    points = summits[order]
    near = np.empty((len(points), count), dtype=np.int64)
    for start in range(0, len(points), _NEIGHBOURS_AT_ONCE):
        part = points[start : start + _NEIGHBOURS_AT_ONCE]
        first, last = np.searchsorted(points[:, 1], [part[0, 1] - _STEP_MAX, part[-1, 1] + _STEP_MAX])
        first, last = max(0, min(int(first), start - count)), max(int(last), start + len(part) + count)
        distances = np.sum((part[:, None, :] - points[None, first:last, :]) ** 2, axis=2)
        distances[np.arange(len(part)), start - first + np.arange(len(part))] = np.inf
        close = np.argpartition(distances, count - 1, axis=1)[:, :count]
        ranked = np.argsort(np.take_along_axis(distances, close, axis=1), axis=1)
        near[order[start : start + len(part)]] = order[first + np.take_along_axis(close, ranked, axis=1)]
    return near


def _grow(index: _Index, free: npt.NDArray[np.bool_], seed: int, basis: Exact) -> dict[tuple[int, int], int]:
    """From one dot to the next, each with its own idea of the two steps: so a bent or tilted label is followed."""
    (ux, uy), (vx, vy) = basis.tolist()
    placed: dict[tuple[int, int], int] = {(0, 0): seed}
    used = {seed}
    waiting = deque([(0, 0, ux, uy, vx, vy)])
    while waiting:
        along, across, ux, uy, vx, vy = waiting.popleft()
        x, y = index.points[placed[along, across]]
        reach = _REACH * (ux * ux + uy * uy) ** 0.5
        for right, down in _OFFSETS:
            place = (along + right, across + down)
            if place in placed:
                continue
            found = index.nearest(x + right * ux + down * vx, y + right * uy + down * vy, reach)
            if found is None or found in used or not free[found]:
                continue
            placed[place] = found
            used.add(found)
            # what the prediction missed by is shared out between the two steps
            weight = 0.3 / (right * right + down * down)
            missed_x = index.points[found][0] - x - right * ux - down * vx
            missed_y = index.points[found][1] - y - right * uy - down * vy
            waiting.append(
                (
                    *place,
                    ux + weight * right * missed_x,
                    uy + weight * right * missed_y,
                    vx + weight * down * missed_x,
                    vy + weight * down * missed_y,
                )
            )
    return placed


def _fitted(summits: Numbers, free: npt.NDArray[np.bool_], grown: dict[tuple[int, int], int]) -> Lattice | None:
    """The plane through the dots; then those that lie on it near the others, and the plane through these."""
    numbers = np.array(list(grown.values()), dtype=np.int64)
    diagonal = np.array(list(grown), dtype=np.int64)
    steps = np.stack([diagonal[:, 0] + diagonal[:, 1], diagonal[:, 0] - diagonal[:, 1]], axis=1)
    for _ in range(_ROUNDS):
        plane = _plane(steps, summits[numbers])
        if plane is None:
            return None
        everywhere = _unprojected(plane, summits)
        rounded = _on_diagonals(everywhere)
        off = np.linalg.norm(everywhere - rounded, axis=1) / 2**0.5
        low, high = np.percentile(steps, 2, axis=0) - 3, np.percentile(steps, 98, axis=0) + 3
        on = free & (off < _REACH) & np.all((rounded >= low) & (rounded <= high), axis=1)
        numbers, steps = np.nonzero(on)[0].astype(np.int64), rounded[on].astype(np.int64)
        if len(numbers) < DOTS_MIN:
            return None
    final = _plane(steps, summits[numbers])
    return None if final is None else _clockwise(Lattice(dots=numbers, steps=steps, plane=final))


def _clockwise(lattice: Lattice) -> Lattice:
    """Columns to the right of rows that go down, as in a picture: a lattice that was found mirrored is turned over."""
    origin, right, down = lattice.pixels(np.array([[0, 0], [1, 0], [0, 1]], dtype=np.int64)).astype(np.float64)
    (ux, uy), (vx, vy) = right - origin, down - origin
    if ux * vy - uy * vx > 0:
        return lattice
    mirror = np.diag([1.0, -1.0, 1.0])
    return Lattice(dots=lattice.dots, steps=lattice.steps * np.array([1, -1]), plane=lattice.plane @ mirror)


def _on_diagonals(places: Exact) -> Exact:
    """The nearest places with an even sum of column and row."""
    along, across = np.rint((places[:, 0] + places[:, 1]) / 2), np.rint((places[:, 0] - places[:, 1]) / 2)
    result: Exact = np.stack([along + across, along - across], axis=1)
    return result


def _plane(steps: Steps, pixels: Numbers) -> Exact | None:
    """The projection with the least squares of misses (direct linear transformation, on coordinates around their middle)."""
    source, source_scale = _centred(steps.astype(np.float64))
    target, target_scale = _centred(pixels.astype(np.float64))
    x, y = source[:, 0], source[:, 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    first = np.stack([x, y, one, zero, zero, zero, -target[:, 0] * x, -target[:, 0] * y, -target[:, 0]], axis=1)
    second = np.stack([zero, zero, zero, x, y, one, -target[:, 1] * x, -target[:, 1] * y, -target[:, 1]], axis=1)
    rows = np.concatenate([first, second])
    _, vectors = np.linalg.eigh(rows.T @ rows)
    plane: Exact = np.linalg.inv(target_scale) @ vectors[:, 0].reshape(3, 3) @ source_scale
    if not np.all(np.isfinite(plane)) or abs(np.linalg.det(plane)) < 1e-12:  # points on one line have no plane
        return None
    return plane


def _centred(points: Exact) -> tuple[Exact, Exact]:
    middle, spread = points.mean(axis=0), max(float(points.std()), 1e-6)
    scale = np.array([[1 / spread, 0, -middle[0] / spread], [0, 1 / spread, -middle[1] / spread], [0, 0, 1]])
    return (points - middle) / spread, scale


def _projected(plane: Exact, places: npt.NDArray[np.generic]) -> Numbers:
    flat = places.reshape(-1, 2).astype(np.float64)
    seen = np.concatenate([flat, np.ones((len(flat), 1))], axis=1) @ plane.T
    depth = np.where(np.abs(seen[:, 2:]) < 1e-9, 1e-9, seen[:, 2:])  # the horizon itself is nowhere
    return (seen[:, :2] / depth).reshape(places.shape).astype(np.float32)


def _unprojected(plane: Exact, pixels: Numbers) -> Exact:
    back: Exact = np.linalg.inv(plane).astype(np.float64)
    return _projected(back, pixels).astype(np.float64)
