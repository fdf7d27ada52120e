"""Keys in a token: what stays inside, and what a broken, missing or wrong token says."""

from __future__ import annotations

import importlib
import os

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from federation.errors import InvalidConfiguration, KeysUnavailable, Misuse, NotFound
from federation.trust import keys
from node.config import NodeToken
from node.keystore import PIN, Cost, Custody, Keystore
from node.keystore.hardware import HardwareSigner, Token
from node.use_cases.desk_values import KeyPlace
from tests.support.token import PIN as TOKEN_PIN
from tests.support.token import forget, soft_hsm


@pytest.fixture
def hsm(tmp_path):
    with soft_hsm(tmp_path / "hsm") as hsm:
        hsm.add("qm")
        yield hsm


@pytest.fixture
def token(hsm):
    with Token(module=hsm.module, label="qm", pin=TOKEN_PIN) as token:
        yield token


def test_private_keys_cannot_be_read(token):
    pkcs11 = importlib.import_module("pkcs11")
    token.make_signer("signing")
    key = token.make_authority_key("ca")
    for name in ("signing", "ca"):
        private = token._key(name)
        assert private[pkcs11.Attribute.SENSITIVE]
        assert not private[pkcs11.Attribute.EXTRACTABLE]
        with pytest.raises(pkcs11.AttributeSensitive):
            private[pkcs11.Attribute.VALUE]
    with pytest.raises(Misuse):
        key.private_numbers()
    with pytest.raises(Misuse):
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def test_a_cas_key_signs_whole_messages_and_does_nothing_else(token):
    key = token.make_authority_key("ca")
    signature = key.sign(b"data", ec.ECDSA(hashes.SHA256()))

    key.public_key().verify(signature, b"data", ec.ECDSA(hashes.SHA256()))
    assert (key.curve.name, key.key_size) == ("secp256r1", 256)
    with pytest.raises(Misuse):
        key.sign(b"\0" * 32, ec.ECDSA(Prehashed(hashes.SHA256())))
    with pytest.raises(Misuse):
        key.exchange(ec.ECDH(), key.public_key())


def test_a_session_that_broke_is_opened_once_more(hsm, token):
    signer = token.make_signer("signing")
    forget(token)

    keys.verify(public_key=signer.public_key, message=b"after", signature=signer.sign(b"after"))


def test_a_token_that_is_gone_says_so_and_works_when_it_is_back(hsm, token):
    signer = token.make_signer("signing")
    with hsm.unplugged():
        for _ in range(2):
            with pytest.raises(KeysUnavailable, match="not there") as gone:
                signer.sign(b"message")
        assert "pkcs11" in gone.value.hint

    keys.verify(public_key=signer.public_key, message=b"back", signature=signer.sign(b"back"))


def test_a_pin_that_was_refused_is_not_tried_again(hsm, token, monkeypatch):
    signer = token.make_signer("signing")
    token._pin = "another"
    forget(token)
    with pytest.raises(InvalidConfiguration, match="PIN does not open") as wrong:
        signer.sign(b"message")
    with pytest.raises(InvalidConfiguration, match="refused the PIN before"):
        signer.sign(b"message")

    assert "gsp keys pin" in wrong.value.hint


def test_a_wrong_pin_a_wrong_label_and_a_wrong_library_are_told_apart(hsm):
    with pytest.raises(InvalidConfiguration, match="PIN"):
        Token(module=hsm.module, label="qm", pin=b"another")
    with pytest.raises(KeysUnavailable, match="'qn' is not there"):
        Token(module=hsm.module, label="qn", pin=TOKEN_PIN)
    with pytest.raises(InvalidConfiguration, match="cannot be loaded"):
        Token(module="/nowhere/module.so", label="qm", pin=TOKEN_PIN)


def test_two_tokens_of_one_label_are_refused(hsm, tmp_path):
    hsm.add("qm")
    with pytest.raises(InvalidConfiguration, match="two tokens"):
        Token(module=hsm.module, label="qm", pin=TOKEN_PIN)


def test_a_key_that_the_token_does_not_hold_is_not_found(token):
    with pytest.raises(NotFound, match="does not hold"):
        token.signer("signing")
    assert not token.has("signing")


def test_a_key_is_not_made_over_another(token):
    token.make_signer("signing")
    with pytest.raises(Misuse):
        token.make_signer("signing")


def test_a_key_of_another_kind_is_refused(token):
    token.make_authority_key("signing")
    with pytest.raises(InvalidConfiguration, match="another kind"):
        token.signer("signing")


def test_a_signature_that_does_not_verify_is_not_given_away(token):
    token.make_signer("one")
    other = token.make_signer("two")
    crossed = HardwareSigner(token, "one", other.public_key)
    with pytest.raises(KeysUnavailable, match="does not verify"):
        crossed.sign(b"message")


def test_without_the_extra_package_the_error_says_what_to_install(monkeypatch):
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InvalidConfiguration, match="not installed") as error:
        Token(module="/module.so", label="qm", pin=TOKEN_PIN)
    assert "gsp-node[pkcs11]" in error.value.hint


def test_without_a_pin_in_the_keystore_the_error_says_where_it_goes(tmp_path):
    keystore = Keystore.create(tmp_path / "keystore", b"a passphrase", os.urandom, cost=Cost.MINIMAL)
    with (
        pytest.raises(InvalidConfiguration, match="no PIN"),
        Custody.open(keystore, owner="qm", token=NodeToken(module="/module.so", token="qm")),
    ):
        pass


def test_only_the_roles_that_the_settings_name_lie_in_the_token(hsm, tmp_path):
    keystore = Keystore.create(tmp_path / "keystore", b"a passphrase", os.urandom, cost=Cost.MINIMAL)
    keystore.put(PIN, TOKEN_PIN)
    settings = NodeToken(module=hsm.module, token="qm", keys=("ca",))
    with Custody.open(keystore, owner="qm", token=settings) as custody:
        custody.make("ca", os.urandom)
        custody.make("signing", os.urandom)

        assert (custody.place("ca"), custody.place("signing")) == (KeyPlace.TOKEN, KeyPlace.FILE)
    assert keystore.names() == (PIN, "signing")


def test_two_parties_that_share_a_token_do_not_share_keys(hsm, tmp_path):
    settings = NodeToken(module=hsm.module, token="qm")
    publics = set()
    for owner in ("qm", "qn"):
        keystore = Keystore.create(tmp_path / owner, b"a passphrase", os.urandom, cost=Cost.MINIMAL)
        keystore.put(PIN, TOKEN_PIN)
        with Custody.open(keystore, owner=owner, token=settings) as custody:
            custody.make("party", os.urandom)
            publics.add(custody.signer("party").public_key)

    assert len(publics) == 2
