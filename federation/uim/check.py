"""Check characters: the six methods that markings use. What they protect and what a failure means is the pattern's business.

All functions take text and never raise on foreign characters: text outside a method's alphabet simply does not hold. The work is
linear in the length of the text, which callers bound.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from enum import StrEnum
from typing import Final

DIGITS: Final = frozenset(string.digits)
UPPER_DIGITS: Final = frozenset(string.digits + string.ascii_uppercase)

_CHARACTERS: Final = string.digits + string.ascii_uppercase
_VALUES: Final = {character: value for value, character in enumerate(_CHARACTERS)}
_TWO_DIGITS: Final = str.maketrans({letter: str(_VALUES[letter]) for letter in string.ascii_uppercase})
_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
"""Each digit doubled, and the digits of the result added; as a number, not as a character."""
_ZERO: Final = ord("0")


class CheckMethod(StrEnum):
    """How check characters are computed; they always stand at the end of what they protect."""

    GS1_MOD_10 = "gs1-mod-10"
    """GTIN, SSCC, GLN: one digit (GS1 General Specifications, 7.9.1)."""
    LUHN = "luhn"
    """One digit (ISO/IEC 7812-1, annex B)."""
    MOD_97_10 = "mod-97-10"
    """Two digits over digits and capital letters (ISO/IEC 7064)."""
    MOD_37_36 = "mod-37-36"
    """One digit or capital letter over digits and capital letters (ISO/IEC 7064, hybrid system)."""
    MOD_37_2 = "mod-37-2"
    """One digit, capital letter or asterisk over digits and capital letters (ISO/IEC 7064, pure system)."""
    MOD_11_10 = "mod-11-10"
    """One digit over digits (ISO/IEC 7064, hybrid system)."""

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters that can be protected."""
        return DIGITS if self in _NUMERIC else UPPER_DIGITS

    @property
    def check_alphabet(self) -> frozenset[str]:
        """What the check characters themselves may be."""
        if self is CheckMethod.MOD_37_2:
            return UPPER_DIGITS | {"*"}
        return UPPER_DIGITS if self is CheckMethod.MOD_37_36 else DIGITS

    @property
    def characters(self) -> int:
        """How many check characters stand at the end."""
        return 2 if self is CheckMethod.MOD_97_10 else 1


_NUMERIC: Final = frozenset([CheckMethod.GS1_MOD_10, CheckMethod.LUHN, CheckMethod.MOD_11_10])


def check_characters(method: CheckMethod, payload: str) -> str:
    """Compute the check characters of a payload that lies in the method's alphabet and is not empty."""
    return _METHODS[method](payload)


def check_holds(method: CheckMethod, text: str) -> bool:
    """Say whether the last characters of the text are the check characters of what stands before them."""
    payload, given = text[: -method.characters], text[-method.characters :]
    allowed = method.alphabet.issuperset(payload) and method.check_alphabet.issuperset(given)
    return bool(payload) and allowed and HOLDS[method](text)


def gs1_mod_10(payload: str) -> str:
    """Weights 3 and 1 alternate from the right."""
    return str(-_weighted(f"{payload}0") % 10)


def luhn(payload: str) -> str:
    """Every second digit from the right is doubled and its digits are added."""
    return str(-_doubled(f"{payload}0") % 10)


def _weighted(text: str) -> int:
    """The sum of a text with its check digit: weights 1 and 3 alternate from the right."""
    digits = text.encode()
    light, heavy = digits[::-2], digits[-2::-2]
    return sum(light) + 3 * sum(heavy) - _ZERO * (len(light) + 3 * len(heavy))


def _doubled(text: str) -> int:
    """The sum of a text with its check digit: every second digit from the right is doubled, beginning before the check digit."""
    digits = text.encode()
    single = digits[::-2]
    return sum(single) - _ZERO * len(single) + sum(digits[-2::-2].translate(_DOUBLED))


def mod_97_10(payload: str) -> str:
    """Letters count as 10 to 35; the number with its two check digits leaves 1 when divided by 97."""
    return f"{98 - int(payload.translate(_TWO_DIGITS)) * 100 % 97:02}"


def mod_37_36(payload: str) -> str:
    """The recursive method of ISO/IEC 7064: a sum modulo 36, doubled modulo 37, character by character."""
    return _CHARACTERS[(1 - _product(payload, 36)) % 36]


def mod_11_10(payload: str) -> str:
    """As `mod_37_36`, over digits: a sum modulo 10, doubled modulo 11."""
    return str((1 - _product(payload, 10)) % 10)


def mod_37_2(payload: str) -> str:
    """The pure system of ISO/IEC 7064: powers of 2 modulo 37; the value 36 is written as an asterisk."""
    total = 0
    for character in payload:
        total = (total + _VALUES[character]) * 2 % 37
    return f"{_CHARACTERS}*"[(1 - total) % 37]


def _product(payload: str, modulus: int) -> int:
    """The hybrid systems: what is left after the payload, doubled."""
    product = modulus
    for character in payload:
        product = ((product + _VALUES[character]) % modulus or modulus) * 2 % (modulus + 1)
    return product


_METHODS: Final = {
    CheckMethod.GS1_MOD_10: gs1_mod_10,
    CheckMethod.LUHN: luhn,
    CheckMethod.MOD_97_10: mod_97_10,
    CheckMethod.MOD_37_36: mod_37_36,
    CheckMethod.MOD_37_2: mod_37_2,
    CheckMethod.MOD_11_10: mod_11_10,
}

HOLDS: Final[dict[CheckMethod, Callable[[str], bool]]] = {
    CheckMethod.GS1_MOD_10: lambda text: _weighted(text) % 10 == 0,
    CheckMethod.LUHN: lambda text: _doubled(text) % 10 == 0,
    CheckMethod.MOD_97_10: lambda text: mod_97_10(text[:-2]) == text[-2:],
    CheckMethod.MOD_37_36: lambda text: mod_37_36(text[:-1]) == text[-1],
    CheckMethod.MOD_37_2: lambda text: mod_37_2(text[:-1]) == text[-1],
    CheckMethod.MOD_11_10: lambda text: mod_11_10(text[:-1]) == text[-1],
}
"""For texts whose characters were looked at: do the check characters at the end hold?"""
