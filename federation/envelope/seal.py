"""Sealing and opening one envelope, over bytes.

    inner       statement, the officer's signature, salt, body        each behind its length
    wrap        the content key, for the recipient                    bound to the header
    ciphertext  the padded inner                                      bound to the header
    signature   the sending node's                                    over header, wrap and ciphertext

What is in header, statement and body is made and read by `federation.wire`. Whether this sender may say this, now, to us, is
asked by `federation.boundary`, which also keeps the order: sizes, header, signature, and only then any decryption.

The header carries a commitment to everything that is inside. So nobody can be shown another body under a header that was
receipted, and whoever holds a receipt can prove what was in it by disclosing the salt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha512
from hmac import compare_digest
from typing import Final

from federation import limits
from federation.envelope import suite
from federation.envelope.padding import pad, padded_size, unpad
from federation.errors import Malformed, Oversized, PeerMisbehaviour, Unauthentic
from federation.trust.keys import SIGNATURE_BYTES, Signer, digest, node_message, verify

SALT_BYTES: Final = 32

_WRAP_INFO: Final = b"gsp/v1/wrap\0"
_BODY_CONTEXT: Final = b"gsp/v1/body\0"
_LENGTH_BYTES: Final = 4
_INNER_FIELDS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """What only the recipient reads. Its `repr` shows none of it, so that no log can.

    Attributes:
        statement: the exact bytes that the officer signed.
        statement_signature: Ed25519 over `keys.officer_message(statement)`; empty for what a node says by itself.
        salt: 32 random bytes, made for this message.
        body: the exact bytes of the query, the answer or the notice.
    """

    statement: bytes = field(repr=False)
    statement_signature: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    body: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not self.statement or len(self.statement_signature) not in {0, SIGNATURE_BYTES} or len(self.salt) != SALT_BYTES:
            raise Malformed("the parts of a sealed content do not have the sizes of suite 1")
        if len(self.statement) > limits.STATEMENT_BYTES_MAX:
            raise Oversized("a statement is larger than statements are")
        if len(self.body) > limits.BODY_BYTES_MAX:
            raise Oversized("a body is larger than one envelope may carry", hint="ask about fewer codes at once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The sealed unit that crosses. Its sizes are checked when it is made, before anybody computes on it.

    Attributes:
        header: the exact bytes that everything else is bound to.
        wrap: the content key, encrypted to the recipient.
        ciphertext: the padded inner, encrypted under the content key.
        signature: of the sending node.
    """

    header: bytes = field(repr=False)
    wrap: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not self.header or len(self.wrap) != suite.WRAP_BYTES or len(self.signature) != SIGNATURE_BYTES:
            raise Malformed("the parts of an envelope do not have the sizes of suite 1")
        if len(self.header) > limits.HEADER_BYTES_MAX:
            raise Oversized("the header of an envelope is larger than headers are")
        if len(self.header) + len(self.wrap) + len(self.ciphertext) + len(self.signature) > limits.ENVELOPE_BYTES_MAX:
            raise Oversized("an envelope is larger than one message may be")


def pack_inner(inner: Inner) -> bytes:
    """The four fields in their order, each behind its length as 4 bytes big-endian."""
    fields = (inner.statement, inner.statement_signature, inner.salt, inner.body)
    return b"".join(len(value).to_bytes(_LENGTH_BYTES) + value for value in fields)


def unpack_inner(packed: bytes) -> Inner:
    """Read what `pack_inner` wrote.

    Raises:
        Malformed: anything is missing, left over or of the wrong length.
    """
    fields: list[bytes] = []
    position = 0
    for _ in range(_INNER_FIELDS):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(packed[position:start])
        fields.append(packed[start:position])
        if position > len(packed):
            raise Malformed("a sealed content ends too early")
    if position != len(packed):
        raise Malformed("something follows a sealed content")
    statement, statement_signature, salt, body = fields
    return Inner(statement=statement, statement_signature=statement_signature, salt=salt, body=body)


def header_hash(header: bytes) -> bytes:
    """H("gsp/v1/header", header), 32 bytes."""
    return digest("gsp/v1/header", header)


def body_commitment(inner: Inner) -> bytes:
    """H("gsp/v1/commit", salt, statement, signature, body), 32 bytes: stands in the header and tells nothing without the salt."""
    return digest("gsp/v1/commit", inner.salt, inner.statement, inner.statement_signature, inner.body)


def digest_of_parts(*, header: bytes, wrap: bytes, ciphertext_sha512: bytes) -> bytes:
    """`envelope_digest` for those who keep the hash of a ciphertext and not the ciphertext, as a proof file does."""
    return digest("gsp/v1/digest", header_hash(header), wrap, ciphertext_sha512)


def envelope_digest(envelope: Envelope) -> bytes:
    """H("gsp/v1/digest", header hash, wrap, SHA-512 of the ciphertext), 32 bytes: what is signed and receipted."""
    ciphertext_sha512 = sha512(envelope.ciphertext).digest()
    return digest_of_parts(header=envelope.header, wrap=envelope.wrap, ciphertext_sha512=ciphertext_sha512)


def sealed_size(packed_size: int) -> tuple[int, int]:
    """The sizes in bytes of wrap and ciphertext for a packed inner of this size.

    The header has to say them, and is needed before anything is sealed.
    """
    return suite.WRAP_BYTES, suite.stream_size(padded_size(packed_size))


def seal(*, header: bytes, inner: Inner, recipient_public: bytes, cek: bytes, signer: Signer) -> Envelope:
    """Seal for one recipient and sign as the sending node.

    Args:
        header: has to carry `body_commitment(inner)` and the sizes that `sealed_size` gives.
        inner: what only the recipient reads.
        recipient_public: 1,216 bytes, a prekey or the reply key of a query.
        cek: 32 random bytes, made for this envelope.
        signer: the sending node's.

    Raises:
        Malformed: the recipient's key is not one.
        Oversized: more than fits into one envelope.
    """
    bound = header_hash(header)
    wrap = suite.wrap(recipient_public, _WRAP_INFO + bound, cek)
    ciphertext = suite.seal_stream(cek, _BODY_CONTEXT + bound, pad(pack_inner(inner)))
    outer = digest_of_parts(header=header, wrap=wrap, ciphertext_sha512=sha512(ciphertext).digest())
    return Envelope(header=header, wrap=wrap, ciphertext=ciphertext, signature=signer.sign(node_message(outer)))


def verify_outer(envelope: Envelope, public_key: bytes) -> None:
    """Return when the node that holds this key signed exactly this envelope.

    Raises:
        Unauthentic: it did not.
    """
    verify(public_key=public_key, message=node_message(envelope_digest(envelope)), signature=envelope.signature)


def open_envelope(envelope: Envelope, private_key: suite.PrivateKey, *, commitment: bytes) -> Inner:
    """What the sender sealed: all of it, and only when it is what the header commits to. Call `verify_outer` before.

    Args:
        envelope: as received.
        private_key: the one that the header names.
        commitment: as the header says.

    Raises:
        Unauthentic: it does not open. Which step refused is not said, because that could help somebody who tries.
    """
    bound = header_hash(envelope.header)
    try:
        cek = private_key.unwrap(_WRAP_INFO + bound, envelope.wrap)
        inner = unpack_inner(unpad(suite.open_stream(cek, _BODY_CONTEXT + bound, envelope.ciphertext)))
    except PeerMisbehaviour:
        inner = None
    if inner is None or not compare_digest(body_commitment(inner), commitment):
        raise Unauthentic("an envelope does not open, or not to what its header commits to")
    return inner
