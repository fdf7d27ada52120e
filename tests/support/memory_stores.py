"""The stores in memory: real trees, real meaning, no thread and no disk, and no patience with callers who break the contract.

They keep what they are given for as long as the object lives, so a simulated node that crashes finds its disk as it left it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import count

from federation import limits
from federation.delivery.lanes import RANK, LaneTrack
from federation.delivery.outbox import LaneHead, Outgoing, in_order
from federation.delivery.replay import ReplayMark
from federation.envelope.header import Lane
from federation.errors import Conflict, Misuse, NotFound, Replayed
from federation.evidence.journal import FIRST_EPOCH, Epoch, Leaf, Position
from federation.identity import MessageId, PartyId
from federation.ports import (
    AlreadySeen,
    ArrivalStore,
    AskedQuery,
    Change,
    Cosigned,
    Crossing,
    DecryptionKey,
    Direction,
    DirectoryStore,
    Enrolment,
    EnrolmentStore,
    ExchangeStore,
    JournalStore,
    Notice,
    NoticeStore,
    OutboxStore,
    PatternStore,
    Poison,
    PublicationStore,
    ReceivedQuery,
    WitnessStore,
)
from federation.query.lifecycle import AskedState, ReceivedState
from federation.trust import merkle
from tests.support.faults import Faults, may_fail
from tests.support.memory_reconcile import MemoryReconcile
from tests.support.memory_retention import MemoryRetention
from tests.support.memory_spool import MemoryAttachments
from tests.support.memory_timeline import MemoryTimeline


class BrokenContract(AssertionError):
    """The caller did what no caller of a store may do. No handler of our own errors catches it."""


def _accuse(what: str, *, when: bool) -> None:
    if when:
        raise BrokenContract(what)


class MemoryTree:
    """A Merkle log that keeps every complete node."""

    def __init__(self) -> None:
        self.frontier = merkle.Frontier()
        self._nodes: dict[tuple[int, int], bytes] = {}

    def append(self, leaf_hash: bytes) -> Position:
        index = self.frontier.size
        self.frontier, completed = self.frontier.append(leaf_hash)
        self._nodes.update({(level, place): value for level, place, value in completed})
        return Position(index=index, root=self.frontier.root(), inclusion=self.inclusion(index, index + 1))

    def copy(self) -> MemoryTree:
        """One that grows on its own from here."""
        other = MemoryTree()
        other.frontier, other._nodes = self.frontier, self._nodes.copy()
        return other

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        self._check_reached(size)
        return merkle.inclusion_proof(index, size, self._read)

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        self._check_reached(new_size)
        return merkle.consistency_proof(old_size, new_size, self._read)

    def _check_reached(self, size: int) -> None:
        if size > self.frontier.size:
            raise NotFound("the log is not that long")

    def _read(self, level: int, index: int) -> bytes:
        return self._nodes[level, index]


class MemoryExchange(MemoryAttachments, MemoryRetention, MemoryReconcile, ExchangeStore, OutboxStore, ArrivalStore, JournalStore):
    def __init__(self, faults: Faults | None = None) -> None:
        MemoryAttachments.__init__(self)
        MemoryReconcile.__init__(self)
        MemoryRetention.__init__(self)
        self.faults = faults if faults is not None else Faults()
        self._marks: dict[tuple[PartyId, MessageId], ReplayMark] = {}
        self._asked: dict[MessageId, AskedQuery] = {}
        self._received: dict[MessageId, ReceivedQuery] = {}
        self._crossings: dict[tuple[Direction, MessageId], Crossing] = {}
        self._numbers = count()
        self._outgoing: dict[MessageId, tuple[int, Outgoing]] = {}
        self._heads: dict[tuple[PartyId, Lane], LaneHead] = {}
        self._keys: dict[bytes, DecryptionKey] = {}
        self._destroyed: set[bytes] = set()
        self._leaves: list[Leaf] = []
        self._salts: set[bytes] = set()
        self._tree = MemoryTree()
        self._epochs = [Epoch(number=FIRST_EPOCH, first=0)]
        self.timeline = MemoryTimeline(self.faults, self._crossings)
        self._tracks: dict[tuple[PartyId, Lane], LaneTrack] = {}
        self._poisons: dict[tuple[PartyId, MessageId], Poison] = {}

    @may_fail
    async def commit(self, change: Change) -> tuple[Position, ...]:
        marked = {(mark.sender, mark.message_id) for mark in change.marks}
        _accuse("one change marks a message twice", when=len(marked) != len(change.marks))
        for mark in change.marks:
            if (known := self._marks.get((mark.sender, mark.message_id))) is not None:
                raise AlreadySeen(known)
        for crossing in change.crossings:
            there = self._crossings.get((crossing.direction, crossing.message_id), crossing)
            if (there.peer, there.kind) != (crossing.peer, crossing.kind):
                raise Replayed("a message id is taken by another message")
        crossings = self._with_leaves(change)
        put = {crossing.message_id for crossing in crossings if crossing.direction is Direction.SENT}
        if not all(self._was_sent(message_id, put) for message_id, _ in change.receipts):
            raise Misuse("a receipt is for no message that this node sent")
        if change.epoch is not None and (not change.leaves or change.epoch in {epoch.number for epoch in self._epochs}):
            raise Misuse("an epoch of the journal begins with a leaf, and once")
        self._accuse_messages(change, put)
        self._accuse_crossings(crossings, len(self._leaves) + len(change.leaves))
        self._accuse_queries(change)
        self._accuse_secrets(change)
        self._accuse_attachments(change.attachments)
        return self._apply(change, crossings)

    def _with_leaves(self, change: Change) -> list[Crossing]:
        free = iter(range(len(self._leaves), len(self._leaves) + len(change.leaves)))
        return [
            replace(crossing, leaf=next(free, crossing.leaf)) if crossing.leaf < 0 else crossing for crossing in change.crossings
        ]

    def _was_sent(self, message_id: MessageId, put: set[MessageId]) -> bool:
        return message_id in put or (Direction.SENT, message_id) in self._crossings

    def _accuse_messages(self, change: Change, put: set[MessageId]) -> None:
        for outgoing in change.outgoing:
            _accuse("a message without content is to go out", when=not self._was_sent(outgoing.message_id, put))
        for head in change.heads:
            known = self._heads.get((head.peer, head.lane))
            went_back = known is not None and known != head and known.sequence >= head.sequence
            _accuse("a lane to a peer counts backwards, or two envelopes have one number", when=went_back)

    def _accuse_crossings(self, crossings: Sequence[Crossing], leaves: int) -> None:
        for crossing in crossings:
            _accuse("a crossing names a leaf that the journal does not have", when=crossing.leaf >= leaves)
            known = self._crossings.get((crossing.direction, crossing.message_id))
            if known is None:
                continue
            content = (crossing.statement, crossing.statement_signature, crossing.body)
            changed = content != (known.statement, known.statement_signature, known.body)
            _accuse("a crossing is replaced by one with another statement", when=changed)
            _accuse("a crossing forgets its leaf", when=crossing.leaf < 0 <= known.leaf)
            _accuse("a crossing forgets its receipt", when=crossing.receipt is None and known.receipt is not None)

    def _accuse_queries(self, change: Change) -> None:
        """A step that was decided on what another step has changed meanwhile undoes that one."""
        for asked in change.asked:
            before = self._asked.get(asked.message_id)
            if before is not None:
                _accuse("a query forgets an answer", when=asked.answer_ids[: len(before.answer_ids)] != before.answer_ids)
                reopened = before.state is AskedState.ANSWERED and asked.state is not AskedState.ANSWERED
                _accuse("an answered query is open again", when=reopened)
        for received in change.received:
            earlier = self._received.get(received.message_id)
            if earlier is not None:
                _accuse("a query forgets its answer", when=earlier.answer_id is not None and received.answer_id is None)
                reopened = earlier.state is not ReceivedState.WAITING and received.state is ReceivedState.WAITING
                _accuse("a query that was decided waits again", when=reopened)

    def _accuse_secrets(self, change: Change) -> None:
        salts = {leaf.salt for leaf in change.leaves}
        _accuse("a salt is used for two leaves", when=len(salts) != len(change.leaves) or not salts.isdisjoint(self._salts))
        for key in change.keys:
            _accuse("a key comes back after it was destroyed", when=key.key_id in self._destroyed)
            _accuse("a key is replaced under its name", when=self._keys.get(key.key_id, key).seed != key.seed)
        put = {key.key_id for key in change.keys}
        for key_id in change.keys_destroyed:
            known = key_id in self._keys or key_id in self._destroyed or key_id in put
            _accuse("a key is destroyed that was never there", when=not known)

    def _apply(self, change: Change, crossings: Sequence[Crossing]) -> tuple[Position, ...]:
        """Nothing in here can fail: it happens whole."""
        self._marks.update({(mark.sender, mark.message_id): mark for mark in change.marks})
        self._apply_crossings(change, crossings)
        self._asked.update({query.message_id: query for query in change.asked})
        self._received.update({query.message_id: query for query in change.received})
        for outgoing in change.outgoing:
            number, _ = self._outgoing.get(outgoing.message_id) or (next(self._numbers), None)
            self._outgoing[outgoing.message_id] = (number, outgoing)
        for message_id in change.outgoing_done:
            self._outgoing.pop(message_id, None)
            if (Direction.SENT, message_id) in self._crossings:
                self._update_sent(message_id, ciphertext=b"")
        self._put_attachments(change.attachments, len(self._leaves) + len(change.leaves) - 1 if change.leaves else -1)
        self._heads.update({(head.peer, head.lane): head for head in change.heads})
        self._tracks.update({(track.peer, track.lane): track for track in change.tracks})
        self._poisons.update({(poison.peer, poison.message_id): poison for poison in change.poisons})
        for place in change.poisons_done:
            self._poisons.pop(place, None)
        self._keys.update({key.key_id: key for key in change.keys})
        for key_id in change.keys_destroyed:
            self._keys.pop(key_id, None)
            self._destroyed.add(key_id)
        if change.epoch is not None:
            self._epochs.append(Epoch(number=change.epoch, first=len(self._leaves)))
        self.timeline.tell(change)
        self._leaves.extend(change.leaves)
        self._salts.update(leaf.salt for leaf in change.leaves)
        return tuple(self._tree.append(leaf.hash()) for leaf in change.leaves)

    def _apply_crossings(self, change: Change, crossings: Sequence[Crossing]) -> None:
        for crossing in crossings:
            self._crossings[crossing.direction, crossing.message_id] = crossing
            self._note_crossing(crossing)
        for message_id, receipt in change.receipts:
            self._update_sent(message_id, receipt=receipt)
            self._note_crossing(self._crossings[Direction.SENT, message_id])
        for one in change.reconciled:
            self._put_reconciled(one)
        if change.erased is not None:
            self._erase(change.erased)

    def _update_sent(self, message_id: MessageId, **changes: object) -> None:
        place = (Direction.SENT, message_id)
        self._crossings[place] = replace(self._crossings[place], **changes)  # type: ignore[arg-type]  # the names are checked by the dataclass

    @may_fail
    async def asked(self, message_id: MessageId) -> AskedQuery | None:
        return self._asked.get(message_id)

    @may_fail
    async def received(self, message_id: MessageId) -> ReceivedQuery | None:
        return self._received.get(message_id)

    @may_fail
    async def crossing(self, direction: Direction, message_id: MessageId) -> Crossing | None:
        return self._crossings.get((direction, message_id))

    @may_fail
    async def asked_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[AskedQuery, ...]:
        page = [query for query in self._asked.values() if (query.created, query.message_id) < (before, before_id)]
        return tuple(sorted(page, key=lambda query: (query.created, query.message_id), reverse=True)[:rows])

    @may_fail
    async def received_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[ReceivedQuery, ...]:
        page = [query for query in self._received.values() if (query.received, query.message_id) < (before, before_id)]
        return tuple(sorted(page, key=lambda query: (query.received, query.message_id), reverse=True)[:rows])

    @may_fail
    async def keys(self) -> tuple[DecryptionKey, ...]:
        return tuple(sorted(self._keys.values(), key=lambda key: (key.created, key.key_id)))

    def _free(self, without: Collection[PartyId] = ()) -> list[tuple[int, Outgoing]]:
        """What may go, with its number, in the order of numbers."""
        queues: dict[PartyId, list[tuple[int, Outgoing]]] = {}
        for number, outgoing in sorted(self._outgoing.values(), key=lambda numbered: numbered[0]):
            queues.setdefault(outgoing.peer, []).append((number, outgoing))
        return [
            self._outgoing[one.message_id]
            for peer, queue in queues.items()
            if peer not in without
            for one in in_order(outgoing for _, outgoing in queue)
        ]

    @may_fail
    async def due(self, *, now: float, rows: int, without: Collection[PartyId] = ()) -> tuple[Outgoing, ...]:
        taken: dict[tuple[PartyId, Lane], int] = {}
        due: list[Outgoing] = []
        free = self._free(without)
        for _, outgoing in sorted(free, key=lambda numbered: (RANK[numbered[1].lane], numbered[1].next_attempt, numbered[0])):
            place = (outgoing.peer, outgoing.lane)
            taken[place] = taken.get(place, 0) + 1
            if outgoing.next_attempt <= now and taken[place] <= rows:
                due.append(outgoing)
        return tuple(due)

    @may_fail
    async def foremost(self, peer: PartyId) -> Outgoing | None:
        own = [(RANK[outgoing.lane], number, outgoing) for number, outgoing in self._free() if outgoing.peer == peer]
        return min(own, key=lambda ranked: ranked[:2])[2] if own else None

    @may_fail
    async def held(self, *, rows: int) -> tuple[Outgoing, ...]:
        held = [(one.held_since, number, one) for number, one in self._outgoing.values() if one.held_since]
        return tuple(one for _, _, one in sorted(held, key=lambda ranked: ranked[:2])[:rows])

    @may_fail
    async def tracks(self) -> tuple[LaneTrack, ...]:
        return tuple(self._tracks[place] for place in sorted(self._tracks))

    @may_fail
    async def poison(self, peer: PartyId, message_id: MessageId) -> Poison | None:
        return self._poisons.get((peer, message_id))

    @may_fail
    async def poisons(self, *, rows: int) -> tuple[Poison, ...]:
        return tuple(sorted(self._poisons.values(), key=lambda one: (one.since, one.peer, one.message_id))[:rows])

    @may_fail
    async def kept_bytes(self) -> dict[PartyId, int]:
        kept: dict[PartyId, int] = {}
        for crossing in self._crossings.values():
            if crossing.direction is Direction.RECEIVED:
                kept[crossing.peer] = kept.get(crossing.peer, 0) + len(crossing.statement) + len(crossing.body)
        return kept

    @may_fail
    async def queued(self, peer: PartyId) -> int:
        return sum(outgoing.peer == peer for _, outgoing in self._outgoing.values())

    @may_fail
    async def waiting(self, peer: PartyId) -> tuple[Outgoing, ...]:
        waiting = sorted((number, outgoing.message_id) for number, outgoing in self._outgoing.values() if outgoing.peer == peer)
        return tuple(self._outgoing[message_id][1] for _, message_id in waiting[: limits.OUTBOX_PER_PARTY_MAX])

    @may_fail
    async def next_due(self, *, without: Collection[PartyId] = ()) -> float | None:
        going = (one for _, one in self._outgoing.values() if not one.held_since and one.peer not in without)
        return min((outgoing.next_attempt for outgoing in going), default=None)

    @may_fail
    async def overdue(self, *, now: float, rows: int) -> tuple[AskedQuery | ReceivedQuery, ...]:
        open_asked = {AskedState.QUEUED, AskedState.DELIVERED}
        queries: list[AskedQuery | ReceivedQuery] = [query for query in self._asked.values() if query.state in open_asked]
        queries += [query for query in self._received.values() if query.state is ReceivedState.WAITING]
        late = (query for query in queries if query.deadline < now)
        return tuple(sorted(late, key=lambda query: (query.deadline, query.message_id))[:rows])

    @may_fail
    async def heads(self) -> tuple[LaneHead, ...]:
        return tuple(self._heads[place] for place in sorted(self._heads))

    @may_fail
    async def frontier(self) -> merkle.Frontier:
        return self._tree.frontier

    @may_fail
    async def epochs(self) -> tuple[Epoch, ...]:
        return tuple(self._epochs)

    @may_fail
    async def leaf(self, index: int) -> Leaf | None:
        return self._leaves[index] if 0 <= index < len(self._leaves) and index not in self._erased else None

    @may_fail
    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return self._tree.inclusion(index, size)

    @may_fail
    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return self._tree.consistency(old_size, new_size)


class MemoryDirectory(DirectoryStore, WitnessStore, NoticeStore, PublicationStore):
    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults if faults is not None else Faults()
        self._leaves: list[bytes] = []
        self._tree = MemoryTree()
        self._checkpoint: bytes | None = None
        self._cosigned: Cosigned | None = None
        self._restored = False
        self._notices: dict[bytes, Notice] = {}
        self._published: tuple[int, bytes] | None = None

    @may_fail
    async def append(self, *, first: int, leaves: Sequence[bytes], checkpoint: bytes) -> None:
        if first != len(self._leaves):
            if not leaves or self._leaves[first : first + len(leaves)] != list(leaves):
                raise Conflict("other entries stand at this place of the directory")
            return
        for leaf in leaves:
            self._tree.append(merkle.leaf_hash(leaf))
        self._leaves.extend(leaves)
        self._checkpoint = checkpoint

    @may_fail
    async def put_checkpoint(self, checkpoint: bytes, *, size: int) -> None:
        if size != len(self._leaves):
            raise Conflict("the directory has grown since this checkpoint")
        self._checkpoint = checkpoint

    @may_fail
    async def checkpoint(self) -> bytes | None:
        return self._checkpoint

    @may_fail
    async def leaves(self, start: int, end: int) -> tuple[bytes, ...]:
        return tuple(self._leaves[start:end])

    @may_fail
    async def size(self) -> int:
        return len(self._leaves)

    @may_fail
    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return self._tree.inclusion(index, size)

    @may_fail
    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return self._tree.consistency(old_size, new_size)

    @may_fail
    async def cosigned(self) -> Cosigned | None:
        return self._cosigned

    @may_fail
    async def put_cosigned(self, cosigned: Cosigned) -> None:
        before = self._cosigned
        if before is not None:
            contradicts = before.size == cosigned.size and before.root != cosigned.root
            if before.size > cosigned.size or contradicts:
                raise Conflict("this node has cosigned another history of the directory")
        self._cosigned = cosigned

    @may_fail
    async def restored(self) -> bool:
        return self._restored

    @may_fail
    async def mark_restored(self, *, restored: bool) -> None:
        self._restored = restored

    @may_fail
    async def notices(self) -> tuple[Notice, ...]:
        return tuple(self._notices[digest] for digest in sorted(self._notices))

    @may_fail
    async def put_notice(self, notice: Notice) -> None:
        self._notices[notice.digest] = notice

    @may_fail
    async def drop_notice(self, notice: Notice) -> None:
        self._notices.pop(notice.digest, None)

    @may_fail
    async def published(self) -> bytes | None:
        return self._published[1] if self._published is not None else None

    @may_fail
    async def publish(self, checkpoint: bytes, *, size: int) -> None:
        if self._published is not None and self._published[0] > size:
            raise Conflict("a larger checkpoint of the directory is published")
        self._published = (size, checkpoint)


class MemoryPatterns(PatternStore):
    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults if faults is not None else Faults()
        self._sets: dict[bytes, bytes] = {}

    @may_fail
    async def put(self, digest: bytes, encoded: bytes) -> None:
        if sha256(encoded).digest() != digest:
            raise Misuse("a pattern set is kept under its own digest only")
        self._sets[digest] = encoded

    @may_fail
    async def get(self, digest: bytes) -> bytes | None:
        return self._sets.get(digest)


class MemoryEnrolments(EnrolmentStore):
    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults if faults is not None else Faults()
        self._enrolments: dict[PartyId, Enrolment] = {}

    @may_fail
    async def enrolment(self, party: PartyId) -> Enrolment | None:
        return self._enrolments.get(party)

    @may_fail
    async def by_token(self, token_hash: bytes) -> Enrolment | None:
        return next((known for known in self._enrolments.values() if known.token_hash == token_hash), None)

    @may_fail
    async def pending(self) -> tuple[Enrolment, ...]:
        pending = (known for known in self._enrolments.values() if known.logged_index is None)
        return tuple(sorted(pending, key=lambda known: (known.created, known.party)))

    @may_fail
    async def swap(self, *, old: Enrolment | None, new: Enrolment) -> None:
        if old is not None and old.party != new.party:
            raise Misuse("an enrolment stays with its Party")
        if self._enrolments.get(new.party) not in {old, new}:
            raise Conflict("somebody else took a step in this Party's enrolment meanwhile")
        others = (known.token_hash for known in self._enrolments.values() if known.party != new.party)
        if new.token_hash in others:
            raise Misuse("one token invites one Party")
        self._enrolments[new.party] = new
