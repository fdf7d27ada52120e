"""Patterns and sets: what may be published, and what is refused by name."""

from __future__ import annotations

import pytest

from federation import limits
from federation.errors import Forbidden, Malformed, Oversized
from federation.identity import party_id
from federation.uim.codes import Carrier, KeyForm
from federation.uim.matcher import Match, Matcher
from federation.uim.pattern import Decoding, PrintedItem, validate_set
from federation.uim.scan import Key, read_scan
from federation.uim.segments import CharacterSegment, Charset, LiteralSegment, SeparatorSegment
from tests.support.patterns import PREFIX, SERIAL, pattern, pattern_set

TAIL = CharacterSegment(name="tail", charset=Charset.UPPER, shortest=2, longest=2, stored=False)


def decoding(**changes):
    return Decoding(**({"item": PrintedItem.G, "name": "product", "segment": "serial"} | changes))


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"pattern_id": "QX"}, Malformed, "pattern id"),
        ({"version": 0}, Malformed, "version"),
        ({"title": ""}, Malformed, "title"),
        ({"title": "a\nb"}, Malformed, "title"),
        ({"source": "x" * (limits.PATTERN_TEXT_CHARACTERS_MAX + 1)}, Oversized, "source"),
        ({"segments": ()}, Oversized, "no segment"),
        ({"segments": (PREFIX, PREFIX)}, Malformed, "two segments of one name"),
        ({"segments": (TAIL,), "names_issuer": False}, Malformed, "stores nothing"),
        ({"segments": (SERIAL,)}, Malformed, "no fixed text"),
        (
            {"segments": (PREFIX, *(LiteralSegment(name=f"x{place}", text="Q" * 20) for place in range(5)))},
            Oversized,
            "longer than any key",
        ),
        ({"segments": tuple(LiteralSegment(name=f"x{place}", text="Q") for place in range(17))}, Oversized, "more than 16"),
        ({"decodings": (decoding(segment="other"),)}, Malformed, "does not have"),
        ({"decodings": (decoding(),) * (limits.PATTERN_DECODINGS_MAX + 1)}, Oversized, "decodings"),
        ({"decodings": (decoding(table=tuple((str(row), "x") for row in range(501))),)}, Oversized, "rows"),
        ({"qualifiers": ("(01)",)}, Malformed, "qualifier"),
        ({"qualifiers": ("01",) * 17}, Oversized, "qualifiers"),
        ({"qualifiers": ("01", "01")}, Malformed, "twice"),
        ({"carriers": (Carrier.QR, Carrier.QR)}, Malformed, "twice"),
        ({"valid_from_s": -1}, Malformed, "before 1970"),
        ({"valid_until_s": 10**12}, Malformed, "beyond the year 9999"),
        ({"valid_from_s": 5, "valid_until_s": 5}, Malformed, "ends before it begins"),
        ({"examples": ()}, Malformed, "no example"),
        ({"examples": ("QX123456",) * (limits.PATTERN_EXAMPLES_MAX + 1)}, Oversized, "examples"),
        ({"counter_examples": ("x" * (limits.SCAN_CHARACTERS_MAX + 1),)}, Oversized, "longer than any scan"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused_by_name(changes, error, reason):
    with pytest.raises(error, match=reason):
        pattern(**changes)


@pytest.mark.parametrize("changes", [{"name": "Product"}, {"table": (("1", "a"), ("1", "b"))}, {"table": (("1", ""),)}])
def test_a_decoding_that_cannot_be_is_refused(changes):
    with pytest.raises(Malformed):
        decoding(**changes)


def test_a_set_with_the_same_id_twice_is_refused():
    with pytest.raises(Malformed, match="one pattern id twice"):
        pattern_set(pattern(), pattern())


def test_a_set_has_a_bound():
    with pytest.raises(Oversized):
        pattern_set(*(pattern(pattern_id=f"p{number}") for number in range(limits.PATTERNS_PER_PARTY_MAX + 1)))


@pytest.mark.parametrize("prefixes", [("12",), ("1234567890123",), ("95x",), ("952", "952")])
def test_company_prefixes_are_three_to_twelve_digits_once(prefixes):
    with pytest.raises(Malformed, match="company prefix"):
        pattern_set(pattern(), company_prefixes=prefixes)


def test_company_prefixes_have_a_bound():
    with pytest.raises(Oversized, match="company prefixes"):
        pattern_set(
            pattern(), company_prefixes=tuple(f"{number:06}" for number in range(limits.COMPANY_PREFIXES_PER_PARTY_MAX + 1))
        )


def test_company_prefixes_need_a_pattern_that_uses_them():
    with pytest.raises(Malformed, match="no pattern with a form that has one"):
        pattern_set(pattern(), company_prefixes=("952",))


def test_examples_must_match_and_counter_examples_must_not():
    validate_set(pattern_set(pattern(examples=("QX123456", " QX 123 456 "), counter_examples=("QX12345", "(01)1", "qx123456"))))
    with pytest.raises(Malformed, match="does not match its own example 2"):
        validate_set(pattern_set(pattern(examples=("QX123456", "QX12345"))))
    with pytest.raises(Malformed, match="matches its counter-example 1"):
        validate_set(pattern_set(pattern(counter_examples=("QX654321",))))


def test_an_example_that_no_rule_reads_does_not_match():
    with pytest.raises(Malformed, match="does not match its own example 1"):
        validate_set(pattern_set(pattern(examples=("",))))


def test_nobody_publishes_for_another_without_a_mandate():
    of_another = pattern_set(pattern(owner=party_id("qy")))

    with pytest.raises(Forbidden, match="qx has no mandate"):
        validate_set(of_another)
    validate_set(of_another, may_publish_for=frozenset([party_id("qy")]))


def test_an_empty_set_takes_everything_back():
    validate_set(pattern_set())


def test_only_stored_segments_make_the_key():
    described = pattern(segments=(PREFIX, SeparatorSegment(name="dash", text="-"), SERIAL, TAIL))
    scan = read_scan("QX-123456AB")
    match = Matcher(described.segments).match("QX-123456AB")

    assert isinstance(match, Match)
    assert described.stored_key(match, scan.keys[0], scan) == Key("QX123456", KeyForm.CORE)


def test_a_key_that_the_scan_has_already_keeps_its_form():
    described = pattern(segments=(PREFIX, SERIAL))
    scan = read_scan("QX123456")
    match = Matcher(described.segments).match("QX123456")

    assert isinstance(match, Match)
    assert described.stored_key(match, scan.keys[0], scan) is scan.keys[0]
