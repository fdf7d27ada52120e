from __future__ import annotations

import pytest

from federation.envelope.suite import (
    CEK_BYTES,
    PUBLIC_KEY_BYTES,
    WRAP_BYTES,
    PrivateKey,
    check_public_key,
    open_stream,
    public_key_from_seed,
    seal_stream,
    stream_size,
    unwrap,
    wrap,
)
from federation.errors import Malformed, Misuse, Unauthentic

SEED = bytes(range(32))
KEY = PrivateKey(SEED)
CEK = bytes(range(100, 132))
CHUNK = 16_384


def test_a_content_key_reaches_the_holder_of_the_seed():
    wrapped = wrap(KEY.public_key, b"info", CEK)

    assert len(wrapped) == WRAP_BYTES
    assert unwrap(SEED, b"info", wrapped) == KEY.unwrap(b"info", wrapped) == CEK


def test_a_public_key_belongs_to_its_seed():
    assert public_key_from_seed(SEED) == KEY.public_key == check_public_key(KEY.public_key)
    assert len(KEY.public_key) == PUBLIC_KEY_BYTES


def test_wrapping_twice_gives_different_bytes():
    assert wrap(KEY.public_key, b"info", CEK) != wrap(KEY.public_key, b"info", CEK)


def test_another_key_or_another_info_opens_nothing():
    wrapped = wrap(KEY.public_key, b"info", CEK)

    with pytest.raises(Unauthentic):
        KEY.unwrap(b"other", wrapped)
    with pytest.raises(Unauthentic):
        unwrap(bytes(32), b"info", wrapped)


@pytest.mark.parametrize("wrapped", [b"", bytes(WRAP_BYTES - 1), bytes(WRAP_BYTES + 1)])
def test_a_wrap_of_another_length_is_malformed(wrapped):
    with pytest.raises(Malformed):
        KEY.unwrap(b"info", wrapped)


@pytest.mark.parametrize("filling", [0, 1, 255])
def test_a_made_up_wrap_is_refused(filling):
    with pytest.raises(Unauthentic):
        KEY.unwrap(b"info", bytes([filling]) * WRAP_BYTES)


@pytest.mark.parametrize(
    "public_key",
    [
        b"",
        KEY.public_key[:-1],
        KEY.public_key + b"\0",
        b"\xff" * PUBLIC_KEY_BYTES,
        KEY.public_key[:-32] + bytes(32),
        KEY.public_key[:-32] + b"\1" + bytes(31),
    ],
    ids=["empty", "short", "long", "out of range", "low order 0", "low order 1"],
)
def test_pitfall_14_a_bad_key_of_a_peer_is_refused_before_a_sender_needs_it(public_key):
    with pytest.raises(Malformed):
        check_public_key(public_key)
    with pytest.raises(Malformed):
        wrap(public_key, b"info", CEK)


def test_a_private_key_does_not_show_its_seed():
    assert SEED.hex() not in repr(KEY)
    assert repr(SEED) not in repr(KEY)


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_stream_comes_back_and_has_the_foretold_size(length):
    ciphertext = seal_stream(CEK, b"context", bytes(length))

    assert len(ciphertext) == stream_size(length)
    assert open_stream(CEK, b"context", ciphertext) == bytes(length)


def test_another_key_or_another_context_opens_no_stream():
    ciphertext = seal_stream(CEK, b"context", b"plaintext")

    with pytest.raises(Unauthentic):
        open_stream(bytes(32), b"context", ciphertext)
    with pytest.raises(Unauthentic):
        open_stream(CEK, b"other", ciphertext)


def test_pitfall_15_nothing_is_released_before_the_last_chunk_is_authenticated():
    """All chunks but the last are whole and authentic, and a streaming reader would already have handed them out."""
    ciphertext = seal_stream(CEK, b"context", b"secret" * 10_000)
    whole_chunks = (len(ciphertext) - 56) // (CHUNK + 16)

    for cut in (1, 16, len(ciphertext) - 56 - whole_chunks * (CHUNK + 16)):
        with pytest.raises(Unauthentic) as refusal:
            open_stream(CEK, b"context", ciphertext[:-cut])
        assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("length", [0, 1, 55, 56, 71])
def test_a_stream_that_ends_before_its_first_chunk_is_refused(length):
    with pytest.raises(Unauthentic):
        open_stream(CEK, b"", seal_stream(CEK, b"", b"")[:length])


def test_a_foreign_content_key_of_another_length_is_malformed():
    with pytest.raises(Malformed):
        open_stream(bytes(16), b"", seal_stream(CEK, b"", b""))


def test_keys_of_our_own_with_another_length_are_our_own_mistake():
    with pytest.raises(Misuse):
        PrivateKey(bytes(31))
    with pytest.raises(Misuse):
        wrap(KEY.public_key, b"", bytes(CEK_BYTES - 1))
    with pytest.raises(Misuse):
        seal_stream(bytes(CEK_BYTES + 1), b"", b"")
