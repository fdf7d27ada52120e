"""Any text is read or refused with our own errors, and what was read can be read again."""

from __future__ import annotations

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from federation import limits
from federation.errors import InvalidScan, Oversized
from federation.uim.codes import KeyForm
from federation.uim.gs1 import GROUP_SEPARATOR, parse_bracketed, parse_element_string
from federation.uim.scan import Scan, read_scan
from federation.uim.segments import INVARIANT
from tests.support.patterns import NOW, shipped_library, shipped_sets

EXAMPLES = [text for pattern_set in shipped_sets() for pattern in pattern_set.patterns for text in pattern.examples]
FRAGMENTS = [
    "]d2", "]Q1", "]E0", "01", "(01)", "04600439931256", "(21)", "21", "235", "(235)", "8008", "00", "173324022687654329", "\x1d", "<GS>", "^",
    "[)>", "\x1e", "06", "05", "25S", "\x04", "https://", "http://[", "id.gs1.org", "/01/", "?", "=", "#", "%", "%ff", "%41", "urn:epc:id:",
    "sgtin:", "upui:", "sscc:", ".", ":", "/", "-", " ", "LEAT1", "19052014", "Q", "\u0436", "\ud800", "\\(",
]  # fmt: skip
ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(FRAGMENTS), max_size=10).map("".join),
    st.tuples(st.sampled_from(EXAMPLES), st.integers(0, 60), st.text(max_size=3)).map(
        lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] :]
    ),
)


@given(ANY_TEXT)
@example("x" * (limits.SCAN_CHARACTERS_MAX + 1))
@example(GROUP_SEPARATOR)
def test_any_text_is_a_scan_or_one_of_our_errors(raw):
    try:
        scan = read_scan(raw)
    except (InvalidScan, Oversized):
        return

    assert scan.raw == raw
    assert 1 <= len(scan.keys) <= limits.SCAN_KEYS_MAX
    assert len(set(scan.keys)) == len(scan.keys)
    assert shipped_library().resolve(scan, now=NOW) == shipped_library().resolve(scan, now=NOW)
    shipped_library().near_misses(scan)


@given(ANY_TEXT)
def test_case_is_never_changed_and_nothing_is_made_up(raw):
    """Each key is made of characters of the scan; only addresses have other ones, by percent-encoding and check digits."""
    try:
        scan = read_scan(raw)
    except (InvalidScan, Oversized):
        return
    if raw.isascii() and not any(mark in raw.lower() for mark in ("urn:", "http")):
        for key in scan.keys:
            assert Counter(key.text) <= Counter(raw)


@given(st.sampled_from(EXAMPLES).map(read_scan))
def test_a_key_that_is_typed_again_is_among_its_own_keys(scan: Scan):
    for key in scan.keys:
        if key.form not in {KeyForm.WEB, KeyForm.JOINED}:
            assert key.text in {again.text for again in read_scan(key.text).keys}


@given(st.text(sorted(INVARIANT), min_size=1, max_size=limits.KEY_CHARACTERS_MAX))
def test_every_text_of_the_invariant_set_can_be_asked_for_or_claims_to_be_gs1(text):
    try:
        keys = read_scan(text).keys
    except InvalidScan:
        assert text.startswith(("(", "urn:", "http")) or "<" in text
        return

    assert text in {key.text for key in keys} or text.startswith(("(", "http")) or "<" in text


@given(ANY_TEXT)
def test_the_gs1_parsers_raise_nothing_else(text):
    for parse in (parse_element_string, parse_bracketed):
        try:
            elements = parse(text)
        except InvalidScan:
            continue
        assert elements
