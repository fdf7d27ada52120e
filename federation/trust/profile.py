"""What each kind of certificate looks like, to the last extension. Making and reading use the same tables.

A certificate here has exactly the extensions of its profile: one more, one less, another value or another criticality, and it is
refused. So nothing depends on how somebody else's verifier treats an extension that is missing (gRPC accepts a client without
extended key usage) or that it does not constrain (URI names are free under DNS name constraints).

    root          P-384    path length 2
    issuing CA    P-256    path length 1    names below nodes.<domain>
    Party CA      P-256    path length 0    names below <party>.nodes.<domain>         the only TLS anchor
    node          P-256    server and client authentication, one DNS name, one URI
    officer       Ed25519  one private use, one URI; the subject is empty, so that no person's name has a place

Who signs what, and when it is valid, is in `issuing` and `certificate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from federation import limits
from federation.identity import NodeName, OfficerName, PartyId, check_domain, trust_domain

OFFICER_USE: Final = x509.ObjectIdentifier("2.25.312348327928413784295903080659887231187")
"""The private extended key usage of officers, in the arc that needs no registration (ITU-T X.667: a random UUID)."""

Extensions = Mapping[x509.ObjectIdentifier, tuple[x509.ExtensionType, bool]]
"""Extension and whether it is critical, by object identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of certificate.

    Attributes:
        title: the kind in words, for messages.
        subject: the common name; None for an empty subject.
        curve: the curve of the subject's key; None for Ed25519.
        life_s: the longest life in seconds, without the backdating.
        own: the extensions that do not depend on keys.
    """

    title: str
    subject: str | None
    curve: type[ec.EllipticCurve] | None
    life_s: int
    own: tuple[tuple[x509.ExtensionType, bool], ...]

    @property
    def name(self) -> x509.Name:
        """The subject as X.509 has it."""
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.subject)] if self.subject is not None else [])

    def extensions(self, key: CertificatePublicKeyTypes, issuer_key: ec.EllipticCurvePublicKey | None) -> Extensions:
        """All extensions for these keys: a CA names its own key; what another key signed names that key (None: not known)."""
        wanted = list(self.own)
        if self.subject is not None:
            wanted.append((x509.SubjectKeyIdentifier.from_public_key(key), False))
        if issuer_key is not None and issuer_key != key:
            wanted.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), False))
        return {value.oid: (value, critical) for value, critical in wanted}


def is_expected_key(key: object, curve: type[ec.EllipticCurve] | None) -> bool:
    """Whether a public key is on this curve; None stands for Ed25519."""
    if curve is None:
        return isinstance(key, ed25519.Ed25519PublicKey)
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, curve)


def signature_hash(issuer_key: object) -> hashes.SHA256 | hashes.SHA384:
    """The hash that a CA signs with: as strong as its curve."""
    return hashes.SHA384() if is_expected_key(issuer_key, ec.SECP384R1) else hashes.SHA256()


def root_profile() -> Profile:
    """The treaty root: offline, in no TLS trust store."""
    return _authority(
        title="treaty root", subject="Treaty root", curve=ec.SECP384R1, life_s=limits.ROOT_LIFE_S, below=2, names=None
    )


def issuing_profile(domain: str) -> Profile:
    """The Secretariat's CA, which signs Party CAs and its own node CA."""
    names = f"nodes.{check_domain(domain)}"
    return _authority(
        title="issuing CA", subject="Issuing CA", curve=ec.SECP256R1, life_s=limits.ISSUING_CA_LIFE_S, below=1, names=names
    )


def party_profile(party: PartyId | None, domain: str) -> Profile:
    """A Party's CA, or the Secretariat's node CA when there is no Party."""
    return _authority(
        title="Party CA" if party is not None else "Secretariat's node CA",
        subject=f"Party {party}" if party is not None else "Secretariat",
        curve=ec.SECP256R1,
        life_s=limits.PARTY_CA_LIFE_S,
        below=0,
        names=trust_domain(party, check_domain(domain)),
    )


def node_profile(name: NodeName) -> Profile:
    """A node's TLS certificate: gRPC offers no Ed25519, and accepts a client without extended key usage."""
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    names = [x509.DNSName(name.dns), x509.UniformResourceIdentifier(name.uri)]
    return _leaf(title="node certificate", curve=ec.SECP256R1, life_s=limits.NODE_CERTIFICATE_LIFE_S, uses=uses, names=names)


def join_profile(name: NodeName) -> Profile:
    """The certificate of the join port: it serves, has no URI, and is no node's."""
    return _leaf(
        title="certificate of a join port",
        curve=ec.SECP256R1,
        life_s=limits.JOIN_CERTIFICATE_LIFE_S,
        uses=[ExtendedKeyUsageOID.SERVER_AUTH],
        names=[x509.DNSName(name.dns)],
    )


def officer_profile(name: OfficerName) -> Profile:
    """An officer's signing certificate; its one private use keeps it out of TLS."""
    return _leaf(
        title="officer certificate",
        curve=None,
        life_s=limits.OFFICER_CERTIFICATE_LIFE_S,
        uses=[OFFICER_USE],
        names=[x509.UniformResourceIdentifier(name.uri)],
    )


def _leaf(
    *,
    title: str,
    curve: type[ec.EllipticCurve] | None,
    life_s: int,
    uses: list[x509.ObjectIdentifier],
    names: list[x509.GeneralName],
) -> Profile:
    own: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (_key_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage(uses), True),
        (x509.SubjectAlternativeName(names), True),  # critical, as RFC 5280 wants it beside an empty subject
    )
    return Profile(title=title, subject=None, curve=curve, life_s=life_s, own=own)


def _authority(*, title: str, subject: str, curve: type[ec.EllipticCurve], life_s: int, below: int, names: str | None) -> Profile:
    own: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=below), True),
        (_key_usage(signs_certificates=True), True),
    ]
    if names is not None:
        own.append((x509.NameConstraints([x509.DNSName(names)], None), True))
    return Profile(title=title, subject=subject, curve=curve, life_s=life_s, own=tuple(own))


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
