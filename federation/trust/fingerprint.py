"""Fingerprints that two people read to each other over the telephone, in any language that has digits.

What the answer means (which Party, which person, whether to log a `confirm`) is left to the directory.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import Final

_GROUPS: Final = 12
_GROUP_DIGITS: Final = 5
_DIGITS: Final = _GROUPS * _GROUP_DIGITS


def fingerprint(body: bytes) -> str:
    """Twelve groups of five digits, with one space between, for the body of the entry that admits a Party.

    The SHA-256 of the exact bytes that founders and Party sign is read as one big-endian number; its last 60 decimal digits, with
    leading zeros, are the fingerprint. That is 199 bits, enough against whoever searches for one matching entry or for a pair.
    It covers every key in the entry: with the CA's alone, the Secretariat could have put a Party key of its own beside it.
    """
    return digits_of(sha256(body).digest())


def digits_of(digest: bytes) -> str:
    """A SHA-256 as people read it aloud, in the same form; the directory keeps the digest of an admission and not its bytes."""
    number = int.from_bytes(digest) % 10**_DIGITS
    digits = f"{number:0{_DIGITS}}"
    return " ".join(digits[start : start + _GROUP_DIGITS] for start in range(0, _DIGITS, _GROUP_DIGITS))


def same_fingerprint(one: str, other: str) -> bool:
    """Whether two fingerprints are the same, however they are spaced; False when either is not a whole one."""
    first, second = _digits(one), _digits(other)
    return len(first) == _DIGITS and first.isdigit() and compare_digest(first, second)


def _digits(text: str) -> bytes:
    return "".join(text.split()).encode("ascii", "replace")
