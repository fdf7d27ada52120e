"""Certificates as attacks: whoever holds some real key signs what the real programs would not, and nobody believes it."""

from __future__ import annotations

import hashlib
import math

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Use

from federation import limits
from federation.errors import Malformed, Oversized, Unauthentic
from federation.identity import PartyId
from federation.trust import issuing
from federation.trust.certificate import (
    certificate_hash,
    from_pem,
    identify_peer,
    read_party_ca,
    read_pinned_ca,
    read_successor_ca,
    to_pem,
    verify_node_certificate,
    verify_officer,
)
from federation.trust.issuing import Authority, make_request, make_successor_ca
from federation.trust.profile import OFFICER_USE, issuing_profile, node_profile, officer_profile, party_profile, root_profile
from tests.support import pki
from tests.support.pki import DOMAIN, NOW, QM, QN, forge

REFUSED = (Unauthentic, Malformed)
ANCHORS = {QM: [pki.party_ca(QM).certificate], QN: [pki.party_ca(QN).certificate], None: [pki.party_ca(None).certificate]}
P256 = pki.key("other").public_key()
P384 = issuing.root_key_from_seed(pki.seed("other")).public_key()
ED25519 = ed25519.Ed25519PublicKey.from_public_bytes(pki.officer_key())
RSA = rsa.RSAPublicNumbers(65_537, (1 << 2_047) + 1_234_567).public_key()


def verify_node(der, *, party=QM, now=NOW):
    return verify_node_certificate(der, ca=pki.party_ca(party).certificate, party=party, domain=DOMAIN, now=now)


def officer_of(der, *, party=QM, at=NOW):
    return verify_officer(der, ca=pki.party_ca(party).certificate, party=party, domain=DOMAIN, at=at)


def identify(der, *, now=NOW):
    return identify_peer(der, anchors=ANCHORS, domain=DOMAIN, now=now)


def admit(der, *, party=QM, issuing_ca=None, root=None, now=NOW):
    return read_party_ca(
        der,
        party=party,
        domain=DOMAIN,
        issuing_ca=issuing_ca or pki.issuing_ca().certificate,
        root=root or pki.root().certificate,
        now=now,
    )


def forged_node(signer=None, *, name=None, **changes):
    return forge(node_profile(name or pki.node()), signer or pki.party_ca(QM), **changes)


def forged_officer(signer=None, *, name=None, **changes):
    changes.setdefault("public_key", ED25519)
    return forge(officer_profile(name or pki.officer()), signer or pki.party_ca(QM), **changes)


def forged_ca(signer=None, *, profile=None, **changes):
    return forge(profile or party_profile(QM, DOMAIN), signer or pki.issuing_ca(), **changes)


# --- honest certificates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("party", [QM, QN, None])
def test_a_node_is_who_the_pinned_ca_says(party):
    der = pki.node_certificate(pki.node(party))

    assert verify_node(der, party=party) == pki.node(party)
    assert identify(der) == pki.node(party)


def test_an_officer_is_an_opaque_id_and_a_key():
    officer = officer_of(pki.officer_certificate())

    assert (officer.name, officer.public_key) == (pki.officer(), pki.officer_key())


@pytest.mark.parametrize("party", [QM, None])
def test_a_party_ca_chains_to_the_treaty_root(party):
    der = pki.party_ca(party).certificate

    ca = admit(der, party=party)

    assert ca == read_pinned_ca(der, party=party, domain=DOMAIN)
    assert (ca.party, ca.der) == (party, der)
    assert ca.public_key_info in der


def test_the_forger_is_able_to_make_what_is_accepted():
    assert verify_node(forged_node()) == pki.node()
    assert officer_of(forged_officer()).name == pki.officer()
    assert admit(forged_ca()).party == QM


def test_a_certificate_survives_pem():
    der = pki.node_certificate()

    assert from_pem(to_pem(der)) == der


def test_the_first_of_several_pem_certificates_is_taken():
    der = pki.node_certificate()

    assert from_pem(to_pem(der) + to_pem(pki.party_ca().certificate)) == der


def test_a_certificate_is_named_by_the_hash_of_its_bytes():
    der = pki.officer_certificate()

    assert certificate_hash(der) == hashlib.sha256(der).digest()


# --- identity ------------------------------------------------------------------------------------------------------


def test_a_rogue_party_ca_minted_under_the_real_root_does_not_become_the_party():
    rogue = pki.party_ca(QM, label="rogue")

    with pytest.raises(Unauthentic):
        identify(pki.node_certificate(ca=rogue))


def test_the_issuing_ca_itself_speaks_for_no_party():
    der = forged_node(pki.issuing_ca())

    with pytest.raises(Unauthentic):
        identify(der)
    with pytest.raises(Unauthentic, match="not a Party CA"):
        verify_node_certificate(der, ca=pki.issuing_ca().certificate, party=QM, domain=DOMAIN, now=NOW)


def test_one_party_cannot_issue_for_a_node_of_another():
    der = forged_node(pki.party_ca(QM), name=pki.node(QN))

    for party in (QM, QN):
        with pytest.raises(REFUSED):
            verify_node(der, party=party)
    with pytest.raises(Unauthentic):
        identify(der)


@pytest.mark.parametrize(
    "names",
    [
        pki.dns("one.qn.nodes.gsp.example.org") + pki.uri(pki.node(QM).uri),
        pki.dns(pki.node(QM).dns) + pki.uri(pki.node(QN).uri),
        pki.dns(pki.node(QM).dns) + pki.uri("spiffe://qm.nodes.gsp.example.org/node/two"),
        pki.dns("two.qm.nodes.gsp.example.org") + pki.uri(pki.node(QM).uri),
        pki.dns(pki.node(QM).dns) + pki.uri("spiffe://qm.nodes.other.example/node/one"),
        pki.dns(pki.node(QM).dns) + pki.uri("https://qm.nodes.gsp.example.org/node/one"),
        pki.dns(pki.node(QM).dns) + pki.uri("spiffe://qm.nodes.gsp.example.org/node/ONE"),
        pki.dns(pki.node(QM).dns) + pki.uri("spiffe://qm.nodes.gsp.example.org/node/one/"),
        pki.dns(pki.node(QM).dns) + pki.uri(pki.node(QM).uri, pki.node(QM).uri),
        pki.dns(pki.node(QM).dns, "two.qm.nodes.gsp.example.org") + pki.uri(pki.node(QM).uri),
        pki.dns("*.qm.nodes.gsp.example.org") + pki.uri(pki.node(QM).uri),
        pki.dns(pki.node(QM).dns) + pki.uri(pki.node(QM).uri) + pki.address("192.0.2.1"),
        pki.uri(pki.node(QM).uri) + pki.dns(pki.node(QM).dns),
        pki.dns(pki.node(QM).dns),
        pki.uri(pki.node(QM).uri),
        pki.dns("localhost"),
    ],
)
def test_a_node_has_exactly_its_dns_name_and_its_uri(names):
    der = forged_node(extensions=((x509.SubjectAlternativeName(names), True),))

    with pytest.raises(REFUSED):
        verify_node(der)
    with pytest.raises(REFUSED):
        identify(der)


def test_an_officers_uri_of_another_party_is_refused_although_dns_constraints_leave_it_free():
    der = forged_officer(pki.party_ca(QM), name=pki.officer(QN))

    for party in (QM, QN):
        with pytest.raises(REFUSED):
            officer_of(der, party=party)


def test_the_ca_of_one_party_is_no_anchor_for_another():
    der = forged_officer(pki.party_ca(QM), name=pki.officer(QN))

    with pytest.raises(Unauthentic, match="not a Party CA"):
        verify_officer(der, ca=pki.party_ca(QM).certificate, party=QN, domain=DOMAIN, at=NOW)


def test_a_party_that_the_directory_does_not_list_is_nobody():
    qo = PartyId("qo")

    with pytest.raises(Unauthentic, match="pins no CA"):
        identify(pki.node_certificate(pki.node(qo), ca=pki.party_ca(qo)))


def test_both_cas_of_a_party_count_while_it_changes_them():
    successor_key = pki.key("successor")
    successor = Authority(
        certificate=make_successor_ca(key=successor_key, party=QM, domain=DOMAIN, now=NOW, entropy=pki.entropy), key=successor_key
    )
    anchors = {QM: [pki.party_ca(QM).certificate, successor.certificate]}

    for ca in (pki.party_ca(QM), successor):
        assert identify_peer(pki.node_certificate(ca=ca), anchors=anchors, domain=DOMAIN, now=NOW) == pki.node()


def test_a_leaf_does_not_sign_for_others():
    leaf = Authority(certificate=pki.node_certificate(), key=pki.key(f"node {pki.node().dns}"))

    with pytest.raises(Unauthentic):
        identify(forged_node(leaf))


def test_a_name_in_the_issuer_field_is_not_a_signature():
    stranger = Authority(certificate=pki.party_ca(QM).certificate, key=pki.key("stranger"))
    right_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(pki.party_ca(QM).key.public_key())

    with pytest.raises(Unauthentic, match="not signed by the expected CA"):
        verify_node(forged_node(stranger, extensions=((right_identifier, False),)))


# --- roles ---------------------------------------------------------------------------------------------------------


def test_an_officer_certificate_is_no_node():
    for der in (pki.officer_certificate(), forged_officer(public_key=P256)):
        with pytest.raises(REFUSED):
            verify_node(der)
        with pytest.raises(REFUSED):
            identify(der)


def test_a_node_certificate_is_no_officer():
    with pytest.raises(REFUSED):
        officer_of(pki.node_certificate())
    with pytest.raises(REFUSED):
        officer_of(forged_node(name=pki.node(), public_key=ED25519))


def test_the_certificate_of_the_join_port_is_no_node():
    name = pki.node(None, "join")
    request = make_request(pki.key("join"))
    der = issuing.issue_join_certificate(request, name=name, ca=pki.party_ca(None), now=NOW, entropy=pki.entropy)

    with pytest.raises(REFUSED):
        identify(der)


@pytest.mark.parametrize(
    "uses",
    [
        [Use.SERVER_AUTH],
        [Use.CLIENT_AUTH],
        [Use.CLIENT_AUTH, Use.SERVER_AUTH],
        [Use.SERVER_AUTH, Use.CLIENT_AUTH, Use.CODE_SIGNING],
        [Use.ANY_EXTENDED_KEY_USAGE],
        [OFFICER_USE],
    ],
)
def test_a_node_has_exactly_the_two_tls_uses(uses):
    with pytest.raises(Unauthentic, match="differs in: extensions"):
        verify_node(forged_node(extensions=((x509.ExtendedKeyUsage(uses), True),)))


@pytest.mark.parametrize("uses", [[Use.CLIENT_AUTH], [OFFICER_USE, Use.CLIENT_AUTH], [Use.ANY_EXTENDED_KEY_USAGE]])
def test_an_officer_has_exactly_the_private_use(uses):
    with pytest.raises(Unauthentic, match="differs in: extensions"):
        officer_of(forged_officer(extensions=((x509.ExtendedKeyUsage(uses), True),)))


@pytest.mark.parametrize(
    "missing", [x509.ExtendedKeyUsage, x509.KeyUsage, x509.SubjectAlternativeName, x509.AuthorityKeyIdentifier]
)
def test_nothing_may_be_missing(missing):
    with pytest.raises(REFUSED):
        verify_node(forged_node(without=(missing,)))
    with pytest.raises(REFUSED):
        officer_of(forged_officer(without=(missing,)))


@pytest.mark.parametrize(
    "extension",
    [
        x509.BasicConstraints(ca=True, path_length=None),
        x509.BasicConstraints(ca=False, path_length=None),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
        x509.SubjectKeyIdentifier(b"k" * 20),
    ],
)
@pytest.mark.parametrize("critical", [True, False])
def test_nothing_may_be_added(extension, critical):
    with pytest.raises(REFUSED):
        verify_node(forged_node(extensions=((extension, critical),)))
    with pytest.raises(REFUSED):
        officer_of(forged_officer(extensions=((extension, critical),)))


@pytest.mark.parametrize("names", [pki.dns(pki.node().dns), [x509.RFC822Name("officer@example.org")], pki.address("192.0.2.1")])
def test_an_officer_has_no_other_name_beside_the_uri(names):
    names = x509.SubjectAlternativeName(pki.uri(pki.officer().uri) + names)

    with pytest.raises(REFUSED):
        officer_of(forged_officer(extensions=((names, True),)))


def test_a_certificate_of_an_officer_names_no_person():
    with pytest.raises(Unauthentic, match="differs in: subject"):
        officer_of(forged_officer(subject=pki.common_name("A. Person")))


@pytest.mark.parametrize("public_key", [ED25519, RSA, P384])
def test_a_node_has_a_p256_key(public_key):
    with pytest.raises(Unauthentic, match="differs in: key"):
        verify_node(forged_node(public_key=public_key))


@pytest.mark.parametrize("public_key", [P256, RSA, P384])
def test_an_officer_has_an_ed25519_key(public_key):
    with pytest.raises(Unauthentic, match="differs in: key"):
        officer_of(forged_officer(public_key=public_key))


def test_an_officer_key_that_signs_everything_is_refused():
    neutral = ed25519.Ed25519PublicKey.from_public_bytes(b"\x01" + bytes(31))

    with pytest.raises(Unauthentic):
        officer_of(forged_officer(public_key=neutral))


# --- times ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verify", [lambda at: verify_node(forged_node(), now=at), lambda at: officer_of(forged_officer(), at=at)]
)
def test_a_certificate_is_good_to_the_second(verify):
    first, last = NOW - limits.CERTIFICATE_BACKDATE_S, NOW + 3_600

    verify(first)
    verify(last)
    verify(last + 0.9)
    for at in (first - 1, last + 1, 0, 2.0**80, -(2.0**80), math.inf, math.nan):
        with pytest.raises(Unauthentic, match=r"is valid from 2027-01-15 07:00:00 UTC to 2027-01-15 09:00:00 UTC, not at "):
            verify(at)


def test_a_certificate_that_was_good_a_moment_ago_is_not_remembered_as_good():
    der = pki.officer_certificate()
    last = officer_of(der).window.not_after

    officer_of(der, at=last)
    with pytest.raises(Unauthentic):
        officer_of(der, at=last + 1)


def test_a_leaf_is_no_longer_good_than_its_ca():
    signer = Authority(certificate=forged_ca(public_key=pki.key("short").public_key(), not_after=NOW + 100), key=pki.key("short"))
    der = forged_node(signer)

    verify_node_certificate(der, ca=signer.certificate, party=QM, domain=DOMAIN, now=NOW + 100)
    with pytest.raises(Unauthentic):
        verify_node_certificate(der, ca=signer.certificate, party=QM, domain=DOMAIN, now=NOW + 101)


def test_a_leaf_from_after_the_end_of_its_ca_is_never_good():
    signer = Authority(certificate=forged_ca(public_key=pki.key("short").public_key(), not_after=NOW + 100), key=pki.key("short"))
    der = forged_node(signer, not_before=NOW + 200)

    with pytest.raises(Unauthentic, match="never valid at the same time"):
        verify_node_certificate(der, ca=signer.certificate, party=QM, domain=DOMAIN, now=NOW + 300)


@pytest.mark.parametrize(
    ("life_s", "check"),
    [
        (limits.NODE_CERTIFICATE_LIFE_S, lambda end: verify_node(forged_node(not_after=end))),
        (limits.OFFICER_CERTIFICATE_LIFE_S, lambda end: officer_of(forged_officer(not_after=end))),
        (limits.PARTY_CA_LIFE_S, lambda end: admit(forged_ca(not_after=end))),
    ],
)
def test_nothing_lives_longer_than_its_kind_because_there_is_no_revocation_list(life_s, check):
    check(NOW + life_s)
    with pytest.raises(Unauthentic, match="differs in: life"):
        check(NOW + life_s + 1)


# --- Party CAs -----------------------------------------------------------------------------------------------------


def below(*names):
    return x509.NameConstraints(pki.dns(*names), None)


@pytest.mark.parametrize(
    "extension",
    [
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.BasicConstraints(ca=True, path_length=1), True),
        (x509.BasicConstraints(ca=True, path_length=0), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (below("qm.nodes.gsp.example.org"), False),
        (below("qn.nodes.gsp.example.org"), True),
        (below("nodes.gsp.example.org"), True),
        (below("qm.nodes.gsp.example.org", "qn.nodes.gsp.example.org"), True),
        (below(".qm.nodes.gsp.example.org"), True),
        (x509.NameConstraints(None, pki.dns("qn.nodes.gsp.example.org")), True),
        (x509.NameConstraints(pki.dns("qm.nodes.gsp.example.org") + pki.uri("qm.nodes.gsp.example.org"), None), True),
        (x509.ExtendedKeyUsage([Use.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(pki.dns("qm.nodes.gsp.example.org")), False),
    ],
)
def test_a_party_ca_has_its_shape_and_no_other(extension):
    der = forged_ca(extensions=(extension,))

    with pytest.raises(Unauthentic, match="differs in: extensions"):
        admit(der)
    with pytest.raises(Unauthentic, match="differs in: extensions"):
        read_pinned_ca(der, party=QM, domain=DOMAIN)


@pytest.mark.parametrize("missing", [x509.NameConstraints, x509.BasicConstraints, x509.KeyUsage, x509.SubjectKeyIdentifier])
def test_a_party_ca_lacks_nothing(missing):
    with pytest.raises(Unauthentic):
        admit(forged_ca(without=(missing,)))


@pytest.mark.parametrize("public_key", [ED25519, RSA, P384])
def test_a_party_ca_has_a_p256_key(public_key):
    with pytest.raises(Unauthentic, match="differs in: key"):
        admit(forged_ca(public_key=public_key))


def test_the_ca_of_one_party_is_not_admitted_for_another():
    with pytest.raises(Unauthentic):
        admit(pki.party_ca(QM).certificate, party=QN)


def test_a_party_ca_under_a_root_of_the_same_name_is_not_admitted():
    other = Authority(
        certificate=issuing.make_root(key=issuing.root_key_from_seed(pki.seed("evil")), now=NOW, entropy=pki.entropy),
        key=issuing.root_key_from_seed(pki.seed("evil")),
    )

    with pytest.raises(Unauthentic):
        admit(pki.party_ca().certificate, root=other.certificate)


def test_a_party_ca_is_not_admitted_when_its_issuer_signed_itself():
    evil_key = pki.key("evil")
    evil = Authority(certificate=pki.root().certificate, key=evil_key)
    issuer = Authority(certificate=forge(issuing_profile(DOMAIN), evil, public_key=evil_key.public_key()), key=evil_key)

    with pytest.raises(Unauthentic):
        admit(forged_ca(issuer), issuing_ca=issuer.certificate)


def test_the_root_signs_no_party_ca_itself():
    der = forged_ca(pki.root())

    with pytest.raises(Unauthentic):
        admit(der)
    with pytest.raises(Unauthentic):
        admit(der, issuing_ca=pki.root().certificate)


def test_a_p256_root_is_no_treaty_root():
    weak = pki.key("weak")
    signer = Authority(certificate=pki.root().certificate, key=weak)

    with pytest.raises(Unauthentic, match="differs in: key"):
        admit(pki.party_ca().certificate, root=forge(root_profile(), signer, public_key=weak.public_key()))


def test_a_party_ca_is_admitted_while_its_whole_chain_is_valid():
    admit(pki.party_ca().certificate, now=NOW + limits.PARTY_CA_LIFE_S)
    for now in (NOW + limits.PARTY_CA_LIFE_S + 1, NOW - limits.CERTIFICATE_BACKDATE_S - 1):
        with pytest.raises(Unauthentic):
            admit(pki.party_ca().certificate, now=now)


def test_a_party_makes_the_successor_of_its_ca_without_anybody():
    der = make_successor_ca(key=pki.key("successor"), party=QM, domain=DOMAIN, now=NOW, entropy=pki.entropy)

    assert read_successor_ca(der, party=QM, domain=DOMAIN, now=NOW).party == QM
    for party, now in ((QN, NOW), (QM, NOW + limits.PARTY_CA_LIFE_S + 1)):
        with pytest.raises(Unauthentic):
            read_successor_ca(der, party=party, domain=DOMAIN, now=now)
    with pytest.raises(Unauthentic):
        admit(der)


def test_a_successor_that_another_key_signed_is_refused():
    signer = Authority(certificate=pki.party_ca(QM).certificate, key=pki.key("stranger"))
    der = forge(party_profile(QM, DOMAIN), signer, without=(x509.AuthorityKeyIdentifier,))

    with pytest.raises(Unauthentic, match="not signed by the expected CA"):
        read_successor_ca(der, party=QM, domain=DOMAIN, now=NOW)
    with pytest.raises(Unauthentic):
        read_successor_ca(pki.party_ca(QM).certificate, party=QM, domain=DOMAIN, now=NOW)


# --- sizes ---------------------------------------------------------------------------------------------------------


def test_what_is_larger_than_any_certificate_is_not_parsed():
    large = bytes(limits.CERTIFICATE_BYTES_MAX + 1)

    with pytest.raises(Oversized):
        verify_node(large)
    with pytest.raises(Oversized):
        from_pem(large * 2)


def test_a_certificate_with_a_tail_is_malformed():
    with pytest.raises(Malformed):
        verify_node(pki.node_certificate() + b"\0")


def test_a_hash_weaker_than_the_key_of_the_ca_is_refused():
    weak = forge(issuing_profile(DOMAIN), pki.root(), public_key=pki.key("issuing").public_key(), algorithm=hashes.SHA256())

    with pytest.raises(Unauthentic, match="differs in: signature algorithm"):
        admit(pki.party_ca().certificate, issuing_ca=weak)
