"""The watch over a federation notices what it is there for: each invariant, broken on purpose."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from federation.errors import FederationError
from federation.evidence.journal import JournalKind, JournalRecord, Leaf
from federation.identity import MessageId
from federation.ports import Change, Direction
from federation.query.lifecycle import AskedState
from federation.wire.evidence import encode_record
from tests.support.federation import Federation
from tests.support.invariants import Watch
from tests.support.memory_stores import MemoryTree
from tests.support.network import Crossed
from tests.support.parties import NECESSITY
from tests.support.simulated import simulated
from tests.support.simulated_officers import ask, question


async def an_answered_query(federation: Federation) -> MessageId:
    """From qm to qn, with everything that belongs to it."""
    view = await ask(federation["qm"], question(federation["qn"].party, federation["qn"].kit.codes[0]))
    await asyncio.sleep(60)
    Watch(federation).look_at_the_end()
    return view.asked.message_id


@simulated()
async def test_it_sees_a_word_in_the_clear(federation: Federation):
    seen = Crossed(
        at=0,
        source=federation["qm"].kit.name,
        target=federation["qn"].kit.name,
        path="/federation.v1.Exchange/Acknowledge",
        way="request",
        data=b"..." + NECESSITY.encode(),
    )
    federation._watch(seen)

    with pytest.raises(AssertionError, match=r"Exchange/Acknowledge"):
        Watch(federation).look()
    federation.leaks.clear()


@simulated()
async def test_it_sees_a_query_that_is_receipted_and_not_there(federation: Federation):
    message_id = await an_answered_query(federation)
    there = federation["qn"].storage._crossings
    crossing = there.pop((Direction.RECEIVED, message_id))

    with pytest.raises(AssertionError):
        Watch(federation).look()
    there[Direction.RECEIVED, message_id] = crossing


@simulated()
async def test_it_sees_a_query_that_is_forgotten(federation: Federation):
    message_id = await an_answered_query(federation)
    asked = federation["qm"].storage._asked
    lost = asked[message_id]
    asked[message_id] = replace(lost, state=AskedState.DELIVERED, answer_ids=())

    with pytest.raises(AssertionError, match="lost"):
        Watch(federation).look_at_the_end()
    asked[message_id] = lost


@simulated()
async def test_it_sees_an_answer_that_is_not_the_one_that_was_given(federation: Federation):
    message_id = await an_answered_query(federation)
    storage = federation["qm"].storage
    answered = storage._asked[message_id]
    (answer_id,) = answered.answer_ids
    taken = storage._crossings[Direction.RECEIVED, answer_id]
    storage._crossings[Direction.RECEIVED, answer_id] = replace(taken, body=taken.body + b"\0")

    with pytest.raises(AssertionError):
        Watch(federation).look()
    storage._crossings[Direction.RECEIVED, answer_id] = taken


@simulated()
async def test_it_sees_a_receipt_that_the_receivers_journal_does_not_bear_out(federation: Federation):
    message_id = await an_answered_query(federation)
    leaves = federation["qn"].storage._leaves
    place = federation["qn"].storage._crossings[Direction.RECEIVED, message_id].leaf
    kept, leaves[place] = leaves[place], Leaf(salt=bytes(32), content=leaves[place].content)

    with pytest.raises(AssertionError):
        Watch(federation).look()
    leaves[place] = kept


@simulated()
async def test_it_sees_a_journal_that_was_written_anew(federation: Federation):
    await an_answered_query(federation)
    watch = Watch(federation)
    watch.look()
    storage = federation["qn"].storage
    kept, storage._tree = storage._tree, MemoryTree()
    for _ in range(kept.frontier.size + 1):
        storage._tree.append(bytes(32))

    with pytest.raises(FederationError):
        watch.look()
    storage._tree = kept


@simulated()
async def test_it_sees_two_decisions_about_one_query(federation: Federation):
    message_id = await an_answered_query(federation)
    record = JournalRecord(kind=JournalKind.DECIDED, at=0, message_id=message_id, peer=federation["qm"].party, digest=bytes(32))
    storage, kept = federation["qn"].storage, len(federation["qn"].storage._leaves)
    await storage.commit(Change(leaves=(Leaf(salt=bytes(32), content=encode_record(record)),)))
    watch = Watch(federation)

    with pytest.raises(AssertionError, match="decided twice"):
        watch.look()
    neutral = JournalRecord(kind=JournalKind.EXPIRED, at=0, message_id=message_id, peer=federation["qm"].party, digest=bytes(32))
    storage._leaves[kept] = Leaf(salt=bytes(32), content=encode_record(neutral))
