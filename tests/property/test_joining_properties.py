"""Any text is a join code or `InvalidInput`."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import InvalidInput
from federation.identity import PartyId
from federation.trust.join_code import JoinCode, decode_join_code, encode_join_code

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CODES = st.builds(
    JoinCode,
    address=st.from_regex(r"[a-z0-9][a-z0-9.-]{0,40}:[1-9][0-9]{0,3}", fullmatch=True),
    party=st.text(LETTERS, min_size=2, max_size=2).map(PartyId),
    token=st.binary(min_size=16, max_size=16),
    leaf_sha256=st.binary(min_size=32, max_size=32),
)


@settings(max_examples=100, deadline=None)
@given(CODES)
def test_a_code_is_read_back(code):
    assert decode_join_code(encode_join_code(code)) == code


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80).map(lambda text: "GSP" + text) | st.text())
def test_any_text_is_refused_in_words(text):
    with pytest.raises(InvalidInput):
        decode_join_code(text)


@settings(max_examples=200, deadline=None)
@given(CODES, st.data())
def test_no_change_of_one_character_gives_another_code(code, data):
    text = encode_join_code(code)
    position = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ -OILU") | st.characters(codec="utf-8"))

    with contextlib.suppress(InvalidInput):
        assert decode_join_code(text[:position] + character + text[position + 1 :]) == code
