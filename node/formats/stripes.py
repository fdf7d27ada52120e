"""Which way the bars of codes in a picture run, so that it can be turned until they stand upright.

A reader of bars looks along lines, and no line crosses all bars of a long code that lies askew by more than a few degrees.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from node.formats.places import Corners
from node.limits import STRIPES_PIXELS_MAX, STRIPES_TURNS_MAX

Numbers: TypeAlias = npt.NDArray[np.float32]

_BLUR: Final = 1.2
"""Pixels: differences of pixels make sharp edges look more askew than they are."""
_BLOCK: Final = 16
"""Pixels: some bars wide, and less than a code is high."""
_SLOPE_MIN: Final = 6.0
"""In shades of grey from one pixel to the next but one, on average: below it is the noise of a sensor."""
_ONE_WAY_MIN: Final = 0.7
"""From 0, as in texture, to 1, where all edges are parallel."""
_LEAN_MAX: Final = 0.4
"""Bars have as many edges to the light as to the dark; the edge of a thing has one kind only."""
_BLOCKS_MIN: Final = 6
_RIGHT_ANGLE: Final = 90
_BIN: Final = 3
"""Degrees."""
_UPRIGHT: Final = 4.0
"""Degrees: what lies as little askew as this is read as it is."""


def slants(picture: Image.Image) -> tuple[float, ...]:
    """By how many degrees, against the clock, a picture in shades of grey can be turned to have bars upright or lying."""
    share = min(1.0, (STRIPES_PIXELS_MAX / (picture.width * picture.height)) ** 0.5)
    if min(picture.width, picture.height) * share < 2 * _BLOCK:
        return ()
    small = picture if share == 1 else picture.resize((int(picture.width * share), int(picture.height * share)))
    angles = _directions(np.asarray(small.filter(ImageFilter.GaussianBlur(_BLUR)), dtype=np.float32))
    counts = np.bincount((angles // _BIN).astype(np.int64) % (_RIGHT_ANGLE // _BIN), minlength=_RIGHT_ANGLE // _BIN)
    found: list[float] = []
    for _ in range(STRIPES_TURNS_MAX):
        around = counts + np.roll(counts, 1) + np.roll(counts, -1)
        best = int(np.argmax(around))
        if around[best] < _BLOCKS_MIN:
            break
        off = (angles - (best + 0.5) * _BIN + _RIGHT_ANGLE / 2) % _RIGHT_ANGLE - _RIGHT_ANGLE / 2
        slant = float((best + 0.5) * _BIN + np.mean(off[np.abs(off) < 1.5 * _BIN])) % _RIGHT_ANGLE
        if min(slant, _RIGHT_ANGLE - slant) > _UPRIGHT:
            found.append(slant)
        counts[[best - 1, best, (best + 1) % len(counts)]] = 0
    return tuple(found)


def _directions(shades: Numbers) -> Numbers:
    """Of every block that is striped: the angle across its stripes in degrees, right angles apart being the same."""
    across, down = shades[1:-1, 2:] - shades[1:-1, :-2], shades[2:, 1:-1] - shades[:-2, 1:-1]
    xx, yy, xy = _means(across * across), _means(down * down), _means(across * down)
    slope = xx + yy
    one_way = np.hypot(xx - yy, 2 * xy) / np.maximum(slope, 1)
    lean = (_means(across) ** 2 + _means(down) ** 2) / np.maximum(slope, 1)
    striped = (slope > _SLOPE_MIN**2) & (one_way > _ONE_WAY_MIN) & (lean < _LEAN_MAX)
    angles: Numbers = np.degrees(0.5 * np.arctan2(2 * xy[striped], (xx - yy)[striped])) % _RIGHT_ANGLE
    return angles


def _means(values: Numbers) -> Numbers:
    """Of each block."""
    down, across = values.shape[0] // _BLOCK, values.shape[1] // _BLOCK
    blocks = values[: down * _BLOCK, : across * _BLOCK].reshape(down, _BLOCK, across, _BLOCK)
    means: Numbers = blocks.mean(axis=(1, 3))
    return means


def turned(picture: Image.Image, degrees: float) -> Image.Image:
    """All of it, against the clock, on white."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def turned_back(corners: Corners, degrees: float, turned_size: tuple[int, int], size: tuple[int, int]) -> Corners:
    """Where corners in a turned picture are in the picture itself."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    back = []
    for x, y in corners:
        right, below = x - turned_size[0] / 2, y - turned_size[1] / 2
        back.append((round(cosine * right - sine * below + size[0] / 2), round(sine * right + cosine * below + size[1] / 2)))
    return tuple(back)
