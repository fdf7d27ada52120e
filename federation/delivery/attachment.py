"""A file that goes with a message, as a node keeps it beside the message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from federation.delivery.direction import Direction
from federation.delivery.receipt import SignedReceipt
from federation.envelope.attachment import AttachmentId, Named
from federation.identity import MessageId, PartyId


class AttachmentState(StrEnum):
    """Where a file stands at this node."""

    OFFERED = "offered"
    """Sent: it is here, and the peer has not said that it has it."""
    DELIVERED = "delivered"
    """Sent: the peer's receipt is here."""
    WAITING = "waiting"
    """Received: the message is here, and not yet all of the file."""
    ARRIVED = "arrived"
    """Received: it is whole and in the journal; the sender has not got our receipt."""
    RECEIPTED = "receipted"
    """Received: it is whole, and the sender knows."""
    GONE = "gone"
    """It is not here any more, or was given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """One file of one message, as this node keeps it beside the message.

    Attributes:
        message_id: of the message that it goes with.
        peer: the other Party.
        since: Unix seconds at which the message was written down.
        changed: Unix seconds at which the state last changed.
        attempts: tries to fetch it, or to hand over its receipt, since something last came of one.
        next_attempt: Unix seconds.
        problem: why it is not here yet, as an error code, or empty.
        leaf: position of its ATTACHED record in our own journal; -1 before there is one.
        receipt: the peer's, for one that we sent.
    """

    direction: Direction
    message_id: MessageId
    named: Named
    peer: PartyId
    state: AttachmentState
    since: int
    changed: int
    attempts: int = 0
    next_attempt: float = 0.0
    problem: str = ""
    leaf: int = -1
    receipt: SignedReceipt | None = None

    @property
    def place(self) -> Place:
        """Its key in the store, and its name in the spool."""
        return Place(direction=self.direction, message_id=self.message_id, attachment_id=self.named.attachment_id)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Which file is meant. Two peers may choose the same ids: a message id is one message's alone in each direction, so nobody's
    file takes another one's place. Our own files get their place before the message has an id, and theirs is the file's own.
    """

    direction: Direction
    message_id: MessageId
    attachment_id: AttachmentId

    @property
    def file(self) -> str:
        """A name for the file system: small letters, digits and hyphens."""
        message = f"{self.message_id.hex()}-" if self.direction is Direction.RECEIVED else ""
        return f"{self.direction}-{message}{self.attachment_id.hex()}"
