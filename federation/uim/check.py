"""Check characters: the four methods that markings use. What they protect and what a failure means is the pattern's business.

All functions take text and never raise on foreign characters: text outside a method's alphabet simply does not hold. The work is
linear in the length of the text, which callers bound.
"""

from __future__ import annotations

import string
from enum import StrEnum
from typing import Final

DIGITS: Final = frozenset(string.digits)
UPPER_DIGITS: Final = frozenset(string.digits + string.ascii_uppercase)

_VALUES: Final = {character: value for value, character in enumerate(string.digits + string.ascii_uppercase)}
_CHARACTERS: Final = string.digits + string.ascii_uppercase


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

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters that can be protected."""
        return DIGITS if self in {CheckMethod.GS1_MOD_10, CheckMethod.LUHN} else UPPER_DIGITS

    @property
    def characters(self) -> int:
        """How many check characters stand at the end."""
        return 2 if self is CheckMethod.MOD_97_10 else 1


def check_characters(method: CheckMethod, payload: str) -> str:
    """Compute the check characters of a payload that lies in the method's alphabet and is not empty."""
    match method:
        case CheckMethod.GS1_MOD_10:
            return gs1_mod_10(payload)
        case CheckMethod.LUHN:
            return luhn(payload)
        case CheckMethod.MOD_97_10:
            return mod_97_10(payload)
        case CheckMethod.MOD_37_36:
            return mod_37_36(payload)


def check_holds(method: CheckMethod, text: str) -> bool:
    """Say whether the last characters of the text are the check characters of what stands before them."""
    payload, given = text[: -method.characters], text[-method.characters :]
    return bool(payload) and method.alphabet.issuperset(payload) and check_characters(method, payload) == given


def gs1_mod_10(payload: str) -> str:
    """Weights 3 and 1 alternate from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(payload)))
    return str(-total % 10)


def luhn(payload: str) -> str:
    """Every second digit from the right is doubled and its digits are added."""
    total = sum(
        sum(divmod(2 * int(digit), 10)) if place % 2 == 0 else int(digit) for place, digit in enumerate(reversed(payload))
    )
    return str(-total % 10)


def mod_97_10(payload: str) -> str:
    """Letters count as 10 to 35; the number with its two check digits leaves 1 when divided by 97."""
    remainder = 0
    for character in payload:
        value = _VALUES[character]
        remainder = (remainder * (10 if value < 10 else 100) + value) % 97
    return f"{98 - remainder * 100 % 97:02}"


def mod_37_36(payload: str) -> str:
    """The recursive method of ISO/IEC 7064: a sum modulo 36, doubled modulo 37, character by character."""
    product = 36
    for character in payload:
        product = ((product + _VALUES[character]) % 36 or 36) * 2 % 37
    return _CHARACTERS[(1 - product) % 36]
