"""Padding, so that the length of an envelope says almost nothing about what is in it.

Sizes are those of Padme (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", 2019),
which adds at most 12 % and leaves O(log log n) bits of the length to see. Small contents all have one size. What is padded
together, a hit and a miss for example, is decided by whoever makes the body.
"""

from __future__ import annotations

from typing import Final

from federation import limits
from federation.errors import Malformed, Oversized

_LENGTH_BYTES: Final = 4


def padded_size(length: int) -> int:
    """The size in bytes after padding, for `length` bytes before it."""
    needed = max(_LENGTH_BYTES + length, limits.PADDING_FLOOR_BYTES)
    exponent = needed.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << low_bits) - 1
    return (needed + mask) & ~mask


def pad(data: bytes) -> bytes:
    """The length of the data as 4 bytes big-endian, the data, and zeros up to `padded_size`.

    Raises:
        Oversized: more than fits into an envelope.
    """
    if len(data) > limits.ENVELOPE_BYTES_MAX:
        raise Oversized("this does not fit into one envelope")
    return (len(data).to_bytes(_LENGTH_BYTES) + data).ljust(padded_size(len(data)), b"\0")


def unpad(padded: bytes) -> bytes:
    """The data that `pad` was given; there is exactly one padding for it.

    Raises:
        Malformed: the length does not fit, or something other than zeros follows the data.
    """
    length = int.from_bytes(padded[:_LENGTH_BYTES])
    end = _LENGTH_BYTES + length
    if padded_size(length) != len(padded) or padded.count(0, end) != len(padded) - end:
        raise Malformed("a sealed content is not padded as it must be")
    return padded[_LENGTH_BYTES:end]
