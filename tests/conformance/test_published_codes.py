"""Codes that somebody published, against the patterns that the project ships: who is found, under which key, and why not.

Sources: Regulation (EU) 2018/574 and MVG for Austria; GS1 for the pair of an EPC URN and a Digital Link and for the SGTIN and the
SSCC of an aggregated marking; the operators of the Russian and the Uzbek system and open point-of-sale programs for CIS codes.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation.errors import InvalidScan
from federation.uim.codes import KeyForm, Level
from federation.uim.library import ReasonCode
from federation.uim.matcher import Fault
from federation.uim.pattern import validate_set
from federation.uim.scan import Key, read_scan
from tests.support.patterns import NOW, shipped_library, shipped_sets

AUSTRIA = "LEAT1xK7mP2qRA1bZ9c19052014"
TPX = "0123456798765151qIgY)<&Jp3*j7SDB"
EPC_URN = "urn:epc:id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7SDB"
DIGITAL_LINK = "https://id.gs1.org/01/01234567987651/235/51qIgY%29%3C%26Jp3%2Aj7SDB"
RUSSIAN_PACK = "00000046198488X?io+qCABm8wAYa"
RUSSIAN_CARTON = "010460043993125621JgXJ5.T\x1d8005112000\x1d93Mdlr"
UZBEK_PACK = "04780101164394TF&csaNNW1kK0tL"


def resolve(raw, now=NOW):
    return shipped_library().resolve(read_scan(raw), now=now)


def first(raw):
    candidate = resolve(raw)[0]
    return candidate.party, candidate.answered_by, candidate.key.text


def parties(raw):
    return {candidate.party for candidate in resolve(raw)}


def codes(candidate):
    return {reason.code for reason in candidate.reasons}


@pytest.mark.parametrize("pattern_set", shipped_sets(), ids=lambda pattern_set: pattern_set.party)
def test_every_shipped_set_may_be_published_by_its_party(pattern_set):
    validate_set(pattern_set)


def test_invented_patterns_belong_to_user_assigned_codes_and_published_ones_do_not():
    for pattern_set in shipped_sets():
        for pattern in pattern_set.patterns:
            assert (pattern.label == "invented") == ("qm" <= pattern.owner <= "qz"), pattern.pattern_id


@pytest.mark.parametrize(
    "raw",
    [
        AUSTRIA,
        f"]J0{AUSTRIA}",
        f"]J125S{AUSTRIA}",
        f"]d125S{AUSTRIA}",
        f"25S{AUSTRIA}",
        f"[)>\x1e06\x1d25S{AUSTRIA}\x1e\x04",
        f" {AUSTRIA}\r\n",
    ],
)
def test_an_austrian_marking_is_answered_by_the_union_in_every_spelling(raw):
    assert first(raw) == ("at", "eu", AUSTRIA)


def test_an_austrian_marking_tells_when_it_was_applied():
    facts = {(fact.item, fact.name): fact.value for fact in resolve(AUSTRIA)[0].facts}

    assert facts["a", "date"] == "2019-05-20"
    assert facts["a", "time"] == "2019-05-20T14:00:00Z"


def test_the_three_austrian_spellings_have_their_own_patterns():
    found = [resolve(AUSTRIA[:length])[0].pattern_id for length in (27, 19, 13)]

    assert found == ["at-unit", "at-unit-untimed", "at-unit-readable"]


@pytest.mark.parametrize(
    ("raw", "segment", "fault"),
    [
        ("LEAT1xK7mP2qRA1bZ9c19132014", "applied", Fault.DATE),
        ("LEAT1xK7mP2qRA1bZ9c190520141", "", Fault.LENGTH),
        ("LEAT1xK7mP2qRA1b#9c19052014", "machine", Fault.CHARACTER),
    ],
)
def test_a_wrong_austrian_marking_has_no_candidate_and_says_where_it_fails(raw, segment, fault):
    scan = read_scan(raw)
    misses = shipped_library().near_misses(scan)

    assert not shipped_library().resolve(scan, now=NOW)
    assert (segment, fault) in {(miss.segment, miss.fault) for miss in misses if miss.pattern_id == "at-unit"}


def test_capitals_matter():
    assert not resolve(AUSTRIA.swapcase())


def test_the_epc_urn_and_the_digital_link_of_one_pack_are_one_key():
    assert read_scan(EPC_URN).keys == read_scan(DIGITAL_LINK).keys
    assert read_scan(EPC_URN).keys[0] == Key(TPX, KeyForm.TPX)
    assert first(EPC_URN) == first(DIGITAL_LINK) == ("eu", "eu", TPX)


@pytest.mark.parametrize(
    "raw",
    [
        "]d20101234567987651235" + TPX[14:] + "\x1d800819052014",
        "(01)01234567987651(235)" + TPX[14:] + "(8008)19052014",
        "0101234567987651235" + TPX[14:] + "<GS>800819052014",
        "]Q3" + DIGITAL_LINK + "?8008=19052014",
        TPX + "19052014",
    ],
)
def test_a_gs1_unit_marking_with_its_time_has_one_key_in_every_spelling(raw):
    assert first(raw) == ("eu", "eu", TPX + "19052014")
    assert resolve(raw)[0].pattern_id == "eu-gs1-unit"


def test_a_wrong_check_digit_of_a_gtin_is_said():
    with pytest.raises(InvalidScan, match="check digit of \\(01\\) does not hold: by the other digits it is 1"):
        read_scan(DIGITAL_LINK.replace("01234567987651", "01234567987652"))


def test_a_cis_pack_has_several_candidates_and_no_owner():
    candidates = resolve(RUSSIAN_PACK)
    with_shape = [candidate for candidate in candidates if candidate.pattern_id.endswith("cis-pack")]

    assert {candidate.party for candidate in with_shape} == {"ru", "uz", "kz"}
    assert {candidate.key for candidate in with_shape} == {Key(RUSSIAN_PACK[:21], KeyForm.CIS_UNIT)}
    assert not any(candidate.names_issuer for candidate in candidates)


def test_the_company_prefix_ranks_the_candidates_of_a_cis_pack():
    uzbek, *others = resolve(UZBEK_PACK)

    assert (uzbek.party, uzbek.key.text) == ("uz", UZBEK_PACK[:21])
    assert ReasonCode.COMPANY_PREFIX in codes(uzbek)
    assert {"ru", "kz"} <= {candidate.party for candidate in others}


@pytest.mark.parametrize("typo", [UZBEK_PACK.replace("164394", "164395"), UZBEK_PACK[:-1]])
def test_a_cis_pack_with_a_wrong_digit_or_length_has_no_cis_candidate(typo):
    assert not parties(typo) & {"ru", "uz", "kz"}


@pytest.mark.parametrize(
    "raw",
    [
        RUSSIAN_CARTON,
        "]d2" + RUSSIAN_CARTON,
        "\x1d" + RUSSIAN_CARTON,
        RUSSIAN_CARTON.replace("\x1d", "<GS>"),
        RUSSIAN_CARTON.replace("\x1d", "{GS}"),
        RUSSIAN_CARTON.replace("\x1d", "\\x1d"),
        RUSSIAN_CARTON.replace("\x1d", "^"),
        RUSSIAN_CARTON.replace("\x1d", "~1"),
        RUSSIAN_CARTON.replace("\x1d", "\u241d"),
        "(01)04600439931256(21)JgXJ5.T(8005)112000(93)Mdlr",
        "(01) 04600439931256 (21) JgXJ5.T (8005) 112000 (93) Mdlr",
        RUSSIAN_CARTON[:25],
    ],
)
def test_a_cis_carton_has_one_key_in_every_spelling(raw):
    assert first(raw) == ("ru", "ru", RUSSIAN_CARTON[:25])


@pytest.mark.parametrize(
    "raw",
    ["073324022659101234567890", "(01)07332402265910(21)1234567890", "03800001131720SYUD1J3YUI", "03800001131720SysqmUCcH4"],
)
def test_published_aggregated_sgtins_are_known_by_their_shape_only(raw):
    candidate = resolve(raw)[0]

    assert candidate.party == "eu"
    assert candidate.key.form is KeyForm.SGTIN
    assert ReasonCode.SHAPE_ONLY in codes(candidate)
    assert not candidate.names_issuer


def test_the_published_sscc_is_known_and_one_wrong_digit_is_not():
    assert first("]C100173324022687654329") == ("eu", "eu", "173324022687654329")
    assert not resolve("183324022687654329")


def test_a_case_label_of_the_demonstration_has_every_party_that_lists_its_prefix():
    candidates = resolve("]C100395011010000000170")
    by_prefix = [candidate.party for candidate in candidates if ReasonCode.COMPANY_PREFIX in codes(candidate)]

    assert by_prefix == ["qn", "qo", "qp"]
    assert not any(candidate.names_issuer for candidate in candidates)


def test_a_prefix_of_one_party_leaves_the_others_out():
    assert parties("095217770000000181") == {"qn", "eu"}


@pytest.mark.parametrize(
    ("raw", "party", "key", "level"),
    [
        ("QMABCDEFGH234567Q", "qm", "QMABCDEFGH234567Q", Level.UNIT),
        ("LEQN1a7Kd93XzP01M0124031509", "qn", "LEQN1a7Kd93XzP01M0124031509", Level.UNIT),
        ("QNC00000000A7QNF00124031511", "qn", "QNC00000000A7QNF00124031511", Level.CARTON),
        ("QNP000000B2QNF00124031514", "qn", "QNP000000B2QNF00124031514", Level.PALLET),
        ("QO-202400000017-05", "qo", "QO20240000001705", Level.UNIT),
        ("7700100000001236", "qp", "7700100000001236", Level.UNIT),
        ("(01)19521234000010(21)Qp0000017", "qp", "19521234000010Qp0000017", Level.CARTON),
        ("LEQR1b8Me4Ty2QS000724031509", "qr", "LEQR1b8Me4Ty2QS000724031509", Level.UNIT),
        ("QS-2A3B4-C5D6E-L", "qs", "QS2A3B4C5D6EL", Level.UNIT),
        ("HTTPS://STAMP.QT.EXAMPLE/v/QTABCDEFGHIJKL", "qt", "QTABCDEFGHIJKL", Level.UNIT),
        ("QTABCDEFGHIJKL", "qt", "QTABCDEFGHIJKL", Level.UNIT),
    ],
)
def test_each_invented_marking_leads_to_its_party(raw, party, key, level):
    candidate = resolve(raw)[0]

    assert (candidate.party, candidate.key.text, candidate.level) == (party, key, level)


def test_the_demonstration_pack_tells_place_market_and_product():
    facts = {(fact.item, fact.name): fact.value for fact in resolve("LEQN1a7Kd93XzP02M0324031509")[0].facts}

    assert facts["b", "facility-id"] == "QNF002"
    assert facts["f", "market"] == "QP"
    assert facts["g", "product"] == "Invented Red 20 export"


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [("26010100", ReasonCode.DATE_IN_FUTURE), ("19051923", ReasonCode.NOT_YET_VALID), ("19052000", ReasonCode.DATE_IN_RANGE)],
)
def test_a_doubtful_time_stamp_lowers_the_score_and_keeps_the_owner(stamp, reason):
    candidate = resolve(AUSTRIA[:19] + stamp)[0]

    assert candidate.party == "at"
    assert reason in codes(candidate)
    assert (candidate.score < resolve(AUSTRIA)[0].score) == (reason is not ReasonCode.DATE_IN_RANGE)


def test_a_code_that_nobody_describes_has_no_candidate():
    assert resolve("ZZ-unknown-99") == ()


def test_a_region_publishes_for_its_member_under_a_mandate():
    austria = next(pattern_set for pattern_set in shipped_sets() if pattern_set.party == "at")

    validate_set(replace(austria, party="eu"), may_publish_for=frozenset(["at"]))
