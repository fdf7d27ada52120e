"""Our table of application identifiers against the GS1 Barcode Syntax Dictionary, line by line."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from federation.errors import InvalidScan
from federation.uim.address import PRIMARY_KEYS
from federation.uim.gs1 import FORMATS, element, is_predefined, parse_element_string
from tests.support.reference import reference

ENTRY = re.compile(r"(?P<ais>[0-9]{2,4}(?:-[0-9]{2,4})?)\s+(?:(?P<flags>[*?]+)\s+)?(?P<rest>[NXYZ\[].*)")
PART = re.compile(r"(?P<optional>\[)?(?P<type>[NXYZ])(?P<up_to>\.\.)?(?P<length>[0-9]+)\]?(?P<linters>(?:,[a-z0-9]+)*)\Z")
SIZES = {"N": 10, "X": 82, "Y": 39, "Z": 65}


class Entry(NamedTuple):
    parts: tuple[tuple[int, int, int, bool, bool], ...]
    is_predefined: bool
    is_primary: bool


def dictionary() -> dict[str, Entry]:
    entries = {}
    for line in reference("gs1/gs1-syntax-dictionary.txt").read_text(encoding="utf-8").splitlines():
        found = ENTRY.match(line)
        if found is None:
            continue
        words = found["rest"].partition("#")[0].split()
        parts = [PART.match(word) for word in words if PART.match(word)]
        entry = Entry(
            parts=tuple(
                (
                    SIZES[part["type"]],
                    1 if part["up_to"] else int(part["length"]),
                    int(part["length"]),
                    bool(part["optional"]),
                    "csum" in part["linters"].split(","),
                )
                for part in parts
            ),
            is_predefined="*" in (found["flags"] or ""),
            is_primary=any(word.split("=")[0] == "dlpkey" for word in words),
        )
        first, _, last = found["ais"].partition("-")
        for number in range(int(first), int(last or first) + 1):
            entries[str(number).zfill(len(first))] = entry
    return entries


def ours(identifier):
    return tuple((len(part.characters), part.shortest, part.longest, part.optional, part.checked) for part in FORMATS[identifier])


def test_we_know_the_identifiers_of_the_dictionary_and_no_others():
    assert set(FORMATS) == set(dictionary())


def test_every_format_is_that_of_the_dictionary():
    assert {identifier: ours(identifier) for identifier in FORMATS} == {
        identifier: entry.parts for identifier, entry in dictionary().items()
    }


def test_separators_are_left_out_where_the_dictionary_says_so():
    assert {identifier for identifier in FORMATS if is_predefined(identifier)} == {
        identifier for identifier, entry in dictionary().items() if entry.is_predefined
    }


def test_digital_links_begin_with_the_keys_of_the_dictionary():
    assert {identifier for identifier, entry in dictionary().items() if entry.is_primary} == PRIMARY_KEYS


def test_no_identifier_is_the_start_of_another_one():
    assert not [(short, long) for short in FORMATS for long in FORMATS if short != long and long.startswith(short)]


def test_every_unknown_identifier_is_refused_with_a_reason():
    digits = [f"{number:04}" for number in range(10_000)]
    unknown = [text for text in digits if not FORMATS.keys() & {text[:2], text[:3], text}]

    assert unknown
    for identifier in unknown:
        with pytest.raises(InvalidScan, match="no GS1 application identifier"):
            parse_element_string(f"{identifier}1234")
        with pytest.raises(InvalidScan, match="no GS1 application identifier"):
            element(identifier, "1")
