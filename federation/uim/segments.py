"""The closed language in which a Party describes its codes.

A code is a row of segments: fixed text, characters of a named set, characters with check characters, a date, a printed
separator. There are no regular expressions, no repetition of groups and no alternatives. Matching is the business of
`federation.uim.matcher`; what a row of segments means for a Party stands in `federation.uim.pattern`.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from federation import limits
from federation.errors import Malformed, Oversized
from federation.uim.check import DIGITS, CheckMethod

INVARIANT: Final = frozenset(string.digits + string.ascii_letters + "!\"%&'()*+,-./:;<=>?_")
"""GS1 character set 82: the part of the invariant set of ISO/IEC 646 that Regulation (EU) 2018/574 allows in a code."""

_NAME_CHARACTERS: Final = frozenset(string.ascii_lowercase + string.digits + "-")

SEPARATORS: Final = frozenset("-./: _|#")
"""What is printed between groups of characters."""


class Charset(StrEnum):
    """Named sets, so that a reader sees what a Party means and nobody sends a thousand characters."""

    DIGITS = "digits"
    UPPER = "upper"
    UPPER_DIGITS = "upper-digits"
    ALPHANUMERIC = "alphanumeric"
    HEXADECIMAL = "hexadecimal"
    """Digits and A to F."""
    BASE32 = "base32"
    """A to Z and 2 to 7 (RFC 4648, section 6)."""
    BASE64URL = "base64url"
    """RFC 4648, section 5, without padding."""
    CIS = "cis"
    """The eighty characters of the CIS systems: the invariant set without round brackets."""
    INVARIANT = "invariant"


CHARACTERS: Final[dict[Charset, frozenset[str]]] = {
    Charset.DIGITS: DIGITS,
    Charset.UPPER: frozenset(string.ascii_uppercase),
    Charset.UPPER_DIGITS: frozenset(string.ascii_uppercase + string.digits),
    Charset.ALPHANUMERIC: frozenset(string.ascii_letters + string.digits),
    Charset.HEXADECIMAL: frozenset(string.digits + "ABCDEF"),
    Charset.BASE32: frozenset(string.ascii_uppercase + "234567"),
    Charset.BASE64URL: frozenset(string.ascii_letters + string.digits + "-_"),
    Charset.CIS: INVARIANT - frozenset("()"),
    Charset.INVARIANT: INVARIANT,
}


class DateForm(StrEnum):
    """How a date or a time stands in a code. Hours and minutes are UTC. Years of two digits are those of this century: no marking
    under the Protocol is older.
    """

    YYMMDDHH = "YYMMDDhh"
    """Regulation (EU) 2018/574: the hour in UTC."""
    YYMMDD = "YYMMDD"
    YYYYMMDD = "YYYYMMDD"
    YYMM = "YYMM"
    YYMMDDHHMM = "YYMMDDhhmm"
    YYYYMMDDHH = "YYYYMMDDhh"
    YYYYMMDDHHMM = "YYYYMMDDhhmm"
    DDMMYY = "DDMMYY"
    DDMMYYYY = "DDMMYYYY"
    YYDDD = "YYDDD"
    """The day of the year, from 001."""
    YYYYDDD = "YYYYDDD"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteralSegment:
    """Text that is the same in every code.

    Attributes:
        stored: it is part of the key under which the Party stores the code (so in every kind of segment).
    """

    name: str
    text: str
    stored: bool = True

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not self.text or not all("!" <= character <= "~" for character in self.text):
            raise Malformed(f"the fixed text of the segment {self.name} is empty or has characters that no code has")
        _check_length(self.name, len(self.text), len(self.text))

    @property
    def shortest(self) -> int:
        """Characters at least."""
        return len(self.text)

    @property
    def longest(self) -> int:
        """Characters at most."""
        return len(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterSegment:
    """From `shortest` to `longest` characters of a named set, less those in `excluded`."""

    name: str
    charset: Charset
    shortest: int
    longest: int
    excluded: str = ""
    stored: bool = True

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_length(self.name, self.shortest, self.longest)
        if not CHARACTERS[self.charset].issuperset(self.excluded) or len(set(self.excluded)) != len(self.excluded):
            raise Malformed(f"the segment {self.name} excludes a character twice, or one that its set does not have")
        if not self.characters:
            raise Malformed(f"the segment {self.name} excludes every character")

    @property
    def characters(self) -> frozenset[str]:
        """What may stand here."""
        return CHARACTERS[self.charset].difference(self.excluded)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSegment:
    """`length` characters of a set, then their check characters."""

    name: str
    charset: Charset
    length: int
    method: CheckMethod
    stored: bool = True

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_length(self.name, self.length, self.length + self.method.characters)
        if not self.method.alphabet.issuperset(CHARACTERS[self.charset]):
            raise Malformed(f"the segment {self.name}: {self.method} cannot protect the set {self.charset}")

    @property
    def shortest(self) -> int:
        """Characters, check characters included."""
        return self.length + self.method.characters

    @property
    def longest(self) -> int:
        """Characters, check characters included."""
        return self.shortest


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSegment:
    """A date that exists in the calendar."""

    name: str
    form: DateForm
    stored: bool = True

    def __post_init__(self) -> None:
        _check_name(self.name)

    @property
    def shortest(self) -> int:
        """Characters."""
        return len(self.form)

    @property
    def longest(self) -> int:
        """Characters."""
        return len(self.form)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparatorSegment:
    """One printed separator, never part of the key."""

    name: str
    text: str

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.text) != 1 or self.text not in SEPARATORS:
            raise Malformed(f"the separator {self.name} is not one of {' '.join(sorted(SEPARATORS))}")

    @property
    def stored(self) -> bool:
        """Separators belong to the print, not to the code (Regulation (EU) 2018/574, Annex III)."""
        return False

    @property
    def shortest(self) -> int:
        """Characters."""
        return 1

    @property
    def longest(self) -> int:
        """Characters."""
        return 1


Segment: TypeAlias = LiteralSegment | CharacterSegment | CheckedSegment | DateSegment | SeparatorSegment


def _check_name(name: str) -> None:
    if not 0 < len(name) <= limits.SEGMENT_NAME_CHARACTERS_MAX or not _NAME_CHARACTERS.issuperset(name):
        raise Malformed("a segment has a name of small letters, digits and hyphens")


def _check_length(name: str, shortest: int, longest: int) -> None:
    if longest > limits.KEY_CHARACTERS_MAX:
        raise Oversized(f"the segment {name} is longer than any key: {limits.KEY_CHARACTERS_MAX} characters")
    if not 1 <= shortest <= longest:
        raise Malformed(f"the segment {name} has no sensible length")
