"""Suite 0x0001 against the vectors of the X-Wing draft and of HPKE with KEM 0x647a.

The library encapsulates with its own randomness and only in one shot, so vectors cannot be reproduced by sealing. They are used
the other way round: what a sender makes of the published secrets has to open with `unwrap`.
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from federation.envelope.suite import PrivateKey, public_key_from_seed, unwrap
from tests.support.reference import reference_json

CEK = bytes(range(32))
SUITE_ID = b"HPKE" + bytes.fromhex("647a00010003")


def xwing_vectors():
    return reference_json("crypto/xwing-test-vectors.json")


def hpke_vectors(**fields):
    vectors = reference_json("crypto/hpke-pq-test-vectors.json")
    return [vector for vector in vectors if all(vector[name] == value for name, value in fields.items())]


def key_schedule(shared_secret, info):
    """KeySchedule of RFC 9180, section 5.1, in base mode, written down once more so that the library is not its own judge."""

    def extract(salt, name, material):
        return HKDF.extract(SHA256(), salt, b"HPKE-v1" + SUITE_ID + name + material)

    def expand(secret, name, context, length):
        label = length.to_bytes(2) + b"HPKE-v1" + SUITE_ID + name + context
        return HKDFExpand(SHA256(), length, label).derive(secret)

    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared_secret, b"secret", b"")
    return expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)


def test_public_keys_are_those_of_the_xwing_draft():
    vectors = xwing_vectors()

    assert len(vectors) == 3
    for vector in vectors:
        assert public_key_from_seed(bytes.fromhex(vector["seed"])).hex() == vector["pk"]


def test_what_is_sealed_with_the_shared_secret_of_the_xwing_draft_opens():
    for vector in xwing_vectors():
        key, nonce = key_schedule(bytes.fromhex(vector["ss"]), b"some info")
        wrapped = bytes.fromhex(vector["ct"]) + ChaCha20Poly1305(key).encrypt(nonce, CEK, b"")

        assert unwrap(bytes.fromhex(vector["seed"]), b"some info", wrapped) == CEK


def test_what_is_sealed_with_the_key_of_the_hpke_vector_of_this_suite_opens():
    (vector,) = hpke_vectors(kem_id=0x647A, kdf_id=1, aead_id=3)
    info = bytes.fromhex(vector["info"])
    key, nonce = bytes.fromhex(vector["key"]), bytes.fromhex(vector["base_nonce"])
    wrapped = bytes.fromhex(vector["enc"]) + ChaCha20Poly1305(key).encrypt(nonce, CEK, b"")

    assert key_schedule(bytes.fromhex(vector["shared_secret"]), info) == (key, nonce)
    assert public_key_from_seed(bytes.fromhex(vector["skRm"])).hex() == vector["pkRm"]
    assert unwrap(bytes.fromhex(vector["skRm"]), info, wrapped) == CEK


@pytest.mark.parametrize(("kdf_id", "kdf"), [(1, KDF.HKDF_SHA256), (17, KDF.SHAKE256)])
def test_the_library_opens_the_first_message_of_every_xwing_vector(kdf_id, kdf):
    """Every message of the vectors has additional data, which the library takes in a private function only: hence its use here.

    Later messages of a vector need a sequence number, which the single-shot interface does not have at all.
    """
    (vector,) = hpke_vectors(kem_id=0x647A, kdf_id=kdf_id, aead_id=3)
    first = vector["encryptions"][0]
    suite = Suite(KEM.MLKEM768_X25519, kdf, AEAD.CHACHA20_POLY1305)
    private_key = PrivateKey(bytes.fromhex(vector["skRm"]))

    plaintext = openssl.hpke._decrypt_with_aad(
        suite,
        bytes.fromhex(vector["enc"] + first["ct"]),
        private_key._key,
        bytes.fromhex(vector["info"]),
        bytes.fromhex(first["aad"]),
    )

    assert plaintext.hex() == first["pt"]
