"""DotCode: symbols of another program are read back, damage up to a point, and never another text."""

from __future__ import annotations

import random
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.formats.dotcode.field import PRIME, corrected
from node.formats.dotcode.message import read_message
from node.formats.dotcode.reader import read_dotcodes
from node.formats.dotcode.symbol import CHECKS_TO_SPARE, read_symbol
from tests.support.photos import dotcode, drawn_dots

UNIT = "LEAT1xK7mP2qRA1bZ9c19052014"
GS1 = "[01]04012345678901[21]ABC123[8008]25052009"


def reading_of(matrix):
    return read_symbol(np.array(matrix, dtype=np.float32))


def text_of(matrix) -> str | None:
    message = reading_of(matrix)
    return None if message is None else message.text


# --- whole symbols -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", range(8))
@pytest.mark.parametrize("width", [15, 24, 33, 60])
def test_every_mask_and_shape_is_read(mask, width):
    assert text_of(dotcode(UNIT, f"--mask={mask}", f"--cols={width}")) == UNIT


def test_gs1_data_keeps_its_separators_and_says_what_it_is():
    message = reading_of(dotcode(GS1, "--gs1"))

    assert message is not None
    assert message.scan == "]J1010401234567890121ABC123\x1d800825052009"


def test_digits_without_gs1_are_told_apart():
    message = reading_of(dotcode("1234567890"))

    assert message is not None
    assert message.scan == "]J01234567890"


def test_texts_of_all_code_sets_are_read():
    chance = random.Random(20)
    kinds = (string.digits, string.ascii_letters, "!%&*+_-.,:;<=>?", "\t\n\x01\x02", "A")
    for _ in range(40):
        text = "".join(chance.choice(chance.choice(kinds)) for _ in range(chance.randint(1, 90)))

        assert text_of(dotcode(text)) == text


def test_binary_data_are_read():
    assert text_of(dotcode("é1ÿÿÿ12345678abc", "--binary")) == "é1ÿÿÿ12345678abc".encode().decode("latin-1")


def test_an_envelope_is_read():
    text = "[)>\x1e06\x1d25SLEAT1xK7mP2qR\x1e\x04"

    assert text_of(dotcode(text)) == text


def test_all_ways_to_hold_a_picture():
    picture = drawn_dots(dotcode(UNIT))
    for degrees in (0, 17, 45, 90, 133, 180, 222, 270):
        turned = picture.rotate(degrees, expand=True, fillcolor=255)
        (sighting,) = read_dotcodes(turned.resize((turned.width // 2, turned.height // 2)))

        assert sighting.message is not None
        assert sighting.message.text == UNIT


def test_light_dots_on_dark_ground_are_read():
    (sighting,) = read_dotcodes(drawn_dots(dotcode(UNIT)).point(lambda shade: 255 - shade).reduce(2))

    assert sighting.message is not None
    assert sighting.message.text == UNIT


# --- damage --------------------------------------------------------------------------------------------------------


def test_lost_dots_are_made_good_and_too_many_are_told():
    matrix, chance = dotcode(UNIT), random.Random(20)
    dots = [(row, column) for row, places in enumerate(matrix) for column, place in enumerate(places) if place]
    outcomes = []
    for lost in range(0, len(dots), 4):
        damaged = [list(places) for places in matrix]
        for row, column in chance.sample(dots, lost):
            damaged[row][column] = 0
        outcomes.append(text_of(damaged))

    assert set(outcomes) == {UNIT, None}
    assert outcomes[:2] == [UNIT] * 2


def test_chance_is_never_read():
    chance = random.Random(20)
    for _ in range(3_000):
        height, width = chance.choice([(10, 15), (22, 33), (12, 19), (7, 10)])
        share = chance.choice([0.4, 5 / 9, 0.7])

        assert reading_of([[float(chance.random() < share) for _ in range(width)] for _ in range(height)]) is None


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 90))
def test_flipped_places_never_make_another_text(seed, flips):
    matrix, chance = [list(places) for places in dotcode(UNIT)], random.Random(seed)
    for _ in range(flips):
        row = chance.randrange(len(matrix))
        column = chance.randrange(row % 2, len(matrix[0]), 2)
        matrix[row][column] = 1 - matrix[row][column]

    assert text_of(matrix) in {UNIT, None}


# --- parts ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-5, 120), max_size=60))
def test_any_codewords_are_a_message_or_none(codewords):
    message = read_message(codewords)

    assert message is None or message.text


@given(st.integers(0, 14), st.integers(0, 14), st.integers(0, 2**32))
def test_any_dots_are_a_message_or_none(height, width, seed):
    read_symbol(np.random.default_rng(seed).random((height, width), dtype=np.float32))


@given(st.integers(1, 60), st.integers(4, 40), st.randoms())
def test_errors_and_erasures_within_the_bound_are_corrected(data, checks, chance):
    word = encoded([chance.randrange(PRIME) for _ in range(data)], checks)
    erased = chance.randint(0, checks - CHECKS_TO_SPARE)
    wrong = (checks - CHECKS_TO_SPARE - erased) // 2
    places = chance.sample(range(len(word)), min(len(word), erased + wrong))
    damaged = list(word)
    for place in places:
        damaged[place] = (damaged[place] + chance.randrange(1, PRIME)) % PRIME

    assert corrected(damaged, checks, set(places[:erased]), CHECKS_TO_SPARE) == tuple(word)


def encoded(data: list[int], checks: int) -> list[int]:
    """The plain way: the rest of a division by the generator polynomial."""
    generator = [1]
    for exponent in range(1, checks + 1):
        root = pow(3, exponent, PRIME)
        generator = [(high - root * low) % PRIME for high, low in zip([*generator, 0], [0, *generator], strict=True)]
    rest = [*data, *([0] * checks)]
    for place in range(len(data)):
        factor = rest[place]
        for offset, value in enumerate(generator):
            rest[place + offset] = (rest[place + offset] - factor * value) % PRIME
    return [*data, *((-value) % PRIME for value in rest[len(data) :])]
