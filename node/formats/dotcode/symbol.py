"""From the dots of one symbol to its message: folding, patterns of five dots in nine, masks, error correction.

What keeps a wrong text from coming out: each codeword has exactly five dots in nine, and a gap in darkness between the faintest of
them and the darkest of the others, else it counts as not read; check values are left over after the correction
(`CHECKS_TO_SPARE`); and the codewords must make sense as a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from node.formats.dotcode.field import PRIME, corrected
from node.formats.dotcode.message import Message, read_message
from node.limits import DOTCODE_SIDE_MAX

Dots: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.int64]

CHECKS_TO_SPARE: Final = 3
"""Of what is no DotCode at all, less than one in a million passes: 1 in 113³ for each try, before patterns and message count."""
SIDE_MIN: Final = 5
"""Rows or columns: AIM ISS DotCode, 5.2.1.4."""
_GAP_MIN: Final = 0.2
"""Between the faintest dot and the darkest place without one, as a share of the contrast of the whole symbol."""
_DOTS: Final = 5
_PLACES: Final = 9
_MASK_DOTS: Final = 2
_MASK_STEPS: Final = (0, 3, 7, 17)

# AIM ISS DotCode, annex C: the codeword of each of the 113 patterns, in its order.
_PATTERNS: Final = bytes.fromhex(
    "0155 00ab 00ad 00b5 00d5 0156 015a 016a 01aa 00ae 00b6 00ba 00d6 00da 00ea 012b 012d 0135 014b 014d 0153 0159 "
    "0165 0169 0195 01a5 01a9 0057 005b 005d 006b 006d 0075 0097 009b 009d 00a7 00b3 00b9 00cb 00cd 00d3 00d9 00e5 "
    "00e9 012e 0136 013a 014e 015c 0166 016c 0172 0174 0196 019a 01a6 01ac 01b2 01b4 01ca 01d2 01d4 005e 006e 0076 "
    "007a 009e 00bc 00ce 00dc 00e6 00ec 00f2 00f4 0117 011b 011d 0127 0133 0139 0147 0163 0171 018b 018d 0193 0199 "
    "01a3 01b1 01c5 01c9 01d1 002f 0037 003b 003d 004f 0067 0073 0079 008f 00c7 00e3 00f1 011e 013c 0178 018e 019c "
    "01b8 01c6 01cc"
)
_UNKNOWN: Final = -1
_CODEWORDS: Final = np.full(1 << _PLACES, _UNKNOWN)
_CODEWORDS[np.frombuffer(_PATTERNS, dtype=">u2")] = np.arange(PRIME)
_WEIGHTS: Final = 1 << np.arange(_PLACES)[::-1]


def read_symbol(dots: Dots) -> Message | None:
    """The message, or None. The symbol may stand upright or on its side, but the first place must be one where a dot can be.

    Args:
        dots: rows of places, from 0 (surely no dot) to 1 (surely a dot). Dots can only stand where row and column have an even sum.
    """
    height, width = dots.shape
    if not (min(height, width) >= SIDE_MIN and max(height, width) <= DOTCODE_SIDE_MAX and (height + width) % 2):
        return None
    upright = dots if height % 2 == 0 else np.rot90(dots, -1)
    stream = upright[_folding(*upright.shape)]
    data = _data_codewords(len(stream))
    if data < 1:
        return None
    checks = 3 + data // 2
    places = stream[_MASK_DOTS : _MASK_DOTS + (data + checks) * _PLACES].reshape(-1, _PLACES)
    repaired = _corrected([_mask(stream), *_codewords(places)], data + 1)
    if repaired is None or repaired[0] >= len(_MASK_STEPS):
        return None
    step = _MASK_STEPS[repaired[0]]
    return read_message([(value - step * place) % PRIME for place, value in enumerate(repaired[1 : data + 1])])


def _folding(height: int, width: int) -> tuple[Places, Places]:
    """Rows and columns in the order of the stream: down each column, and the six near the corners last. The height is even.

    A symbol on its side was turned clockwise before, which brings its corners where they are expected here.
    """
    corners = (
        np.array([height - 2, height - 2, height - 1, height - 1, 0, 0]),
        np.array([width - 1, 0, width - 2, 1, width - 1, 0]),
    )
    possible = np.add.outer(np.arange(height), np.arange(width)) % 2 == 0
    possible[corners] = False
    columns, rows = np.nonzero(possible.T)
    return np.concatenate([rows, corners[0]]), np.concatenate([columns, corners[1]])


def _data_codewords(dots: int) -> int:
    """As many as fit: n of them bring 3 + n // 2 check values."""
    codewords = (dots - _MASK_DOTS) // _PLACES
    data = max(0, (codewords - 3) * 2 // 3 + 1)
    while data > 0 and data + 3 + data // 2 > codewords:
        data -= 1
    return data


def _mask(stream: Dots) -> int | None:
    bits = stream[:_MASK_DOTS]
    if np.any(np.abs(bits - 0.5) < _GAP_MIN / 2):  # the middle between a dot and none
        return None
    return 2 * int(bits[0] > 0.5) + int(bits[1] > 0.5)


def _codewords(places: Dots) -> list[int | None]:
    """The five darkest of each nine as a pattern; None when the fifth does not stand out from the sixth, or no pattern is like that."""
    ranked = np.sort(places, axis=1)
    fifth, sixth = ranked[:, _PLACES - _DOTS], ranked[:, _PLACES - _DOTS - 1]
    found = _CODEWORDS[(places >= fifth[:, None]) @ _WEIGHTS]
    found[fifth - sixth < _GAP_MIN] = _UNKNOWN
    return [None if codeword == _UNKNOWN else int(codeword) for codeword in found]


def _corrected(word: Sequence[int | None], data: int) -> list[int] | None:
    """Long symbols are several interleaved words of at most 112 values; each must be corrected by itself."""
    words = -(-len(word) // (PRIME - 1))
    result = [0] * len(word)
    for first in range(words):
        values = word[first::words]
        checks = len(values) - len(range(first, data, words))
        unread = {place for place, value in enumerate(values) if value is None}
        repaired = corrected([value or 0 for value in values], checks, unread, CHECKS_TO_SPARE)
        if repaired is None:
            return None
        result[first::words] = repaired
    return result
