"""A node's own append-only record of what crossed, as a salted Merkle log (docs/protocol.md, "The journal").

The leaf of the log is a hash of salt and content; both lie beside it and can be erased at the end of retention while the leaf
stays, so erasing what was said never erases that something was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from federation.identity import MessageId, PartyId
from federation.trust import keys, merkle

SALT_BYTES: Final = 32


class JournalKind(StrEnum):
    """What happened to a message at this node."""

    SENT = "sent"
    """Durable before the first byte leaves."""
    RECEIVED = "received"
    """Durable before the receipt is signed."""
    DELIVERED = "delivered"
    """The peer's receipt came back."""
    DECIDED = "decided"
    """The policy or an officer decided what is said."""
    EXPIRED = "expired"
    """The deadline passed without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """One record before it is encoded.

    Attributes:
        at: Unix seconds by this node's clock.
        peer: the other Party.
        digest: what the record binds: an envelope's digest, a receipt's or a policy's (32 bytes).
        note: a coded word, never a person, a secret or a code.
    """

    kind: JournalKind
    at: int
    message_id: MessageId
    peer: PartyId
    digest: bytes
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A record ready to be appended: exact content and its salt (32 bytes)."""

    salt: bytes
    content: bytes

    def hash(self) -> bytes:
        """RFC 6962 leaf hash over the salted digest of the content."""
        return leaf_hash(salt=self.salt, content=self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a leaf came to stand, and the proof of it in the tree that ends with it.

    Attributes:
        root: root of the tree of size `index` + 1.
        inclusion: path from the leaf to that root.
    """

    index: int
    root: bytes
    inclusion: tuple[bytes, ...]


def leaf_hash(*, salt: bytes, content: bytes) -> bytes:
    """The hash under which salt and content stand in the log."""
    return merkle.leaf_hash(keys.digest("gsp/v1/journal", salt, content))


def origin(dns: str) -> str:
    """First line of a node's journal checkpoints: unique to the node, and never that of the directory."""
    return f"{dns}/journal"
