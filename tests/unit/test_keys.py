from __future__ import annotations

from hashlib import sha512

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from federation.errors import Malformed, Misuse, Unauthentic
from federation.trust.keys import (
    SoftwareSigner,
    check_public_key,
    digest,
    node_message,
    officer_message,
    pae,
    verify,
)

SEED = bytes(range(32))
SIGNER = SoftwareSigner(SEED)
NEUTRAL = b"\x01" + bytes(31)
"""The neutral element as a public key: everything is signed by it."""
PRIME = 2**255 - 19
ODD_KEYS = {
    "neutral element": NEUTRAL,
    "order 2": (PRIME - 1).to_bytes(32, "little"),
    "order 4": bytes(32),
    "order 8": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "neutral element spelt with the prime added": (PRIME + 1).to_bytes(32, "little"),
    "neutral element with a sign": b"\x01" + bytes(30) + b"\x80",
    "not on the curve": b"\x02" + bytes(31),
    "honest key with a low-order part": bytes.fromhex("6718d0a3d58deaeaefa655eae3f119071deaa2cefebfd0ca28b670f879d65708"),
}


def test_a_signature_verifies():
    verify(public_key=SIGNER.public_key, message=b"message", signature=SIGNER.sign(b"message"))


def test_a_signer_is_deterministic_and_as_in_rfc_8032():
    signer = SoftwareSigner(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))

    assert signer.public_key.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert signer.sign(b"") == bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_public_key_of_another_length_is_malformed_and_verifies_nothing(length):
    with pytest.raises(Malformed):
        check_public_key(bytes(length))
    with pytest.raises(Unauthentic):
        verify(public_key=bytes(length), message=b"", signature=bytes(64))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_is_refused(length):
    with pytest.raises(Unauthentic):
        verify(public_key=SIGNER.public_key, message=b"", signature=bytes(length))


@pytest.mark.parametrize("name", ODD_KEYS)
def test_a_key_that_no_honest_signer_has_is_refused(name):
    with pytest.raises(Unauthentic):
        check_public_key(ODD_KEYS[name])
    with pytest.raises(Unauthentic):
        verify(public_key=ODD_KEYS[name], message=b"", signature=NEUTRAL + bytes(32))


def test_pitfall_8_two_verifiers_give_one_answer():
    """One signature for every message: OpenSSL accepts it under the neutral element, this verifier does not."""
    signature_of_everything = NEUTRAL + bytes(32)

    for message in (b"we asked", b"we never asked"):
        Ed25519PublicKey.from_public_bytes(NEUTRAL).verify(signature_of_everything, message)
        with pytest.raises(Unauthentic):
            verify(public_key=NEUTRAL, message=message, signature=signature_of_everything)


def test_a_good_key_is_given_back():
    assert check_public_key(SIGNER.public_key) == SIGNER.public_key


def test_a_signer_does_not_show_its_seed():
    assert SEED.hex() not in repr(SIGNER)
    assert repr(SEED) not in repr(SIGNER)


def test_a_seed_of_another_length_is_our_own_mistake():
    with pytest.raises(Misuse):
        SoftwareSigner(bytes(31))


def test_the_hash_of_the_protocol_is_sha_512_over_length_prefixed_pieces():
    hashed = bytes(7) + b"\x0agsp/v1/foo" + bytes(7) + b"\x01a" + bytes(7) + b"\x00"

    assert digest("gsp/v1/foo", b"a", b"") == sha512(hashed).digest()[:32]


def test_moving_a_byte_from_one_part_to_the_next_changes_hash_and_message():
    splits = [(b"ab", b"c"), (b"a", b"bc"), (b"abc", b""), (b"", b"abc"), (b"abc",)]

    assert len({digest("gsp/v1/foo", *parts) for parts in splits}) == len(splits)
    assert len({pae("foo", *parts) for parts in splits}) == len(splits)


def test_a_label_of_another_protocol_is_our_own_mistake():
    for label in ("", "gsp/v1/", "foo", "gsp/v2/foo"):
        with pytest.raises(Misuse):
            digest(label)
    with pytest.raises(Misuse):
        pae("")


def test_pitfall_9_no_kind_of_message_can_be_read_as_another():
    messages = [officer_message(b"x" * 32), node_message(b"x" * 32), pae("statement", b"x" * 32), pae("node", b"x" * 32)]
    beginnings = {message[: len("gsp/v1/node\0")] for message in messages[:2]} | {message[:1] for message in messages[2:]}

    assert beginnings == {b"gsp/v1/state", b"gsp/v1/node\0", b"\0"}
    assert all(b"\0" in message for message in messages)


def test_a_node_signs_digests_only():
    with pytest.raises(Misuse):
        node_message(b"anything a peer would like to have signed")
