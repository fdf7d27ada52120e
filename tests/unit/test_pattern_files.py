"""Pattern files: strict reading, and errors that name the file, the pattern and the field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from federation import limits
from federation.errors import InvalidConfiguration
from federation.uim.check import CheckMethod
from federation.uim.codes import Carrier, KeyForm, Label, Level, ProductClass
from federation.uim.pattern import Decoding, Pattern, PatternSet, PrintedItem
from federation.uim.segments import (
    CharacterSegment,
    Charset,
    CheckedSegment,
    DateForm,
    DateSegment,
    LiteralSegment,
    SeparatorSegment,
)
from node.formats.patterns import read_own_set, read_pattern_file, read_pattern_folder

FULL = """
party = "qx"
version = 3
company_prefixes = ["9521234"]

[[patterns]]
id = "qx-case"
version = 2
owner = "qy"
answered_by = "qr"
title = "a case"
source = "made for this test"
label = "invented"
level = "case"
product_classes = ["cigar"]
carriers = ["qr"]
qualifiers = ["01", "21"]
valid_from = 2020-01-01
valid_until = 2030-01-01
form = "sgtin"
names_issuer = true
segments = [
    { kind = "literal", name = "issuer", text = "QX" },
    { kind = "separator", name = "dash", text = "-" },
    { kind = "characters", name = "serial", charset = "alphanumeric", excluded = "OIl", length = 8 },
    { kind = "characters", name = "more", charset = "digits", shortest = 1, longest = 4 },
    { kind = "checked", name = "number", charset = "digits", length = 5, method = "luhn" },
    { kind = "date", name = "made", form = "YYMMDD", stored = false },
]
decodings = [{ item = "b", name = "facility-id", segment = "more", table = { 1 = "QXF001" } }]
examples = ["one"]
counter_examples = ["two"]
"""
SMALL = """
party = "qx"
patterns = [{ id = "a", title = "t", source = "s", label = "invented", examples = ["x"], segments = [{ kind = "literal", name = "n", text = "Q" }] }]
"""


def seconds(year):
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def test_every_field_of_a_file_arrives_in_the_values():
    assert read_pattern_file(FULL) == PatternSet(
        party="qx",
        version=3,
        company_prefixes=("9521234",),
        patterns=(
            Pattern(
                pattern_id="qx-case",
                version=2,
                owner="qy",
                answered_by="qr",
                title="a case",
                source="made for this test",
                label=Label.INVENTED,
                level=Level.CASE,
                product_classes=(ProductClass.CIGAR,),
                carriers=(Carrier.QR,),
                qualifiers=("01", "21"),
                valid_from_s=seconds(2020),
                valid_until_s=seconds(2030),
                form=KeyForm.SGTIN,
                names_issuer=True,
                segments=(
                    LiteralSegment(name="issuer", text="QX"),
                    SeparatorSegment(name="dash", text="-"),
                    CharacterSegment(name="serial", charset=Charset.ALPHANUMERIC, excluded="OIl", shortest=8, longest=8),
                    CharacterSegment(name="more", charset=Charset.DIGITS, shortest=1, longest=4),
                    CheckedSegment(name="number", charset=Charset.DIGITS, length=5, method=CheckMethod.LUHN),
                    DateSegment(name="made", form=DateForm.YYMMDD, stored=False),
                ),
                decodings=(Decoding(item=PrintedItem.B, name="facility-id", segment="more", table=(("1", "QXF001"),)),),
                examples=("one",),
                counter_examples=("two",),
            ),
        ),
    )


def test_a_pattern_belongs_to_the_party_of_the_file_unless_it_says_otherwise():
    assert read_pattern_file(SMALL).patterns[0].owner == "qx"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('party = "qx"', 'party = "QX"', "`party`: a Party is named by two"),
        ('party = "qx"', "party = 7", r"Expected `str`, got `int` - at `\$\.party`"),
        ("version = 3", "verison = 3", "unknown field `verison`"),
        ("version = 3", 'version = "3"', r"Expected `int`, got `str` - at `\$\.version`"),
        ('level = "case"', 'level = "crate"', r"Invalid enum value 'crate' - at `\$\.patterns\[0\]\.level`"),
        ('level = "case"', 'levels = "case"', r"unknown field `levels` - at `\$\.patterns\[0\]`"),
        ('label = "invented"', "", "missing required field `label`"),
        ('kind = "separator"', 'kind = "regex"', r"Invalid value 'regex' - at `\$\.patterns\[0\]\.segments\[1\]\.kind`"),
        ("length = 8", "lenght = 8", r"unknown field `lenght` - at `\$\.patterns\[0\]\.segments\[2\]`"),
        ("length = 8", "length = 8, shortest = 2", "'qx-case': the segment serial needs either `length`"),
        ("shortest = 1, longest = 4", "longest = 4", "'qx-case': the segment more needs either `length`"),
        ('text = "-"', 'text = "--"', "'qx-case': the separator dash"),
        ('owner = "qy"', 'owner = "Qy"', "'qx-case': a Party is named by two"),
        ("valid_from = 2020-01-01", 'valid_from = "soon"', r"Invalid RFC3339 encoded date - at `\$\.patterns\[0\]\.valid_from`"),
        ('["9521234"]', '["95"]', "the set: the set of qx has a company prefix"),
        ('party = "qx"', "party = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_and_the_field_is_named(old, new, reason):
    with pytest.raises(InvalidConfiguration, match=reason):
        read_pattern_file(FULL.replace(old, new, 1))


def test_deep_nesting_is_refused_and_not_followed():
    with pytest.raises(InvalidConfiguration):
        read_pattern_file("a = " + "[" * 100_000)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    (tmp_path / "b.toml").write_text(SMALL)
    (tmp_path / "a.toml").write_text(FULL.replace('"qx"', '"qy"', 1))
    (tmp_path / "notes.txt").write_text("not a pattern file")

    assert [pattern_set.party for pattern_set in read_pattern_folder(tmp_path)] == ["qy", "qx"]


def test_two_files_of_one_party_are_refused_by_name(tmp_path):
    (tmp_path / "a.toml").write_text(SMALL)
    (tmp_path / "b.toml").write_text(SMALL)

    with pytest.raises(InvalidConfiguration, match=r"b\.toml: a file before it holds the set of qx"):
        read_pattern_folder(tmp_path)


def test_a_folder_with_more_files_than_parties_is_refused(tmp_path):
    for number in range(limits.PARTIES_MAX + 1):
        (tmp_path / f"{number}.toml").touch()

    with pytest.raises(InvalidConfiguration, match="more than"):
        read_pattern_folder(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff", "cannot be read"),
        (b"#" * (limits.PATTERN_FILE_BYTES_MAX + 1), "has more than"),
        (b"parti = 1", "unknown field"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, content, reason):
    (tmp_path / "bad.toml").write_bytes(content)

    with pytest.raises(InvalidConfiguration, match=rf"bad\.toml: .*{reason}"):
        read_pattern_folder(tmp_path)


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    (tmp_path / "bad.toml").mkdir()

    with pytest.raises(InvalidConfiguration, match=r"bad\.toml: the file cannot be read"):
        read_pattern_folder(tmp_path)


def test_a_set_that_its_own_examples_contradict_is_not_published(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(SMALL.replace('text = "Q"', 'text = "QX12"').replace('"x"', '"QX12"'))
    assert read_own_set(path).party == "qx"

    path.write_text(SMALL.replace('text = "Q"', 'text = "QX12"').replace('"x"', '"QX13"'))

    with pytest.raises(InvalidConfiguration, match=r"own\.toml: the pattern a does not match its own example 1"):
        read_own_set(path)


def test_a_set_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidConfiguration, match=r"gone\.toml"):
        read_own_set(tmp_path / "gone.toml")
