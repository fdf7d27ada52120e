"""Segments and their matcher: what fits, where it stops to fit, and which rows are refused because they have no one reading."""

from __future__ import annotations

import pytest

from federation.errors import Malformed, Oversized
from federation.uim.check import CheckMethod
from federation.uim.matcher import DateStamp, Fault, Match, Matcher, Mismatch, check_ends, read_date
from federation.uim.segments import (
    CharacterSegment,
    Charset,
    CheckedSegment,
    DateForm,
    DateSegment,
    LiteralSegment,
    SeparatorSegment,
)

ISSUER = LiteralSegment(name="issuer", text="QX")
DASH = SeparatorSegment(name="dash", text="-")
DIGITS = CharacterSegment(name="digits", charset=Charset.DIGITS, shortest=1, longest=4)
LETTERS = CharacterSegment(name="letters", charset=Charset.UPPER, shortest=2, longest=3)
ANYTHING = CharacterSegment(name="anything", charset=Charset.INVARIANT, shortest=1, longest=9)
CHECKED = CheckedSegment(name="checked", charset=Charset.DIGITS, length=7, method=CheckMethod.LUHN)
DATE = DateSegment(name="date", form=DateForm.YYMMDDHH)


def pieces(matcher, text):
    result = matcher.match(text)
    return result.pieces if isinstance(result, Match) else result


def test_a_varying_segment_ends_where_the_fixed_rest_begins():
    assert pieces(Matcher((ISSUER, ANYTHING, DATE)), "QXab19052014") == ("QX", "ab", "19052014")


def test_an_earlier_varying_segment_ends_at_the_text_that_it_cannot_contain():
    matcher = Matcher((DIGITS, DASH, LETTERS, DASH, ANYTHING))

    assert pieces(matcher, "12-ABC-x-y") == ("12", "-", "ABC", "-", "x-y")
    assert pieces(matcher, "12345-AB-x") == Mismatch("digits", Fault.LENGTH)
    assert pieces(matcher, "12-A-xyz") == Mismatch("letters", Fault.LENGTH)
    assert pieces(matcher, "12ABCxyz") == Mismatch("digits", Fault.LENGTH)


@pytest.mark.parametrize(
    ("text", "segment", "fault"),
    [
        ("QX1234567419052014", "", Fault.LENGTH),
        ("QY1234567419052014", "issuer", Fault.TEXT),
        ("QX123456x419052014", "checked", Fault.CHARACTER),
        ("QX1234567519052014", "checked", Fault.CHECK),
        ("QX1234567419022914", "date", Fault.DATE),
        ("QX1234567419052024", "date", Fault.DATE),
    ],
)
def test_the_place_and_the_kind_of_a_fault_are_told(text, segment, fault):
    text = text if fault is not Fault.LENGTH else text + "0"

    assert Matcher((ISSUER, CHECKED, DATE)).match(text) == Mismatch(segment, fault)


def test_a_match_gives_the_first_date():
    result = Matcher((ISSUER, DATE, DateSegment(name="end", form=DateForm.YYMM))).match("QX190520142712")

    assert isinstance(result, Match)
    assert result.stamp == DateStamp("2019-05-20T14:00:00Z", 1_558_360_800)


@pytest.mark.parametrize(
    ("form", "text", "shown"),
    [
        (DateForm.YYMMDDHH, "24022923", "2024-02-29T23:00:00Z"),
        (DateForm.YYMMDD, "240229", "2024-02-29"),
        (DateForm.YYYYMMDD, "20240229", "2024-02-29"),
        (DateForm.YYMM, "2402", "2024-02"),
    ],
)
def test_dates_are_read_as_far_as_they_go(form, text, shown):
    stamp = read_date(form, text)

    assert stamp is not None
    assert stamp.text == shown


@pytest.mark.parametrize("text", ["24023001", "24000101", "24130101", "24010124", "2401012", "240101 1", "\u0662\u0664010101"])
def test_dates_that_do_not_exist_are_none(text):
    assert read_date(DateForm.YYMMDDHH, text) is None


@pytest.mark.parametrize(
    "segments",
    [
        (DIGITS, ANYTHING),
        (ANYTHING, DASH, DIGITS),
        (DIGITS, DATE, ANYTHING),
        (LETTERS, ISSUER, ANYTHING),
    ],
)
def test_a_row_with_two_readings_is_refused(segments):
    with pytest.raises(Malformed, match="nobody can tell where"):
        check_ends(segments)


@pytest.mark.parametrize(
    "segments", [(ANYTHING,), (ANYTHING, DATE, CHECKED), (DIGITS, ISSUER, ANYTHING, DATE), (DIGITS, DASH, LETTERS)]
)
def test_a_row_with_one_reading_is_accepted(segments):
    check_ends(segments)


def test_the_matcher_knows_the_fixed_beginning_and_the_lengths():
    matcher = Matcher((ISSUER, DASH, DIGITS, DATE))

    assert (matcher.prefix, matcher.shortest, matcher.longest) == ("QX-", 12, 15)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: LiteralSegment(name="issuer", text=""), Malformed),
        (lambda: LiteralSegment(name="issuer", text="Q X"), Malformed),
        (lambda: LiteralSegment(name="issuer", text="\u0416"), Malformed),
        (lambda: LiteralSegment(name="issuer", text="Q" * 101), Oversized),
        (lambda: LiteralSegment(name="The Issuer", text="Q"), Malformed),
        (lambda: CharacterSegment(name="", charset=Charset.DIGITS, shortest=1, longest=1), Malformed),
        (lambda: CharacterSegment(name="x", charset=Charset.DIGITS, shortest=0, longest=1), Malformed),
        (lambda: CharacterSegment(name="x", charset=Charset.DIGITS, shortest=3, longest=2), Malformed),
        (lambda: CharacterSegment(name="x", charset=Charset.DIGITS, shortest=1, longest=10**9), Oversized),
        (lambda: CharacterSegment(name="x", charset=Charset.DIGITS, shortest=1, longest=1, excluded="A"), Malformed),
        (lambda: CharacterSegment(name="x", charset=Charset.DIGITS, shortest=1, longest=1, excluded="00"), Malformed),
        (lambda: CharacterSegment(name="x", charset=Charset.DIGITS, shortest=1, longest=1, excluded="0123456789"), Malformed),
        (lambda: CheckedSegment(name="x", charset=Charset.UPPER, length=9, method=CheckMethod.LUHN), Malformed),
        (lambda: CheckedSegment(name="x", charset=Charset.INVARIANT, length=9, method=CheckMethod.MOD_37_36), Malformed),
        (lambda: CheckedSegment(name="x", charset=Charset.DIGITS, length=100, method=CheckMethod.LUHN), Oversized),
        (lambda: CheckedSegment(name="x", charset=Charset.DIGITS, length=0, method=CheckMethod.LUHN), Malformed),
        (lambda: SeparatorSegment(name="dash", text="--"), Malformed),
        (lambda: SeparatorSegment(name="dash", text="A"), Malformed),
        (lambda: DateSegment(name="a b", form=DateForm.YYMM), Malformed),
    ],
)
def test_segments_that_mean_nothing_are_refused(make, error):
    with pytest.raises(error):
        make()
