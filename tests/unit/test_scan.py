"""From raw text to keys: what is dropped, what is kept, and what is refused with which reason."""

from __future__ import annotations

import pytest

from federation import limits
from federation.errors import InvalidScan, Oversized
from federation.uim.codes import KeyForm
from federation.uim.scan import Key, read_scan


def texts(raw):
    return [key.text for key in read_scan(raw).keys]


def test_the_raw_scan_is_kept_as_it_came():
    assert read_scan("  ]d2(01)01234567987651(21)ab \r\n").raw == "  ]d2(01)01234567987651(21)ab \r\n"


def test_a_typed_code_is_tried_as_it_is_then_without_hyphens():
    assert texts("-Ab-12-") == ["-Ab-12-", "Ab-12", "Ab12"]


def test_spaces_are_never_part_of_a_code():
    assert texts("\u00a0Ab 12\u200b CD\t") == ["Ab12CD"]


def test_hyphens_made_by_word_processors_are_hyphens():
    assert texts("Ab\u201312")[0] == "Ab-12"


@pytest.mark.parametrize("symbology", ["]d1", "]Q1", "]J0", "]C0", "]A0"])
def test_plain_symbology_identifiers_are_dropped(symbology):
    assert read_scan(f"{symbology}Xy12345").keys == (Key("Xy12345", KeyForm.PLAIN),)


def test_identifiers_that_were_read_are_told():
    assert read_scan("(01)01234567987651(21)ab").qualifiers == ("01", "21")
    assert read_scan("[)>\x1e06\x1d25SXy12345\x1e\x04").qualifiers == ("25S",)
    assert read_scan("Xy12345").qualifiers == ()


@pytest.mark.parametrize(
    "written", ["[)>{RS}06{GS}25SAbc<GS>16D20190520{RS}{EOT}", "[)>\u241e06\u241d25SAbc\u241d16D20190520\u241e\u2404"]
)
def test_values_in_an_envelope_are_joined_and_the_unique_one_stands_alone(written):
    assert texts(written) == ["Abc20190520", "Abc"]


def test_an_envelope_may_hold_gs1_data():
    assert texts("[)>\x1e05\x1d00173324022687654329\x1e\x04") == ["173324022687654329"]


def test_separators_that_scanners_dropped_from_the_envelope_are_not_missed():
    assert texts("[)>0625SAbc123") == ["Abc123"]


def test_data_identifiers_without_an_envelope_are_read():
    assert texts("25SAbc<GS>16D20190520") == ["Abc20190520", "Abc"]


@pytest.mark.parametrize(
    "raw",
    [
        "urn:epc:id:sgtin:1234567.098765.a%2Fb",
        "URN:EPC:ID:sgtin:1234567.098765.a%2Fb",
        "https://id.gs1.org/01/01234567987651/21/a%2Fb",
        "(01)01234567987651(21)a/b",
    ],
)
def test_an_sgtin_has_one_key_however_it_is_written(raw):
    assert read_scan(raw).keys == (Key("01234567987651a/b", KeyForm.SGTIN),)


def test_an_epc_of_a_logistic_unit_gets_its_check_digit():
    assert read_scan("urn:epc:id:sscc:7332402.1268765432").keys == (Key("173324022687654329", KeyForm.SSCC),)


def test_a_digital_link_may_have_any_host_and_a_path_before_it():
    assert texts("https://brand.example/some/path/01/1234567987651/21/a+b?17=261231&utm=x") == ["01234567987651a+b"]


def test_a_verification_address_gives_host_and_path_and_every_possible_code():
    keys = read_scan("HTTPS://Verify.Example/t/Ab12?c=Cd34&lang=en#/Ef56").keys

    assert keys[0] == Key("verify.example/t/Ab12?c=Cd34&lang=en", KeyForm.WEB)
    assert [key.text for key in keys[1:]] == ["Ab12", "Cd34", "en", "Ef56"]


def test_parts_of_an_address_that_are_no_text_are_passed_over():
    assert texts("https://verify.example/Ab12?name=%ff") == ["verify.example/Ab12?name=%ff", "Ab12"]


@pytest.mark.parametrize("path", ["01/Ab12", "01/01234567987651/21", "01/01234567987651/details/Ab12", "253/Ab12", "00/12"])
def test_a_path_that_only_looks_like_a_digital_link_is_a_verification_address(path):
    assert read_scan(f"https://verify.example/{path}").keys[0] == Key(f"verify.example/{path}", KeyForm.WEB)


def test_a_digital_link_may_begin_with_any_gs1_key():
    assert read_scan("https://id.gs1.org/8004/9521234ABC/7040/1ABC").keys == (Key("9521234ABC1ABC", KeyForm.JOINED),)
    assert read_scan("https://id.gs1.org/00/173324022687654329").keys == (Key("173324022687654329", KeyForm.SSCC),)


@pytest.mark.parametrize("text", ["", "a b", "\u0436", "x" * (limits.KEY_CHARACTERS_MAX + 1)])
def test_a_key_is_printable_and_has_a_length(text):
    with pytest.raises(InvalidScan):
        Key(text, KeyForm.PLAIN)


def test_a_serial_of_seven_characters_may_be_a_cis_carton():
    assert [key.form for key in read_scan("(01)04600439931256(21)JgXJ5.T").keys] == [KeyForm.SGTIN, KeyForm.CIS_CARTON]


def test_an_unmarked_number_of_eighteen_digits_is_an_sscc_when_the_check_digit_holds():
    assert KeyForm.SSCC in {key.form for key in read_scan("173324022687654329").keys}
    assert KeyForm.SSCC not in {key.form for key in read_scan("183324022687654329").keys}


def test_real_separators_make_spelled_ones_data():
    assert texts("(01)04600439931256(21)a<GS>b\x1d")[0] == "04600439931256a<GS>b"
    assert texts("(01)04600439931256(21)a<GS>(10)b")[0] == "04600439931256a"


def test_other_element_strings_are_joined_in_their_order():
    assert read_scan("]C1800404012345ABC\x1d70401ABC").keys == (Key("04012345ABC1ABC", KeyForm.JOINED),)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "nothing in this scan"),
        (" \r\n", "nothing in this scan"),
        ("]d2", "nothing in this scan"),
        ("]E04600439931256", "names a product"),
        ("(01)04600439931256", "names a product"),
        ("(02)04600439931256(37)50", "names a product"),
        ("(01)04600439931257(21)a", "check digit of \\(01\\)"),
        ("(00)173324022687654328", "check digit of \\(00\\)"),
        ("(01)0460043993125(21)a", "\\(01\\) is too short"),
        ("(7040)1ABCD", "\\(7040\\) is too long"),
        ("(01)04600439931256(21)a~b", "may not stand there"),
        ("(0999)1", "no GS1 application identifier \\(0999\\)"),
        ("]d2ABC", "no GS1 application identifier ABC"),
        ("(21)a(21)b", "twice with different values"),
        ("urn:epc:id:grai:1234567.12345.1", "URN marks no tobacco"),
        ("urn:isbn:0451450523", "URN marks no tobacco"),
        ("urn:epc:id:sscc:7332402.126876543", "wrong lengths"),
        ("https:///01/04600439931256", "names no host"),
        ("http://[::1/x", "cannot be read"),
        ("urn:epc:id:sgtin:1234567.098765.%ff", "\\(21\\) is too short"),
        ("[)>\x1e12\x1dABC", "format that no marking has"),
        ("[)>\x1e06\x1dabc", "no data identifier in front"),
        ("Ab\u044412", "no marking has"),
        ("Ab\x0012", "no marking has"),
        ("A" * (limits.KEY_CHARACTERS_MAX + 1), "longer than any marking"),
        ("\ud800", "halves of characters"),
    ],
)
def test_what_cannot_be_a_marking_is_refused_with_its_reason(raw, reason):
    with pytest.raises(InvalidScan, match=reason):
        read_scan(raw)


def test_more_than_a_scan_can_hold_is_oversized():
    with pytest.raises(Oversized):
        read_scan("A" * (limits.SCAN_CHARACTERS_MAX + 1))
