"""Takes uneven light away: every shade as a share of what the paper around it has.

Readers of bars compare along a whole line, and a shadow at its end is as dark as the bars at its beginning.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageFilter, ImageOps

_REDUCED: Final = 8
_AROUND: Final = 9
"""Reduced pixels, 72 of the picture: wider than a bar that can be read and its neighbour."""
_PAPER_MIN: Final = 24
"""A black thing on the table is not made white."""


def evened(picture: Image.Image) -> Image.Image:
    """A picture in shades of grey, with paper as white and ink as black as it has them in good light."""
    if min(picture.size) < _REDUCED:
        return picture
    brightest = picture.reduce(_REDUCED // 2).filter(ImageFilter.MaxFilter(3)).reduce(2).filter(ImageFilter.MaxFilter(_AROUND))
    paper = brightest.filter(ImageFilter.GaussianBlur(_AROUND // 2)).resize(picture.size, Image.Resampling.BILINEAR)
    shares = np.asarray(picture, dtype=np.float32) * 255 / np.maximum(np.asarray(paper, dtype=np.float32), _PAPER_MIN)
    return ImageOps.autocontrast(Image.fromarray(np.minimum(shares, 255).astype(np.uint8)), cutoff=2)
