"""Our check characters against python-stdnum."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean, luhn
from stdnum.iso7064 import mod_11_10, mod_37_2, mod_37_36, mod_97_10

from federation.uim.check import CheckMethod, check_characters, check_holds

DIGITS = st.text(string.digits, min_size=1, max_size=40)
UPPER_DIGITS = st.text(string.digits + string.ascii_uppercase, min_size=1, max_size=40)


@given(DIGITS)
def test_gs1_check_digits_are_those_of_the_oracle(payload):
    assert check_characters(CheckMethod.GS1_MOD_10, payload) == ean.calc_check_digit(payload)


@given(DIGITS)
def test_luhn_check_digits_are_those_of_the_oracle(payload):
    assert check_characters(CheckMethod.LUHN, payload) == luhn.calc_check_digit(payload)


@given(UPPER_DIGITS)
def test_mod_97_10_check_digits_are_those_of_the_oracle(payload):
    assert check_characters(CheckMethod.MOD_97_10, payload) == mod_97_10.calc_check_digits(payload)


@given(UPPER_DIGITS)
def test_mod_37_36_check_characters_are_those_of_the_oracle(payload):
    assert check_characters(CheckMethod.MOD_37_36, payload) == mod_37_36.calc_check_digit(payload)


@given(UPPER_DIGITS)
def test_mod_37_2_check_characters_are_those_of_the_oracle(payload):
    assert check_characters(CheckMethod.MOD_37_2, payload) == mod_37_2.calc_check_digit(payload)


@given(DIGITS)
def test_mod_11_10_check_digits_are_those_of_the_oracle(payload):
    assert check_characters(CheckMethod.MOD_11_10, payload) == mod_11_10.calc_check_digit(payload)


@given(st.sampled_from(CheckMethod), DIGITS, st.data())
def test_one_wrong_digit_is_always_noticed(method, payload, data):
    right = payload + check_characters(method, payload)
    place = data.draw(st.integers(0, len(payload) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in string.digits if digit != right[place]]))

    assert check_holds(method, right)
    assert not check_holds(method, right[:place] + wrong + right[place + 1 :])


@given(st.sampled_from(CheckMethod), st.text(max_size=30))
def test_any_text_gets_an_answer(method, text):
    assert check_holds(method, text) in {True, False}
