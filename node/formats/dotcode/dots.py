"""Dots in a picture: dark spots on lighter ground, or light ones on darker ground, of one size at a time.

A picture is looked at in several sizes. In each, what is about as large as a dot stands out from what is around it, which takes
uneven light away; the summits are the dots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from node.limits import DOTCODE_DOTS_MAX, DOTCODE_PIXELS_MAX

Numbers: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.int64]

_SHARE_BETWEEN_SIZES: Final = 0.71
"""Each size sees columns 3 to 6.5 pixels apart, so neighbouring sizes overlap."""
_LARGEST: Final = 2.0
"""Small print is enlarged: dots that touch in three pixels are told apart in six."""
_SIDE_MIN: Final = 40
_DOT_BLUR: Final = 1.1
_GROUND_BLUR: Final = 4.5
_RELIEF_MIN: Final = 3.0
"""In shades of grey of 256: below it is the noise of a sensor."""
_ROUNDNESS_MIN: Final = 0.35
"""Bars and strokes have summits all along; this leaves out what is nine times as long as broad."""


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """A picture in one size, as what stands out.

    Attributes:
        share: its size as a share of the picture's.
        heights: how much darker (or lighter) each pixel is than its surroundings.
        summits: x and y of what may be dots, one a row, to fractions of a pixel.
    """

    share: float
    heights: Numbers
    summits: Numbers

    def at(self, places: Numbers) -> Numbers:
        """The heights there, between pixels as well; outside of the picture those of its edge."""
        height, width = self.heights.shape
        x = np.clip(places[..., 0], 0, width - 1.001)
        y = np.clip(places[..., 1], 0, height - 1.001)
        left, top = x.astype(np.int64), y.astype(np.int64)
        right_share, bottom_share = x - left, y - top
        upper = self.heights[top, left] * (1 - right_share) + self.heights[top, left + 1] * right_share
        lower = self.heights[top + 1, left] * (1 - right_share) + self.heights[top + 1, left + 1] * right_share
        result: Numbers = (upper * (1 - bottom_share) + lower * bottom_share).astype(np.float32)
        return result


def reliefs(picture: Image.Image) -> Iterator[Relief]:
    """The picture (shades of grey) from its largest size to its smallest, dark dots before light ones."""
    share = min(_LARGEST, (DOTCODE_PIXELS_MAX / (picture.width * picture.height)) ** 0.5)
    while min(picture.width, picture.height) * share >= _SIDE_MIN:
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        resized = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=3)
        dots = np.asarray(resized.filter(ImageFilter.GaussianBlur(_DOT_BLUR)), dtype=np.float32)
        ground = np.asarray(resized.filter(ImageFilter.GaussianBlur(_GROUND_BLUR)), dtype=np.float32)
        for heights in (ground - dots, dots - ground):
            yield Relief(share=share, heights=heights, summits=_summits(heights))
        share *= _SHARE_BETWEEN_SIZES


def _summits(heights: Numbers) -> Numbers:
    """Pixels above all their neighbours, moved to the summit of the parabola through them; the highest when there are too many."""
    middle = heights[1:-1, 1:-1]
    around = [
        heights[1 + down : heights.shape[0] - 1 + down, 1 + right : heights.shape[1] - 1 + right]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if (down, right) != (0, 0)
    ]
    highest = middle > _RELIEF_MIN
    for number, neighbour in enumerate(around):
        highest &= middle >= neighbour if number < len(around) // 2 else middle > neighbour
    rows, columns = np.nonzero(highest)
    round_ones = _roundness(heights, rows + 1, columns + 1) > _ROUNDNESS_MIN
    rows, columns = rows[round_ones], columns[round_ones]
    if len(rows) > DOTCODE_DOTS_MAX:
        kept = np.argsort(-middle[rows, columns], kind="stable")[:DOTCODE_DOTS_MAX]
        rows, columns = rows[kept], columns[kept]
    rows, columns = rows + 1, columns + 1
    x = columns + _offset(heights[rows, columns - 1], heights[rows, columns], heights[rows, columns + 1])
    y = rows + _offset(heights[rows - 1, columns], heights[rows, columns], heights[rows + 1, columns])
    return np.stack([x, y], axis=1).astype(np.float32)


def _roundness(heights: Numbers, rows: Places, columns: Places) -> Numbers:
    """From 0, a ridge, to 1, as steep to all sides: of the summits there, by their second derivatives."""
    here = heights[rows, columns]
    across = heights[rows, columns - 1] - 2 * here + heights[rows, columns + 1]
    down = heights[rows - 1, columns] - 2 * here + heights[rows + 1, columns]
    askew = heights[rows - 1, columns - 1] + heights[rows + 1, columns + 1]
    askew = (askew - heights[rows - 1, columns + 1] - heights[rows + 1, columns - 1]) / 4
    roundness: Numbers = 4 * (across * down - askew**2) / np.maximum((across + down) ** 2, 1e-6)
    return roundness


def _offset(before: Numbers, here: Numbers, after: Numbers) -> Numbers:
    bend = before - 2 * here + after
    result: Numbers = np.where(bend < 0, 0.5 * (before - after) / np.minimum(bend, -1e-6), 0).astype(np.float32)
    return np.clip(result, -0.5, 0.5)
