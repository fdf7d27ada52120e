"""A draft says what the samples have in common, and fits every one of them."""

from __future__ import annotations

import random
import string

import pytest

from federation.errors import InvalidInput
from federation.uim.check import CheckMethod, check_characters
from federation.uim.codes import KeyForm, Label
from federation.uim.draft import draft_pattern
from federation.uim.pattern import validate_set
from federation.uim.segments import Charset, CheckedSegment, DateForm, DateSegment, LiteralSegment, SeparatorSegment
from tests.support.patterns import NOW, pattern_set, shipped_sets

LETTERS = string.ascii_letters + string.digits
BASE32 = string.ascii_uppercase + "234567"


def some(chance, alphabet, length):
    return "".join(chance.choices(alphabet, k=length))


def drafted(make, count, seed=1):
    chance = random.Random(seed)
    codes = [make(chance) for _ in range(count)]
    pattern = draft_pattern("qm", "draft", codes, label=Label.INVENTED, now=NOW)
    again = draft_pattern("qm", "draft", codes, label=Label.INVENTED, now=NOW)

    assert pattern == again
    validate_set(pattern_set(pattern, party="qm"))
    return pattern


def austrian(chance):
    stamp = f"{chance.randint(19, 25)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}{chance.randint(0, 23):02}"
    return f"LEAT1{some(chance, LETTERS, 14)}{stamp}"


def stamp(chance):
    payload = some(chance, BASE32, 14)
    return f"QM{payload}{check_characters(CheckMethod.MOD_37_36, payload)}"


def sgtin(chance):
    payload = some(chance, string.digits, 13)
    return f"{payload}{check_characters(CheckMethod.GS1_MOD_10, payload)}{some(chance, LETTERS, chance.randint(5, 9))}"


def test_an_issuer_a_serial_and_a_date():
    issuer, serial, date = drafted(austrian, 40).segments

    assert issuer == LiteralSegment(name="issuer", text="LEAT1")
    assert (serial.charset, serial.shortest) == (Charset.ALPHANUMERIC, 14)
    assert date == DateSegment(name="date", form=DateForm.YYMMDDHH)


def test_few_samples_do_not_make_a_digit_part_of_the_issuer():
    assert drafted(austrian, 6).segments[0].text == "LEAT"


def test_a_check_character_is_found():
    found = drafted(stamp, 12)

    assert found.segments[1] == CheckedSegment(name="number", charset=Charset.BASE32, length=14, method=CheckMethod.MOD_37_36)
    assert found.names_issuer


def test_groups_have_separators_that_are_not_stored():
    found = drafted(lambda chance: f"QO-{some(chance, string.digits, 8)}-{some(chance, string.digits, chance.randint(2, 4))}", 20)

    assert [type(segment) for segment in found.segments].count(SeparatorSegment) == 2
    assert (found.segments[-1].shortest, found.segments[-1].longest) == (2, 4)


def test_a_trade_item_number_is_told_from_its_serial():
    found = drafted(sgtin, 20)

    assert found.form is KeyForm.SGTIN
    assert [segment.name for segment in found.segments] == ["gtin", "serial"]
    assert not found.names_issuer


def test_an_address_is_known_by_its_host():
    found = drafted(lambda chance: f"https://verify.qm.example/{some(chance, LETTERS, 12)}", 20)

    assert found.form is KeyForm.WEB
    assert found.segments[0].text == "verify.qm.example/"


def test_every_shipped_pattern_with_enough_examples_can_be_drafted_again():
    drafts = [
        draft_pattern(one.owner, "draft", one.examples, label=Label.INVENTED, now=NOW)
        for shipped in shipped_sets()
        for one in shipped.patterns
        if len(set(one.examples)) >= 5
    ]

    for draft in drafts:
        validate_set(pattern_set(draft, party=draft.owner))


@pytest.mark.parametrize(
    "codes",
    [["QM1", "QM2", "QM3", "QM4"], ["QM1"] * 9, ["QM1", "QM2", "QM3", "QM4", "(00)173324022687654329"]],
)
def test_too_few_samples_or_several_kinds_make_no_draft(codes):
    with pytest.raises(InvalidInput):
        draft_pattern("qm", "draft", codes, label=Label.INVENTED, now=NOW)
