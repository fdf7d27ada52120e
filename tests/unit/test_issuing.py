from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from federation import limits
from federation.errors import Conflict, InvalidInput, Malformed, Oversized, Unauthentic
from federation.trust import issuing
from federation.trust.chain import window_of
from federation.trust.issuing import Authority, key_from_seed, key_to_pem, make_request, read_request, root_key_from_seed
from tests.support import pki
from tests.support.pki import DOMAIN, NOW, QM, QN

SHA256 = hashes.SHA256()
MINUS_ONE_HOUR = NOW - limits.CERTIFICATE_BACKDATE_S


def parsed(der):
    return x509.load_der_x509_certificate(der)


def point(key):
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def request_with(key, *, algorithm=SHA256):
    builder = x509.CertificateSigningRequestBuilder().subject_name(pki.common_name("Party qn"))
    names = x509.SubjectAlternativeName(pki.dns("one.qn.nodes.gsp.example.org") + pki.uri(pki.node(QN).uri))
    builder = builder.add_extension(names, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("make", "life_s"),
    [
        (lambda: pki.root().certificate, limits.ROOT_LIFE_S),
        (lambda: pki.issuing_ca().certificate, limits.ISSUING_CA_LIFE_S),
        (lambda: pki.party_ca(QM).certificate, limits.PARTY_CA_LIFE_S),
        (lambda: pki.party_ca(None).certificate, limits.PARTY_CA_LIFE_S),
        (pki.node_certificate, limits.NODE_CERTIFICATE_LIFE_S),
        (pki.officer_certificate, limits.OFFICER_CERTIFICATE_LIFE_S),
    ],
)
def test_a_certificate_is_valid_from_an_hour_ago_to_the_end_of_its_kinds_life(make, life_s):
    window = window_of(parsed(make()))

    assert (window.not_before, window.not_after) == (MINUS_ONE_HOUR, NOW + life_s)


def test_fractions_of_a_second_change_nothing():
    assert pki.node_certificate(now=NOW + 0.75) == pki.node_certificate(now=NOW)


def test_nothing_outlives_the_ca_that_signed_it():
    last_day = NOW + limits.PARTY_CA_LIFE_S - 86_400

    assert window_of(parsed(pki.officer_certificate(now=last_day))).not_after == NOW + limits.PARTY_CA_LIFE_S


def test_a_ca_signs_on_its_last_second_and_not_after():
    last = NOW + limits.PARTY_CA_LIFE_S

    pki.node_certificate(now=last)
    with pytest.raises(Conflict, match="expired"):
        pki.node_certificate(now=last + 1)


def test_the_same_seeds_give_the_same_bytes():
    pki.party_ca.cache_clear()
    first = pki.party_ca(QM)
    pki.party_ca.cache_clear()

    assert pki.party_ca(QM).certificate == first.certificate
    assert pki.node_certificate() == pki.node_certificate()


@pytest.mark.parametrize("byte", [0x00, 0x7F, 0xFF])
def test_serial_numbers_are_positive_and_of_one_length(byte):
    der = issuing.make_root(key=pki.root().key, now=NOW, entropy=lambda size: bytes([byte]) * size)

    assert parsed(der).serial_number.bit_length() == 127


def test_names_in_a_request_are_ignored():
    der = issuing.issue_node_certificate(
        request_with(pki.key("node")), name=pki.node(QM), ca=pki.party_ca(QM), now=NOW, entropy=pki.entropy
    )
    ca = issuing.issue_party_ca(
        request_with(pki.key("ca")), party=QM, issuer=pki.issuing_ca(), domain=DOMAIN, now=NOW, entropy=pki.entropy
    )

    names = parsed(der).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == pki.dns(pki.node(QM).dns) + pki.uri(pki.node(QM).uri)
    assert parsed(der).subject == x509.Name([])
    assert parsed(ca).subject == pki.common_name("Party qm")
    with pytest.raises(x509.ExtensionNotFound):
        parsed(ca).extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_request_proves_possession():
    ours, theirs = pki.key("ours"), pki.key("theirs")
    request = make_request(ours)
    stolen = request.replace(point(ours), point(theirs))

    assert read_request(request) == ours.public_key()
    assert stolen != request
    with pytest.raises(Unauthentic):
        read_request(stolen)


@pytest.mark.parametrize(
    "key",
    [
        pki.root().key,
        ed25519.Ed25519PrivateKey.from_private_bytes(pki.seed("edwards")),
        rsa.generate_private_key(65_537, 2_048),
    ],
)
def test_a_request_with_a_key_of_another_kind_is_refused(key):
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256

    with pytest.raises(Unauthentic):
        read_request(request_with(key, algorithm=algorithm))


def test_what_is_no_request_is_malformed():
    for junk in (b"", b"\x30\x00", pki.node_certificate(), make_request(pki.key("ours")) + b"\0"):
        with pytest.raises(Malformed):
            read_request(junk)
    with pytest.raises(Oversized):
        read_request(bytes(limits.CERTIFICATE_BYTES_MAX + 1))


def test_a_request_names_nobody():
    request = x509.load_der_x509_csr(make_request(pki.key("ours")))

    assert request.subject == x509.Name([])
    assert not list(request.extensions)
    assert make_request(pki.key("ours")) == request.public_bytes(Encoding.DER)


def test_a_ca_signs_for_its_own_party_only():
    with pytest.raises(Unauthentic):
        pki.node_certificate(pki.node(QN), ca=pki.party_ca(QM))
    with pytest.raises(Unauthentic):
        pki.officer_certificate(pki.officer(QN), ca=pki.party_ca(QM))
    with pytest.raises(Unauthentic):
        pki.node_certificate(ca=pki.issuing_ca())


def test_only_the_issuing_ca_signs_party_cas_and_only_the_root_signs_it():
    request = make_request(pki.key("ca"))

    for issuer in (pki.root(), pki.party_ca(QM)):
        with pytest.raises(Unauthentic):
            issuing.issue_party_ca(request, party=QM, issuer=issuer, domain=DOMAIN, now=NOW, entropy=pki.entropy)
    with pytest.raises(Unauthentic):
        issuing.make_issuing_ca(request, root=pki.issuing_ca(), domain=DOMAIN, now=NOW, entropy=pki.entropy)


def test_a_key_does_not_sign_in_the_name_of_another_ca():
    mixed = Authority(certificate=pki.party_ca(QM).certificate, key=pki.key("another"))

    with pytest.raises(Conflict, match="do not belong together"):
        pki.node_certificate(ca=mixed)


@pytest.mark.parametrize(("public_key", "error"), [(b"", Malformed), (bytes(31), Malformed), (bytes(32), Unauthentic)])
def test_an_officer_key_that_is_none_gets_no_certificate(public_key, error):
    with pytest.raises(error):
        issuing.issue_officer_certificate(public_key, name=pki.officer(), ca=pki.party_ca(), now=NOW, entropy=pki.entropy)


def test_keys_come_from_seeds_and_stay_the_same():
    key = key_from_seed(bytes(32))

    assert isinstance(key.curve, ec.SECP256R1)
    assert isinstance(root_key_from_seed(bytes(32)).curve, ec.SECP384R1)
    assert key.public_key() == key_from_seed(bytes(32)).public_key()
    assert key.public_key() != key_from_seed(bytes(31) + b"\1").public_key()
    assert f"{key.private_numbers().private_value:064x}" == "804c7fdfc78a1218d1bd6ae22cc7e28ca6f41fd41656e19f5192f006bc2e66dc"


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_has_32_bytes(length):
    with pytest.raises(InvalidInput):
        key_from_seed(bytes(length))


def test_a_key_goes_to_the_tls_library_as_pkcs8():
    key = key_from_seed(bytes(32))
    pem = key_to_pem(key)

    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert load_pem_private_key(pem, None).public_key() == key.public_key()
