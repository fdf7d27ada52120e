"""Ranking: which Parties, in which order, with which reasons."""

from __future__ import annotations

import pytest

from federation import limits
from federation.identity import party_id
from federation.uim.check import CheckMethod
from federation.uim.codes import KeyForm
from federation.uim.library import Library, ReasonCode
from federation.uim.matcher import Fault
from federation.uim.scan import read_scan
from federation.uim.segments import CharacterSegment, Charset, CheckedSegment, DateForm, DateSegment, LiteralSegment
from tests.support.patterns import NOW, PREFIX, SERIAL, pattern, pattern_set

DAY = 86_400
STAMP = DateSegment(name="stamp", form=DateForm.YYMMDD)
SSCC = CheckedSegment(name="sscc", charset=Charset.DIGITS, length=17, method=CheckMethod.GS1_MOD_10)


def resolve(library, raw, now=NOW):
    return library.resolve(read_scan(raw), now=now)


def reasons(candidate):
    return {reason.code: reason.points for reason in candidate.reasons}


def logistic_unit(party, *prefixes):
    described = pattern(pattern_id="unit", owner=party_id(party), form=KeyForm.SSCC, segments=(SSCC,), names_issuer=False)
    return pattern_set(described, party=party, company_prefixes=prefixes)


def test_an_empty_library_knows_nobody():
    assert resolve(Library.build([]), "QX123456") == ()


def test_the_score_is_the_sum_of_the_reasons():
    candidate = resolve(Library.build([pattern_set(pattern())]), "QX123456")[0]

    assert candidate.score == sum(reason.points for reason in candidate.reasons)
    assert set(reasons(candidate)) == {ReasonCode.FIXED_TEXT, ReasonCode.NAMES_ISSUER, ReasonCode.LENGTH, ReasonCode.SPECIFICITY}
    assert all(reason.words for reason in candidate.reasons)


def test_more_fixed_text_ranks_higher():
    general = pattern(
        owner=party_id("qa"), segments=(PREFIX, CharacterSegment(name="rest", charset=Charset.INVARIANT, shortest=1, longest=20))
    )
    library = Library.build([pattern_set(general, party="qa"), pattern_set(pattern())])

    assert [candidate.party for candidate in resolve(library, "QX123456")] == ["qx", "qa"]


def test_equal_claims_stand_in_the_order_of_their_parties():
    sets = [pattern_set(pattern(owner=party_id(party)), party=party) for party in ("qz", "qy", "qx")]

    assert [candidate.party for candidate in resolve(Library.build(sets), "QX123456")] == ["qx", "qy", "qz"]
    assert resolve(Library.build(sets), "QX123456") == resolve(Library.build(sets[::-1]), "QX123456")


def test_the_answering_region_and_the_publisher_are_named_beside_the_owner():
    described = pattern(owner=party_id("qy"), answered_by=party_id("qr"))
    candidate = resolve(Library.build([pattern_set(described)]), "QX123456")[0]

    assert (candidate.party, candidate.answered_by, candidate.published_by) == ("qy", "qr", "qx")


def test_patterns_with_and_without_fixed_text_are_all_tried():
    bare = pattern(pattern_id="bare", owner=party_id("qy"), segments=(SERIAL,), names_issuer=False, examples=("123456",))
    inside = pattern(owner=party_id("qz"), segments=(SERIAL, LiteralSegment(name="end", text="QZ")), examples=("123456QZ",))
    library = Library.build([pattern_set(bare, party="qy"), pattern_set(inside, party="qz"), pattern_set(pattern())])

    assert [resolve(library, raw)[0].party for raw in ("123456", "123456QZ", "QX123456")] == ["qy", "qz", "qx"]


def test_company_prefixes_choose_among_parties_that_list_them():
    library = Library.build(
        [logistic_unit("qa", "9501101"), logistic_unit("qb", "952"), logistic_unit("qc", "9501"), logistic_unit("qd")]
    )
    candidates = resolve(library, "395011010000000170")

    assert [candidate.party for candidate in candidates] == ["qa", "qc", "qd"]
    assert reasons(candidates[0])[ReasonCode.COMPANY_PREFIX] > reasons(candidates[1])[ReasonCode.COMPANY_PREFIX]
    assert reasons(candidates[2])[ReasonCode.SHAPE_ONLY] < 0


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        ("251124", ReasonCode.DATE_IN_RANGE),
        ("251125", ReasonCode.DATE_IN_RANGE),
        ("251126", ReasonCode.DATE_IN_FUTURE),
        ("241231", ReasonCode.NOT_YET_VALID),
        ("250101", ReasonCode.DATE_IN_RANGE),
    ],
)
def test_a_date_is_held_against_the_present_and_the_first_day(stamp, reason):
    described = pattern(segments=(PREFIX, STAMP), valid_from_s=NOW - 327 * DAY)
    candidate = resolve(Library.build([pattern_set(described)]), f"QX{stamp}")[0]

    assert reason in reasons(candidate)
    assert (reasons(candidate)[reason] > 0) == (reason is ReasonCode.DATE_IN_RANGE)


def test_a_date_after_the_last_day_lowers_the_score():
    described = pattern(segments=(PREFIX, STAMP), valid_until_s=NOW - 10 * DAY)
    library = Library.build([pattern_set(described)])

    assert ReasonCode.NO_LONGER_VALID in reasons(resolve(library, "QX251120")[0])
    assert ReasonCode.DATE_IN_RANGE in reasons(resolve(library, "QX251113")[0])


def test_a_code_without_a_date_outlives_its_pattern_and_does_not_come_before_it():
    described = pattern(valid_from_s=NOW, valid_until_s=NOW + DAY)
    library = Library.build([pattern_set(described)])

    assert ReasonCode.NOT_YET_VALID in reasons(resolve(library, "QX123456", now=NOW - 1)[0])
    assert not {ReasonCode.NOT_YET_VALID, ReasonCode.NO_LONGER_VALID} & set(
        reasons(resolve(library, "QX123456", now=NOW + 9 * DAY)[0])
    )


def test_qualifiers_in_the_scan_support_the_claim():
    library = Library.build([pattern_set(pattern(qualifiers=("25S",)))])

    assert ReasonCode.QUALIFIERS in reasons(resolve(library, "25SQX123456")[0])
    assert ReasonCode.QUALIFIERS not in reasons(resolve(library, "QX123456")[0])


def test_one_party_cannot_crowd_out_the_others():
    greedy = [
        pattern(
            pattern_id=f"p{number}",
            owner=party_id("qa"),
            segments=(
                LiteralSegment(name="all", text="QX12"),
                CharacterSegment(name="rest", charset=Charset.DIGITS, shortest=4, longest=4, stored=number % 2 == 0),
            ),
            valid_from_s=number,
        )
        for number in range(100)
    ]
    library = Library.build([pattern_set(*greedy, party="qa"), pattern_set(pattern())])
    candidates = resolve(library, "QX123456")

    assert "qx" in {candidate.party for candidate in candidates}
    assert len(candidates) <= 1 + limits.CANDIDATES_PER_PARTY_MAX


def test_the_list_of_candidates_has_a_bound():
    sets = [
        pattern_set(pattern(owner=party_id(f"{first}{second}")), party=f"{first}{second}")
        for first in "qx"
        for second in "abcdefghijklmnopqrstuvw"
    ]

    assert len(resolve(Library.build(sets), "QX123456")) == limits.CANDIDATES_MAX


def test_a_shorter_spelling_of_the_same_code_adds_no_candidate():
    long = pattern(
        pattern_id="long",
        form=KeyForm.TPX,
        names_issuer=False,
        segments=(CharacterSegment(name="all", charset=Charset.INVARIANT, shortest=16, longest=40),),
    )
    short = pattern(
        pattern_id="short",
        form=KeyForm.TPX_SERIAL,
        names_issuer=False,
        segments=(CharacterSegment(name="all", charset=Charset.INVARIANT, shortest=2, longest=28),),
    )
    candidates = resolve(Library.build([pattern_set(long, short)]), "(01)01234567987651(235)51qIgY")

    assert len(candidates) == 1


def test_near_misses_say_what_is_wrong_with_a_typed_code():
    checked = CheckedSegment(name="number", charset=Charset.DIGITS, length=5, method=CheckMethod.LUHN)
    bare = pattern(pattern_id="bare", owner=party_id("qy"), segments=(checked,), names_issuer=False)
    library = Library.build([pattern_set(pattern()), pattern_set(bare, party="qy")])

    assert [(miss.party, miss.segment, miss.fault) for miss in library.near_misses(read_scan("QX12345"))] == [
        ("qx", "", Fault.LENGTH)
    ]
    assert [(miss.party, miss.segment, miss.fault) for miss in library.near_misses(read_scan("QX12345A"))] == [
        ("qx", "serial", Fault.CHARACTER)
    ]
    assert [(miss.party, miss.segment, miss.fault) for miss in library.near_misses(read_scan("123456"))] == [
        ("qy", "number", Fault.CHECK)
    ]
    assert library.near_misses(read_scan("AB1234")) == ()
