"""One link of a chain of certificates: is this one of that shape, and did that one sign it?

Signature, names and name constraints are checked by `cryptography.x509.verification`, always with a store of one certificate and
no intermediate; the shape is then compared with the profile, extension by extension. Both depend on bytes only, so a result may
be remembered; what it says about time is a window, and the time of use is compared with it at each use.

Who is believed to be whose anchor is decided in `certificate`, the shapes are in `profile`.
Times are Unix seconds UTC. Foreign bytes raise `Malformed` or `Unauthentic` and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification
from cryptography.x509.oid import ExtensionOID

from federation import limits
from federation.errors import FederationError, Malformed, Oversized, Unauthentic
from federation.trust.profile import Profile, is_expected_key, signature_hash

_ANY: Final = verification.ExtensionPolicy.permit_all()
"""What the extensions say is compared with the profile; the verifier accounts for all of them."""
_ANCHOR: Final = _ANY.require_present(x509.BasicConstraints, verification.Criticality.CRITICAL, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When something is valid: Unix seconds UTC, both ends included, as X.509 has it."""

    not_before: int
    not_after: int

    def require(self, now: float) -> None:
        """Pass inside the window.

        Raises:
            Unauthentic: too early or too late; the message has the dates, because one of the clocks is often the reason.
        """
        if not self.not_before <= now < self.not_after + 1:
            valid = f"from {utc_text(self.not_before)} to {utc_text(self.not_after)}"
            wanted = "compare the clocks of both nodes, and renew what has expired"
            raise Unauthentic(f"the certificate is valid {valid}, not at {utc_text(now)}", hint=wanted)

    def meet(self, other: Window) -> Window:
        """The time in both windows; it may be empty, and then no time is inside."""
        return Window(not_before=max(self.not_before, other.not_before), not_after=min(self.not_after, other.not_after))


def load_certificate(der: bytes) -> x509.Certificate:
    """Parse one certificate, strictly DER; most of it is parsed on use, which is why `foreign_bytes` stands in many places.

    Raises:
        Malformed: it is none, or larger than any of ours.
    """
    if len(der) > limits.CERTIFICATE_BYTES_MAX:
        raise Oversized("the certificate is larger than any of ours")
    with foreign_bytes():
        return x509.load_der_x509_certificate(der)


def read_anchor(der: bytes, profile: Profile) -> x509.Certificate:
    """Parse a CA certificate that we hold to be of this profile, and see that it is; who signed it has no say."""
    certificate = load_certificate(der)
    _compare(certificate, profile, None)
    return certificate


def verify_link(certificate: x509.Certificate, issuer: x509.Certificate, profile: Profile) -> Window:
    """Check one link of a chain; the result does not depend on the time of use.

    Returns:
        The time when both are valid.
    """
    _compare(certificate, profile, issuer)
    window = window_of(certificate).meet(window_of(issuer))
    if window.not_before > window.not_after:
        raise Unauthentic("the certificate and the one that signed it are never valid at the same time")
    with foreign_bytes():
        try:
            if certificate == issuer:  # a verifier takes what is in its store as it is, whoever signed it
                certificate.verify_directly_issued_by(issuer)
            else:
                _verifier(issuer, window.not_before).verify(certificate, [])
        except (verification.VerificationError, InvalidSignature) as reason:
            raise Unauthentic(f"the {profile.title} was not signed by the expected CA") from reason
    return window


def _verifier(anchor: x509.Certificate, at: int) -> verification.ClientVerifier:
    policy = verification.PolicyBuilder().store(verification.Store([anchor])).time(datetime.fromtimestamp(at, tz=UTC))
    return policy.max_chain_depth(0).extension_policies(ca_policy=_ANCHOR, ee_policy=_ANY).build_client_verifier()


def _compare(certificate: x509.Certificate, profile: Profile, issuer: x509.Certificate | None) -> None:
    """Refuse what differs from the profile in anything; `issuer` is None for an anchor, whose own issuer has no say."""
    window = window_of(certificate)
    with foreign_bytes():
        key = certificate.public_key()
        issuer_key = _signing_key(issuer) if issuer is not None else None
        extensions = {extension.oid: (extension.value, extension.critical) for extension in certificate.extensions}
        if issuer_key is None:
            extensions.pop(ExtensionOID.AUTHORITY_KEY_IDENTIFIER, None)
        fits = {
            "key": is_expected_key(key, profile.curve),
            "subject": certificate.subject == profile.name,
            "extensions": extensions == profile.extensions(key, issuer_key),
            "life": window.not_after - window.not_before <= profile.life_s + limits.CERTIFICATE_BACKDATE_S,
            "signature algorithm": issuer_key is None
            or isinstance(certificate.signature_hash_algorithm, type(signature_hash(issuer_key))),
        }
    wrong = ", ".join(part for part, right in fits.items() if not right)
    if wrong:
        raise Unauthentic(f"this is not a {profile.title} of the treaty; it differs in: {wrong}")


def _signing_key(issuer: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError(issuer)
    return key


def window_of(certificate: x509.Certificate) -> Window:
    """The certificate's own validity."""
    with foreign_bytes():
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Window(not_before=int(start.timestamp()), not_after=int(end.timestamp()))


@contextmanager
def foreign_bytes(message: str = "this is not a certificate") -> Iterator[None]:
    """Whatever cryptography raises about foreign bytes becomes `Malformed`: its exceptions have no common root."""
    try:
        yield
    except FederationError:
        raise
    except Exception as reason:  # ValueError, TypeError, UnsupportedAlgorithm, InvalidVersion and more; all mean one thing
        raise Malformed(message) from reason


def utc_text(seconds: float) -> str:
    """A time as people compare it with their clocks."""
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError):  # outside of the calendar: the time may come from a peer
        return f"second {seconds}"
