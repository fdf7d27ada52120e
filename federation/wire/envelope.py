"""Envelope, header, statement and prekey bundle."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from federation import limits
from federation.envelope.header import PROTOCOL_VERSION, Header, Lane, MessageKind, Prekey, PrekeyBundle, Statement
from federation.envelope.seal import Envelope
from federation.errors import Incompatible, Malformed
from federation.identity import message_id, party_id
from federation.v1 import exchange_pb2
from federation.wire.attachments import named_messages, read_named
from federation.wire.strict import (
    EnumMap,
    at_most,
    decode_node,
    encode,
    encode_node,
    exactly,
    parse,
    seconds,
    total,
)

LANES: Final = EnumMap(exchange_pb2.Lane, "LANE_", Lane)
KINDS: Final = EnumMap(exchange_pb2.MessageKind, "MESSAGE_KIND_", MessageKind)
KEY_ID_BYTES: Final = 16
XWING_PUBLIC_BYTES: Final = 1_216
BUNDLE_BYTES_MAX: Final = 8_192
"""Four X-Wing keys and names."""


def encode_envelope(envelope: Envelope) -> bytes:
    """The unit that crosses."""
    return encode(
        exchange_pb2.Envelope(
            header=envelope.header, wrap=envelope.wrap, ciphertext=envelope.ciphertext, signature=envelope.signature
        )
    )


@total
def decode_envelope(raw: bytes) -> Envelope:
    """Take an envelope apart; nothing in it is believed yet."""
    message = parse(exchange_pb2.Envelope, raw, bytes_max=limits.ENVELOPE_BYTES_MAX)
    return Envelope(
        header=message.header,
        wrap=message.wrap,
        ciphertext=message.ciphertext,
        signature=exactly(message.signature, 64, "a signature"),
    )


def encode_header(header: Header) -> bytes:
    """The bytes whose hash binds everything else in the envelope."""
    return encode(
        exchange_pb2.Header(
            version=header.version,
            suite=header.suite,
            message_id=header.message_id,
            sender=encode_node(header.sender),
            recipient=encode_node(header.recipient),
            created=header.created,
            expires=header.expires,
            lane=LANES.number(header.lane),
            sequence=header.sequence,
            previous_digest=header.previous_digest,
            checkpoint=header.checkpoint,
            key_id=header.key_id,
            wrap_bytes=header.wrap_bytes,
            ciphertext_bytes=header.ciphertext_bytes,
            commitment=header.commitment,
            attachments=named_messages(header.attachments),
        )
    )


@lru_cache(maxsize=limits.HEADERS_AT_HAND_MAX)  # it is read when a message comes, and again where it is numbered and written down
@total
def decode_header(raw: bytes) -> Header:
    """Read a header strictly.

    Raises:
        Incompatible: another protocol version.
        Malformed: anything else that is wrong.
    """
    message = parse(exchange_pb2.Header, raw, bytes_max=limits.HEADER_BYTES_MAX)
    if message.version != PROTOCOL_VERSION:
        raise Incompatible(f"protocol version {message.version}; this node speaks {PROTOCOL_VERSION}")
    numbered = 1 <= message.sequence <= limits.LANE_SEQUENCE_MAX
    if not numbered or (message.sequence == 1) != (message.previous_digest == b""):
        raise Malformed("envelopes of a lane are numbered from 1, and all but the first name the one before")
    if message.previous_digest:
        exactly(message.previous_digest, 32, "the digest of the envelope before")
    return Header(
        version=message.version,
        suite=message.suite,
        message_id=message_id(message.message_id),
        sender=decode_node(message.sender),
        recipient=decode_node(message.recipient),
        created=seconds(message.created),
        expires=seconds(message.expires),
        lane=LANES.value(message.lane),
        sequence=message.sequence,
        previous_digest=message.previous_digest,
        checkpoint=message.checkpoint,
        key_id=exactly(message.key_id, KEY_ID_BYTES, "a key id"),
        wrap_bytes=message.wrap_bytes,
        ciphertext_bytes=message.ciphertext_bytes,
        commitment=exactly(message.commitment, 32, "a commitment"),
        attachments=read_named(message.attachments),
    )


def encode_statement(statement: Statement) -> bytes:
    """The bytes that an officer signs."""
    return encode(
        exchange_pb2.Statement(
            message_id=statement.message_id,
            kind=KINDS.number(statement.kind),
            conversation=statement.conversation,
            in_reply_to=statement.in_reply_to or b"",
            sender=statement.sender,
            recipient=statement.recipient,
            officer_id=statement.officer_id or "",
            certificate_hash=statement.certificate_hash,
            policy_digest=statement.policy_digest,
            created=statement.created,
            deadline=statement.deadline,
            body_digest=statement.body_digest,
        )
    )


@total
def decode_statement(raw: bytes) -> Statement:
    """Read a statement: an officer with a certificate, or a policy, and never both. A conversation is named by its query."""
    message = parse(exchange_pb2.Statement, raw, bytes_max=limits.STATEMENT_BYTES_MAX)
    officer = message.officer_id or None
    if (officer is None) != (message.certificate_hash == b"") or (officer is None) == (message.policy_digest == b""):
        raise Malformed("a statement stands on an officer with a certificate or on a policy")
    exactly(message.certificate_hash or message.policy_digest, 32, "a hash")
    kind = KINDS.value(message.kind)
    if (kind is MessageKind.QUERY) != (message.in_reply_to == b""):
        raise Malformed("an answer names what it answers, and a query does not")
    if kind is MessageKind.QUERY and officer is None:
        raise Malformed("a query stands on an officer")
    if message.conversation != (message.in_reply_to or message.message_id):
        raise Malformed("a query begins its own conversation, and an answer goes on with the one of its query")
    return Statement(
        message_id=message_id(message.message_id),
        kind=kind,
        conversation=message_id(message.conversation),
        in_reply_to=message_id(message.in_reply_to) if message.in_reply_to else None,
        sender=party_id(message.sender),
        recipient=party_id(message.recipient),
        officer_id=officer,
        certificate_hash=message.certificate_hash,
        policy_digest=message.policy_digest,
        created=seconds(message.created),
        deadline=seconds(message.deadline),
        body_digest=exactly(message.body_digest, 32, "the digest of a body"),
    )


def encode_bundle(bundle: PrekeyBundle) -> bytes:
    """The bytes that the node signs."""
    return encode(
        exchange_pb2.PrekeyBundle(
            node=encode_node(bundle.node),
            created=bundle.created,
            expires=bundle.expires,
            prekeys=[exchange_pb2.Prekey(key_id=one.key_id, public_key=one.public_key) for one in bundle.prekeys],
        )
    )


@total
def decode_bundle(raw: bytes) -> PrekeyBundle:
    """Read a bundle."""
    message = parse(exchange_pb2.PrekeyBundle, raw, bytes_max=BUNDLE_BYTES_MAX)
    at_most(len(message.prekeys), limits.PREKEYS_PER_BUNDLE_MAX, "prekeys")
    if not message.prekeys:
        raise Malformed("a bundle without a prekey")
    return PrekeyBundle(
        node=decode_node(message.node),
        created=seconds(message.created),
        expires=seconds(message.expires),
        prekeys=tuple(
            Prekey(
                key_id=exactly(one.key_id, KEY_ID_BYTES, "a key id"),
                public_key=exactly(one.public_key, XWING_PUBLIC_BYTES, "an X-Wing key"),
            )
            for one in message.prekeys
        ),
    )


def encode_signed_bundle(bundle: bytes, signature: bytes) -> bytes:
    """A bundle with its node's signature."""
    return encode(exchange_pb2.SignedBundle(bundle=bundle, signature=signature))


@total
def decode_signed_bundle(raw: bytes) -> tuple[bytes, bytes]:
    """Bundle bytes and signature."""
    message = parse(exchange_pb2.SignedBundle, raw, bytes_max=BUNDLE_BYTES_MAX + 128)
    return message.bundle, exactly(message.signature, 64, "a signature")
