from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.envelope.padding import pad, padded_size, unpad
from federation.errors import Malformed, Oversized


@pytest.mark.parametrize(
    ("length", "size"),
    [
        (0, 256),
        (252, 256),
        (253, 272),
        (996, 1_024),
        (1_021, 1_088),
        (10_000, 10_240),
        (100_000, 100_352),
        (1_000_000, 1_015_808),
        (3_145_728, 3_211_264),
    ],
)
def test_sizes_are_those_of_padme_with_a_floor(length, size):
    assert padded_size(length) == size


def test_small_bodies_all_have_one_size():
    assert {len(pad(bytes(length))) for length in range(253)} == {256}


def test_nothing_larger_than_an_envelope_is_padded():
    with pytest.raises(Oversized):
        pad(bytes(limits.ENVELOPE_BYTES_MAX + 1))


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        bytes(3),
        bytes(255),
        bytes(257),
        pad(b"data") + bytes(16),
        pad(b"data")[:-1],
        pad(b"data")[:-1] + b"\1",
        pad(b"data")[:8] + b"\1" + pad(b"data")[9:],
        pad(bytes(300))[:-16],
        b"\0\0\0\xff" + bytes(252),
        b"\xff\xff\xff\xff" + bytes(252),
        (b"\0\0\0\4data").ljust(272, b"\0"),
    ],
)
def test_any_other_padding_is_malformed(padded):
    with pytest.raises(Malformed):
        unpad(padded)


@given(st.binary(max_size=2_000))
def test_data_come_back_as_they_were(data):
    assert unpad(pad(data)) == data
    assert len(pad(data)) == padded_size(len(data))


@given(st.binary(max_size=600), st.integers(0, 600))
def test_made_up_bytes_are_malformed_or_the_one_padding(raw, zeros):
    padded = raw + bytes(zeros)
    try:
        data = unpad(padded)
    except Malformed:
        return
    assert pad(data) == padded


@given(st.integers(0, limits.ENVELOPE_BYTES_MAX))
def test_padding_adds_an_eighth_at_most_and_grows_with_the_data(length):
    size = padded_size(length)

    assert length + 4 <= size <= max(256, (length + 4) * 9 // 8)
    assert size <= padded_size(length + 1)
