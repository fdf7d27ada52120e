"""Ed25519, and the exact bytes that are hashed and signed.

Everything of legal weight is verified by `verify` and nowhere else: verifiers disagree about odd keys and odd signatures (of 914
published edge cases OpenSSL accepts 208 and libsodium 43), and two answers to "did they sign this?" are no evidence. So this
verifier is stricter than both: it accepts the one case without any oddity, and then every other verifier agrees.

One key signs messages of several kinds, so no message of one kind may be readable as another. They differ in their first bytes:

    officer_message   "gsp/v1/statement" NUL, the statement
    node_message      "gsp/v1/node" NUL, the digest of an envelope
    pae               begins with a NUL byte: the first length
    signed notes      text without any NUL (`federation.trust.note`, which also keeps notes and cosignatures apart)

Where keys are kept is left to others: whatever has a public key and can sign is a `Signer`. Certificates are in
`federation.trust.certificate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import sha512
from typing import Final, Protocol

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from federation.errors import Malformed, Misuse, Unauthentic

PUBLIC_KEY_BYTES: Final = 32
SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
DIGEST_BYTES: Final = 32

PROTOCOL: Final = "gsp/v1/"
"""Every label begins with it, so that no signature or hash of this protocol means anything in another."""

_LENGTH_BYTES: Final = 8
_STATEMENT_PREFIX: Final = b"gsp/v1/statement\0"
_NODE_PREFIX: Final = b"gsp/v1/node\0"


class Signer(Protocol):
    """Holds one Ed25519 private key, in memory or in a hardware module. Signing the same message twice gives the same bytes."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of RFC 8032."""

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of RFC 8032. Callers pass only messages that they built themselves, of one of the kinds above."""


class SoftwareSigner:
    """A `Signer` with its key in memory, made from the 32-byte seed of RFC 8032. It never shows the seed."""

    __slots__ = ("_key", "_public_key")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise Misuse(f"a signing key is made from {SEED_BYTES} bytes, not {len(seed)}")
        self._key = SigningKey(seed)
        self._public_key = bytes(self._key.verify_key)

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of RFC 8032."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of RFC 8032."""
        return self._key.sign(message).signature

    def __repr__(self) -> str:
        return f"SoftwareSigner(public_key={self._public_key.hex()})"


def verify(*, public_key: bytes, message: bytes, signature: bytes) -> None:
    """Return when the holder of `public_key` signed `message`: RFC 8032 without cofactor, canonical encodings only.

    Raises:
        Unauthentic: the signature does not verify, or key or signature is one that no honest signer makes.
    """
    if not _is_sound(public_key) or len(signature) != SIGNATURE_BYTES:
        raise Unauthentic("a signature or its key is not well formed")
    try:
        VerifyKey(public_key).verify(message, signature)
    except BadSignatureError:
        raise Unauthentic("a signature does not verify") from None


def verify_any(*, public_keys: Sequence[bytes], message: bytes, signature: bytes) -> bytes:
    """The first of these keys under which the signature verifies.

    Raises:
        Unauthentic: it verifies under none of them, or there is none.
    """
    for public_key in public_keys:
        try:
            verify(public_key=public_key, message=message, signature=signature)
        except Unauthentic:
            continue
        return public_key
    raise Unauthentic("a signature does not verify")


def check_public_key(public_key: bytes) -> bytes:
    """Give an Ed25519 public key back when it is fit to be listed, in a directory entry or in a certificate.

    Raises:
        Malformed: it does not have 32 bytes.
        Unauthentic: it is not the one spelling of a point of the prime-order group. Signatures under other keys verify for
            messages that nobody signed, or verify here and not there.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise Malformed(f"an Ed25519 public key has {PUBLIC_KEY_BYTES} bytes, not {len(public_key)}")
    if not _is_sound(public_key):
        raise Unauthentic("this Ed25519 public key is one that no honest signer has")
    return public_key


@lru_cache(maxsize=4_096)  # as dear as the verification itself, and some thousand keys are in use: nodes and officers
def _is_sound(public_key: bytes) -> bool:
    return len(public_key) == PUBLIC_KEY_BYTES and crypto_core_ed25519_is_valid_point(public_key)


def digest(label: str, *parts: bytes) -> bytes:
    """The hash H of this protocol: the first 32 bytes of SHA-512 over label and parts.

    Hashed is, for the label in ASCII and then for each part, its length as 8 bytes big-endian followed by its bytes. So no two
    lists of parts give the same input. SHA-512 and not SHA-512/256, because browsers have only the former.
    """
    return sha512(_framed(label, parts)).digest()[:DIGEST_BYTES]


def pae(kind: str, *parts: bytes) -> bytes:
    """The message that is signed for a record of one kind: pre-authentication encoding, as in PASETO and DSSE.

    It is the label "gsp/v1/" and `kind`, and then each part, in the framing of `digest`: never empty, never the same for
    other parts, and never any of the other messages that a key signs.
    """
    return _framed(PROTOCOL + kind, parts)


def officer_message(statement: bytes) -> bytes:
    """What an officer signs: the exact bytes of the statement behind the officers' prefix."""
    return _STATEMENT_PREFIX + statement


def node_message(envelope_digest: bytes) -> bytes:
    """What a node signs for an envelope: its 32-byte digest behind the nodes' prefix."""
    if len(envelope_digest) != DIGEST_BYTES:
        raise Misuse(f"a node signs a digest of {DIGEST_BYTES} bytes, not {len(envelope_digest)}")
    return _NODE_PREFIX + envelope_digest


def _framed(label: str, parts: tuple[bytes, ...]) -> bytes:
    pieces = [_framed_label(label)]
    for part in parts:
        pieces += (len(part).to_bytes(_LENGTH_BYTES), part)
    return b"".join(pieces)


@cache  # labels are written in this program, and there are some dozens
def _framed_label(label: str) -> bytes:
    if not label.startswith(PROTOCOL) or label == PROTOCOL:
        raise Misuse(f"a label begins with {PROTOCOL} and says for what")
    encoded = label.encode("ascii")
    return len(encoded).to_bytes(_LENGTH_BYTES) + encoded
