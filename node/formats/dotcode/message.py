"""From codewords to text: AIM ISS DotCode, 5.2.1. What a marking never has (structured append, reader programming) is not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

GROUP_SEPARATOR: Final = 0x1D
_DIGIT_PAIRS: Final = 100
_FNC1: Final = 107
_FNC2: Final = 108
_SHIFT_TO_HIGH_CONTROL: Final = 110
_SHIFT_TO_HIGH: Final = 111
_BINARY_LATCH: Final = 112
_BINARY_BASE: Final = 103
_BYTE_BASE: Final = 259
_BINARY_GROUP: Final = 6
_ECI_SHORT_MAX: Final = 39
_CHARSETS: Final = {0: "cp437", 2: "cp437", 1: "latin-1", 3: "latin-1", 26: "utf-8", 27: "ascii"}
"""Extended channel interpretations of ISO/IEC 15438: those in which a marking, all ASCII, could be written."""
_MACROS: Final = {97: (b"05\x1d", b"\x1e\x04"), 98: (b"06\x1d", b"\x1e\x04"), 99: (b"12\x1d", b"\x1e\x04"), 100: (b"", b"\x04")}
"""In front, after a latch to B: the envelope of ISO/IEC 15434 for formats 05, 06, 12 and any other."""
_B_SPECIALS: Final = {96: b"\r\n", 97: b"\t", 98: b"\x1c", 99: b"\x1d", 100: b"\x1e"}
_FIRST_PRINTABLE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a symbol says.

    Attributes:
        text: with FNC1 as the group separator (0x1D).
        is_gs1: a GS1 element string: it begins with two digits, and no FNC1 in front says otherwise.
    """

    text: str
    is_gs1: bool

    @property
    def scan(self) -> str:
        """As a hand scanner gives it: with the symbology identifier of ISO/IEC 15424."""
        return f"]{'J1' if self.is_gs1 else 'J0'}{self.text}"


class _NoMessageError(Exception):
    """These codewords mean nothing, or something that no marking says."""


def read_message(codewords: Sequence[int]) -> Message | None:
    """The text of data codewords without their mask, padding included; None when they are no message."""
    try:
        return _Reading(codewords).message()
    except (_NoMessageError, UnicodeDecodeError, IndexError):  # an index: the codewords end in the middle of something
        return None


@dataclass(slots=True)
class _Reading:
    """Reads on from `place`; the code set says what a codeword means."""

    codewords: Sequence[int]
    place: int = 0
    code_set: str = "C"
    charset: str = "latin-1"
    data: bytearray = field(default_factory=bytearray)
    ending: bytes = b""

    def message(self) -> Message:
        is_gs1 = self.codewords[0] <= _DIGIT_PAIRS
        if self.codewords[0] == _FNC1:
            self.place = 1
        elif self.codewords[0] == 106 and self.codewords[1] in _MACROS:  # latch to B
            header, self.ending = _MACROS[self.codewords[1]]
            self.data += b"[)>\x1e" + header
            self.place, self.code_set = 2, "B"
        steps = {"A": self._a, "B": self._b, "C": self._c, "binary": self._binary}
        while self.place < len(self.codewords):
            steps[self.code_set]()
        text = bytes(self.data + self.ending).decode(self.charset)
        if not text:
            raise _NoMessageError
        return Message(text=text, is_gs1=is_gs1)

    def _next(self) -> int:
        self.place += 1
        return self.codewords[self.place - 1]

    def _a(self) -> None:
        codeword = self._next()
        if codeword < 96:  # 64 printable characters, then the control characters
            self._put_a(codeword)
        elif codeword <= 101:  # 1 to 6 characters of B
            self._shift_b(codeword - 95)
        elif codeword == 102:
            self.code_set = "B"
        else:
            self._a_or_b(codeword)

    def _b(self) -> None:
        codeword = self._next()
        if codeword <= _DIGIT_PAIRS:
            self._put_b(codeword)
        elif codeword == 101:  # one character of A
            self._put_a(self._next())
        elif codeword == 102:
            self.code_set = "A"
        else:
            self._a_or_b(codeword)

    def _a_or_b(self, codeword: int) -> None:
        if codeword <= 105:  # 2 to 4 pairs of digits
            self._pairs(codeword - 101)
        elif codeword == 106:
            self.code_set = "C"
        else:
            self._function(codeword)

    def _c(self) -> None:
        codeword = self._next()
        if codeword < _DIGIT_PAIRS:
            self.data += b"%02d" % codeword
        elif codeword == _DIGIT_PAIRS:  # a best-before date and the batch behind it: (17) and (10) in one
            self.data += b"17"
            self._pairs(3)
            self.data += b"10"
        elif codeword == 101:
            self.code_set = "A"
        elif codeword <= 105:  # 1 to 4 characters of B
            self._shift_b(codeword - 101)
        elif codeword == 106:
            self.code_set = "B"
        else:
            self._function(codeword)

    def _function(self, codeword: int) -> None:
        """What means the same in A, B and C."""
        if codeword == _FNC1:
            self.data.append(GROUP_SEPARATOR)
        elif codeword == _FNC2:
            self._interpret(self._eci())
        elif codeword == _SHIFT_TO_HIGH_CONTROL:
            self._put_high(self._next() - 64, range(32))
        elif codeword == _SHIFT_TO_HIGH:
            self._put_high(self._next() + _FIRST_PRINTABLE, range(32, 128))
        elif codeword == _BINARY_LATCH:
            self.code_set = "binary"
        else:
            raise _NoMessageError

    def _put_a(self, codeword: int) -> None:
        if codeword >= 96:
            raise _NoMessageError
        self.data.append(codeword + _FIRST_PRINTABLE if codeword < 64 else codeword - 64)

    def _put_b(self, codeword: int) -> None:
        if codeword > _DIGIT_PAIRS:
            raise _NoMessageError
        self.data += _B_SPECIALS.get(codeword) or bytes([codeword + _FIRST_PRINTABLE])

    def _put_high(self, low: int, allowed: range) -> None:
        if low not in allowed:
            raise _NoMessageError
        self.data.append(128 + low)

    def _shift_b(self, count: int) -> None:
        for _ in range(count):
            self._put_b(self._next())

    def _pairs(self, count: int) -> None:
        for _ in range(count):
            pair = self._next()
            if pair >= _DIGIT_PAIRS:
                raise _NoMessageError
            self.data += b"%02d" % pair

    def _eci(self) -> int:
        first = self._next()
        if first <= _ECI_SHORT_MAX:
            return first
        second = self._next()
        return (first - 40) * 113 * 113 + second * 113 + self._next() + 40

    def _interpret(self, eci: int) -> None:
        """One interpretation for the whole text: it stands in front, or the text would be two texts."""
        if eci not in _CHARSETS or self.data:
            raise _NoMessageError
        self.charset = _CHARSETS[eci]

    def _binary(self) -> None:
        """Groups of six codewords are five bytes; the last group may be shorter. A higher codeword ends it or interrupts it."""
        group: list[int] = []
        while self.place < len(self.codewords) and len(group) < _BINARY_GROUP and self.codewords[self.place] < _BINARY_BASE:
            group.append(self._next())
        if group:
            self._put_group(group)
        if self.place < len(self.codewords) and self.codewords[self.place] >= _BINARY_BASE:
            self._leave_binary(self._next())

    def _put_group(self, group: Sequence[int]) -> None:
        number = 0
        for codeword in group:
            number = number * _BINARY_BASE + codeword
        values = []
        for _ in range(len(group) - 1):
            number, value = divmod(number, _BYTE_BASE)
            values.append(value)
        if number or not values or max(values) > 0xFF:  # above a byte: a change of interpretation
            raise _NoMessageError
        self.data += bytes(reversed(values))

    def _leave_binary(self, codeword: int) -> None:
        if codeword <= 108:  # 2 to 7 pairs of digits, then on in binary
            self._pairs(codeword - 101)
        elif codeword <= _SHIFT_TO_HIGH:
            self.code_set = {109: "A", 110: "B", 111: "C"}[codeword]
        else:
            raise _NoMessageError
