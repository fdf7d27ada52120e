"""Codes that are written as addresses: EPC URNs, GS1 Digital Link, and the verification addresses of stamp programmes.

Nothing here is ever fetched: an address is only a way of writing a code.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from federation.errors import InvalidScan
from federation.uim.check import DIGITS, gs1_mod_10
from federation.uim.gs1 import FORMATS, Element, element

PRIMARY_KEYS: Final = frozenset(
    ["00", "01", "253", "255", "401", "402", "414", "415", "417", "8003", "8004", "8006", "8010", "8013", "8017", "8018"]
)
"""Identifiers with which the GS1 part of a Digital Link path can begin."""

_GTIN_LENGTHS: Final = frozenset([8, 12, 13, 14])
_SERIAL_IDENTIFIERS: Final = {"upui": "235", "sgtin": "21"}


def is_urn(text: str) -> bool:
    """Say whether the text is a URN; the scheme has no case (RFC 8141)."""
    return text[:4].lower() == "urn:"


def is_web_address(text: str) -> bool:
    """Say whether the text is a web address; the scheme has no case (RFC 3986)."""
    return text[:8].lower().startswith(("http://", "https://"))


def read_epc_urn(text: str) -> tuple[Element, ...]:
    """Read `urn:epc:id:` with the scheme `upui`, `sgtin` or `sscc` (GS1 EPC Tag Data Standard, section 6.3).

    Raises:
        InvalidScan: another scheme, or parts of wrong lengths.
    """
    scheme, _, body = text[len("urn:epc:id:") :].partition(":")
    if text[: len("urn:epc:id:")].lower() != "urn:epc:id:" or scheme not in {*_SERIAL_IDENTIFIERS, "sscc"}:
        raise InvalidScan("this kind of URN marks no tobacco product", hint="known are the EPC schemes upui, sgtin and sscc")
    company, _, rest = body.partition(".")
    if scheme == "sscc":
        return (element("00", _with_check_digit(company, rest, 17)),)
    item, _, serial = rest.partition(".")
    return (element("01", _with_check_digit(company, item, 13)), element(_SERIAL_IDENTIFIERS[scheme], _decoded(serial) or ""))


def read_digital_link(text: str) -> tuple[Element, ...] | None:
    """Read a GS1 Digital Link URI of any host; None for a web address that is something else.

    Raises:
        InvalidScan: it is a Digital Link, and a value in it is wrong.
    """
    parts = _split(text)
    segments = [_decoded(segment) or "" for segment in parts.path.split("/") if segment]
    start = next((place for place in range(len(segments) - 1) if _begins_key(segments[place], segments[place + 1])), None)
    if start is None or (len(segments) - start) % 2:
        return None
    pairs = list(zip(segments[start::2], segments[start + 1 :: 2], strict=True))
    if any(identifier not in FORMATS for identifier, _ in pairs):
        return None
    queried = [(name, _decoded(value) or "") for name, value in _query(parts) if name in FORMATS]
    (key, value), *others = pairs
    return (element(key, value.zfill(14) if key == "01" else value), *(element(name, given) for name, given in others + queried))


def read_verification_address(text: str) -> tuple[str, tuple[str, ...]]:
    """Read an address with a code somewhere in it.

    Returns:
        Host, path and query without the scheme; and the parts that may be the code: the end of the path, the values of the
        query, the end of the fragment.

    Raises:
        InvalidScan: there is no host.
    """
    parts = _split(text)
    whole = f"{parts.hostname}{parts.path}{'?' if parts.query else ''}{parts.query}"
    ends = [text.rstrip("/").rpartition("/")[2] for text in (parts.path, parts.fragment)]
    places = [ends[0], *(value for _, value in _query(parts)), ends[1]]
    return whole, tuple(code for place in places if (code := _decoded(place)))


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise InvalidScan("the address in this code cannot be read") from None
    if not parts.hostname:
        raise InvalidScan("the address in this code names no host")
    return parts


def _query(parts: SplitResult) -> list[tuple[str, str]]:
    """Names and values as they stand: a plus sign is a plus sign, because codes may hold one."""
    return [(name, value) for name, _, value in (pair.partition("=") for pair in parts.query.split("&"))]


def _decoded(text: str) -> str | None:
    """Undo percent-encoding; None when the bytes are no text."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return None


def _begins_key(identifier: str, value: str) -> bool:
    if identifier == "01":
        return len(value) in _GTIN_LENGTHS and DIGITS.issuperset(value)
    if identifier == "00":
        return len(value) == 18 and DIGITS.issuperset(value)
    try:
        return identifier in PRIMARY_KEYS and bool(element(identifier, value))
    except InvalidScan:
        return False


def _with_check_digit(company: str, reference: str, length: int) -> str:
    """The indicator or extension digit moves to the front; the check digit, which EPCs leave out, is computed."""
    digits = reference[:1] + company + reference[1:]
    if len(digits) != length or not 6 <= len(company) <= 12 or not DIGITS.issuperset(digits):
        raise InvalidScan("the parts of this EPC have wrong lengths or characters")
    return digits + gs1_mod_10(digits)
