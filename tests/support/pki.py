"""A treaty's certificates from fixed seeds, and a forger who holds real keys and signs what the real programs would not."""

from __future__ import annotations

import functools
import hashlib
import ipaddress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from federation import limits
from federation.identity import NodeName, OfficerName, PartyId
from federation.trust import issuing
from federation.trust.issuing import Authority, key_from_seed, make_request, root_key_from_seed
from federation.trust.profile import Profile, signature_hash

DOMAIN = "gsp.example.org"
NOW = 1_800_000_000
QM, QN = PartyId("qm"), PartyId("qn")


def entropy(size: int) -> bytes:
    return hashlib.shake_256(b"serial").digest(size)


def seed(label: str) -> bytes:
    return hashlib.sha256(label.encode()).digest()


def key(label: str) -> ec.EllipticCurvePrivateKey:
    return key_from_seed(seed(label))


def officer_key(label: str = "officer") -> bytes:
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed(label)).public_key().public_bytes_raw()


def node(party: PartyId | None = QM, node_id: str = "one") -> NodeName:
    return NodeName(party=party, node_id=node_id, domain=DOMAIN)


def officer(party: PartyId = QM, officer_id: str = "k3v9x2mq") -> OfficerName:
    return OfficerName(party=party, officer_id=officer_id, domain=DOMAIN)


@functools.cache
def root(now: float = NOW) -> Authority:
    root_key = root_key_from_seed(seed("root"))
    return Authority(certificate=issuing.make_root(key=root_key, now=now, entropy=entropy), key=root_key)


@functools.cache
def issuing_ca(now: float = NOW) -> Authority:
    request = make_request(key("issuing"))
    certificate = issuing.make_issuing_ca(request, root=root(now), domain=DOMAIN, now=now, entropy=entropy)
    return Authority(certificate=certificate, key=key("issuing"))


@functools.cache
def party_ca(party: PartyId | None = QM, *, label: str = "party", now: float = NOW) -> Authority:
    ca_key = key(f"{label} {party}")
    request = make_request(ca_key)
    certificate = issuing.issue_party_ca(request, party=party, issuer=issuing_ca(now), domain=DOMAIN, now=now, entropy=entropy)
    return Authority(certificate=certificate, key=ca_key)


def node_certificate(name: NodeName | None = None, *, ca: Authority | None = None, now: float = NOW) -> bytes:
    name = name or node()
    request = make_request(key(f"node {name.dns}"))
    return issuing.issue_node_certificate(request, name=name, ca=ca or party_ca(name.party), now=now, entropy=entropy)


def officer_certificate(name: OfficerName | None = None, *, ca: Authority | None = None, now: float = NOW) -> bytes:
    name = name or officer()
    return issuing.issue_officer_certificate(officer_key(), name=name, ca=ca or party_ca(name.party), now=now, entropy=entropy)


@dataclass(frozen=True, kw_only=True)
class Forgery:
    """A certificate as its profile says, except for what is named here."""

    profile: Profile
    signer: Authority
    public_key: object = None
    subject: x509.Name | None = None
    issuer: x509.Name | None = None
    not_before: int = NOW - limits.CERTIFICATE_BACKDATE_S
    not_after: int = NOW + 3_600
    without: tuple[type[x509.ExtensionType], ...] = ()
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    algorithm: hashes.HashAlgorithm | None = None

    def sign(self) -> bytes:
        public_key = self.public_key or key("forger").public_key()
        signer_key = self.signer.key.public_key()
        wanted = dict(self.profile.extensions(public_key, signer_key))
        for kind in self.without:
            del wanted[kind.oid]
        wanted |= {value.oid: (value, critical) for value, critical in self.extensions}
        issuer = self.issuer if self.issuer is not None else x509.load_der_x509_certificate(self.signer.certificate).subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject if self.subject is not None else self.profile.name)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(1 << 100)
            .not_valid_before(datetime.fromtimestamp(self.not_before, tz=UTC))
            .not_valid_after(datetime.fromtimestamp(self.not_after, tz=UTC))
        )
        for value, critical in wanted.values():
            builder = builder.add_extension(value, critical)
        return builder.sign(self.signer.key, self.algorithm or signature_hash(signer_key)).public_bytes(Encoding.DER)


def forge(profile: Profile, signer: Authority, **changes: object) -> bytes:
    return replace(Forgery(profile=profile, signer=signer), **changes).sign()


def dns(*names: str) -> list[x509.GeneralName]:
    return [x509.DNSName(name) for name in names]


def uri(*names: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(name) for name in names]


def address(text: str) -> list[x509.GeneralName]:
    return [x509.IPAddress(ipaddress.ip_address(text))]


def common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
