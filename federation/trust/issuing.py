"""Making certificates: the root, the issuing CA, Party CAs, and what a Party's CA issues.

A name in a certificate comes from the arguments, which the caller took from a token's record or from its own roster; a request
(CSR) contributes a public key and the proof that somebody holds the private one, and every name in it is ignored.

Signatures are deterministic (RFC 6979) and serial numbers have one length, so that the same seed gives the same bytes.
Times are Unix seconds UTC, `entropy(n)` gives n unpredictable bytes. A CA's key may be any object with pyca's interface, such as
one in a hardware module. The shapes are in `profile`, reading is in `certificate`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation import limits
from federation.errors import Conflict, InvalidInput, Oversized, Unauthentic
from federation.identity import NodeName, OfficerName, PartyId
from federation.trust.chain import Window, foreign_bytes, read_anchor, window_of
from federation.trust.keys import check_public_key
from federation.trust.profile import (
    Profile,
    is_expected_key,
    issuing_profile,
    join_profile,
    node_profile,
    officer_profile,
    party_profile,
    root_profile,
    signature_hash,
)

Entropy = Callable[[int], bytes]

KEY_SEED_BYTES: Final = 32
_SERIAL_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A CA at work: its certificate and the key that signs.

    Attributes:
        certificate: DER.
        key: its private key, in memory or behind a hardware module.
    """

    certificate: bytes
    key: ec.EllipticCurvePrivateKey


def key_from_seed(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """Derive a P-256 key from 32 secret bytes, always the same one: what a keystore has to keep is the seed.

    Raises:
        InvalidInput: another length.
    """
    return _derive(seed, ec.SECP256R1())


def root_key_from_seed(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """Derive the P-384 key of a treaty root from 32 secret bytes.

    Raises:
        InvalidInput: another length.
    """
    return _derive(seed, ec.SECP384R1())


def key_to_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The private key as TLS libraries take it, unencrypted PKCS#8: for memory, never for a disk."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Make the CSR for a CA or a node: a public key and the proof that we hold its private half. It names nobody.

    Returns:
        DER of a PKCS #10 request (RFC 2986), the same bytes each time for one key in memory.
    """
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return request.sign(key, signature_hash(key.public_key()), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def read_request(csr: bytes) -> ec.EllipticCurvePublicKey:
    """Take the P-256 key from a CSR, after its proof of possession.

    Raises:
        Malformed: not a CSR.
        Unauthentic: the proof does not verify, or the key is of another kind.
    """
    if len(csr) > limits.CERTIFICATE_BYTES_MAX:
        raise Oversized("the certificate request is larger than any of ours")
    with foreign_bytes("this is not a certificate request"):
        request = x509.load_der_x509_csr(csr)
        key = request.public_key()
        proven = request.is_signature_valid
    if not proven or not isinstance(key, ec.EllipticCurvePublicKey) or not is_expected_key(key, ec.SECP256R1):
        raise Unauthentic("the certificate request does not prove possession of a P-256 key")
    return key


def make_root(*, key: ec.EllipticCurvePrivateKey, now: float, entropy: Entropy) -> bytes:
    """Make the treaty root over a P-384 key, in the ceremony that also makes the genesis entry."""
    return _self_signed(key, root_profile(), now, entropy)


def make_issuing_ca(csr: bytes, *, root: Authority, domain: str, now: float, entropy: Entropy) -> bytes:
    """Sign the Secretariat's issuing CA with the root.

    Raises:
        Malformed, Unauthentic: the request is refused, or the CA is another's.
        Conflict: the root is no longer valid.
    """
    return _issue(read_request(csr), issuing_profile(domain), root, under=root_profile(), now=now, entropy=entropy)


def issue_party_ca(csr: bytes, *, party: PartyId | None, issuer: Authority, domain: str, now: float, entropy: Entropy) -> bytes:
    """Sign a Party's CA; with no Party, the Secretariat's node CA.

    Args:
        csr: what the Party sent.
        party: from the record of the invitation, never from the request.
        issuer: the Secretariat's issuing CA.
        domain: the treaty's domain.
        now: the time of issue.
        entropy: for the serial number.

    Raises:
        Malformed, Unauthentic: the request is refused, or the CA is another's.
        Conflict: the issuing CA is no longer valid.
    """
    profile, under = party_profile(party, domain), issuing_profile(domain)
    return _issue(read_request(csr), profile, issuer, under=under, now=now, entropy=entropy)


def make_successor_ca(
    *, key: ec.EllipticCurvePrivateKey, party: PartyId | None, domain: str, now: float, entropy: Entropy
) -> bytes:
    """Make the CA that follows an earlier one of the same Party, signed by itself and announced by the Party's own entry."""
    return _self_signed(key, party_profile(party, domain), now, entropy)


def issue_node_certificate(csr: bytes, *, name: NodeName, ca: Authority, now: float, entropy: Entropy) -> bytes:
    """Sign a node's TLS certificate with the CA of its Party (or of the Secretariat: `name.party` is None).

    Raises:
        Malformed, Unauthentic: the request is refused, or the CA is another's.
        Conflict: the CA is no longer valid.
    """
    under = party_profile(name.party, name.domain)
    return _issue(read_request(csr), node_profile(name), ca, under=under, now=now, entropy=entropy)


def issue_join_certificate(csr: bytes, *, name: NodeName, ca: Authority, now: float, entropy: Entropy) -> bytes:
    """Sign the certificate of the Secretariat's join port: for TLS servers only, and known to those who join by its hash.

    It lives long, because a renewal spoils the join codes that are on their way.

    Raises:
        Malformed, Unauthentic: the request is refused, or the CA is another's.
        Conflict: the CA is no longer valid.
    """
    under = party_profile(name.party, name.domain)
    return _issue(read_request(csr), join_profile(name), ca, under=under, now=now, entropy=entropy)


def issue_officer_certificate(
    public_key: bytes,
    *,
    name: OfficerName,
    ca: Authority,
    now: float,
    entropy: Entropy,
    life_s: int = limits.OFFICER_CERTIFICATE_LIFE_S,
) -> bytes:
    """Sign an officer's certificate with the CA of the Party.

    Args:
        public_key: Ed25519, 32 bytes; the desk has seen the officer sign with it.
        name: Party and opaque id, chosen by the administrator.
        ca: the Party CA.
        now: the time of issue.
        entropy: for the serial number.
        life_s: how long it is valid, at most what the profile allows.

    Raises:
        Malformed, Unauthentic: the key is not one that an honest signer has, or the CA is another's.
        Conflict: the CA is no longer valid.
    """
    key = ed25519.Ed25519PublicKey.from_public_bytes(check_public_key(public_key))
    under = party_profile(name.party, name.domain)
    profile = replace(officer_profile(name), life_s=min(life_s, limits.OFFICER_CERTIFICATE_LIFE_S))
    return _issue(key, profile, ca, under=under, now=now, entropy=entropy)


def _issue(
    key: CertificatePublicKeyTypes, profile: Profile, issuer: Authority, *, under: Profile, now: float, entropy: Entropy
) -> bytes:
    """Sign. A CA signs only what is below its own kind and name, and nothing outlives the CA that signed it."""
    certificate = read_anchor(issuer.certificate, under)
    if certificate.public_key() != issuer.key.public_key():
        raise Conflict("the key and the certificate of the CA do not belong together", hint="take both from the same backup")
    limit = window_of(certificate)
    if now > limit.not_after:
        raise Conflict("the CA has expired and signs nothing any more", hint="make its successor first")
    return _sign(
        key, profile, issuer=certificate.subject, signer=issuer.key, life=_life(profile, now, limit.not_after), entropy=entropy
    )


def _self_signed(key: ec.EllipticCurvePrivateKey, profile: Profile, now: float, entropy: Entropy) -> bytes:
    return _sign(key.public_key(), profile, issuer=profile.name, signer=key, life=_life(profile, now, None), entropy=entropy)


def _sign(
    key: CertificatePublicKeyTypes,
    profile: Profile,
    *,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    life: Window,
    entropy: Entropy,
) -> bytes:
    builder = x509.CertificateBuilder().subject_name(profile.name).issuer_name(issuer).public_key(key)
    builder = builder.not_valid_before(_date(life.not_before)).not_valid_after(_date(life.not_after))
    builder = builder.serial_number(_serial(entropy))
    for value, critical in profile.extensions(key, signer.public_key()).values():
        builder = builder.add_extension(value, critical)
    certificate = builder.sign(signer, signature_hash(signer.public_key()), ecdsa_deterministic=True)
    return certificate.public_bytes(Encoding.DER)


def _life(profile: Profile, now: float, limit: int | None) -> Window:
    """From an hour ago, because clocks in ministries are wrong, to the end of the kind's life or the issuer's."""
    start = math.floor(now)
    end = start + profile.life_s
    return Window(not_before=start - limits.CERTIFICATE_BACKDATE_S, not_after=end if limit is None else min(end, limit))


def _serial(entropy: Entropy) -> int:
    """126 random bits below a fixed top bit: positive, and always of the same length."""
    return 1 << 126 | int.from_bytes(entropy(_SERIAL_BYTES), "big") >> 2


def _date(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _derive(seed: bytes, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    """Scalar from 512 bits modulo the order less one (FIPS 186-5, A.2.1), so that no scalar is likelier than another."""
    if len(seed) != KEY_SEED_BYTES:
        raise InvalidInput(
            f"the seed of a key has {KEY_SEED_BYTES} bytes, not {len(seed)}", hint="restore the keystore from its backup"
        )
    wide = hashlib.sha512(f"gsp/v1/key/{curve.name}\0".encode() + seed).digest()
    return ec.derive_private_key(int.from_bytes(wide, "big") % (curve.group_order - 1) + 1, curve)
