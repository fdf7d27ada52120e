"""What everybody relies on who asks for a key, wherever it lies: the same tests on the keystore file and on a token."""

from __future__ import annotations

import os

import pytest

from federation.errors import Misuse, NotFound, Unauthentic
from federation.identity import NodeName, OfficerName, PartyId
from federation.trust import issuing, keys
from federation.trust.certificate import read_successor_ca, verify_node_certificate, verify_officer
from federation.trust.issuing import Authority
from node.config import NodeToken
from node.keystore import PIN, Cost, Custody, Keystore
from node.keystore.custody import named_key
from node.use_cases.desk_values import KeyPlace
from tests.support.token import PIN as TOKEN_PIN
from tests.support.token import soft_hsm

QM = PartyId("qm")
DOMAIN = "gsp.example.org"
NOW = 1_800_000_000


@pytest.fixture(params=["file", "token"])
def settings(request, tmp_path):
    if request.param == "file":
        yield None
        return
    with soft_hsm(tmp_path / "hsm") as hsm:
        hsm.add("qm")
        yield NodeToken(module=hsm.module, token="qm")


@pytest.fixture
def keystore(tmp_path):
    keystore = Keystore.create(tmp_path / "keystore", b"a passphrase", os.urandom, cost=Cost.MINIMAL)
    keystore.put(PIN, TOKEN_PIN)
    return keystore


@pytest.fixture
def custody(settings, keystore):
    with Custody.open(keystore, owner="qm", token=settings) as custody:
        for name in ("party", "ca", "signing"):
            custody.make(name, os.urandom)
        yield custody


def authority(custody, name="ca"):
    key = custody.authority_key(name)
    certificate = issuing.make_successor_ca(key=key, party=QM, domain=DOMAIN, now=NOW, entropy=os.urandom)
    return Authority(certificate=certificate, key=key)


def test_what_a_signer_signs_is_verified_by_the_one_verifier(custody):
    signer = custody.signer("signing")
    message = keys.pae("entry/update", b"body")

    keys.verify(public_key=signer.public_key, message=message, signature=signer.sign(message))
    with pytest.raises(Unauthentic):
        keys.verify(public_key=signer.public_key, message=message + b"!", signature=signer.sign(message))


def test_the_same_message_has_the_same_signature(custody):
    signer = custody.signer("party")

    assert signer.sign(b"message") == signer.sign(b"message")


def test_a_ca_issues_what_everybody_accepts(custody):
    ca = authority(custody)
    node = NodeName(party=QM, node_id="n1", domain=DOMAIN)
    officer = OfficerName(party=QM, officer_id="k3v9x2mq", domain=DOMAIN)
    request = issuing.make_request(issuing.key_from_seed(os.urandom(32)))
    leaf = issuing.issue_node_certificate(request, name=node, ca=ca, now=NOW, entropy=os.urandom)
    own = custody.signer("signing").public_key
    paper = issuing.issue_officer_certificate(own, name=officer, ca=ca, now=NOW, entropy=os.urandom)

    assert read_successor_ca(ca.certificate, party=QM, domain=DOMAIN, now=NOW).party == QM
    assert verify_node_certificate(leaf, ca=ca.certificate, party=QM, domain=DOMAIN, now=NOW) == node
    assert verify_officer(paper, ca=ca.certificate, party=QM, domain=DOMAIN, at=NOW).name == officer


def test_a_request_for_a_ca_proves_possession(custody):
    key = custody.authority_key("ca")

    assert issuing.read_request(issuing.make_request(key)) == key.public_key()


def test_a_key_that_was_made_is_not_made_again(custody):
    before = custody.signer("party").public_key
    custody.make("party", os.urandom)

    assert custody.signer("party").public_key == before


def test_keys_are_there_after_the_next_start(settings, keystore):
    publics = []
    for _ in range(2):
        with Custody.open(keystore, owner="qm", token=settings) as custody:
            custody.make("signing", os.urandom)
            custody.make("ca", os.urandom)
            publics.append((custody.signer("signing").public_key, custody.authority_key("ca").public_key()))

    assert publics[0] == publics[1]


def test_a_successor_stands_in_a_row_behind_its_predecessor(custody):
    assert custody.names("signing") == ("signing",)
    name = custody.next_name("signing")
    custody.make(name, os.urandom)

    assert custody.names("signing") == ("signing", "signing-2")
    assert custody.next_name("signing") == "signing-3"
    first, second = custody.signers("signing")
    assert first.public_key != second.public_key
    assert named_key(custody, "signing", second.public_key).public_key == second.public_key
    with pytest.raises(NotFound, match="lists another"):
        named_key(custody, "signing", b"\1" * 32)


def test_a_successor_that_another_process_made_is_found(settings, keystore, custody, tmp_path):
    with Custody.open(Keystore.open(tmp_path / "keystore", b"a passphrase"), owner="qm", token=settings) as other:
        other.make("ca-2", os.urandom)
    custody.reload()

    assert custody.names("ca") == ("ca", "ca-2")
    assert len(custody.cas()) == 2


def test_a_key_that_was_given_up_is_there_and_is_not_used(custody):
    custody.make("signing-2", os.urandom)
    custody.retire("signing")

    assert custody.names("signing") == ("signing", "signing-2")
    (kept,) = custody.signers("signing")
    assert kept.public_key == custody.signer("signing-2").public_key


def test_the_certificate_of_a_successor_is_kept_beside_its_key(custody):
    custody.make("ca-2", os.urandom)
    certificate = authority(custody, "ca-2").certificate
    custody.put_certificate("ca-2", certificate)

    assert [held.certificate for held in custody.cas()] == [None, certificate]


def test_a_key_from_paper_is_adopted_and_lies_in_the_file(custody):
    seed = os.urandom(32)
    custody.adopt("party-2", seed)

    assert custody.signer("party-2").public_key == keys.SoftwareSigner(seed).public_key
    assert custody.place("party-2") is KeyPlace.FILE
    assert custody.names("party") == ("party", "party-2")


def test_a_key_that_is_not_there_is_named(custody):
    with pytest.raises(NotFound):
        custody.signer("signing-7")
    with pytest.raises(NotFound):
        custody.authority_key("ca-7")


def test_a_key_serves_for_one_thing(custody):
    with pytest.raises(Misuse):
        custody.signer("ca")
    with pytest.raises(Misuse):
        custody.authority_key("party")
    with pytest.raises(Misuse):
        custody.make("storage", os.urandom)
