"""The two signed parts of an envelope, as values: the header that travels in the clear and the statement that is sealed.

The header holds routing, commitments and sizes only; kind, purpose, officer and codes are sealed (docs/protocol.md,
"The envelope").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from federation.envelope.attachment import Named
from federation.identity import MessageId, NodeName, PartyId

PROTOCOL_VERSION: Final = 1


class Lane(StrEnum):
    """Envelopes of one lane to one peer are numbered; an urgent one does not wait behind a bulk one."""

    URGENT = "urgent"
    NORMAL = "normal"
    BULK = "bulk"


class MessageKind(StrEnum):
    """What a statement is. Everything else is refused (default deny)."""

    QUERY = "query"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What everybody on the way can see.

    Attributes:
        created: Unix seconds at the sender when this sealing was made.
        expires: Unix seconds after which the receiver refuses this sealing.
        sequence: number of this envelope in its lane to this peer, from 1.
        previous_digest: digest of the envelope before it in the lane (32 bytes), or empty for the first.
        checkpoint: the sender's newest directory checkpoint as a signed note, without cosignatures.
        key_id: which prekey or reply key it is sealed to (16 bytes).
        commitment: 32 bytes over salt, statement, officer's signature and body.
        attachments: files that go with the message, in the order of the body.
    """

    version: int
    suite: int
    message_id: MessageId
    sender: NodeName
    recipient: NodeName
    created: int
    expires: int
    lane: Lane
    sequence: int
    previous_digest: bytes
    checkpoint: bytes
    key_id: bytes
    wrap_bytes: int
    ciphertext_bytes: int
    commitment: bytes
    attachments: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What an officer signs, or what a policy stands for when nobody does.

    Attributes:
        conversation: the message id of the query that began it.
        in_reply_to: None in a query.
        officer_id: opaque; None exactly in an automatic answer, which names its policy instead.
        certificate_hash: SHA-256 of the officer's certificate; empty without an officer.
        policy_digest: 32 bytes over the policy that answered; empty with an officer.
        created: Unix seconds.
        deadline: Unix seconds by which an answer is wanted; an answer repeats its query's.
        body_digest: 32 bytes over the body.
    """

    message_id: MessageId
    kind: MessageKind
    conversation: MessageId
    in_reply_to: MessageId | None
    sender: PartyId
    recipient: PartyId
    officer_id: str | None
    certificate_hash: bytes
    policy_digest: bytes
    created: int
    deadline: int
    body_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Prekey:
    """A public X-Wing key that others may seal to."""

    key_id: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PrekeyBundle:
    """A node's current prekeys, signed by its signing key.

    Attributes:
        created: Unix seconds.
        expires: Unix seconds after which nobody seals to these keys any more.
    """

    node: NodeName
    created: int
    expires: int
    prekeys: tuple[Prekey, ...]
