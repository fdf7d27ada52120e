"""Reed-Solomon over the prime field of 113 with errors and erasures: AIM ISS DotCode, 5.3.

Words are lists of numbers below 113, the highest power first; polynomials are lists with the lowest power first.
The roots of the generator are 3, 3², 3³ and so on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, TypeAlias

PRIME: Final = 113
_GENERATOR: Final = 3
_POWERS: Final = tuple(pow(_GENERATOR, exponent, PRIME) for exponent in range(PRIME - 1))

_Polynomial: TypeAlias = list[int]


def corrected(word: Sequence[int], checks: int, erasures: Collection[int], spare: int) -> tuple[int, ...] | None:
    """The codeword nearest to `word`, or None when it is too far away to be sure.

    Args:
        word: at most 112 values; what stands at an erased place does not matter.
        checks: how many of them, at the end, are check values.
        erasures: places that could not be read.
        spare: check values that must be left over. An error costs two, an erasure one. A random word passes with a chance below
            1 in 113 to the power of this.
    """
    unknown = len(erasures)
    if unknown > checks - spare:
        return None
    known = [0 if place in erasures else value for place, value in enumerate(word)]
    syndromes = _syndromes(known, checks)
    if not any(syndromes):
        return tuple(known)
    locator = [1]
    for place in erasures:
        locator = _product(locator, [1, PRIME - _POWERS[len(word) - 1 - place]])
    errors, evaluator = _key_equation(_product(syndromes, locator)[:checks], checks, unknown)
    if 2 * (len(errors) - 1) > checks - spare - unknown:
        return None
    locator = _product(locator, errors)
    return _repaired(known, checks, locator, evaluator)


def _repaired(word: list[int], checks: int, locator: _Polynomial, evaluator: _Polynomial) -> tuple[int, ...] | None:
    """Forney's formula at each root of the locator; None when it has not as many roots in the word as its degree."""
    slope = [(exponent * factor) % PRIME for exponent, factor in enumerate(locator)][1:]
    found = 0
    for place in range(len(word)):
        inverse = _POWERS[-(len(word) - 1 - place) % (PRIME - 1)]
        if _value(locator, inverse):
            continue
        found += 1
        divisor = _value(slope, inverse)
        if not divisor:
            return None
        word[place] = (word[place] + _value(evaluator, inverse) * pow(divisor, -1, PRIME)) % PRIME
    if found != len(locator) - 1 or any(_syndromes(word, checks)):
        return None
    return tuple(word)


def _key_equation(syndromes: _Polynomial, checks: int, unknown: int) -> tuple[_Polynomial, _Polynomial]:
    """Locator and evaluator of the errors by Euclid's algorithm (Sugiyama), the locator with 1 as its constant."""
    before, now = [0] * checks + [1], _trimmed(syndromes)
    factor_before, factor = [0], [1]
    while 2 * (len(now) - 1) >= checks + unknown and any(now):
        quotient, rest = _division(before, now)
        before, now = now, rest
        factor_before, factor = factor, _difference(factor_before, _product(quotient, factor))
    if not factor[0]:
        return [1] * (checks + 2), now  # no locator has the constant 0: a degree that nobody accepts
    scale = pow(factor[0], -1, PRIME)
    return [one * scale % PRIME for one in factor], [one * scale % PRIME for one in now]


def _syndromes(word: Sequence[int], checks: int) -> _Polynomial:
    """The word at each root of the generator: all zero for a codeword."""
    return [_value(word[::-1], _POWERS[exponent % (PRIME - 1)]) for exponent in range(1, checks + 1)]


def _value(polynomial: Sequence[int], at: int) -> int:
    value = 0
    for factor in reversed(polynomial):
        value = (value * at + factor) % PRIME
    return value


def _product(left: _Polynomial, right: _Polynomial) -> _Polynomial:
    result = [0] * (len(left) + len(right) - 1)
    for one, factor in enumerate(left):
        for other, second in enumerate(right):
            result[one + other] = (result[one + other] + factor * second) % PRIME
    return result


def _difference(left: _Polynomial, right: _Polynomial) -> _Polynomial:
    size = max(len(left), len(right))
    filled = zip(left + [0] * (size - len(left)), right + [0] * (size - len(right)), strict=True)
    return _trimmed([(one - other) % PRIME for one, other in filled])


def _division(dividend: _Polynomial, divisor: _Polynomial) -> tuple[_Polynomial, _Polynomial]:
    rest, inverse = list(dividend), pow(divisor[-1], -1, PRIME)
    quotient = [0] * max(1, len(dividend) - len(divisor) + 1)
    for shift in range(len(dividend) - len(divisor), -1, -1):
        factor = rest[shift + len(divisor) - 1] * inverse % PRIME
        quotient[shift] = factor
        for place, value in enumerate(divisor):
            rest[shift + place] = (rest[shift + place] - factor * value) % PRIME
    return quotient, _trimmed(rest)


def _trimmed(polynomial: _Polynomial) -> _Polynomial:
    end = len(polynomial)
    while end > 1 and not polynomial[end - 1]:
        end -= 1
    return polynomial[:end]
