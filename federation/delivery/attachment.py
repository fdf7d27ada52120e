"""A file that goes with a message, as a node keeps it beside the message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from federation import limits
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


def offered(named: Iterable[Named], *, message_id: MessageId, peer: PartyId, now: int) -> tuple[Spooled, ...]:
    """The files of a message of ours, for the commit that writes it down."""
    awaiting = awaited(named, message_id=message_id, peer=peer, now=now)
    return tuple(replace(one, direction=Direction.SENT, state=AttachmentState.OFFERED) for one in awaiting)


def awaited(named: Iterable[Named], *, message_id: MessageId, peer: PartyId, now: int) -> tuple[Spooled, ...]:
    """The files of a message that came, for the commit that writes it down: each is due at once."""
    return tuple(
        Spooled(
            direction=Direction.RECEIVED,
            message_id=message_id,
            named=one,
            peer=peer,
            state=AttachmentState.WAITING,
            since=now,
            changed=now,
            next_attempt=float(now),
        )
        for one in named
    )


def after_fault(one: Spooled, *, now: float, problem: str, jitter: float) -> Spooled:
    """Back off as the outbox does, when nothing came of a try."""
    delay = min(limits.RETRY_S_MAX, limits.RETRY_S_MIN * 2.0 ** min(one.attempts, 16))
    return replace(one, attempts=one.attempts + 1, next_attempt=now + delay * (0.5 + jitter / 2), problem=problem)


def after_cut(one: Spooled, *, now: float, problem: str, jitter: float) -> Spooled:
    """A try brought a good part of the file and not its end: go on soon, however often that happens."""
    return replace(one, attempts=0, next_attempt=now + limits.RETRY_S_MIN * (0.5 + jitter / 2), problem=problem)


def put_off(one: Spooled, *, until: float, problem: str) -> Spooled:
    """There is no room, or the peer misbehaved: trying again soon would help nobody."""
    return replace(one, attempts=one.attempts + 1, next_attempt=until, problem=problem)
