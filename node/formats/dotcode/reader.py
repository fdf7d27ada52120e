"""All DotCode symbols of a picture, and the places of those that are there and cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

import numpy as np
from PIL import Image

from node.formats.dotcode.dots import Numbers, Relief, reliefs
from node.formats.dotcode.lattice import Lattice, Steps, lattices
from node.formats.dotcode.message import Message
from node.formats.dotcode.symbol import SIDE_MIN, read_symbol
from node.formats.places import Corners, overlap
from node.limits import DOTCODE_SIDE_MAX

_EDGE_FILL_MIN: Final = 0.12
"""Share of places with a dot: a line at the edge with fewer is what stands beside the symbol."""
_FAINT: Final = 0.35
"""Of the middling dot. A shadow over half of a symbol takes less away."""
_FILL_MIN, _FILL_MAX = 0.38, 0.75
"""Five places in nine have a dot, and padding is all dots. A raster of print has nearly all, chance few."""
_MISS_MAX: Final = 0.13
"""In steps, on average. Dots that lie anywhere within reach of a place miss it by 0.18."""
_UNREAD_DOTS_MIN: Final = 80
"""What has fewer dots and cannot be read may be anything."""
_MARGIN: Final = 2
_MOVES: Final = sorted(
    (moved for moved in product((0, 1, -1, 2, -2), repeat=4) if sum(map(abs, moved)) <= _MARGIN),
    key=lambda moved: sum(map(abs, moved)),
)
"""Which edges are moved in or out, by two lines in all: one may have lost its dots, or stand beside a speck."""
_Box: TypeAlias = tuple[int, int, int, int]
"""First column, first row, last column, last row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A symbol in the picture.

    Attributes:
        corners: x and y of its four corners in pixels, in clockwise order.
        message: None when it is there and cannot be read.
    """

    corners: Corners
    message: Message | None


def read_dotcodes(picture: Image.Image) -> tuple[Sighting, ...]:
    """All symbols in a picture in shades of grey: first those that were read, then those that were not, each place once."""
    read: list[Sighting] = []
    unread: list[Sighting] = []
    for relief in reliefs(picture):
        for lattice in lattices(relief.summits):
            box = _box(_standing_out(relief, lattice))
            if box is None or any(overlap(_corners(relief, lattice, box), one.corners) for one in read):
                continue
            sighting = _look(relief, lattice, box)
            if sighting is not None:
                (unread if sighting.message is None else read).append(sighting)
    left: list[Sighting] = []
    for one in unread:
        if not any(overlap(one.corners, other.corners) for other in (*read, *left)):
            left.append(one)
    return (*read, *left)


def _look(relief: Relief, lattice: Lattice, box: _Box) -> Sighting | None:
    """What one lattice is: a message, a symbol that cannot be read, or None for something else."""
    left, top, right, bottom = box
    darkness = _darkness(relief, lattice, box)
    if darkness is None:
        return None
    for moved in _MOVES:
        edges = (left - moved[0], top - moved[1], right + moved[2], bottom + moved[3])
        rows = slice(_MARGIN - moved[1], darkness.shape[0] - _MARGIN + moved[3])
        message = _message(darkness[rows, _MARGIN - moved[0] : darkness.shape[1] - _MARGIN + moved[2]], edges)
        if message is not None:
            return Sighting(corners=_corners(relief, lattice, edges), message=message)
    return Sighting(corners=_corners(relief, lattice, box), message=None) if _is_convincing(relief, lattice, box) else None


def _is_convincing(relief: Relief, lattice: Lattice, box: _Box) -> bool:
    """Worth telling a person: print and texture make lattices too, but few dots, too many, or askew."""
    places = (box[2] - box[0] + 1) * (box[3] - box[1] + 1) / 2
    if len(lattice.steps) < _UNREAD_DOTS_MIN or not _FILL_MIN <= len(lattice.steps) / places <= _FILL_MAX:
        return False
    step = float(np.linalg.norm(np.diff(lattice.pixels(np.array([[0, 0], [1, 1]], dtype=np.int64)), axis=0)))
    misses = np.linalg.norm(relief.summits[lattice.dots] - lattice.pixels(lattice.steps), axis=1)
    return float(np.mean(misses)) < _MISS_MAX * step


def _standing_out(relief: Relief, lattice: Lattice) -> Steps:
    """Columns and rows of the dots without the faint ones, which are noise that happens to lie on the lattice."""
    heights = relief.at(relief.summits[lattice.dots])
    return lattice.steps[heights >= _FAINT * np.median(heights)]


def _box(steps: Steps) -> _Box | None:
    """The columns and rows of the symbol, without lines at the edge that have hardly a dot."""
    left, top = (int(one) for one in steps.min(axis=0))
    right, bottom = (int(one) for one in steps.max(axis=0))
    if max(right - left, bottom - top) >= 2 * DOTCODE_SIDE_MAX:
        return None
    filled = np.zeros((bottom - top + 1, right - left + 1), dtype=bool)
    filled[steps[:, 1] - top, steps[:, 0] - left] = True
    while min(filled.shape) >= SIDE_MIN:
        edges = (filled[:, 0], filled[0], filled[:, -1], filled[-1])
        emptiest = min(range(4), key=lambda edge: 2 * float(edges[edge].mean()))
        if 2 * edges[emptiest].mean() >= _EDGE_FILL_MIN:
            return (left, top, right, bottom)
        filled = (filled[:, 1:], filled[1:], filled[:, :-1], filled[:-1])[emptiest]
        left, top = left + (emptiest == 0), top + (emptiest == 1)
        right, bottom = right - (emptiest == 2), bottom - (emptiest == 3)  # the order of `edges`
    return None


def _message(darkness: Numbers, box: _Box) -> Message | None:
    """Read every place of the box. A symbol that is upside down has no place for a dot in its first corner."""
    height, width = darkness.shape
    if (width + height) % 2 == 0 or min(width, height) < SIDE_MIN or max(width, height) > DOTCODE_SIDE_MAX:
        return None
    return read_symbol(darkness[::-1, ::-1] if (box[0] + box[1]) % 2 else darkness)


def _darkness(relief: Relief, lattice: Lattice, box: _Box) -> Numbers | None:
    """From 0, as dark as places without a dot are around here, to 1, as dark as dots are; with more lines at each edge."""
    left, top, right, bottom = box
    outer = (left - _MARGIN, top - _MARGIN, right + _MARGIN, bottom + _MARGIN)
    columns, rows = np.meshgrid(np.arange(outer[0], outer[2] + 1), np.arange(outer[1], outer[3] + 1))
    places = np.stack([columns, rows], axis=2)
    pixels = lattice.pixels(places)
    inside = np.all((lattice.steps >= outer[:2]) & (lattice.steps <= outer[2:]), axis=1)
    own = lattice.steps[inside]
    pixels[own[:, 1] - outer[1], own[:, 0] - outer[0]] = relief.summits[lattice.dots[inside]]
    heights = relief.at(pixels)
    possible = (columns + rows) % 2 == 0
    possible[:_MARGIN] = possible[-_MARGIN:] = possible[:, :_MARGIN] = possible[:, -_MARGIN:] = False
    middle = _division(heights[possible])
    light, dark = possible & (heights <= middle), possible & (heights > middle)
    none, dot = _slope(places[light], heights[light], places), _slope(places[dark], heights[dark], places)
    if none is None or dot is None or np.min(dot - none) <= 0:
        return None
    result: Numbers = np.clip((heights - none) / (dot - none), 0, 1)
    return result


def _division(heights: Numbers) -> float:
    """Between places with a dot and without: where the two groups lie closest around their means (Otsu's method)."""
    ranked = np.sort(heights.astype(np.float64))
    counts = np.arange(1, len(ranked))
    sums = np.cumsum(ranked)
    below, above = sums[:-1] / counts, (sums[-1] - sums[:-1]) / (len(ranked) - counts)
    best = int(np.argmax(counts * (len(ranked) - counts) * (above - below) ** 2))
    return float((ranked[best] + ranked[best + 1]) / 2)


def _slope(places: Steps, heights: Numbers, everywhere: Steps) -> Numbers | None:
    """A plane through the heights: light and ink that change from one side of the symbol to the other."""
    if len(places) < 6:  # twice what a plane has
        return None
    terms = np.concatenate([places.astype(np.float64), np.ones((len(places), 1))], axis=1)
    factors, *_ = np.linalg.lstsq(terms, heights.astype(np.float64), rcond=None)
    result: Numbers = (everywhere @ factors[:2] + factors[2]).astype(np.float32)
    return result


def _corners(relief: Relief, lattice: Lattice, box: _Box) -> Corners:
    left, top, right, bottom = box
    pixels = lattice.pixels(np.array([[left, top], [right, top], [right, bottom], [left, bottom]])) / relief.share
    return tuple((round(float(x)), round(float(y))) for x, y in pixels)
