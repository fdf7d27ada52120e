"""The index: whoever would be found by trying every pattern is found, and nobody else, however the patterns are made."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.identity import party_id
from federation.uim import bounds
from federation.uim.codes import KeyForm
from federation.uim.library import Library
from federation.uim.matcher import Match, Matcher
from federation.uim.scan import Key
from federation.uim.segments import CharacterSegment, Charset, LiteralSegment
from tests.support.patterns import pattern, pattern_set

STARTS = st.text("AB", max_size=6)
BODIES = st.builds(
    lambda charset, shortest, more: CharacterSegment(name="body", charset=charset, shortest=shortest, longest=shortest + more),
    st.sampled_from([Charset.DIGITS, Charset.UPPER, Charset.UPPER_DIGITS, Charset.INVARIANT]),
    st.integers(1, 3),
    st.integers(0, 2),
)
ROWS = st.tuples(STARTS, BODIES).map(lambda row: (*((LiteralSegment(name="start", text=row[0]),) if row[0] else ()), row[1]))


def library(rows):
    """Each row is the pattern of one place, all of one Party for each four, so that no bound is met."""
    sets = []
    for start in range(0, len(rows), limits.CANDIDATES_PER_PARTY_MAX):
        party = f"x{chr(97 + start // limits.CANDIDATES_PER_PARTY_MAX)}"
        patterns = [
            pattern(pattern_id=f"p{place}", owner=party_id(party), segments=row, names_issuer=False)
            for place, row in enumerate(rows[start : start + limits.CANDIDATES_PER_PARTY_MAX], start)
        ]
        sets.append(pattern_set(*patterns, party=party))
    return Library.build(sets)


@settings(max_examples=150)
@given(st.lists(ROWS, max_size=40), st.lists(st.text("AB01", min_size=1, max_size=9), min_size=1, max_size=20))
def test_the_index_finds_what_trying_every_pattern_finds(rows, texts):
    found = library(rows).claims([Key(text, KeyForm.PLAIN) for text in texts])

    for text, claims in zip(texts, found, strict=True):
        fitting = {f"p{place}" for place, row in enumerate(rows) if isinstance(Matcher(row).match(text), Match)}
        assert {claim.pattern.pattern_id for claim in claims} == fitting
        assert len(claims) == len(fitting)


def test_a_crowd_of_one_beginning_is_sifted():
    rows = [
        (LiteralSegment(name="start", text="Q"), *(segment(name, digit == name) for name in "abcdefgh")) for digit in "abcdefgh"
    ]
    found = library(rows).claims(
        [Key("Q11A11111", KeyForm.PLAIN), Key("QAA111111", KeyForm.PLAIN), Key("QAAAAAAAA", KeyForm.PLAIN)]
    )

    assert [[claim.pattern.pattern_id for claim in claims] for claims in found] == [["p2"], [], []]


def segment(name, is_letter):
    return CharacterSegment(name=name, charset=Charset.UPPER if is_letter else Charset.DIGITS, shortest=1, longest=1)


def test_a_changed_set_takes_over_what_was_made_ready():
    kept, changed = pattern_set(pattern(owner=party_id("qa")), party="qa"), pattern_set(pattern(owner=party_id("qb")), party="qb")
    before = Library.build([kept, changed])
    after = before.rebuilt([kept])
    key = Key("QX123456", KeyForm.PLAIN)

    assert [claim.publisher for claim in before.claims([key])[0]] == ["qa", "qb"]
    assert [claim.publisher for claim in after.claims([key])[0]] == ["qa"]
    assert after.claims([key])[0][0] is before.claims([key])[0][0]


def test_of_many_equal_claims_a_bounded_number_is_weighed():
    letters = "abcdefghijklmnopqrstuvwxyz"
    owners = [party_id(first + second) for first in "qrstx" for second in letters]
    library = Library.build([pattern_set(pattern(owner=owner), party=owner) for owner in owners])

    assert len(owners) > bounds.CLAIMS_ON_SHAPE_MAX
    assert len(library.claims([Key("QX123456", KeyForm.PLAIN)])[0]) == bounds.CLAIMS_ON_SHAPE_MAX
