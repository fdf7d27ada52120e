from __future__ import annotations

import re
from hashlib import sha256

import pytest

from federation.trust.fingerprint import fingerprint, same_fingerprint

SPKI = b"any bytes serve as a key here"
FINGERPRINT = fingerprint(SPKI)


def test_a_fingerprint_is_twelve_groups_of_five_digits():
    assert re.fullmatch(r"[0-9]{5}( [0-9]{5}){11}", FINGERPRINT)


def test_a_fingerprint_can_be_computed_with_any_calculator():
    digits = str(int(sha256(SPKI).hexdigest(), 16))[-60:]

    assert FINGERPRINT.replace(" ", "") == digits


def test_leading_zeros_are_kept():
    spki = next(spki for spki in map(str.encode, map(str, range(100_000))) if fingerprint(spki).startswith("000"))

    assert len(fingerprint(spki)) == 71
    assert same_fingerprint(fingerprint(spki), fingerprint(spki))


@pytest.mark.parametrize("spaced", [FINGERPRINT.replace(" ", ""), f"  {FINGERPRINT}\n", FINGERPRINT.replace(" ", "\t \u00a0")])
def test_spaces_make_no_difference(spaced):
    assert same_fingerprint(FINGERPRINT, spaced)
    assert same_fingerprint(spaced, FINGERPRINT)


def test_one_digit_makes_a_difference():
    last = "1" if FINGERPRINT[-1] != "1" else "2"

    assert not same_fingerprint(FINGERPRINT, FINGERPRINT[:-1] + last)


@pytest.mark.parametrize("text", ["", "12345", FINGERPRINT[:-1], FINGERPRINT + "0", "x" * 60, "\u0661" * 60, "\ud800" * 60])
def test_what_is_no_whole_fingerprint_equals_nothing_not_even_itself(text):
    assert not same_fingerprint(text, text)
    assert not same_fingerprint(FINGERPRINT, text)
