"""What a node keeps of its exchanges: queries, crossings, outbox, replay table, keys and journal."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from federation.delivery.attachment import Spooled
from federation.delivery.direction import Direction
from federation.delivery.lanes import LaneTrack
from federation.delivery.outbox import LaneHead, Outgoing
from federation.delivery.receipt import SignedReceipt
from federation.delivery.replay import ReplayMark
from federation.delivery.timeline import TimelineEvent
from federation.envelope.header import MessageKind
from federation.evidence.journal import Epoch, Leaf, Position
from federation.identity import MessageId, PartyId
from federation.ports.arrivals import Poison
from federation.ports.reconcile import Reconciled
from federation.ports.retention import Expired
from federation.query.lifecycle import AskedState, ReceivedState
from federation.trust.merkle import Frontier


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One message that crosses, kept as evidence with its content.

    Attributes:
        digest: the envelope digest of the newest sealing (32 bytes); empty while it was never sealed.
        header, wrap, ciphertext_hash, signature: of the newest sealing; the ciphertext itself is in `ciphertext` only while it
            waits in the outbox, and empty afterwards.
        salt, statement, statement_signature, body: what was sealed. Secret: a store keeps them encrypted.
        receipt: the peer's (sent) or ours (received), once there is one.
        leaf: position in our own journal of the SENT or RECEIVED record; -1 before it is committed.
    """

    direction: Direction
    message_id: MessageId
    conversation: MessageId
    kind: MessageKind
    peer: PartyId
    at: int
    digest: bytes
    header: bytes
    wrap: bytes
    ciphertext: bytes
    ciphertext_hash: bytes
    signature: bytes
    salt: bytes
    statement: bytes
    statement_signature: bytes
    body: bytes
    receipt: SignedReceipt | None = None
    leaf: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuery:
    """A query that this node asked. Times are Unix seconds.

    Attributes:
        answer_ids: messages that answered it, in the order of arrival.
        key_id: the reply key, destroyed in the commit that ends the query.
        problem: why it is not delivered yet, as an error code, or empty.
    """

    message_id: MessageId
    peer: PartyId
    state: AskedState
    officer_id: str
    created: int
    deadline: int
    changed: int
    codes: int
    reference: str
    key_id: bytes
    answer_ids: tuple[MessageId, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedQuery:
    """A query that this node was asked. Times are Unix seconds."""

    message_id: MessageId
    peer: PartyId
    state: ReceivedState
    officer_id: str
    received: int
    deadline: int
    changed: int
    codes: int
    reply_key: bytes
    answer_id: MessageId | None = None


class KeyUse(StrEnum):
    """What a decryption key was made for."""

    PREKEY = "prekey"
    REPLY = "reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecryptionKey:
    """The private half (32-byte seed) of a prekey or a reply key. Secret: a store keeps it encrypted.

    Attributes:
        destroy_at: Unix seconds after which it is destroyed whatever happens.
    """

    key_id: bytes
    use: KeyUse
    seed: bytes
    created: int
    destroy_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one step changes. It is applied whole or not at all.

    Attributes:
        marks: each has to be new, or the whole change fails with AlreadySeen.
        asked, received, outgoing: put under their message id, replacing what was there.
        crossings: put under direction and message id. A message of another Party, or of another kind, that stands there makes the
            whole change fail with Replayed: an id that somebody overheard takes nobody's place. The first leaf of `leaves` becomes the
            `leaf` of the first crossing that has none, and so on in order.
        receipts: the peer's receipts for messages that we sent; one for any other message is Misuse.
        outgoing_done: messages that leave the outbox, together with the ciphertext of their crossing.
        heads: the newest envelope of a lane to a peer.
        keys, keys_destroyed: decryption keys put, and overwritten and removed.
        leaves: appended to the journal in order.
        epoch: number of an epoch of the journal that begins with the first of `leaves`; one that there is already is Misuse.
        events: lines for the timelines of messages. One that says the same as a line that is there folds into it.
        events_erased: messages whose timelines go, before `events` are put: they go with the message.
        reconciled: what visits at peers found.
        attachments: put under their places, replacing what was there. The last leaf of `leaves` becomes the `leaf` of those that have
            arrived and have none.
        tracks: what was seen of lanes of peers, each in the place of what was there.
        poisons, poisons_done: messages over which this node failed, put under their sender and id; and those that are told no more.
        erased: what goes at the end of retention.
    """

    marks: tuple[ReplayMark, ...] = ()
    asked: tuple[AskedQuery, ...] = ()
    received: tuple[ReceivedQuery, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    receipts: tuple[tuple[MessageId, SignedReceipt], ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    outgoing_done: tuple[MessageId, ...] = ()
    heads: tuple[LaneHead, ...] = ()
    keys: tuple[DecryptionKey, ...] = ()
    keys_destroyed: tuple[bytes, ...] = ()
    leaves: tuple[Leaf, ...] = ()
    epoch: int | None = None
    events: tuple[TimelineEvent, ...] = ()
    events_erased: tuple[tuple[Direction, MessageId], ...] = ()
    reconciled: tuple[Reconciled, ...] = ()
    attachments: tuple[Spooled, ...] = ()
    tracks: tuple[LaneTrack, ...] = ()
    poisons: tuple[Poison, ...] = ()
    poisons_done: tuple[tuple[PartyId, MessageId], ...] = ()
    erased: Expired | None = None


class AlreadySeen(Exception):  # not an error: the caller asked, and this is the answer
    """A mark of a change was there before; nothing was changed.

    Attributes:
        known: the mark that is stored.
    """

    def __init__(self, known: ReplayMark) -> None:
        super().__init__("the message was accepted before")
        self.known = known


class ExchangeStore(Protocol):
    """Queries, crossings, outbox, replay table, keys and journal of one node: everything that has to change together.

    Durable: when `commit` returns, the change survives a power cut; when it raises StoreUnavailable, it either happened whole or
    not at all, and the caller repeats the step from what it reads. Reads see all commits that returned before them; a caller that is
    cancelled gets its cancellation when its change is decided, and not while it is under way.
    Whoever controls the storage can stop this node and delete what it holds, and cannot make a forged message verify or change
    the journal unnoticed by the peers that hold its checkpoints.
    """

    async def commit(self, change: Change) -> tuple[Position, ...]:
        """Apply the change; give the position of each of its leaves. Raises AlreadySeen, Replayed."""

    async def asked(self, message_id: MessageId) -> AskedQuery | None:
        """The asked query, or None."""

    async def received(self, message_id: MessageId) -> ReceivedQuery | None:
        """The received query, or None."""

    async def crossing(self, direction: Direction, message_id: MessageId) -> Crossing | None:
        """The crossing with its content, or None."""

    async def asked_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[AskedQuery, ...]:
        """Asked queries created before the time, newest first; with `before_id` also those of that second with a smaller id."""

    async def received_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[ReceivedQuery, ...]:
        """Received queries that came before the time, newest first; `before_id` as in `asked_page`."""

    async def keys(self) -> tuple[DecryptionKey, ...]:
        """All decryption keys that are not destroyed."""


class OutboxStore(Protocol):
    """The outbox as the sender loop reads it; written through `ExchangeStore.commit` alone. Same durability and trust."""

    async def due(self, *, now: float, rows: int, without: Collection[PartyId] = ()) -> tuple[Outgoing, ...]:
        """Messages whose next attempt is not later than now: urgent ones first, then normal ones, then bulk, and the longest due first
        among those. At most `rows` of each lane of each peer, so that none starves; none that is held, none behind an earlier message
        of its conversation to the same peer that still waits, and none for the peers left out.
        """

    async def waiting(self, peer: PartyId) -> tuple[Outgoing, ...]:
        """Messages that wait for the peer or are held, in the order in which they were put first, at most OUTBOX_PER_PARTY_MAX."""

    async def foremost(self, peer: PartyId) -> Outgoing | None:
        """The message that would go first to the peer, whenever it is due; None when nothing waits that is not held."""

    async def held(self, *, rows: int) -> tuple[Outgoing, ...]:
        """Messages that were refused for good and wait for a person, the longest held first."""

    async def next_due(self, *, without: Collection[PartyId] = ()) -> float | None:
        """Unix seconds of the earliest next attempt of what is not held, for the peers that are not left out; or None."""

    async def overdue(self, *, now: float, rows: int) -> tuple[AskedQuery | ReceivedQuery, ...]:
        """Queries that wait for an answer, here or there, beyond their deadline: asked ones that are queued or delivered, received
        ones that are waiting. The longest overdue first, at most `rows` together.
        """

    async def heads(self) -> tuple[LaneHead, ...]:
        """The newest envelope of every lane."""


class JournalStore(Protocol):
    """The node's own Merkle log; appended to through `ExchangeStore.commit` alone. Append-only: a leaf never changes.

    Proofs raise NotFound for a size that the log has not reached, and Malformed for numbers that no log has.
    """

    async def frontier(self) -> Frontier:
        """The compact range of the whole journal."""

    async def epochs(self) -> tuple[Epoch, ...]:
        """The epochs in the order in which they began; the first is always there."""

    async def leaf(self, index: int) -> Leaf | None:
        """Salt and content of a leaf; None when it was erased or was never there."""

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """RFC 6962 path of a leaf in the tree of that size."""

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """RFC 6962 consistency proof between two sizes."""
