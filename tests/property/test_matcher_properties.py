"""The matcher against Python's `re`, compiled from the same segments: in a test, where the segments are ours, that is harmless."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from federation.errors import Malformed
from federation.uim.check import CheckMethod, check_characters
from federation.uim.expression import compile_fits
from federation.uim.matcher import Match, Matcher, check_ends
from federation.uim.segments import (
    CHARACTERS,
    CharacterSegment,
    Charset,
    CheckedSegment,
    LiteralSegment,
    SeparatorSegment,
)

LITERALS = st.builds(LiteralSegment, name=st.just("x"), text=st.text("ABC12-", min_size=1, max_size=3))
CHARSETS = st.builds(
    lambda charset, shortest, more: CharacterSegment(name="x", charset=charset, shortest=shortest, longest=shortest + more),
    st.sampled_from([Charset.DIGITS, Charset.UPPER, Charset.UPPER_DIGITS, Charset.INVARIANT]),
    st.integers(1, 4),
    st.integers(0, 4),
)
CHECKED = st.builds(
    CheckedSegment,
    name=st.just("x"),
    charset=st.just(Charset.DIGITS),
    length=st.integers(1, 5),
    method=st.sampled_from(CheckMethod),
)
SEPARATORS = st.builds(SeparatorSegment, name=st.just("x"), text=st.sampled_from("-./ "))
ROWS = st.lists(st.one_of(LITERALS, CHARSETS, CHECKED, SEPARATORS), min_size=1, max_size=6)


def has_known_ends(row):
    try:
        check_ends(row)
    except Malformed:
        return False
    return True


def expression(row):
    groups = []
    for segment in row:
        match segment:
            case LiteralSegment(text=text) | SeparatorSegment(text=text):
                groups.append(f"({re.escape(text)})")
            case CharacterSegment():
                characters = re.escape("".join(sorted(segment.characters)))
                groups.append(f"([{characters}]{{{segment.shortest},{segment.longest}}})")
            case CheckedSegment():
                tail = f"[{re.escape(''.join(sorted(segment.method.check_alphabet)))}]"
                groups.append(f"([0-9]{{{segment.length}}}{tail}{{{segment.method.characters}}})")
    return re.compile("".join(groups))


@st.composite
def codes(draw, row):
    """A code of the row, sometimes with one character changed."""
    text = ""
    for segment in row:
        match segment:
            case LiteralSegment(text=fixed) | SeparatorSegment(text=fixed):
                text += fixed
            case CharacterSegment():
                text += draw(st.text(sorted(segment.characters), min_size=segment.shortest, max_size=segment.longest))
            case CheckedSegment():
                payload = draw(st.text(sorted(CHARACTERS[segment.charset]), min_size=segment.length, max_size=segment.length))
                text += payload + check_characters(segment.method, payload)
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from("A1-.~")) + text[place + draw(st.integers(0, 1)) :]
    return text


@given(ROWS, st.data())
def test_the_matcher_cuts_as_an_expression_would(row, data):
    assume(has_known_ends(row))
    text = data.draw(codes(row))
    expected = expression(row).fullmatch(text)
    result = Matcher(row).match(text)

    assert bool(compile_fits(row)(text, 0)) == isinstance(result, Match)
    if isinstance(result, Match):
        assert expected is not None
        assert result.pieces == expected.groups()
        assert "".join(result.pieces) == text
    elif expected is not None:
        assert result.fault == "check"


@given(ROWS.filter(has_known_ends), st.text(max_size=40))
def test_any_text_matches_or_says_where_it_fails(row, text):
    result = Matcher(row).match(text)

    assert isinstance(result, Match) or result.fault
    assert bool(compile_fits(row)(text, 0)) == isinstance(result, Match)


@pytest.mark.parametrize("length", [99, 100])
def test_a_pattern_made_to_be_slow_elsewhere_is_cut_in_one_pass(length):
    row = (CharacterSegment(name="a", charset=Charset.INVARIANT, shortest=1, longest=99), LiteralSegment(name="b", text="!"))
    result = Matcher(row).match("!" * length)

    assert isinstance(result, Match)
    assert result.pieces == ("!" * (length - 1), "!")
    assert compile_fits(row)("!" * length, 0)
