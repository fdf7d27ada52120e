"""What two nodes tell each other of what crossed between them, and the rules by which one judges what the other tells.

Theory of operation. Once a day each node asks each of its peers for an account: for every day that is not agreed yet, how many
messages crossed each way with a digest over them, and the peer's journal as it is now. When the digests of a day differ, the two
lists of that day are compared, and each difference has a name. A message belongs to the day on which its statement was made, which both
sides read in the statement; it is told by its commitment, which is the same in every sealing, so two honest nodes never differ
because a receipt was lost and a message was sealed again.

A journal is held against every checkpoint of it that the hearer holds, from receipts and from earlier accounts. The teller signs
the root that its journal had at each of those sizes: when that is another one than it signed before, the two signed statements
contradict each other, and whoever has them both can show it to anybody. A node that was put back from a backup has forgotten what
it signed behind the copy; its epochs say so, and that contradicts nothing (`federation.evidence.journal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from typing import Final

from federation.evidence.journal import Epoch
from federation.identity import MessageId, NodeName
from federation.trust import keys

DAY_S: Final = 86_400


class Way(StrEnum):
    """Seen from the node that tells."""

    SENT = "sent"
    RECEIVED = "received"

    @property
    def other(self) -> Way:
        """The same way, seen from the other node."""
        return Way.RECEIVED if self is Way.SENT else Way.SENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """One message that crossed.

    Attributes:
        commitment: of its header (32 bytes): over salt, statement, signature and body.
        receipted: of what was sent, whether the receipt is here; True for whatever was received.
    """

    message_id: MessageId
    commitment: bytes
    receipted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTally:
    """The messages between two nodes whose statements were made on one day (days since 1970-01-01 UTC), as one of them has them."""

    day: int
    sent: int
    sent_digest: bytes
    received: int
    received_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The root that a journal had at a size; empty when the teller cannot show that tree any more."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one node tells another. Times are Unix seconds.

    Attributes:
        checkpoint: of the teller's journal, as a signed note.
        epochs: of that journal, in their order.
        days: ascending.
        heads: ascending by size.
    """

    teller: NodeName
    hearer: NodeName
    at: int
    checkpoint: bytes
    epochs: tuple[Epoch, ...]
    days: tuple[DayTally, ...]
    heads: tuple[Head, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The messages of one day and one way behind `after`, in the order of their ids; `more` when they go on."""

    teller: NodeName
    hearer: NodeName
    at: int
    day: int
    way: Way
    after: bytes
    entries: tuple[Crossed, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTelling:
    """An account or a listing as the bytes that its teller signed."""

    statement: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A checkpoint of another node's journal that is held here: epoch, size and root."""

    epoch: int
    size: int
    root: bytes


class DifferenceKind(StrEnum):
    """How the two sides differ about a message, seen from here."""

    LOST_THERE = "lost-there"
    """They receipted it and do not have it."""
    FORGOTTEN_THERE = "forgotten-there"
    """They sent it, it is here, and they do not have it any more."""
    LOST_HERE = "lost-here"
    """This node receipted it and does not have it."""
    FORGOTTEN_HERE = "forgotten-here"
    """This node sent it, it is there, and it is here no more."""
    ALTERED = "altered"
    """Both have it, and not the same."""


class Judgement(StrEnum):
    """What an account says about a checkpoint that is held here."""

    GOOD = "good"
    FORGOTTEN = "forgotten"
    """Of an end that the teller lost when it was put back from a backup, as it says itself."""
    REWRITTEN = "rewritten"
    """The journal had another root at that size than was signed before."""
    NOT_SHOWN = "not-shown"
    """The teller cannot show the tree of that size any more."""
    SHORTENED = "shortened"
    """The journal is shorter than it was, in the same epoch."""
    EPOCH_GONE = "epoch-gone"
    """The teller knows nothing of an epoch whose checkpoints it signed."""


CONTRADICTIONS: Final = frozenset({Judgement.REWRITTEN, Judgement.NOT_SHOWN, Judgement.SHORTENED, Judgement.EPOCH_GONE})


def day_of(at: float) -> int:
    """The day of a time, by UTC."""
    return int(at // DAY_S)


def digest_of(entries: Iterable[Crossed]) -> tuple[int, bytes]:
    """Count and digest of messages that are given in the order of their ids."""
    parts = [entry.message_id + entry.commitment for entry in entries]
    return len(parts), keys.digest("gsp/v1/tally", *parts)


def tally(day: int, *, sent: Iterable[Crossed], received: Iterable[Crossed]) -> DayTally:
    """What is told of a day: of what was sent, what was receipted, for only that has to be at the other side."""
    sent_count, sent_digest = digest_of(entry for entry in sent if entry.receipted)
    received_count, received_digest = digest_of(received)
    return DayTally(day=day, sent=sent_count, sent_digest=sent_digest, received=received_count, received_digest=received_digest)


def agree(mine: DayTally, theirs: DayTally) -> bool:
    """Whether two nodes have the same of a day."""
    own = (mine.day, mine.sent, mine.received)
    other = (theirs.day, theirs.received, theirs.sent)
    return (
        own == other
        and compare_digest(mine.sent_digest, theirs.received_digest)
        and compare_digest(mine.received_digest, theirs.sent_digest)
    )


def differences(mine: Iterable[Crossed], theirs: Iterable[Crossed], *, way: Way) -> Iterator[tuple[DifferenceKind, MessageId]]:
    """How the two lists of one day and one way differ. What is still under way, or never arrived, is no difference: the sender holds no
    receipt for it.

    Args:
        mine: what this node has.
        theirs: what the other one has.
        way: as this node sees it.
    """
    own = {entry.message_id: entry for entry in mine}
    other = {entry.message_id: entry for entry in theirs}
    sent = way is Way.SENT
    for message_id in sorted(own.keys() | other.keys()):
        here, there = own.get(message_id), other.get(message_id)
        if here is not None and there is not None:
            if not compare_digest(here.commitment, there.commitment):
                yield DifferenceKind.ALTERED, message_id
        elif here is not None and here.receipted:
            yield DifferenceKind.LOST_THERE if sent else DifferenceKind.FORGOTTEN_THERE, message_id
        elif there is not None and there.receipted:
            yield DifferenceKind.FORGOTTEN_HERE if sent else DifferenceKind.LOST_HERE, message_id


def judge(held: Held, *, epochs: Sequence[Epoch], heads: Iterable[Head], size: int) -> Judgement:
    """What an account says about a checkpoint that its teller signed before.

    Args:
        held: the checkpoint.
        epochs: of the account.
        heads: of the account.
        size: of the journal in the account's checkpoint.
    """
    if held.size == 0:
        return Judgement.GOOD  # every journal continues the empty one, which no head shows
    numbers = [epoch.number for epoch in epochs]
    if held.epoch not in numbers:
        # A copy from before that epoch may have been put back later: the number of an epoch is the second at which it began. Then all
        # of the epoch is forgotten, and the copy may be longer than the one with which the epoch began.
        return Judgement.FORGOTTEN if any(number > held.epoch for number in numbers) else Judgement.EPOCH_GONE
    later = epochs[numbers.index(held.epoch) + 1 :]
    if later and held.size > later[0].first:
        return Judgement.FORGOTTEN
    if held.size > size:
        return Judgement.SHORTENED
    root = next((head.root for head in heads if head.size == held.size), b"")
    if not root:
        return Judgement.NOT_SHOWN
    return Judgement.GOOD if compare_digest(root, held.root) else Judgement.REWRITTEN
