"""A node's own append-only record of what crossed, as a salted Merkle log (docs/protocol.md, "The journal").

The leaf of the log is a hash of salt and content; both lie beside it and can be erased at the end of retention while the leaf
stays, so erasing what was said never erases that something was said.

A node that was put back from a backup has forgotten the end of its journal, and others hold checkpoints of that end. It must not sign
a second tree of those sizes under the same name: so it goes on in a new epoch, and the name of the log says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from federation import limits
from federation.identity import MESSAGE_ID_BYTES, MessageId, PartyId
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
    ATTACHED = "attached"
    """A file that goes with the message is whole at its receiver: `arrived` there, and `receipted` at its sender."""
    EPOCH = "epoch"
    """The node was put back from a backup, and its journal goes on under another name."""
    ALARM = "alarm"
    """A peer's account differs from what this node holds; its digest is bound."""
    ERASED = "erased"
    """The retention of old messages has ended, and their contents are gone; how many, the note says."""


FIRST_EPOCH: Final = 1
"""Of a node that was never put back."""
NO_MESSAGE: Final = MessageId(bytes(MESSAGE_ID_BYTES))
"""In the place of a message id where a record is about no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A part of the journal under one name.

    Attributes:
        number: 1, or the Unix second at which the copy that it goes on from was put back: two copies put back on two days never have
            the same, and neither have two that were put back from one copy.
        first: position of its first leaf.
    """

    number: int
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What the first record of an epoch says.

    Attributes:
        number: of the epoch that begins.
        size: leaves that the copy had; the record's digest is their root.
        taken: Unix seconds at which the copy was made.
    """

    number: int
    size: int
    taken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """One record before it is encoded.

    Attributes:
        at: Unix seconds by this node's clock.
        peer: the other Party.
        digest: what the record binds: an envelope's digest, a receipt's or a policy's (32 bytes); of EPOCH the root of what was put
            back.
        note: a coded word, never a person, a secret or a code.
        restoration: of EPOCH alone, whose message id is NO_MESSAGE and whose peer is the own Party.
    """

    kind: JournalKind
    at: int
    message_id: MessageId
    peer: PartyId
    digest: bytes
    note: str = ""
    restoration: Restoration | None = None


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


def origin(dns: str, epoch: int = FIRST_EPOCH) -> str:
    """First line of a node's journal checkpoints: unique to the node and the epoch, and never that of the directory."""
    return f"{dns}/journal" if epoch == FIRST_EPOCH else f"{dns}/journal/{epoch}"


def epoch_in(name: str, dns: str) -> int | None:
    """The epoch that a first line names; None when it is no name of this node's journal, or another spelling of one."""
    last = name.removeprefix(origin(dns)).removeprefix("/")
    number = int(last) if last.isascii() and last.isdigit() and len(last) <= len(str(limits.TIME_S_MAX)) else FIRST_EPOCH
    return number if name == origin(dns, number) and FIRST_EPOCH <= number <= limits.TIME_S_MAX else None


def epoch_of(epochs: Sequence[Epoch], index: int) -> int:
    """The number of the epoch in which a leaf was appended.

    Args:
        epochs: in the order of their first leaves.
        index: of the leaf.
    """
    return [epoch for epoch in epochs if epoch.first <= index][-1].number


def written_epochs(epochs: Sequence[Epoch]) -> tuple[Epoch, ...]:
    """Those in which something stands. A node that was put back from a copy with an empty journal has nothing of its first epoch, and
    every later one begins with a record.

    Args:
        epochs: in their order.
    """
    behind = [epoch.first for epoch in epochs[1:]]
    return tuple(epoch for place, epoch in enumerate(epochs) if place == len(behind) or epoch.first < behind[place])
