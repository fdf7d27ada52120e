"""What the rules need of the world. Each port has at most seven methods, and its docstring is its contract.

SQLite and memory implement the stores, gRPC and the simulated network the transports; one contract suite runs on all of them.
Every method may raise StoreUnavailable (stores) or Unreachable (transports) and then has either happened or not: callers repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from federation.delivery.outbox import LaneHead, Outgoing
from federation.delivery.receipt import SignedReceipt
from federation.delivery.replay import ReplayMark
from federation.envelope.header import MessageKind
from federation.envelope.seal import Envelope
from federation.evidence.journal import Leaf, Position
from federation.identity import MessageId, NodeName, PartyId
from federation.query.lifecycle import AskedState, ReceivedState
from federation.trust.entries import Signature
from federation.trust.merkle import Frontier


class Direction(StrEnum):
    """Seen from this node."""

    SENT = "sent"
    RECEIVED = "received"


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

    async def due(self, *, now: float, rows: int) -> tuple[Outgoing, ...]:
        """Messages whose next attempt is not later than now, the longest due first, at most `rows` of each peer: none starves."""

    async def waiting(self, peer: PartyId) -> tuple[Outgoing, ...]:
        """Messages that wait for the peer, in the order in which they were put first, at most OUTBOX_PER_PARTY_MAX."""

    async def next_due(self) -> float | None:
        """Unix seconds of the earliest next attempt, or None."""

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

    async def leaf(self, index: int) -> Leaf | None:
        """Salt and content of a leaf; None when it was erased or was never there."""

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """RFC 6962 path of a leaf in the tree of that size."""

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """RFC 6962 consistency proof between two sizes."""


class DirectoryStore(Protocol):
    """A node's replica of the directory log, or the Secretariat's original.

    Durable and append-only, like the journal. Not trusted: what is read is verified again when a node starts.
    Proofs raise NotFound for a size that the log has not reached, and Malformed for numbers that no log has.
    """

    async def append(self, *, first: int, leaves: Sequence[bytes], checkpoint: bytes) -> None:
        """Leaves and the checkpoint that covers them, together. A repetition changes nothing. Raises Conflict when `first` is
        neither the size nor the place where the same leaves stand.
        """

    async def put_checkpoint(self, checkpoint: bytes, *, size: int) -> None:
        """Put further cosignatures in the place of the checkpoint of this size. Raises Conflict when the log has another by now."""

    async def checkpoint(self) -> bytes | None:
        """The newest checkpoint, a signed note."""

    async def leaves(self, start: int, end: int) -> tuple[bytes, ...]:
        """Leaves from start to end, end not included; fewer when the log is shorter."""

    async def size(self) -> int:
        """How many leaves there are."""

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """RFC 6962 path of a leaf in the tree of that size."""

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """RFC 6962 consistency proof between two sizes."""


class PatternStore(Protocol):
    """Encoded pattern sets of all Parties by digest. Content-addressed: whoever controls it can only lose sets."""

    async def put(self, digest: bytes, encoded: bytes) -> None:
        """Keep an encoded set under its SHA-256; again is harmless. Another digest than its own is Misuse."""

    async def get(self, digest: bytes) -> bytes | None:
        """The encoded set, or None when it is not there or not what the digest says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """How far a Party has come on its way into the directory, as the Secretariat knows it (docs/protocol.md, "Joining").

    Attributes:
        token_hash: SHA-256 of the invitation's token.
        created: Unix seconds at which the Party was invited.
        expires: Unix seconds after which the token is worth nothing.
        csr_hash: 32 bytes over the request that used the token up; empty before. The same request may come again, no other.
        admit_body: the bytes that Party and founders sign; empty before the request.
        acceptance: the Party's signature over them, or None.
        founder_signatures: in the order in which they came, at most FOUNDERS_MAX.
        logged_index: position of the admission in the directory log, or None.
    """

    party: PartyId
    token_hash: bytes
    created: int
    expires: int
    csr_hash: bytes = b""
    admit_body: bytes = b""
    acceptance: Signature | None = None
    founder_signatures: tuple[Signature, ...] = ()
    logged_index: int | None = None


class EnrolmentStore(Protocol):
    """The Secretariat's invitations and admissions under way, one for each Party. Durable when `swap` returns.

    Whoever controls the storage can lose or delay an admission; what the directory accepts is decided by signatures alone.
    """

    async def enrolment(self, party: PartyId) -> Enrolment | None:
        """The Party's, or None when it was never invited."""

    async def by_token(self, token_hash: bytes) -> Enrolment | None:
        """The one that this token belongs to, or None. The Party's name comes from here, never from a request."""

    async def pending(self) -> tuple[Enrolment, ...]:
        """All that are not in the log yet, the oldest invitation first."""

    async def swap(self, *, old: Enrolment | None, new: Enrolment) -> None:
        """Put `new` in the place of `old`, of the same Party; None stands for nothing there. Raises Conflict when something else
        is there by now, except `new` itself: a repetition is harmless.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A node to dial: where, the name to expect there, and the anchor that has to verify it. Computed from the roster only.

    Attributes:
        endpoint: host and port.
        anchor: DER of the Party CA.
    """

    name: NodeName
    endpoint: str
    anchor: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a peer gave back for an envelope: its signed receipt, and a sealed answer when it was automatic. Not yet verified."""

    receipt: bytes
    answer: bytes


class Transport(Protocol):
    """Envelopes and public data from node to node. Calls are repeatable; the caller retries. Not trusted: whoever controls it can
    delay, drop and repeat, and sees sizes, times and who talks to whom, and nothing else.
    """

    async def deliver(self, peer: Peer, envelope: Envelope) -> Delivery:
        """Hand over one envelope."""

    async def acknowledge(self, peer: Peer, receipts: Sequence[bytes]) -> None:
        """Hand over receipts for answers that came with a delivery."""

    async def bundles(self, peer: Peer) -> tuple[bytes, ...]:
        """Signed prekey bundles of every node that the peer knows."""

    async def pattern_set(self, peer: Peer, party: PartyId, digest: bytes) -> bytes:
        """One Party's encoded pattern set. Raises NotFound."""


class DirectoryService(Protocol):
    """Reads of the log from any node; `submit` and `cosign` at the Secretariat's alone. The caller verifies what comes back."""

    async def checkpoint(self, peer: Peer) -> bytes:
        """The newest checkpoint with its cosignatures."""

    async def entries(self, peer: Peer, start: int, end: int) -> tuple[bytes, ...]:
        """Leaves from start, at most up to end."""

    async def consistency(self, peer: Peer, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Consistency proof."""

    async def submit(self, peer: Peer, leaf: bytes) -> int:
        """Ask the Secretariat to log an entry; gives its index. Idempotent for identical bytes."""

    async def cosign(self, peer: Peer, checkpoint: bytes) -> None:
        """Give the Secretariat this node's cosignature."""


class Clock(Protocol):
    """Wall clock for certificates and deadlines; timers belong to the loop."""

    def now(self) -> float:
        """Unix seconds."""


class Entropy(Protocol):
    """Unpredictable bytes; seeded in simulations."""

    def __call__(self, size: int, /) -> bytes:
        """That many bytes."""
