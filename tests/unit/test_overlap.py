"""Overlaps of patterns: a witness is a code of both, and where two patterns can share none, none is claimed."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from federation.errors import Malformed
from federation.identity import party_id
from federation.uim.check import CheckMethod
from federation.uim.matcher import Match, Matcher, check_ends
from federation.uim.overlap import conflicts, overlaps
from federation.uim.segments import CharacterSegment, Charset, CheckedSegment, DateForm, DateSegment, LiteralSegment
from tests.support.patterns import PREFIX, pattern, pattern_set, shipped_sets

DATE = DateSegment(name="date", form=DateForm.YYMMDD)
LUHN = CheckedSegment(name="luhn", charset=Charset.DIGITS, length=5, method=CheckMethod.LUHN)
GS1 = CheckedSegment(name="gs1", charset=Charset.DIGITS, length=5, method=CheckMethod.GS1_MOD_10)
LETTERS = CharacterSegment(name="letters", charset=Charset.UPPER, shortest=6, longest=6)
ANYTHING = CharacterSegment(name="anything", charset=Charset.INVARIANT, shortest=1, longest=9)


def found(first, second, **changes):
    one = pattern_set(pattern(owner=party_id("qa"), segments=first, **changes), party="qa")
    two = pattern_set(pattern(owner=party_id("qb"), segments=second, **changes), party="qb")
    return list(overlaps(one, [two]))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((PREFIX, DATE), (PREFIX, LUHN)),
        ((PREFIX, LUHN), (PREFIX, GS1)),
        ((PREFIX, ANYTHING), (PREFIX, DATE)),
        ((PREFIX, DATE), (PREFIX, DATE)),
    ],
)
def test_a_witness_fits_both(first, second):
    (overlap,) = found(first, second)

    assert overlap.witness
    assert isinstance(Matcher(first).match(overlap.witness), Match)
    assert isinstance(Matcher(second).match(overlap.witness), Match)
    assert overlap.sure


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((PREFIX, DATE), (PREFIX, LETTERS)),
        ((PREFIX, DATE), (LiteralSegment(name="issuer", text="QY"), DATE)),
        ((PREFIX, DATE), (PREFIX, LUHN, GS1)),
    ],
)
def test_what_shares_no_code_does_not_overlap(first, second):
    assert found(first, second) == []


def test_shapes_that_name_nobody_are_no_conflict():
    assert found((DATE,), (LUHN,), names_issuer=False, examples=("x",)) == []


def test_patterns_of_one_set_are_held_against_each_other():
    own = pattern_set(pattern(pattern_id="one"), pattern(pattern_id="two", segments=(PREFIX, DATE)))

    assert [(one.pattern_id, one.other_id) for one in overlaps(own, [])] == [("one", "two")]


def test_two_parties_that_claim_the_same_codes_are_a_conflict():
    sets = [pattern_set(pattern(owner=party_id(party)), party=party) for party in ("qa", "qb")]

    assert [(one.party, one.other_party) for one in conflicts(sets)] == [("qa", "qb")]


def test_the_shipped_sets_are_in_no_conflict():
    assert conflicts(shipped_sets()) == ()


SEGMENTS = st.one_of(
    st.builds(LiteralSegment, name=st.just("x"), text=st.text("AB1", min_size=1, max_size=2)),
    st.builds(
        lambda charset, shortest, more: CharacterSegment(name="x", charset=charset, shortest=shortest, longest=shortest + more),
        st.sampled_from([Charset.DIGITS, Charset.UPPER]),
        st.integers(1, 2),
        st.integers(0, 2),
    ),
)
ROWS = st.lists(SEGMENTS, min_size=1, max_size=3).map(
    lambda row: tuple(
        type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"name": f"s{place}"}) for place, one in enumerate(row)
    )
)


@given(ROWS, ROWS, st.text("AB12", min_size=1, max_size=6))
def test_an_overlap_is_found_whenever_a_code_shows_it(first, second, text):
    for row in (first, second):
        try:
            check_ends(row)
        except Malformed:
            assume(False)
    both = all(isinstance(Matcher(row).match(text), Match) for row in (first, second))
    overlap = found(
        first,
        second,
        names_issuer=any(isinstance(one, LiteralSegment) for one in (*first, *second))
        and all(any(isinstance(one, LiteralSegment) for one in row) for row in (first, second)),
    )

    if both and all(any(isinstance(one, LiteralSegment) for one in row) for row in (first, second)):
        assert overlap
        assert overlap[0].witness
