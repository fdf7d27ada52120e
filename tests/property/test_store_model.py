"""SQLite and memory, given the same changes, cannot be told apart."""

import asyncio
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from federation.envelope.header import Lane
from federation.errors import FederationError
from federation.ports import AlreadySeen, Change, Direction
from federation.query.lifecycle import AskedState, ReceivedState
from node.store.exchange import SqliteExchange
from node.store.vault import Vault
from tests.support import samples
from tests.support.memory_stores import BrokenContract, MemoryExchange
from tests.support.samples import QM, QN, message_id

IDS = range(4)
TIMES = st.integers(0, 6)
PEERS = st.sampled_from([QM, QN])


BEGIN = Change(
    crossings=tuple(samples.crossing(number) for number in IDS),
    keys=tuple(samples.key(number) for number in IDS),
    leaves=tuple(samples.leaf("sent") for _ in IDS),
)
"""Gives most of the changes below something that they may be about."""


def several(strategy):
    return st.just(()) | st.lists(strategy, max_size=2).map(tuple)


ids = st.sampled_from(IDS)
changes = st.builds(
    Change,
    marks=several(st.builds(samples.mark, ids, sender=PEERS, statement=st.sampled_from(["first", "second"]))),
    asked=several(st.builds(samples.asked, ids, state=st.sampled_from(AskedState), created=TIMES, deadline=TIMES)),
    received=several(st.builds(samples.received, ids, state=st.sampled_from(ReceivedState), received=TIMES, deadline=TIMES)),
    crossings=several(
        st.builds(
            samples.crossing,
            ids,
            direction=st.sampled_from(Direction),
            leaf=st.sampled_from(IDS),
            header=st.binary(max_size=4),
            ciphertext=st.binary(max_size=4),
            receipt=st.none() | st.builds(samples.receipt, st.sampled_from("ab")),
        )
    ),
    receipts=several(
        st.tuples(st.sampled_from([*IDS, *IDS, 9]).map(message_id), st.builds(samples.receipt, st.sampled_from("cd")))
    ),
    outgoing=several(
        st.builds(
            samples.outgoing,
            ids,
            peer=PEERS,
            lane=st.sampled_from(Lane),
            next_attempt=st.floats(0, 6),
            attempts=TIMES,
            conversation=st.none() | st.just(message_id(7)),
            held_since=st.sampled_from([0, 0, 3]),
        )
    ),
    tracks=several(st.builds(samples.track, st.integers(1, 5), peer=PEERS, lane=st.sampled_from(Lane))),
    poisons=several(st.builds(samples.poison, ids, peer=PEERS, times=TIMES)),
    poisons_done=several(st.tuples(PEERS, ids.map(message_id))),
    outgoing_done=several(ids.map(message_id)),
    heads=several(st.builds(samples.head, st.integers(1, 50), peer=PEERS, lane=st.sampled_from(Lane))),
    keys=several(st.builds(samples.key, ids)),
    keys_destroyed=several(ids.map(lambda number: samples.key(number).key_id)),
    leaves=several(st.builds(samples.leaf, st.text(max_size=4))),
)


async def outcome(store, change):
    try:
        return await store.commit(change)
    except AlreadySeen as seen:
        return seen.known
    except FederationError as error:
        return type(error)


async def everything(store):
    """All that the ports show."""
    size = (await store.frontier()).size
    return [
        *[await store.asked(message_id(number)) for number in IDS],
        *[await store.received(message_id(number)) for number in IDS],
        *[await store.crossing(direction, message_id(number)) for direction in Direction for number in IDS],
        *[await store.asked_page(before=before, rows=2, before_id=message_id(2)) for before in range(6)],
        *[await store.received_page(before=before, rows=2) for before in range(6)],
        *[await store.due(now=float(now), rows=1) for now in range(6)],
        *[await store.overdue(now=float(now), rows=3) for now in range(6)],
        *[await store.waiting(peer) for peer in (QM, QN)],
        *[await store.foremost(peer) for peer in (QM, QN)],
        await store.due(now=6.0, rows=3, without=[QN]),
        await store.next_due(),
        await store.next_due(without=[QM]),
        await store.held(rows=3),
        await store.tracks(),
        await store.poisons(rows=3),
        await store.heads(),
        await store.keys(),
        await store.frontier(),
        *[await store.leaf(index) for index in range(size)],
        *[await store.inclusion(index, size) for index in range(size)],
        *[await store.consistency(old_size, size) for old_size in range(1, size + 1)],
    ]


async def compare(steps):
    memory = MemoryExchange()
    with tempfile.TemporaryDirectory() as folder:
        opened = SqliteExchange.open(Path(folder) / "exchange.sqlite", vault=Vault(b"k" * 32, entropy=os.urandom))
        async with opened as sqlite:
            for change in steps:
                try:
                    expected = await outcome(memory, change)
                except BrokenContract:
                    continue  # no caller may do this, so there is nothing to compare
                assert await outcome(sqlite, change) == expected
            assert await everything(sqlite) == await everything(memory)


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(changes, max_size=8))
def test_the_same_changes_have_the_same_effect_in_memory_and_in_sqlite(steps):
    # A failing example is run again, and a salt is used once: so each run has its own.
    salted = (replace(change, leaves=tuple(samples.leaf("") for _ in change.leaves)) for change in steps)
    asyncio.run(compare([BEGIN, *salted]))
