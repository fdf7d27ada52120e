"""Suggestions for typed codes: what may have been meant, never instead of what was typed."""

from __future__ import annotations

import pytest

from federation.uim import bounds
from federation.uim.confusable import Change, suggest
from federation.uim.library import Library
from federation.uim.segments import CharacterSegment, Charset
from tests.support.patterns import pattern, pattern_set, shipped_library

AUSTRIA = "LEAT1xK7mP2qRA1bZ9c19052014"
STAMP = "QMABCDEFGH234567Q"


def offered(text):
    return {(one.key.text, one.party, one.change) for one in suggest(shipped_library(), text)}


@pytest.mark.parametrize(
    ("typed", "change"),
    [
        ("QMA8CDEFGH234567Q", Change.CONFUSED),
        ("QMABCDEFGHZ34567Q", Change.CONFUSED),
        ("QMA8CDEFGHZ34567Q", Change.CONFUSED),
        ("QMABCDFEGH234567Q", Change.SWAPPED),
        ("QMABBCDEFGH234567Q", Change.DOUBLED),
        ("QABCDEFGH234567Q", Change.MISSING),
    ],
)
def test_a_mistake_in_a_checked_code_is_found(typed, change):
    assert (STAMP, "qm", change) in offered(typed)


def test_a_character_left_out_of_the_issuer_is_offered():
    assert (AUSTRIA, "at", Change.MISSING) in offered(AUSTRIA.replace("T", "", 1))


def test_a_digit_in_the_place_of_a_letter_of_the_issuer_is_offered():
    assert (AUSTRIA, "at", Change.CONFUSED) in offered(AUSTRIA.replace("LEAT1", "LEATI"))


def test_a_character_left_out_of_an_opaque_serial_is_not_guessed():
    assert not [one for one in suggest(shipped_library(), AUSTRIA[:9] + AUSTRIA[10:]) if one.change is Change.MISSING]


def test_what_was_typed_is_never_among_the_suggestions():
    for text in (AUSTRIA, STAMP, "x", "", "0" * 100):
        assert text not in {one.key.text for one in suggest(shipped_library(), text)}
        assert len(suggest(shipped_library(), text)) <= bounds.SUGGESTIONS_MAX


def test_a_pattern_that_fits_everything_makes_no_suggestions():
    anything = CharacterSegment(name="all", charset=Charset.INVARIANT, shortest=1, longest=40)
    greedy = pattern_set(pattern(segments=(anything,), names_issuer=False, examples=("x",)))

    assert suggest(Library.build([greedy]), "ABC0123") == ()


def test_the_likeliest_mistake_comes_first():
    suggestions = suggest(shipped_library(), "QMA8CDEFGH234567Q")

    assert suggestions[0].key.text == STAMP
