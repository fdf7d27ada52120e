"""What has to hold at every moment of a simulation, and what has to hold when it has calmed down.

This reads the disks of all nodes, and believes nothing that it can verify: receipts against the receiver's journal, journals against
what they were before and against each other.

What a commit touches is looked at right after it (`Watch.look_at_each_step`), everything now and then (`Watch.look`). A disk that was
replaced by an older copy of itself has forgotten what others remember: what they say of that node has to be true of one of its disks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from federation.boundary.receipts import read_receipt
from federation.delivery.outbox import Outgoing
from federation.delivery.receipt import Receipt, SignedReceipt
from federation.envelope.header import MessageKind
from federation.errors import (
    Conflict,
    DeadlinePassed,
    FederationError,
    Forbidden,
    StoreUnavailable,
    Unauthentic,
    Unavailable,
    UnknownParty,
    Unreachable,
)
from federation.evidence.journal import JournalKind, JournalRecord, epoch_of, origin
from federation.identity import MessageId, PartyId
from federation.ports import AskedQuery, Change, Crossing, Direction, ReceivedQuery
from federation.query.answer import Answer
from federation.query.codes import Outcome
from federation.query.lifecycle import AskedState, ReceivedState
from federation.trust import merkle, note
from federation.trust.merkle import Frontier
from federation.wire.envelope import decode_statement
from federation.wire.evidence import decode_record
from federation.wire.query import decode_body
from tests.support.federation import Federation
from tests.support.simulated_node import SimNode, Storage

SEALINGS_MAX = 8
"""Of one message: for want of a key at first, at the deadline, once a week for a month, and when a disk failed meanwhile."""
HARMLESS = {
    "",
    Unavailable.code,
    Unreachable.code,
    StoreUnavailable.code,
    DeadlinePassed.code,
    UnknownParty.code,
    Unauthentic.code,
}
"""Why messages may not get through between honest nodes whose clocks are nearly right. Unauthentic is what a node says that has
destroyed a reply key at the deadline, when the other's clock has not come to it.
"""
SETTLED = {AskedState.ANSWERED, AskedState.EXPIRED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Messages that were sealed for another Party, receipts for them, and those that were lost or doubled."""

    messages: int
    receipts: int
    lost: int
    doubled: int


@dataclass(slots=True)
class _Seen:
    """How far one node's disk was looked at."""

    disks: int = 0
    read: int = 0
    journal: Frontier = field(default_factory=Frontier)
    sent: dict[MessageId, set[bytes]] = field(default_factory=dict)
    received: Counter[tuple[MessageId, bytes]] = field(default_factory=Counter)
    decided: Counter[MessageId] = field(default_factory=Counter)
    sealed: Counter[MessageId] = field(default_factory=Counter)
    receipts: dict[MessageId, SignedReceipt] = field(default_factory=dict)
    answers: set[MessageId] = field(default_factory=set)


class Watch:
    """Looks at a federation again and again, each time at what is new."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation
        self._seen = {party: _Seen() for party in federation.nodes}
        self._taken: list[tuple[PartyId, JournalRecord]] = []
        self._sent_before: dict[PartyId, dict[MessageId, set[bytes]]] = {party: {} for party in federation.nodes}

    def look_at_each_step(self) -> None:
        """From now on, look at whatever any node writes right after it has written it."""
        for node in self._federation.nodes.values():
            node.on_write = partial(self._look_at_change, node)

    def _seen_of(self, node: SimNode) -> _Seen:
        """How far the disk of this node was looked at: not at all, when it was replaced by an older copy of itself."""
        seen = self._seen[node.party]
        if seen.disks != len(node.past):
            seen = self._seen[node.party] = _Seen(disks=len(node.past))
            records = (decode_record(leaf.content) for disk in node.past for leaf in disk._leaves)
            for record in records:
                if record.kind is JournalKind.SENT:
                    self._sent_before[node.party].setdefault(record.message_id, set()).add(record.digest)
        return seen

    def _look_at_change(self, node: SimNode, change: Change) -> None:
        assert not self._federation.leaks, self._federation.leaks[0]
        self._read_journal(node)
        self._compare_journals()
        receipted = [message_id for message_id, _ in change.receipts]
        for message_id in receipted:
            self._look_at_receipt(node, node.storage._crossings[Direction.SENT, message_id])
        for asked in change.asked:
            self._look_at_query(node, asked)
        for received in change.received:
            self._look_at_received(node, received)

    def look(self) -> None:
        """Everything that has to hold always."""
        assert not self._federation.leaks, self._federation.leaks[0]
        for node in self._federation.nodes.values():
            self._look_at_journal(node)
        self._compare_journals()
        for node in self._federation.nodes.values():
            for crossing in _sent(node):
                self._look_at_receipt(node, crossing)
            self._look_at_queries(node)
            assert not node.storage._poisons, f"{node.party} failed over {node.storage._poisons}"
            accused = {party: list(alarms) for party, alarms in node.storage._alarms.items() if alarms}
            assert not accused, f"{node.party} accuses honest nodes of another journal: {accused}"
            harmless = HARMLESS | ({Forbidden.code, Conflict.code} if self._some_forgot else set())
            assert node.problems <= harmless, f"{node.party} was refused something: {node.problems - harmless}"

    @property
    def _some_forgot(self) -> bool:
        """Whether some node was put back from a backup: it refuses answers to what it does not know that it asked, and when it answers
        once more what it does not know that it answered, it is refused.
        """
        return any(node.past for node in self._federation.nodes.values())

    def outgoing(self, node: SimNode) -> list[Outgoing]:
        """What is on its way, but for answers to queries that the other node asked after its backup and does not know of any more."""
        waiting = [outgoing for _, outgoing in node.storage._outgoing.values()]
        return [one for one in waiting if not self._is_forgotten(node, one)]

    def _is_forgotten(self, node: SimNode, outgoing: Outgoing) -> bool:
        peer = self._federation.nodes[outgoing.peer]
        if outgoing.kind is not MessageKind.ANSWER:
            return False
        if node.past and outgoing.held_since and outgoing.problem == Conflict.code:
            return True
        if not peer.past:
            return False
        query = node.storage._crossings[Direction.SENT, outgoing.message_id].conversation
        return query not in peer.storage._asked and any(query in disk._asked for disk in peer.past)

    def count(self) -> Count:
        """Everything anew, from the disks alone."""
        messages = receipts = lost = doubled = 0
        for node in self._federation.nodes.values():
            received: Counter[tuple[MessageId, bytes]] = Counter()
            for leaf in node.storage._leaves:
                record = decode_record(leaf.content)
                received[record.message_id, record.digest] += record.kind is JournalKind.RECEIVED
            doubled += sum(times > 1 for times in received.values())
            doubled += sum(len(set(asked.answer_ids)) > 1 for asked in node.storage._asked.values())
            waiting = {outgoing.message_id for _, outgoing in node.storage._outgoing.values()}
            for crossing in _sent(node):
                messages += 1
                receipts += crossing.receipt is not None
                has_end = crossing.receipt is not None or crossing.message_id in node.storage._asked
                lost += not has_end and crossing.message_id not in waiting
        return Count(messages=messages, receipts=receipts, lost=lost, doubled=doubled)

    def look_at_the_end(self) -> None:
        """What has to hold when nothing is under way any more."""
        self.look()
        for node in self._federation.nodes.values():
            for asked in node.storage._asked.values():
                assert asked.state in SETTLED, f"{node.party} lost {asked}"
            assert not self.outgoing(node), f"{node.party} still sends {self.outgoing(node)}"
            forgotten = {outgoing.message_id for _, outgoing in node.storage._outgoing.values()}
            for crossing in _sent(node):
                if crossing.message_id in forgotten:
                    continue
                answered = crossing.message_id in node.storage._asked
                expired = answered and not node.storage._asked[crossing.message_id].answer_ids
                assert crossing.receipt is not None or answered, f"{node.party} has no receipt for {crossing.message_id.hex()}"
                assert not crossing.ciphertext or expired, f"{node.party} keeps the ciphertext of {crossing.message_id.hex()}"

    def _look_at_journal(self, node: SimNode) -> None:
        """Nothing that was written is ever written otherwise, and every decision is made once."""
        seen, tree = self._seen_of(node), node.storage._tree
        before, now = seen.journal, tree.frontier
        if 0 < before.size < now.size:
            merkle.verify_consistency(
                old_size=before.size,
                old_root=before.root(),
                new_size=now.size,
                new_root=now.root(),
                proof=tree.consistency(before.size, now.size),
            )
        seen.journal = now
        self._read_journal(node)

    def _read_journal(self, node: SimNode) -> None:
        """What is new in it: every decision is made once, every message taken once, and what was taken had been sent."""
        seen, leaves = self._seen_of(node), node.storage._leaves
        for leaf in leaves[seen.read :]:
            self._read_record(node, seen, decode_record(leaf.content))
        seen.read = len(leaves)

    def _read_record(self, node: SimNode, seen: _Seen, record: JournalRecord) -> None:
        message_id = record.message_id
        if record.kind is JournalKind.DECIDED:
            seen.decided[message_id] += 1
            assert seen.decided[message_id] <= 1, f"{node.party} decided twice about {message_id.hex()}"
        elif record.kind is JournalKind.SENT:
            seen.sent.setdefault(message_id, set()).add(record.digest)
            seen.sealed[message_id] += 1
            assert seen.sealed[message_id] <= SEALINGS_MAX, f"{node.party} seals {message_id.hex()} again and again"
        elif record.kind is JournalKind.RECEIVED:
            seen.received[message_id, record.digest] += 1  # another sealing of a message that was taken is receipted, and no more
            assert seen.received[message_id, record.digest] <= 1, f"{node.party} took {message_id.hex()} twice"
            self._taken.append((node.party, record))

    def _compare_journals(self) -> None:
        """What was taken since the last look stands in the sender's journal, with the same digest."""
        taken, self._taken = self._taken, []
        for party, record in taken:
            name, peer = record.message_id, record.peer
            sent = self._seen[peer].sent.get(name, set()) | self._sent_before[peer].get(name, set())
            assert record.digest in sent, f"{party} took what stands in no journal of {peer}: {name.hex()}"

    def _look_at_receipt(self, node: SimNode, crossing: Crossing) -> None:
        """A receipt is a promise: what it says stands in the receiver's journal and store, and verifies."""
        seen = self._seen[node.party].receipts
        if crossing.receipt is None or seen.get(crossing.message_id) is crossing.receipt:
            return
        seen[crossing.message_id] = crossing.receipt
        peer = self._federation.nodes[crossing.peer]
        receipt = read_receipt(
            crossing.receipt,
            signing_key=peer.kit.signer.public_key,
            receiver=peer.kit.name,
            message_id=crossing.message_id,
            digest=crossing.digest,
        )
        assert any(_is_honoured(disk, peer, receipt) for disk in _disks(peer)), f"{peer.party} breaks a promise: {receipt}"
        assert crossing.message_id not in node.storage._outgoing

    def _look_at_queries(self, node: SimNode) -> None:
        for asked in node.storage._asked.values():
            self._look_at_query(node, asked)
        answers: dict[MessageId, list[MessageId]] = {}
        for crossing in _sent(node):
            if crossing.kind is MessageKind.ANSWER:
                answers.setdefault(crossing.conversation, []).append(crossing.message_id)
        for received in node.storage._received.values():
            given = [received.answer_id] if received.answer_id is not None else []
            assert answers.get(received.message_id, []) == given, f"{node.party}: {received}"
            self._look_at_received(node, received)

    def _look_at_received(self, node: SimNode, received: ReceivedQuery) -> None:
        if received.state in {ReceivedState.ANSWERED, ReceivedState.REFUSED}:
            assert received.answer_id is not None
            assert (Direction.SENT, received.answer_id) in node.storage._crossings

    def _look_at_query(self, node: SimNode, asked: AskedQuery) -> None:
        seen = self._seen[node.party].answers
        peer = self._federation.nodes[asked.peer]
        _look_at_asked(node, peer, asked)
        if asked.answer_ids and asked.message_id not in seen:
            _look_at_answer(node, peer, asked)
            seen.add(asked.message_id)


def _disks(node: SimNode) -> list[Storage]:
    """What lies on the disk, and what lay there before a copy was put back."""
    return [node.storage, *node.past]


def _look_at_asked(node: SimNode, peer: SimNode, asked: AskedQuery) -> None:
    """Both sides say the same of a query, and an answer is what the other Party signed and nothing else."""
    assert (asked.state is AskedState.ANSWERED) == bool(asked.answer_ids), f"{node.party}: {asked}"
    if asked.state is AskedState.DELIVERED:
        is_there = any(asked.message_id in disk._received for disk in _disks(peer))
        assert is_there, f"{node.party} says that {asked} arrived"
    if asked.answer_ids:
        assert asked.key_id not in node.storage._keys, f"{node.party} keeps the reply key of {asked}"


def _look_at_answer(node: SimNode, peer: SimNode, asked: AskedQuery) -> None:
    """What was taken is what the other Party gave, and it says something: that a Party cannot be reached is never an answer."""
    given = [disk._received[asked.message_id].answer_id for disk in _disks(peer) if asked.message_id in disk._received]
    assert len(asked.answer_ids) == 1, f"{node.party} took {asked.answer_ids}"
    (answer_id,) = asked.answer_ids
    assert answer_id in given, f"{node.party} took {answer_id.hex()}, {peer.party} gave {given}"
    taken = node.storage._crossings[Direction.RECEIVED, answer_id]
    sent = next(
        disk._crossings[Direction.SENT, answer_id] for disk in _disks(peer) if (Direction.SENT, answer_id) in disk._crossings
    )
    assert (taken.statement, taken.body) == (sent.statement, sent.body)
    assert decode_statement(taken.statement).in_reply_to == asked.message_id
    answer, _ = decode_body(taken.body)
    assert isinstance(answer, Answer)
    assert {result.outcome for result in answer.results} <= set(Outcome)


def _is_honoured(disk: Storage, peer: SimNode, receipt: Receipt) -> bool:
    """Whether the record stands in the journal, the checkpoint is a beginning of it, and the message is there."""
    if receipt.leaf_index >= len(disk._leaves):
        return False
    leaf = disk._leaves[receipt.leaf_index]
    stands = (leaf.salt, leaf.content) == (receipt.leaf_salt, receipt.leaf_content)
    is_there = (Direction.RECEIVED, decode_record(leaf.content).message_id) in disk._crossings
    return stands and is_there and _journal_contains(disk, peer, receipt.checkpoint)


def _journal_contains(disk: Storage, peer: SimNode, checkpoint_note: bytes) -> bool:
    """Whether a checkpoint that the peer once signed is a beginning of this journal, under the name that it had then."""
    checkpoint = note.parse_checkpoint(note.parse_note(checkpoint_note).text)
    assert checkpoint.origin == origin(peer.kit.name.dns, epoch_of(disk._epochs, checkpoint.size - 1))
    now = disk._tree.frontier
    try:
        merkle.verify_consistency(
            old_size=checkpoint.size,
            old_root=checkpoint.root,
            new_size=now.size,
            new_root=now.root(),
            proof=disk._tree.consistency(checkpoint.size, now.size),
        )
    except FederationError:
        return False
    return True


def _sent(node: SimNode) -> list[Crossing]:
    return [crossing for (direction, _), crossing in node.storage._crossings.items() if direction is Direction.SENT]


def answers_taken(federation: Federation) -> dict[PartyId, int]:
    """How many queries of each Party were answered."""
    return {
        party: sum(asked.state is AskedState.ANSWERED for asked in node.storage._asked.values())
        for party, node in federation.nodes.items()
    }
