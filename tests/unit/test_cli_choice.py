"""Whom to ask: one Party beyond doubt, or the one that the officer names; never a guess."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation.errors import InvalidInput, NotFound, UnknownParty
from federation.identity import PartyId
from federation.uim.candidate import Candidate
from federation.uim.codes import KeyForm, Label
from federation.uim.scan import Key, Scan
from node.cli.choice import choose
from node.use_cases.desk_values import Membership, RankedParty, Resolution, Standing

QN, QO, QP, QR = PartyId("qn"), PartyId("qo"), PartyId("qp"), PartyId("qr")


def ranked(party, *, sure=True, membership=Membership.PARTY, responder=None, answers=True, key="KEY") -> RankedParty:
    candidate = Candidate(
        party=party,
        answered_by=party,
        published_by=party,
        pattern_id="pattern",
        label=Label.INVENTED,
        key=Key(key, KeyForm.PLAIN),
        level=None,
        names_issuer=sure,
        score=50,
        reasons=(),
        facts=(),
    )
    return RankedParty(
        candidate=candidate,
        membership=membership,
        party_name=f"Land of {party}",
        responder=(responder or party) if answers else None,
        responder_name="",
    )


def resolution(*parties, raw="RAW") -> Resolution:
    return Resolution(scan=Scan(raw=raw, keys=(Key("FIRST", KeyForm.PLAIN),)), parties=parties)


def test_a_code_that_names_its_issuer_goes_there_in_the_issuers_spelling():
    choice = choose([resolution(ranked(QN, key="SPELLED"))], None)
    assert choice.recipient == QN
    assert [(code.key, code.scan) for code in choice.codes] == [("SPELLED", "RAW")]


def test_weaker_candidates_raise_no_doubt():
    assert choose([resolution(ranked(QN), ranked(QO, sure=False))], None).recipient == QN


def test_several_patterns_of_one_party_raise_no_doubt():
    assert choose([resolution(ranked(QN, sure=False), ranked(QN, sure=False))], None).recipient == QN


@pytest.mark.parametrize(
    "parties",
    [
        (ranked(QN), ranked(QO)),
        (ranked(QN, sure=False), ranked(QO, sure=False)),
        (ranked(QN, sure=False), ranked(QO)),
    ],
)
def test_a_code_of_several_parties_is_left_to_the_officer(parties):
    with pytest.raises(InvalidInput, match=r"Land of qn \(qn\), Land of qo \(qo\)") as caught:
        choose([resolution(*parties)], None)
    assert "--to" in caught.value.hint


def test_the_officer_can_choose():
    choice = choose([resolution(ranked(QN, key="ONE"), ranked(QO, key="TWO"))], QO)
    assert (choice.recipient, choice.codes[0].key) == (QO, "TWO")


def test_the_officer_can_ask_a_party_that_no_pattern_names():
    choice = choose([resolution()], QP)
    assert (choice.recipient, choice.codes[0].key) == (QP, "FIRST")


def test_a_region_answers_for_its_member_whoever_is_named():
    codes = [resolution(ranked(QN, responder=QR))]
    assert {choose(codes, to).recipient for to in (None, QN, QR)} == {QR}


def test_a_code_that_no_pattern_knows_is_not_sent_anywhere():
    with pytest.raises(NotFound, match="no pattern"):
        choose([resolution()], None)


@pytest.mark.parametrize("to", [None, QN])
def test_the_own_party_is_not_asked(to):
    with pytest.raises(InvalidInput, match="your own Party"):
        choose([resolution(ranked(QN, membership=Membership.OWN))], to)


@pytest.mark.parametrize(
    ("membership", "words"), [(Membership.NOT_A_PARTY, "not a Party"), (Membership.NO_NODE, "nobody answers for")]
)
def test_who_cannot_be_asked_is_told_apart(membership, words):
    with pytest.raises(UnknownParty, match=words):
        choose([resolution(ranked(QN, membership=membership, answers=False))], None)


def test_codes_of_several_parties_are_counted():
    with pytest.raises(InvalidInput, match="2 of qn, 1 of qo"):
        choose([resolution(ranked(QN)), resolution(ranked(QO)), resolution(ranked(QN))], None)


def test_two_scans_of_one_code_are_asked_once():
    codes = choose([resolution(ranked(QN), raw="one"), resolution(ranked(QN), raw="two")], None).codes
    assert len(codes) == 1


def test_what_an_officer_should_know_of_the_party_is_said_once():
    pilot = replace(ranked(QN), standing=frozenset({Standing.PILOT, Standing.UNCONFIRMED}))
    choice = choose([resolution(pilot), resolution(pilot)], None)

    assert choice.notes == (
        "Land of qn (qn) is a pilot: it tries this out, and can be asked",
        "Land of qn (qn) is unconfirmed: too few other Parties have vouched for its keys",
    )
    assert choose([resolution(ranked(QN))], None).notes == ()


def test_the_region_that_answers_is_told_apart_from_its_member():
    member = replace(ranked(QN, responder=QR), responder_standing=frozenset({Standing.UNCONFIRMED}))

    (note,) = choose([resolution(member)], None).notes
    assert note.startswith("qr is unconfirmed")
