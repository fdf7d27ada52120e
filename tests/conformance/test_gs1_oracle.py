"""Our splitter of element strings against biip, on element strings made at random from the formats."""

from __future__ import annotations

from biip.gs1_messages import GS1Message
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.uim.gs1 import FORMATS, GROUP_SEPARATOR, Element, gs1_mod_10, is_predefined, parse_bracketed, parse_element_string

KNOWN_TO_BOTH = [
    "00", "01", "02", "10", "21", "235", "240", "241", "250", "251", "37", "400", "401", "402", "403", "410", "411", "412", "413",
    "414", "415", "416", "417", "420", "7040", "8003", "8004", "8005", "8006", "8010", "8017", "8018", "90", "91", "93", "99",
]  # fmt: skip


@st.composite
def elements(draw):
    identifier = draw(st.sampled_from(KNOWN_TO_BOTH))
    value = ""
    for part in FORMATS[identifier]:
        if part.optional and not draw(st.booleans()):
            break
        characters = "".join(sorted(part.characters))
        piece = draw(st.text(characters, min_size=part.shortest, max_size=part.longest))
        value += piece[:-1] + gs1_mod_10(piece[:-1]) if part.checked else piece
    if identifier == "8003":
        value = f"0{value[1:]}"  # the dictionary's linter, and the oracle, want a zero in front
    if identifier == "8010":
        value = value.ljust(5, "0")  # the oracle wants room for a company prefix
    return Element(identifier, value)


def written(items):
    texts = [item.identifier + item.value for item in items]
    ends = ["" if is_predefined(item.identifier) else GROUP_SEPARATOR for item in items]
    return "".join(text + end for text, end in zip(texts, ends, strict=True))


@settings(max_examples=200)
@given(st.lists(elements(), min_size=1, max_size=5))
def test_element_strings_split_as_the_oracle_splits_them(items):
    text = written(items)
    oracle = GS1Message.parse(text)

    assert parse_element_string(text) == tuple(items)
    assert [(item.identifier, item.value) for item in items] == [(found.ai.ai, found.value) for found in oracle.element_strings]


@given(st.lists(elements(), min_size=1, max_size=5))
def test_brackets_and_separators_say_the_same(items):
    bracketed = "".join(f"({item.identifier}){item.value.replace('(', chr(92) + '(')}" for item in items)

    assert parse_bracketed(bracketed) == tuple(items)
