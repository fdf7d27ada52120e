"""What one peer or the Secretariat can do to a node that is right about everything: as little as possible."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from federation import limits
from federation.boundary.directory import fold, sign_checkpoint
from federation.boundary.messages import body_digest, compose_statement
from federation.envelope.header import Lane, MessageKind, Statement
from federation.envelope.seal import Inner
from federation.errors import FederationError, Forbidden, Malformed, Misuse, PeerMisbehaviour, Unauthentic
from federation.identity import MessageId
from federation.ports import Direction, Peer
from federation.query.codes import Automation
from federation.query.lifecycle import AskedState
from federation.query.query import Query
from federation.wire.envelope import encode_envelope
from federation.wire.query import encode_answer_body
from node import party as party_node
from node.use_cases.housekeeping import follow_directory, learn_bundles
from node.use_cases.sealing import envelope_of
from tests.support.crossing import an_answer
from tests.support.federation import Federation, federating
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import HOUR, answer_inbox, ask, look, question
from tests.support.virtual_clock import VirtualLoop, run_virtual

LIES = [Malformed, Unauthentic, Forbidden, Misuse]


class Lying:
    """A service at which some peers answer every call with an error of their choice."""

    def __init__(self, service: Any, liars: set[str], error: type[FederationError]) -> None:
        self._service = service
        self._liars = liars
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(peer: Peer, *arguments: Any) -> Any:
            if peer.name.party in self._liars:
                raise self._error("a lie")
            return await getattr(self._service, name)(peer, *arguments)

        return call


async def parts_of(node: SimNode) -> Any:
    return await node._parts(node._power)  # the same parts as the node has, to be replaced one by one


@pytest.mark.parametrize("error", LIES)
def test_a_peer_that_refuses_its_bundles_hides_nobody_elses(error: type[FederationError]) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=4) as federation:
            node = federation["qp"]
            assert node.participant is not None
            parts = await parts_of(node)
            node.participant.keyring._peers.clear()  # as after a restart
            await learn_bundles(replace(parts, transport=Lying(parts.transport, {"qm"}, error)), node.participant)

            assert node.participant.keyring.is_fresh(federation["qn"].party)
            assert node.participant.keyring.is_fresh(federation["qo"].party)

    run_virtual(main)


@pytest.mark.parametrize("error", LIES)
@pytest.mark.parametrize("secretariat", ["silent", "lying"])
def test_a_peer_that_lies_about_the_directory_stands_before_no_other(error: type[FederationError], secretariat: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=4) as federation:
            await _one_entry_that_reaches_only(federation, federation["qo"])
            node = federation["qp"]
            assert node.participant is not None
            size = node.participant.registry.roster.size
            parts = await parts_of(node)
            liars = {"qm", None} if secretariat == "lying" else {"qm"}
            if secretariat == "silent":
                federation.secretariat.go_away()
            for _ in range(4):
                await follow_directory(replace(parts, directory=Lying(parts.directory, liars, error)), node.participant)

            assert node.participant.registry.roster.size == size + 1

    run_virtual(main)


async def _one_entry_that_reaches_only(federation: Federation, node: SimNode) -> None:
    """As when the Secretariat goes down before the others have read it."""
    assert node.participant is not None
    replica, leaf = node.participant.registry.replica, b"an entry of a kind that comes later"
    checkpoint = sign_checkpoint(replica.genesis.origin, fold(replica, leaf).frontier, federation.treaty.log_signer)
    await node.participant.registry.accept([leaf], checkpoint)


async def test_a_secretariat_that_refuses_an_entry_ends_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([Forbidden("no"), Malformed("no"), Misuse("no"), None])

    async def announce(*_arguments: Any, **_named: Any) -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    monkeypatch.setattr(party_node, "announce_settings", announce)
    monkeypatch.setattr(party_node, "ANNOUNCE_RETRY_S", 0)
    monkeypatch.setattr(party_node, "OWN_SETS_LOOK_S", 0)
    monkeypatch.setattr(party_node, "_author", lambda _ground: None)
    looks = iter([False] * 4)  # one for each answer; after them the test is over, as the announcing never is
    own_sets = type("Sets", (), {"look": lambda: next(looks), "says": None, "sets": ()})
    own_keys = type("Keys", (), {"announced_signing_key": lambda: bytes(32)})
    registry = type("Registry", (), {"anchored": lambda secretariat: secretariat})
    ground: Any = type(
        "Ground", (), {"registry": registry, "settings": None, "own_sets": own_sets, "own_keys": own_keys, "world": None}
    )
    parts: Any = type("Parts", (), {"directory": None, "secretariat": object()})

    with pytest.raises(RuntimeError, match="StopIteration"):
        async with asyncio.timeout(10):
            await party_node._announce(ground, parts, participant=None)

    assert next(answers, "over") == "over"


def test_questions_without_answers_do_not_keep_a_node_from_its_other_duties() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=2) as federation:
            node = federation["qm"].participant
            assert node is not None
            waiting = {MessageId(number.to_bytes(16)): None for number in range(limits.CAUGHT_UP_MAX + 7)}
            node.answering._unanswered.update(waiting)
            asked: list[MessageId] = []

            async def at_once(identifier: MessageId) -> bytes:
                asked.append(identifier)  # in no time, so that the node's own rounds do not come between
                return b""

            node.answering.answer_waiting = at_once  # type: ignore[method-assign]  # what it does is not the matter here
            await node.answering.catch_up()
            assert len(node.answering._unanswered) == 7
            await node.answering.catch_up()
            assert not node.answering._unanswered
            assert asked == list(waiting)

    run_virtual(main)


@simulated(automation=Automation.MANUAL)
async def test_a_peer_that_sends_garbage_is_refused_and_changes_nothing(federation: Federation):
    node, sender = federation["qn"], federation["qm"]
    view = await ask(sender, question(node.party, node.kit.codes[0]))
    sent = await sender.storage.crossing(Direction.SENT, view.asked.message_id)
    assert sent is not None
    raw = encode_envelope(replace(envelope_of(sent), ciphertext=bytes(2_000)))
    leaves = len(node.storage._leaves)
    assert node.participant is not None
    garbage = [b"", bytes(1), bytes(range(256)) * 20, raw[: len(raw) // 2], raw[:-1] + bytes(1), raw + bytes(1), bytes(4_000_000)]

    for one in garbage:
        with pytest.raises(PeerMisbehaviour):
            await node.participant.exchange.deliver(sender.kit.name, one)

    assert len(node.storage._leaves) == leaves
    assert not node.storage._poisons
    assert (await ask(federation["qo"], question(node.party, node.kit.codes[1]))).asked.state is AskedState.DELIVERED


@simulated(automation=Automation.MANUAL)
async def test_a_peer_that_answers_a_query_that_was_asked_of_another_is_refused(federation: Federation):
    asker, asked, liar = federation["qm"], federation["qn"], federation["qo"]
    view = await ask(asker, question(asked.party, asked.kit.codes[0]))
    said, made = view.asked.message_id, await _answer_of(liar, asker, view.query, view.asked.message_id)

    with pytest.raises(Forbidden, match="a Party that was not asked"):
        await asker.participant.exchange.deliver(liar.kit.name, made)
    with pytest.raises(Forbidden, match="handed over by the node that signed it"):
        await asker.participant.exchange.deliver(asked.kit.name, made)

    view = await look(asker, said)
    assert (view.asked.state, view.answers) == (AskedState.DELIVERED, ())
    assert await answer_inbox(asked) == 1
    await asyncio.sleep(5)
    assert [one.sender for one in (await look(asker, said)).answers] == [asked.party]


async def _answer_of(liar: SimNode, asker: SimNode, query: Query, query_id: MessageId) -> bytes:
    """An answer as its own Party would seal it, to a query that another Party was asked."""
    assert liar.participant is not None
    body = encode_answer_body(an_answer(query), certificate=b"")
    now = int(liar.clock.now())
    statement = Statement(
        message_id=MessageId(bytes(15) + b"x"),
        kind=MessageKind.ANSWER,
        conversation=query_id,
        in_reply_to=query_id,
        sender=liar.party,
        recipient=asker.party,
        officer_id=None,
        certificate_hash=b"",
        policy_digest=bytes(32),
        created=now,
        deadline=now + HOUR,
        body_digest=body_digest(body),
    )
    inner = Inner(statement=compose_statement(statement), statement_signature=b"", salt=bytes(32), body=body)
    asking: Any = liar.participant.asking
    key = liar.participant.keyring.prekey_of(asker.party, liar.participant.registry.roster)
    assert key is not None
    sealing = asking._sealer.seal(inner, statement, recipient=asker.kit.name, key=key[0], key_until=key[1], lane=Lane.NORMAL)
    return encode_envelope(sealing.sealed.envelope)


def test_where_all_want_all_new_keys_each_asks_a_few_nodes_and_no_node_is_asked_by_all() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=16) as federation:
            await asyncio.sleep(60)
            asked = Counter(line.split(" to ")[1][:2] for line in federation.history.lines if "request Bundles" in line)
            for node in federation.nodes.values():
                assert node.participant is not None
                others = [party for party in federation.nodes if party != node.party]
                assert all(node.participant.keyring.is_fresh(party) for party in others)
            assert sum(asked.values()) <= 16 * 6  # doubling takes four calls each; some begin before others are up
            assert max(asked.values()) < 15

    run_virtual(main)
