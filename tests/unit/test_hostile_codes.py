"""Codes and sets that are made to be too much: each is refused before it costs anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.errors import FederationError, InvalidInput, Oversized
from federation.identity import party_id
from federation.uim import bounds
from federation.uim.codes import Label
from federation.uim.confusable import suggest
from federation.uim.draft import draft_pattern
from federation.uim.library import Library
from federation.uim.scan import read_scan
from federation.uim.segments import CharacterSegment, Charset
from federation.wire.patterns import decode_pattern_set, encode_pattern_set
from tests.support.patterns import NOW, PREFIX, pattern, pattern_set, shipped_library

MEGABYTE = "LEAT" + "0" * 1_000_000
EMPTY_PATTERN = b"\x1a\x00"


def test_a_set_of_a_hundred_thousand_patterns_is_refused_before_one_is_read():
    head = encode_pattern_set(replace(pattern_set(), patterns=()))
    with pytest.raises(Oversized, match="patterns"):
        decode_pattern_set(head + EMPTY_PATTERN * 100_000)


def test_a_set_of_a_hundred_thousand_real_patterns_is_larger_than_any_set():
    one = encode_pattern_set(pattern_set(pattern()))
    with pytest.raises(Oversized):
        decode_pattern_set(one * 100_000)


def test_a_code_of_a_megabyte_is_refused_everywhere():
    with pytest.raises(FederationError):
        read_scan(MEGABYTE)
    assert suggest(shipped_library(), MEGABYTE) == ()
    with pytest.raises(FederationError):
        draft_pattern(party_id("qx"), "drafted", (MEGABYTE,) * bounds.DRAFT_CODES_MIN, label=Label.INVENTED, now=NOW)


def test_more_samples_than_a_draft_takes_are_refused():
    with pytest.raises(InvalidInput):
        draft_pattern(party_id("qx"), "drafted", ("QX1",) * (bounds.DRAFT_CODES_MAX + 1), label=Label.INVENTED, now=NOW)


def test_a_set_that_claims_everything_in_every_way_leaves_a_bounded_number_of_candidates():
    """Each of its patterns fits every code that begins with QX; other Parties' are not crowded out."""
    greedy = pattern_set(
        *(
            pattern(
                pattern_id=f"p{number}",
                segments=(PREFIX, CharacterSegment(name="all", charset=Charset.INVARIANT, shortest=1, longest=98 - number % 90)),
                names_issuer=False,
            )
            for number in range(limits.PATTERNS_PER_PARTY_MAX)
        )
    )
    honest = pattern_set(pattern(owner=party_id("qy")), party="qy")
    candidates = Library.build([greedy, honest]).resolve(read_scan("QX123456"), now=NOW)

    assert candidates[0].party == "qy"
    assert len(candidates) <= limits.CANDIDATES_MAX
    assert sum(one.party == "qx" for one in candidates) <= limits.CANDIDATES_PER_PARTY_MAX
