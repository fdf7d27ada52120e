"""Clues rank codes that several Parties may have issued; they leave nobody out and never outweigh a code that names its issuer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.errors import FederationError, InvalidInput, Malformed, Oversized
from federation.identity import party_id
from federation.uim.clues import NO_CLUES, Clues
from federation.uim.library import Library, ReasonCode
from federation.uim.pattern import Decoding, PrintedItem
from federation.uim.scan import read_scan
from federation.wire.patterns import decode_pattern_set, encode_pattern_set
from node.formats.pattern_text import pattern_file
from node.formats.patterns import read_pattern_file
from node.rpc.resolution_wire import decode_clues, encode_clues
from node.v1 import desk_pb2
from tests.support.patterns import NOW, pattern, pattern_set


def shared(party, **market):
    return pattern_set(pattern(owner=party_id(party), names_issuer=False), party=party, **market)


LIBRARY = Library.build([shared("qm"), shared("qn", languages=("es",)), shared("qo", brands=("Río Azul", "Plata")), shared("qp")])


def ranked(clues, library=LIBRARY):
    return library.resolve(read_scan("QX123456"), now=NOW, clues=clues)


@pytest.mark.parametrize(
    ("clues", "first", "code"),
    [
        (Clues(language="es"), "qn", ReasonCode.LANGUAGE),
        (Clues(brand="PLATA"), "qo", ReasonCode.BRAND),
        (Clues(place="qp"), "qp", ReasonCode.PLACE),
        (Clues(language="es", place="qo"), "qn", ReasonCode.LANGUAGE),
        (Clues(brand="plata", language="es"), "qo", ReasonCode.BRAND),
    ],
)
def test_a_clue_moves_its_party_to_the_front_and_says_so(clues, first, code):
    candidates = ranked(clues)

    assert candidates[0].party == first
    assert code in {reason.code for reason in candidates[0].reasons}
    assert {one.party for one in candidates} == {"qm", "qn", "qo", "qp"}


def test_a_clue_that_nobody_knows_changes_nothing():
    assert ranked(Clues(brand="Unknown", language="zz", place="zz")) == ranked(NO_CLUES)


def test_all_clues_together_weigh_less_than_a_code_that_names_its_issuer():
    library = Library.build([pattern_set(pattern()), shared("qo", brands=("Plata",), languages=("es",))])

    assert ranked(Clues(brand="Plata", language="es", place="qo"), library)[0].party == "qx"


def test_a_brand_that_the_code_itself_tells_counts_as_well():
    decoding = Decoding(item=PrintedItem.G, name="product", segment="serial", table=(("123456", "Plata, box of 20"),))
    told = pattern_set(pattern(owner=party_id("qz"), names_issuer=False, decodings=(decoding,)), party="qz")

    assert ranked(Clues(brand="plata"), Library.build([shared("qm"), told]))[0].party == "qz"


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("brand", "x" * (limits.CLUE_CHARACTERS_MAX + 1), Oversized),
        ("brand", "two\nlines", InvalidInput),
        ("language", "Spanish", InvalidInput),
        ("language", "ES", InvalidInput),
        ("place", "Austria", InvalidInput),
    ],
)
def test_what_is_no_clue_is_refused(field, value, error):
    with pytest.raises(error):
        Clues(**{field: value})


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("languages", ("es", "es"), Malformed),
        ("languages", ("spa",), Malformed),
        ("languages", tuple(f"{a}{b}" for a in "abcde" for b in "abcd"), Oversized),
        ("brands", ("Plata", "PLATA"), Malformed),
        ("brands", ("x" * (limits.CLUE_CHARACTERS_MAX + 1),), Malformed),
        ("brands", tuple(map(str, range(limits.BRANDS_PER_PARTY_MAX + 1))), Oversized),
    ],
)
def test_a_market_that_is_not_in_order_is_refused(field, value, error):
    with pytest.raises(error):
        shared("qm", **{field: value})


def test_what_a_set_says_of_its_market_crosses_and_is_written_for_people():
    own = shared("qo", brands=("Río Azul", "Plata"), languages=("es", "en"))

    assert decode_pattern_set(encode_pattern_set(own)) == own
    assert read_pattern_file(pattern_file(own)) == own


@given(st.text(max_size=120), st.text(max_size=4), st.text(max_size=4))
def test_any_text_is_a_clue_or_one_of_our_errors(brand, language, place):
    try:
        clues = Clues(brand=brand, language=language, place=place)
    except FederationError:
        return
    assert decode_clues(encode_clues(clues)) == clues
    assert [one.party for one in ranked(clues)]


@given(st.binary(max_size=60))
def test_any_bytes_on_the_wire_are_clues_or_one_of_our_errors(raw):
    try:
        message = desk_pb2.Clues.FromString(raw)
    except Exception:  # noqa: BLE001  # what protobuf itself refuses is not looked at here
        return
    try:
        decode_clues(message)
    except FederationError:
        return


def test_the_standing_set_without_a_market_is_the_same_bytes_as_before():
    """So that a digest in the directory stays what it was."""
    own = shared("qm")

    assert encode_pattern_set(replace(own, languages=(), brands=())) == encode_pattern_set(own)
