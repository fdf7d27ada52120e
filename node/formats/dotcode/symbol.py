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
_PATTERNS: Final = bytes.fromhex(
    "0155 00ab 00ad 00b5 00d5 0156 015a 016a 01aa 00ae 00b6 00ba 00d6 00da 00ea 012b 012d 0135 014b 014d 0153 0159 "
    "0165 0169 0195 01a5 01a9 0057 005b 005d 006b 006d 0075 0097 009b 009d 00a7 00b3 00b9 00cb 00cd 00d3 00d9 00e5 "
    "00e9 012e 0136 013a 014e 015c 0166 016c 0172 0174 0196 019a 01a6 01ac 01b2 01b4 01ca 01d2 01d4 005e 006e 0076 "
    "007a 009e 00bc 00ce 00dc 00e6 00ec 00f2 00f4 0117 011b 011d 0127 0133 0139 0147 0163 0171 018b 018d 0193 0199 "
    "01a3 01b1 01c5 01c9 01d1 002f 0037 003b 003d 004f 0067 0073 0079 008f 00c7 00e3 00f1 011e 013c 0178 018e 019c "
    "01b8 01c6 01cc"
)
_CODEWORDS: Final = {int.from_bytes(_PATTERNS[place : place + 2]): place // 2 for place in range(0, len(_PATTERNS), 2)}

Dots: TypeAlias = Sequence[Sequence[float]]
"""Rows of places, from 0 (surely no dot) to 1 (surely a dot). Dots can only stand where row and column have an even sum."""


def read_symbol(dots: Dots) -> Message | None:
    """The message, or None. The symbol may stand upright or on its side, but the first place must be one where a dot can be."""
    height, width = len(dots), len(dots[0]) if dots else 0
    if not (min(height, width) >= SIDE_MIN and max(height, width) <= DOTCODE_SIDE_MAX and (height + width) % 2):
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
    return None if abs(value - 0.5) < _GAP_MIN / 2 else int(value > 0.5)  # the middle between a dot and none


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
