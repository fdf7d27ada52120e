"""The signed statement that an envelope arrived and stands in the receiver's journal (docs/protocol.md, "Receipts")."""

from __future__ import annotations

from dataclasses import dataclass

from federation.identity import MessageId, NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A promise: durable before it is signed. The same envelope always gets the same receipt.

    Attributes:
        receiver: the node that signs it.
        envelope_digest: what arrived (32 bytes).
        received_at: Unix seconds by the receiver's clock.
        leaf_index: position in the receiver's journal.
        leaf_salt: with `leaf_content` it gives the leaf, so the sender can prove what the receiver wrote down.
        leaf_content: the journal record as it was hashed.
        inclusion: path from the leaf to the root in `checkpoint`, RFC 6962.
        checkpoint: the receiver's journal checkpoint as a signed note; its size is `leaf_index` + 1.
    """

    receiver: NodeName
    message_id: MessageId
    envelope_digest: bytes
    received_at: int
    leaf_index: int
    leaf_salt: bytes
    leaf_content: bytes
    inclusion: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReceipt:
    """The receipt as the bytes that were signed by the receiver's node."""

    statement: bytes
    signature: bytes
