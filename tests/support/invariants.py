"""What has to hold at every moment of a simulation, and what has to hold when it has calmed down.

This reads the disks of all nodes, and believes nothing that it can verify: receipts against the receiver's journal, journals against
what they were before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from federation.boundary.receipts import read_receipt
from federation.delivery.receipt import SignedReceipt
from federation.envelope.header import MessageKind
from federation.errors import DeadlinePassed, StoreUnavailable, Unauthentic, Unavailable, UnknownParty, Unreachable
from federation.evidence.journal import JournalKind, origin
from federation.identity import MessageId, PartyId
from federation.ports import AskedQuery, Crossing, Direction
from federation.query.answer import Answer
from federation.query.codes import Outcome
from federation.query.lifecycle import AskedState, ReceivedState
from federation.trust import merkle, note
from federation.trust.merkle import Frontier
from federation.wire.envelope import decode_statement
from federation.wire.evidence import decode_record
from federation.wire.query import decode_body
from tests.support.federation import Federation
from tests.support.simulated_node import SimNode

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


@dataclass(slots=True)
class _Seen:
    """How far one node's disk was looked at."""

    journal: Frontier = field(default_factory=Frontier)
    decided: Counter[MessageId] = field(default_factory=Counter)
    sealed: Counter[MessageId] = field(default_factory=Counter)
    receipts: dict[MessageId, SignedReceipt] = field(default_factory=dict)
    answers: set[MessageId] = field(default_factory=set)


class Watch:
    """Looks at a federation again and again, each time at what is new."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation
        self._seen = {party: _Seen() for party in federation.nodes}

    def look(self) -> None:
        """Everything that has to hold always."""
        assert not self._federation.leaks, self._federation.leaks[0]
        for node in self._federation.nodes.values():
            self._look_at_journal(node)
            self._look_at_receipts(node)
            self._look_at_queries(node)
            assert not node.storage._poisons, f"{node.party} failed over {node.storage._poisons}"
            assert node.problems <= HARMLESS, f"{node.party} was refused something: {node.problems - HARMLESS}"

    def look_at_the_end(self) -> None:
        """What has to hold when nothing is under way any more."""
        self.look()
        for node in self._federation.nodes.values():
            for asked in node.storage._asked.values():
                assert asked.state in SETTLED, f"{node.party} lost {asked}"
            assert not node.storage._outgoing, f"{node.party} still sends {node.storage._outgoing}"
            for crossing in _sent(node):
                answered = crossing.message_id in node.storage._asked
                expired = answered and not node.storage._asked[crossing.message_id].answer_ids
                assert crossing.receipt is not None or answered, f"{node.party} has no receipt for {crossing.message_id.hex()}"
                assert not crossing.ciphertext or expired, f"{node.party} keeps the ciphertext of {crossing.message_id.hex()}"

    def _look_at_journal(self, node: SimNode) -> None:
        """Nothing that was written is ever written otherwise, and every decision is made once."""
        seen, tree = self._seen[node.party], node.storage._tree
        before, now = seen.journal, tree.frontier
        if 0 < before.size < now.size:
            merkle.verify_consistency(
                old_size=before.size,
                old_root=before.root(),
                new_size=now.size,
                new_root=now.root(),
                proof=tree.consistency(before.size, now.size),
            )
        for leaf in node.storage._leaves[before.size : now.size]:
            record = decode_record(leaf.content)
            seen.decided[record.message_id] += record.kind is JournalKind.DECIDED
            seen.sealed[record.message_id] += record.kind is JournalKind.SENT
            assert seen.sealed[record.message_id] <= SEALINGS_MAX, f"{node.party} seals {record.message_id.hex()} again and again"
            assert seen.decided[record.message_id] <= 1, f"{node.party} decided twice about {record.message_id.hex()}"
        seen.journal = now

    def _look_at_receipts(self, node: SimNode) -> None:
        """A receipt is a promise: what it says stands in the receiver's journal and store, and verifies."""
        seen = self._seen[node.party].receipts
        for crossing in _sent(node):
            if crossing.receipt is None or seen.get(crossing.message_id) == crossing.receipt:
                continue
            seen[crossing.message_id] = crossing.receipt
            peer = self._federation.nodes[crossing.peer]
            receipt = read_receipt(
                crossing.receipt,
                signing_key=peer.kit.signer.public_key,
                receiver=peer.kit.name,
                message_id=crossing.message_id,
                digest=crossing.digest,
            )
            leaf = peer.storage._leaves[receipt.leaf_index]
            assert (leaf.salt, leaf.content) == (receipt.leaf_salt, receipt.leaf_content)
            _check_journal_contains(peer, receipt.checkpoint)
            assert (Direction.RECEIVED, crossing.message_id) in peer.storage._crossings
            assert crossing.message_id not in node.storage._outgoing

    def _look_at_queries(self, node: SimNode) -> None:
        seen = self._seen[node.party].answers
        for asked in node.storage._asked.values():
            peer = self._federation.nodes[asked.peer]
            _look_at_asked(node, peer, asked)
            if asked.answer_ids and asked.message_id not in seen:
                _look_at_answer(node, peer, asked)
                seen.add(asked.message_id)
        answers: dict[MessageId, list[MessageId]] = {}
        for crossing in _sent(node):
            if crossing.kind is MessageKind.ANSWER:
                answers.setdefault(crossing.conversation, []).append(crossing.message_id)
        for received in node.storage._received.values():
            given = [received.answer_id] if received.answer_id is not None else []
            assert answers.get(received.message_id, []) == given, f"{node.party}: {received}"
            if received.state in {ReceivedState.ANSWERED, ReceivedState.REFUSED}:
                assert received.answer_id is not None


def _look_at_asked(node: SimNode, peer: SimNode, asked: AskedQuery) -> None:
    """Both sides say the same of a query, and an answer is what the other Party signed and nothing else."""
    there = peer.storage._received.get(asked.message_id)
    assert (asked.state is AskedState.ANSWERED) == bool(asked.answer_ids), f"{node.party}: {asked}"
    if asked.state is AskedState.DELIVERED:
        assert there is not None, f"{node.party} says that {asked} arrived"
    if asked.answer_ids:
        assert asked.key_id not in node.storage._keys, f"{node.party} keeps the reply key of {asked}"


def _look_at_answer(node: SimNode, peer: SimNode, asked: AskedQuery) -> None:
    """What was taken is what the other Party gave, and it says something: that a Party cannot be reached is never an answer."""
    there = peer.storage._received[asked.message_id]
    assert asked.answer_ids == (there.answer_id,), f"{node.party} took {asked.answer_ids}, {peer.party} gave {there.answer_id}"
    taken = node.storage._crossings[Direction.RECEIVED, asked.answer_ids[0]]
    given = peer.storage._crossings[Direction.SENT, asked.answer_ids[0]]
    assert (taken.statement, taken.body) == (given.statement, given.body)
    assert decode_statement(taken.statement).in_reply_to == asked.message_id
    answer, _ = decode_body(taken.body)
    assert isinstance(answer, Answer)
    assert {result.outcome for result in answer.results} <= set(Outcome)


def _check_journal_contains(peer: SimNode, checkpoint_note: bytes) -> None:
    """A checkpoint that the peer once signed is a beginning of its journal as it is now."""
    checkpoint = note.parse_checkpoint(note.parse_note(checkpoint_note).text)
    assert checkpoint.origin == origin(peer.kit.name.dns)
    now = peer.storage._tree.frontier
    merkle.verify_consistency(
        old_size=checkpoint.size,
        old_root=checkpoint.root,
        new_size=now.size,
        new_root=now.root(),
        proof=peer.storage._tree.consistency(checkpoint.size, now.size),
    )


def _sent(node: SimNode) -> list[Crossing]:
    return [crossing for (direction, _), crossing in node.storage._crossings.items() if direction is Direction.SENT]


def answers_taken(federation: Federation) -> dict[PartyId, int]:
    """How many queries of each Party were answered."""
    return {
        party: sum(asked.state is AskedState.ANSWERED for asked in node.storage._asked.values())
        for party, node in federation.nodes.items()
    }
