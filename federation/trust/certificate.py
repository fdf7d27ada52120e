"""Reading certificates: who it is, from the bytes and the CA that is pinned for that Party. Nothing else decides.

Identity is the Party whose pinned CA verified the leaf; the role is the profile; the id is the URI, whose trust domain has to be
that Party's, because DNS name constraints leave URIs free. The treaty root is never an anchor for traffic:
it only admits a Party CA.

How one certificate is checked against another is in `chain`, the shapes are in `profile`, making is in `issuing`, and revocation
is the directory's. Times are Unix seconds UTC. Foreign bytes raise `Malformed` or `Unauthentic` and nothing else.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation import limits
from federation.errors import Oversized, Unauthentic
from federation.identity import SECRETARIAT, NodeName, OfficerName, PartyId, parse_node_uri, parse_officer_uri, party_id
from federation.trust.chain import Window, foreign_bytes, load_certificate, read_anchor, verify_link, window_of
from federation.trust.keys import check_public_key
from federation.trust.profile import issuing_profile, node_profile, officer_profile, party_profile, root_profile


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyCa:
    """A Party's CA, fit to be pinned.

    Attributes:
        party: whose it is; None for the Secretariat's node CA.
        public_key_info: DER of the SubjectPublicKeyInfo.
        window: when it is valid itself; what it signed may end earlier.
        der: the certificate.
    """

    party: PartyId | None
    public_key_info: bytes
    window: Window
    der: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """An officer as the certificate shows one.

    Attributes:
        name: Party and opaque id.
        public_key: Ed25519, 32 bytes.
        window: when both the certificate and its CA are valid.
    """

    name: OfficerName
    public_key: bytes
    window: Window


def certificate_hash(der: bytes) -> bytes:
    """SHA-256 of the certificate's exact bytes: fit to say which bytes were used, not to revoke by.

    Of an ECDSA signature anybody can make a second one, and so a second hash of the same certificate (s and n - s both verify).
    """
    return hashlib.sha256(der).digest()


def read_party_ca(der: bytes, *, party: PartyId | None, domain: str, issuing_ca: bytes, root: bytes, now: float) -> PartyCa:
    """Read a CA that the Secretariat signed for a Party, up to the treaty root.

    Being issued under the root admits nobody: the founders' and the Party's own signatures do.

    Args:
        der: the Party CA.
        party: for whom it is said to be; None for the Secretariat's node CA.
        domain: the treaty's domain.
        issuing_ca: DER of the Secretariat's issuing CA.
        root: DER of the treaty root, as the genesis entry has it.
        now: when all three have to be valid.

    Raises:
        Malformed: bytes that are no certificate.
        Unauthentic: another chain, shape, name or time.
    """
    read_issuing_ca(issuing_ca, root=root, domain=domain, now=now)
    ca = load_certificate(der)
    verify_link(ca, load_certificate(issuing_ca), party_profile(party, domain)).require(now)
    return _party_ca(ca, party)


def read_issuing_ca(der: bytes, *, root: bytes, domain: str, now: float) -> None:
    """See that a CA may admit Parties: signed by the treaty root, of the right shape, valid now.

    Raises:
        Malformed: bytes that are no certificate.
        Unauthentic: another chain, shape, name or time.
    """
    for window in _issuing(der, root, domain):
        window.require(now)


def read_successor_ca(der: bytes, *, party: PartyId | None, domain: str, now: float) -> PartyCa:
    """Read a CA that a Party made for itself to follow an earlier one: signed by its own key, announced in the directory.

    Only admission needs the treaty root, so that nobody can keep a Party from changing its keys.

    Raises:
        Malformed: bytes that are no certificate.
        Unauthentic: another shape, name or time, or not signed by its own key.
    """
    certificate = load_certificate(der)
    verify_link(certificate, certificate, party_profile(party, domain)).require(now)
    return _party_ca(certificate, party)


def read_pinned_ca(der: bytes, *, party: PartyId | None, domain: str) -> PartyCa:
    """Read a CA whose exact bytes are known already, such as the Secretariat's in the genesis entry: its shape and its name.

    Every use of an anchor begins like this, so that the CA of one Party is never taken for another's: it would constrain names
    that nobody asks about.

    Raises:
        Malformed: bytes that are no certificate.
        Unauthentic: another shape or name.
    """
    return _party_ca(read_anchor(der, party_profile(party, domain)), party)


def verify_node_certificate(der: bytes, *, ca: bytes, party: PartyId | None, domain: str, now: float) -> NodeName:
    """Give the node that a TLS certificate names, verified by the pinned CA of its Party.

    Args:
        der: the leaf.
        ca: DER of the Party CA, from the accepted directory.
        party: whose CA that is; None for the Secretariat's.
        domain: the treaty's domain.
        now: when both have to be valid.

    Raises:
        Malformed: bytes that are no certificate, or a name that is none.
        Unauthentic: another issuer, shape, trust domain or time.
    """
    name, window = _node(der, ca, party, domain)
    window.require(now)
    return name


def verify_officer(der: bytes, *, ca: bytes, party: PartyId, domain: str, at: float) -> Officer:
    """Give the officer that a signing certificate names, verified by the pinned CA of the Party.

    Args:
        der: the officer's certificate.
        ca: DER of the Party CA, from the accepted directory.
        party: whose CA that is.
        domain: the treaty's domain.
        at: when both have to be valid: the time of receipt, or of the receipt in a proof.

    Raises:
        Malformed: bytes that are no certificate, or a name that is none.
        Unauthentic: another issuer, shape, trust domain or time.
    """
    officer = _officer(der, ca, party, domain)
    officer.window.require(at)
    return officer


def verify_officer_of(der: bytes, *, cas: Sequence[bytes], party: PartyId, domain: str, at: float) -> Officer:
    """As `verify_officer`, with any of the CAs of the Party that stand: there are two during a change.

    Raises:
        Malformed: bytes that are no certificate, or a name that is none.
        Unauthentic: none of the CAs verifies it.
    """
    refusal = Unauthentic("the directory pins no CA for the Party of this officer")
    for ca in reversed(cas):
        try:
            return verify_officer(der, ca=ca, party=party, domain=domain, at=at)
        except Unauthentic as reason:
            refusal = reason
    raise refusal


def identify_peer(der: bytes, *, anchors: Mapping[PartyId | None, Sequence[bytes]], domain: str, now: float) -> NodeName:
    """Say which node presents this TLS certificate: the one whose Party's pinned CA verifies it.

    The name in the certificate only chooses which anchors are tried.

    Args:
        der: the leaf; what else came in the handshake has no say.
        anchors: for each Party in the accepted directory (None: the Secretariat) its CAs in DER, two during a change of CA.
        domain: the treaty's domain.
        now: when leaf and anchor have to be valid.

    Raises:
        Malformed: bytes that are no certificate, or a name that is none.
        Unauthentic: no pinned CA of the named Party verifies it.
    """
    party = _claimed_party(der, domain)
    refusal = Unauthentic("the directory pins no CA for the Party that this certificate names")
    for anchor in anchors.get(party, ()):
        try:
            return verify_node_certificate(der, ca=anchor, party=party, domain=domain, now=now)
        except Unauthentic as reason:
            refusal = reason
    raise refusal


def to_pem(der: bytes) -> bytes:
    """A certificate as TLS libraries take it.

    Raises:
        Malformed: bytes that are no certificate.
    """
    return load_certificate(der).public_bytes(Encoding.PEM)


def from_pem(pem: bytes) -> bytes:
    """DER of the first certificate in a PEM text.

    Raises:
        Malformed: there is none.
    """
    if len(pem) > 2 * limits.CERTIFICATE_BYTES_MAX:
        raise Oversized("the certificate is larger than any of ours")
    with foreign_bytes("this is not a certificate in PEM"):
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


# Remembered is what each call would find again. A failure is not, so whoever sends rubbish pushes no verified certificate out.


@functools.lru_cache(maxsize=limits.ISSUERS_MAX * 4)  # every admission asks for the same one
def _issuing(der: bytes, root: bytes, domain: str) -> tuple[Window, Window]:
    anchor, issuing = load_certificate(root), load_certificate(der)
    return verify_link(anchor, anchor, root_profile()), verify_link(issuing, anchor, issuing_profile(domain))


@functools.lru_cache(maxsize=limits.VERIFIED_CERTIFICATES_MAX)
def _node(der: bytes, ca: bytes, party: PartyId | None, domain: str) -> tuple[NodeName, Window]:
    leaf, anchor = load_certificate(der), read_anchor(ca, party_profile(party, domain))
    name = parse_node_uri(_uri(leaf), party=party, domain=domain)
    return name, verify_link(leaf, anchor, node_profile(name))


@functools.lru_cache(maxsize=limits.VERIFIED_CERTIFICATES_MAX)
def _officer(der: bytes, ca: bytes, party: PartyId, domain: str) -> Officer:
    leaf, anchor = load_certificate(der), read_anchor(ca, party_profile(party, domain))
    name = parse_officer_uri(_uri(leaf), party=party, domain=domain)
    window = verify_link(leaf, anchor, officer_profile(name))
    key = leaf.public_key()
    assert isinstance(key, ed25519.Ed25519PublicKey)  # the profile says so
    return Officer(name=name, public_key=check_public_key(key.public_bytes_raw()), window=window)


def _party_ca(certificate: x509.Certificate, party: PartyId | None) -> PartyCa:
    return PartyCa(
        party=party,
        public_key_info=certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        window=window_of(certificate),
        der=certificate.public_bytes(Encoding.DER),
    )


@functools.lru_cache(maxsize=limits.VERIFIED_CERTIFICATES_MAX)
def _claimed_party(der: bytes, domain: str) -> PartyId | None:
    """The Party whose anchors are to be tried; a claim, until one of them verifies the certificate."""
    trust_domain = _uri(load_certificate(der)).removeprefix("spiffe://").partition("/")[0]
    label = trust_domain.removesuffix(f".nodes.{domain}")
    return None if label == SECRETARIAT else party_id(label)


def _uri(certificate: x509.Certificate) -> str:
    """The one URI among the certificate's names; the profile sees to the other names."""
    with foreign_bytes():
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (uri,) = names.get_values_for_type(x509.UniformResourceIdentifier)
    return uri
