"""GS1 element strings: which application identifiers there are, where each value ends, and what may stand in it.

The table is that of the GS1 Barcode Syntax Dictionary; a conformance test compares the two. Of the dictionary's content checks
only the check digit is made here: dates and the like belong to the pattern, which can say whose marking a wrong one would be.
Required and forbidden pairs of identifiers are not checked: a marking that breaks them still has to be traced.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import Final, NewType

from federation.errors import InvalidScan
from federation.uim.check import DIGITS, CheckMethod, check_holds, gs1_mod_10
from federation.uim.segments import INVARIANT

GROUP_SEPARATOR: Final = "\x1d"
"""What a reader gives for FNC1 after a value without a predefined length."""

Identifier = NewType("Identifier", str)
"""A known application identifier: two to four digits."""

_CHARACTERS: Final = {
    "N": DIGITS,
    "X": INVARIANT,
    "Y": frozenset(string.digits + string.ascii_uppercase + "#-/"),
    "Z": frozenset(string.digits + string.ascii_letters + "-_="),
}
"""The letters of the dictionary: digits, character set 82, character set 39, base64url."""

_PREDEFINED: Final = frozenset(f"{number:02}" for number in (*range(5), *range(11, 21), *range(31, 37), 41))
"""First two digits of the identifiers whose values need no separator (GS1 General Specifications, 7.8.5)."""

_MEASURES: Final = " ".join(
    f"{kind}0-{kind}5" for kind in (*range(310, 317), *range(320, 338), *range(340, 358), *range(360, 370))
)
"""Weights, lengths, areas and volumes: the fourth digit is the place of the decimal point."""

_TABLE: Final[dict[str, str]] = {
    "N18c": "00 8017-8018",
    "N17c": "402",
    "N14c": "01-03",
    "N13c": "410-417",
    "N14c N4": "8006 8026",
    "N13c [X..17]": "253",
    "N13c [N..12]": "255",
    "N1 N13c [X..16]": "8003",
    "N1": "4321-4323 7252",
    "N2": "20 7241",
    "N3": "422 424 426",
    "N4": "3940-3943 8111",
    "N6": f"11-13 15-17 {_MEASURES} 3950-3955 4326 7006 8005",
    "N8": "7250",
    "N13": "7001",
    "N15": "8040-8041",
    "N32": "8042",
    "N..4": "7004",
    "N..6": "242",
    "N..8": "30 37",
    "N..10": "8019",
    "N..12": "8011",
    "N..15": "3900-3909 3920-3929",
    "N3 N..15": "3910-3919 3930-3939",
    "N3 [N3] [N3] [N3] [N3]": "423 425",
    "N4 N5 N3 N1 N1": "8001",
    "N6 N2 [N2] [N2]": "8008",
    "N6 N4": "4324-4325 7003",
    "N6 [N4]": "7011",
    "N6 [N6]": "7007",
    "N6 [X1]": "4330-4333",
    "N8 N4": "7251",
    "N10 N10": "4309",
    "N18 [N..2]": "8043",
    "N1 X1 X1 X1": "7040",
    "N3 X..9": "421",
    "N3 X..27": "7030-7039",
    "X2": "4307 4317",
    "X3": "7258",
    "X2 X..28": "7230-7239",
    "X..2": "7010",
    "X..3": "427 7008",
    "X..4": "7041",
    "X..10": "7009 7255",
    "X..12": "7005",
    "X..20": "10 21-22 243 254 420 4318 710-717 7020-7022 7240 8002 8012",
    "X..25": "7242 8013-8014 8020",
    "X..28": "235",
    "X..30": "240-241 250-251 400-401 403 4308 4319 7002 7023 8004 90",
    "X..34": "8007",
    "X..35": "4300-4301 4310-4311 4320",
    "X..40": "7253-7254 7259",
    "X..50": "8009",
    "X..70": "4302-4306 4312-4316 7257 8110 8112 8200",
    "X..90": "7256 91-99",
    "Y..30": "8010",
    "Z..90": "8030",
}
"""From a format to its identifiers. `N14c` is 14 digits, the last a check digit; `X..20` 1 to 20; brackets: an optional part."""

_PART: Final = re.compile(r"\[?([NXYZ])(\.\.)?([0-9]{1,2})(c?)\]?\Z")
_BRACKETED: Final = re.compile(r"(?<!\\)\(([0-9]{2,4})\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a value's format: `shortest` to `longest` characters, optional or not, with a check digit at its end or not."""

    characters: frozenset[str]
    shortest: int
    longest: int
    optional: bool
    checked: bool


@dataclass(frozen=True, slots=True)
class Element:
    """One identifier with its value."""

    identifier: Identifier
    value: str


def _read_part(text: str) -> Part:
    found = _PART.match(text)
    assert found is not None, text
    letter, up_to, length, checked = found.groups()
    return Part(
        characters=_CHARACTERS[letter],
        shortest=1 if up_to else int(length),
        longest=int(length),
        optional=text.startswith("["),
        checked=bool(checked),
    )


def _identifiers(ranges: str) -> list[str]:
    ends = [(first, last or first) for first, _, last in (part.partition("-") for part in ranges.split())]
    return [str(number).zfill(len(first)) for first, last in ends for number in range(int(first), int(last) + 1)]


FORMATS: Final[dict[str, tuple[Part, ...]]] = {
    identifier: tuple(_read_part(part) for part in form.split())
    for form, ranges in _TABLE.items()
    for identifier in _identifiers(ranges)
}
"""Every known application identifier and the parts of its value."""


def is_predefined(identifier: str) -> bool:
    """Say whether the value has a length that every reader knows, so that no separator follows."""
    return identifier[:2] in _PREDEFINED


def element(identifier: str, value: str) -> Element:
    """Check one value against the format of its identifier.

    Raises:
        InvalidScan: an unknown identifier, a wrong length, a wrong character or a wrong check digit.
    """
    if identifier not in FORMATS:
        raise InvalidScan(f"there is no GS1 application identifier ({identifier})", hint="read the identifier on the label again")
    start = 0
    for part in FORMATS[identifier]:
        if part.optional and start == len(value):
            break
        piece = value[start : start + part.longest]
        if len(piece) < part.shortest:
            raise InvalidScan(f"the value of ({identifier}) is too short")
        if not part.characters.issuperset(piece):
            raise InvalidScan(f"the value of ({identifier}) has a character that may not stand there")
        if part.checked and not check_holds(CheckMethod.GS1_MOD_10, piece):
            raise InvalidScan(
                f"the check digit of ({identifier}) does not hold: by the other digits it is {gs1_mod_10(piece[:-1])}"
            )
        start += len(piece)
    if start != len(value):
        raise InvalidScan(
            f"the value of ({identifier}) is too long", hint="a separator may have been lost: scan the code instead"
        )
    return Element(Identifier(identifier), value)


def parse_element_string(text: str) -> tuple[Element, ...]:
    """Split what a reader gives for a GS1 symbol: identifiers and values, separators where lengths are not predefined.

    Separators that are not needed (at the start, at the end, after a predefined length) are passed over, as readers do.

    Raises:
        InvalidScan: an unknown identifier, a value that breaks its format, or nothing at all.
    """
    elements = []
    rest = text.lstrip(GROUP_SEPARATOR)
    while rest:
        identifier = _identifier_at_start(rest)
        rest = rest[len(identifier) :]
        if is_predefined(identifier):
            length = sum(part.longest for part in FORMATS[identifier])
            value, rest = rest[:length], rest[length:]
        else:
            value, _, rest = rest.partition(GROUP_SEPARATOR)
        elements.append(element(identifier, value))
        rest = rest.lstrip(GROUP_SEPARATOR)
    if not elements:
        raise InvalidScan("the scan has no GS1 data")
    return tuple(elements)


def parse_bracketed(text: str) -> tuple[Element, ...]:
    r"""Split the form that people read: `(01)…(21)…`. A bracket inside a value is written `\(` when it could be misread.

    Raises:
        InvalidScan: text before the first bracket, an unknown identifier, or a value that breaks its format.
    """
    before, *rest = _BRACKETED.split(text)
    if before or not rest:
        raise InvalidScan("an application identifier in brackets has to come first, as in (01)")
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return tuple(
        element(identifier, value.strip(GROUP_SEPARATOR).replace("\\(", "(").replace("\\)", ")")) for identifier, value in pairs
    )


def _identifier_at_start(text: str) -> str:
    """No identifier is the start of another one, so the first length that is known is the only one."""
    for length in (2, 3, 4):
        if text[:length] in FORMATS:
            return text[:length]
    shown = text[:4] if INVARIANT.issuperset(text[:4]) else "with that character"
    raise InvalidScan(
        f"there is no GS1 application identifier {shown}",
        hint="if this is not a GS1 code, enter it without the `]…` in front; if it was typed, put the identifiers in brackets",
    )
