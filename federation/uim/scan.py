"""From what a scanner or a hand gave to the keys under which the code may be stored.

The order: symbology identifier; addresses; ISO/IEC 15434 envelope; GS1 data; data identifiers; typed text. Application and data
identifiers and separators are dropped, because repositories do not store them (Regulation (EU) 2018/574, Annex III). Capitals and
small letters are never changed: codes are case-sensitive. Where a text can be read in several ways, all of them become keys;
which one is meant is decided by the patterns (`federation.uim.library`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from federation import limits
from federation.errors import InvalidScan, Oversized
from federation.uim import address
from federation.uim.check import DIGITS, CheckMethod, check_holds
from federation.uim.codes import KeyForm
from federation.uim.dates import read_date
from federation.uim.gs1 import FORMATS, GROUP_SEPARATOR, Element, parse_bracketed, parse_element_string
from federation.uim.segments import INVARIANT, DateForm

GS1_SYMBOLOGIES: Final = frozenset(["]d2", "]Q3", "]J1", "]C1", "]e0"])
"""Data Matrix, QR, DotCode, Code 128 and DataBar with FNC1 in front (ISO/IEC 15424)."""

_SYMBOLOGY: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_RECORD_SEPARATOR: Final = "\x1e"
_END_OF_TRANSMISSION: Final = "\x04"
_EDGES: Final = " \t\r\n\v\f\0\u00a0\u2007\u200b\u200e\u200f\u202f\ufeff"
"""What keyboards, wedges and copied text leave around a code. The group separator is not among them: it says GS1."""
_SPACES: Final = str.maketrans("", "", " \t\u00a0\u2007\u200b\u200e\u200f\u202f")
_DASHES: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
"""A word processor makes these out of a typed hyphen."""
_SPELLED: Final = (
    (re.compile(r"[<{\[](?:GS|FNC1)[>}\]]|\\x1d|\\u001d|\u241d|\^FNC1|\^\]|\^|~1", re.IGNORECASE), GROUP_SEPARATOR),
    (re.compile(r"[<{\[]RS[>}\]]|\\x1e|\\u001e|\u241e", re.IGNORECASE), _RECORD_SEPARATOR),
    (re.compile(r"[<{\[]EOT[>}\]]|\\x04|\\u0004|\u2404", re.IGNORECASE), _END_OF_TRANSMISSION),
)
"""How people and programs write characters that have no glyph."""
_ENVELOPE: Final = "[)>"
_FORMAT: Final = re.compile(r"(05|06)\x1d?([^\x1e]*)\Z")
_BRACKETED: Final = re.compile(r"\([0-9]{2,4}\)")
_DATA_IDENTIFIER: Final = re.compile(r"([0-9]{0,3}[A-Z])([^\x1d]+)\Z")
_UNIQUE_IDENTIFIER: Final = "25S"
"""The data identifier of ISO/IEC 15418 for a unique identification: the one that markings without GS1 use."""
_PRODUCT_ONLY: Final = re.compile(r"0[123]|1[0-7]|2[02]|30|37|3[1-9][0-9]{2}|24[0-3]|42[2-7]")
"""Identifiers that say which product, batch or quantity, and never which single item."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One canonical spelling of a code: what repositories store and queries carry.

    Attributes:
        text: 1 to `KEY_CHARACTERS_MAX` printable ASCII characters without spaces, capitals and small letters as scanned.
        form: how the text was won from the scan.
    """

    text: str
    form: KeyForm

    def __post_init__(self) -> None:
        if not 0 < len(self.text) <= limits.KEY_CHARACTERS_MAX:
            raise InvalidScan(f"a code has 1 to {limits.KEY_CHARACTERS_MAX} characters, not {len(self.text)}")
        if not all("!" <= character <= "~" for character in self.text):
            raise InvalidScan("the code has a space or a character that no marking has")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A reading with all the keys that it may mean.

    Attributes:
        raw: exactly what came in; it is kept as evidence.
        keys: 1 to `SCAN_KEYS_MAX` different keys, the likeliest first.
        qualifiers: the application or data identifiers read beside the data, in their order: `("01", "235")`, `("25S",)`.
    """

    raw: str
    keys: tuple[Key, ...]
    qualifiers: tuple[str, ...] = ()


_Spelling: TypeAlias = tuple[str, KeyForm]
_Reading: TypeAlias = tuple[tuple[str, ...], Iterable[_Spelling]]
"""The qualifiers, and the spellings from the likeliest to the least likely."""


def read_scan(raw: str) -> Scan:
    """Read any text that a scanner, a picture or a hand gives.

    Raises:
        Oversized: more than `SCAN_CHARACTERS_MAX` characters.
        InvalidScan: nothing in it can be a marking, or it says what it is and breaks the rules of that.
    """
    if len(raw) > limits.SCAN_CHARACTERS_MAX:
        raise Oversized(f"a scan has at most {limits.SCAN_CHARACTERS_MAX} characters", hint="scan one code at a time")
    if not raw.isascii() and any("\ud800" <= character <= "\udfff" for character in raw):
        raise InvalidScan("the scan holds halves of characters: it was copied or converted wrongly")
    text = raw.strip(_EDGES)
    symbology = found.group() if (found := _SYMBOLOGY.match(text)) else ""
    if symbology.startswith("]E"):
        raise InvalidScan("this bar code names a product, not one single pack", hint="scan the marking: a square code or a stamp")
    text = text[len(symbology) :].strip(_EDGES)
    if not text:
        raise InvalidScan("there is nothing in this scan")
    qualifiers, spellings = _read(text, is_gs1=symbology in GS1_SYMBOLOGIES)
    return Scan(raw=raw, keys=_keys(spellings), qualifiers=qualifiers)


def _read(text: str, *, is_gs1: bool) -> _Reading:
    if address.is_urn(text):
        return _gs1(address.read_epc_urn(text))
    if address.is_web_address(text):
        elements = address.read_digital_link(text)
        return _gs1(elements) if elements is not None else ((), _web(text))
    return _read_data(_with_separators(text), is_gs1=is_gs1)


def _read_data(text: str, *, is_gs1: bool) -> _Reading:
    if text.startswith(_ENVELOPE):
        return _envelope(text.removeprefix(_ENVELOPE))
    if _BRACKETED.match(text):
        return _gs1(parse_bracketed(text.translate(_SPACES)))
    if is_gs1 or GROUP_SEPARATOR in text.rstrip(GROUP_SEPARATOR):
        return _separated(text.strip(GROUP_SEPARATOR))
    text = text.rstrip(GROUP_SEPARATOR)
    return _typed(text.translate(_SPACES).translate(_DASHES))


def _keys(spellings: Iterable[_Spelling]) -> tuple[Key, ...]:
    """Each spelling once, the likeliest first; what is longer than any key is none."""
    there = dict.fromkeys(spelling for spelling in spellings if spelling[0])
    fitting = [spelling for spelling in there if len(spelling[0]) <= limits.KEY_CHARACTERS_MAX]
    if there and not fitting:
        raise InvalidScan(f"the code is longer than any marking: {limits.KEY_CHARACTERS_MAX} characters")
    if not fitting:
        raise InvalidScan("nothing in this scan can be a marking")
    return tuple(Key(text, form) for text, form in fitting[: limits.SCAN_KEYS_MAX])


def _with_separators(text: str) -> str:
    """Put real separators for spelled ones, unless there are real ones: then everything else is data."""
    for spelled, separator in _SPELLED:
        if separator not in text:
            text = spelled.sub(separator, text)
    return text


def _gs1(elements: tuple[Element, ...]) -> _Reading:
    values: dict[str, str] = {}
    for item in elements:
        if values.setdefault(item.identifier, item.value) != item.value:
            raise InvalidScan(f"the identifier ({item.identifier}) stands there twice with different values")
    if all(_PRODUCT_ONLY.fullmatch(identifier) for identifier in values):
        raise InvalidScan("this names a product, not one single item", hint="scan the marking: it holds a serial number")
    return tuple(values), _gs1_spellings(values)


def _gs1_spellings(values: dict[str, str]) -> Iterator[_Spelling]:
    """The stored forms, from the longest to the shortest; the order of the identifiers in the symbol does not matter."""
    gtin, serial, third_party_serial = values.get("01"), values.get("21"), values.get("235")
    if "00" in values:
        yield values["00"], KeyForm.SSCC
    elif gtin and third_party_serial:
        if "8008" in values:
            yield gtin + third_party_serial + values["8008"], KeyForm.TPX_TIME
        yield gtin + third_party_serial, KeyForm.TPX
        yield third_party_serial, KeyForm.TPX_SERIAL
    elif gtin and serial:
        yield gtin + serial, KeyForm.SGTIN
        if len(serial) == 7:
            yield f"01{gtin}21{serial}", KeyForm.CIS_CARTON
    elif set(values) == {"235"} and third_party_serial:
        yield third_party_serial, KeyForm.TPX_SERIAL
    else:
        yield "".join(values.values()), KeyForm.JOINED


def _web(text: str) -> Iterator[_Spelling]:
    whole, codes = address.read_verification_address(text)
    if _is_printable(whole):
        yield whole, KeyForm.WEB
    yield from ((code, KeyForm.PLAIN) for code in codes if _is_printable(code))


def _is_printable(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)


def _envelope(text: str) -> _Reading:
    """ISO/IEC 15434: records of format 05 (GS1) or 06 (data identifiers)."""
    records = [record for record in text.replace(_END_OF_TRANSMISSION, "").split(_RECORD_SEPARATOR) if record]
    qualifiers: list[str] = []
    spellings: list[_Spelling] = []
    for record in records:
        found = _FORMAT.match(record)
        if found is None:
            raise InvalidScan(
                "the envelope of this code has a format that no marking has", hint="known are the formats 05 and 06"
            )
        read = _gs1(parse_element_string(found[2])) if found[1] == "05" else _fields(found[2])
        qualifiers.extend(read[0])
        spellings.extend(read[1])
    return tuple(qualifiers), spellings


def _separated(text: str) -> _Reading:
    """Separators or a symbology identifier of GS1: element strings as a rule, data identifiers where they cannot be.

    DotCode takes a text that begins with two digits for GS1, `25S` among them, so the symbology identifier alone decides nothing.
    """
    try:
        return _gs1(parse_element_string(text))
    except InvalidScan:
        if not text.startswith(_UNIQUE_IDENTIFIER):
            raise
        return _fields(text)


def _fields(text: str) -> _Reading:
    """Values under data identifiers (ANSI MH10.8.2): joined in their order, and the unique identification alone."""
    found = [_DATA_IDENTIFIER.match(field) for field in text.split(GROUP_SEPARATOR) if field]
    fields = [(field[1], field[2]) for field in found if field is not None]
    if not fields or len(fields) != len(found):
        raise InvalidScan("a value in this code has no data identifier in front")
    texts = ["".join(value for _, value in fields), *(value for name, value in fields if name == _UNIQUE_IDENTIFIER)]
    return tuple(name for name, _ in fields), [(value, KeyForm.PLAIN) for value in texts]


def _typed(text: str) -> _Reading:
    """Text without anything that says what it is: all that it may be."""
    if text.startswith(_UNIQUE_IDENTIFIER):
        return (_UNIQUE_IDENTIFIER,), [(text.removeprefix(_UNIQUE_IDENTIFIER), KeyForm.PLAIN), (text, KeyForm.PLAIN)]
    return (), _typed_spellings(text)


def _typed_spellings(text: str) -> Iterator[_Spelling]:
    yield from _unmarked_gs1(text)
    yield text, KeyForm.PLAIN
    yield from _shapes(text)
    yield text.strip("-"), KeyForm.PLAIN
    yield text.replace("-", ""), KeyForm.PLAIN


def _unmarked_gs1(text: str) -> Iterator[_Spelling]:
    """An element string whose brackets and symbology identifier were lost."""
    if text.startswith(("00", "01")):
        try:
            yield from _gs1(parse_element_string(text))[1]
        except InvalidScan:
            return


def _shapes(text: str) -> Iterator[_Spelling]:
    """Stored forms that are recognised by a check digit or by their length."""
    if len(text) == 18 and _is_checked(text):
        yield text, KeyForm.SSCC
    if not INVARIANT.issuperset(text) or not _is_checked(text[:14]):
        return
    if len(text) in {21, 29}:
        yield text[:21], KeyForm.CIS_UNIT
    if 14 < len(text) <= 14 + FORMATS["21"][0].longest:
        yield text, KeyForm.SGTIN
    if 22 < len(text) <= 22 + FORMATS["235"][0].longest and read_date(DateForm.YYMMDDHH, text[-8:]):
        yield text, KeyForm.TPX_TIME


def _is_checked(text: str) -> bool:
    return len(text) in {14, 18} and DIGITS.issuperset(text) and check_holds(CheckMethod.GS1_MOD_10, text)
