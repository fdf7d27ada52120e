"""From the dots of one symbol to its message: folding, patterns of five dots in nine, masks, error correction.

What keeps a wrong text from coming out: each codeword has exactly five dots in nine, and a gap in darkness between the faintest of
them and the darkest of the others, else it counts as not read; check values are left over after the correction
(`CHECKS_TO_SPARE`); and the codewords must make sense as a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from node.formats.dotcode.field import PRIME, corrected
from node.formats.dotcode.message import Message, read_message
from node.limits import DOTCODE_SIDE_MAX

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
_PATTERNS: Final = tuple(
    int(pattern, 16)
    for pattern in (
        "155 0ab 0ad 0b5 0d5 156 15a 16a 1aa 0ae 0b6 0ba 0d6 0da 0ea 12b 12d 135 14b 14d 153 159 165 169 195 1a5 1a9 057 05b "
        "05d 06b 06d 075 097 09b 09d 0a7 0b3 0b9 0cb 0cd 0d3 0d9 0e5 0e9 12e 136 13a 14e 15c 166 16c 172 174 196 19a 1a6 1ac "
        "1b2 1b4 1ca 1d2 1d4 05e 06e 076 07a 09e 0bc 0ce 0dc 0e6 0ec 0f2 0f4 117 11b 11d 127 133 139 147 163 171 18b 18d 193 "
        "199 1a3 1b1 1c5 1c9 1d1 02f 037 03b 03d 04f 067 073 079 08f 0c7 0e3 0f1 11e 13c 178 18e 19c 1b8 1c6 1cc"
    ).split()
)
_CODEWORDS: Final = {pattern: codeword for codeword, pattern in enumerate(_PATTERNS)}

Dots: TypeAlias = Sequence[Sequence[float]]
"""Rows of places, from 0 (surely no dot) to 1 (surely a dot). Dots can only stand where row and column have an even sum."""


def read_symbol(dots: Dots) -> Message | None:
    """The message, or None. The symbol may stand upright or on its side, but the first place must be one where a dot can be."""
    height, width = len(dots), len(dots[0]) if dots else 0
    if not (SIDE_MIN <= min(height, width) and max(height, width) <= DOTCODE_SIDE_MAX and (height + width) % 2):
        return None
    upright = dots if height % 2 == 0 else _turned(dots)
    stream = [upright[row][column] for row, column in _folding(len(upright), len(upright[0]))]
    data = _data_codewords(len(stream))
    if data < 1:
        return None
    checks = 3 + data // 2
    word = [_mask(stream)]
    word += [_codeword(stream[start : start + _PLACES]) for start in range(2, 2 + (data + checks) * _PLACES, _PLACES)]
    repaired = _corrected(word, data + 1)
    if repaired is None or repaired[0] >= len(_MASK_STEPS):
        return None
    step = _MASK_STEPS[repaired[0]]
    return read_message([(value - step * place) % PRIME for place, value in enumerate(repaired[1 : data + 1])])


def _turned(dots: Dots) -> Dots:
    """A quarter turn clockwise: rows of an odd number become columns, and the corners stay where the folding expects them."""
    return [list(row) for row in zip(*reversed(dots), strict=True)]


def _folding(height: int, width: int) -> Iterator[tuple[int, int]]:
    """The places in the order of the stream: down each column, and the six near the corners last. The height is even."""
    corners = (
        (height - 2, width - 1),
        (height - 2, 0),
        (height - 1, width - 2),
        (height - 1, 1),
        (0, width - 1),
        (0, 0),
    )
    for column in range(width):
        for row in range(column % 2, height, 2):
            if (row, column) not in corners:
                yield row, column
    yield from corners


def _data_codewords(dots: int) -> int:
    """As many as fit: n of them bring 3 + n // 2 check values."""
    codewords = (dots - _MASK_DOTS) // _PLACES
    data = max(0, (codewords - 3) * 2 // 3 + 1)
    while data > 0 and data + 3 + data // 2 > codewords:
        data -= 1
    return data


def _mask(stream: Sequence[float]) -> int | None:
    bits = [_bit(value) for value in stream[:_MASK_DOTS]]
    return None if None in bits else 2 * (bits[0] or 0) + (bits[1] or 0)


def _bit(value: float) -> int | None:
    return None if abs(value - 0.5) < _GAP_MIN / 2 else int(value > 0.5)  # noqa: PLR2004  # the middle between a dot and none


def _codeword(places: Sequence[float]) -> int | None:
    """The five darkest places as a pattern; None when the fifth does not stand out from the sixth, or no pattern is like that."""
    ranked = sorted(range(_PLACES), key=lambda place: -places[place])
    if places[ranked[_DOTS - 1]] - places[ranked[_DOTS]] < _GAP_MIN:
        return None
    return _CODEWORDS.get(sum(0x100 >> place for place in ranked[:_DOTS]))


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
