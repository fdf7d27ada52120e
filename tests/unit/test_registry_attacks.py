"""Following the log: two at once, a source that lies, a source that never ends, and cosignatures that are none."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Sequence

import pytest

from federation import limits
from federation.boundary.directory import compose_entry, cosigners, read_checkpoint
from federation.errors import Overloaded, Oversized
from federation.identity import PartyId
from federation.ports import Peer
from node.use_cases.log import Log
from node.use_cases.registry import Registry
from tests.support.memory_stores import MemoryDirectory
from tests.support.treaty import NOW, PartyMaterial, Treaty

QM, QN = PartyId("qm"), PartyId("qn")


class Clock:
    def __init__(self) -> None:
        self.time: float = NOW

    def now(self) -> float:
        return self.time


class Source:
    """A node that serves the log, as far as the test lets it.

    Attributes:
        note: what it shows as the newest checkpoint.
    """

    def __init__(self, treaty: Treaty, *, note: bytes | None = None, endless: bytes = b"") -> None:
        self.treaty = treaty
        self.note = note if note is not None else treaty.checkpoint()
        self.endless = endless
        self.served = 0

    async def checkpoint(self, _peer: Peer) -> bytes:
        await asyncio.sleep(0)
        return self.note

    async def entries(self, _peer: Peer, start: int, end: int) -> Sequence[bytes]:
        await asyncio.sleep(0)
        if self.endless:
            self.served += 100 * len(self.endless)
            return (self.endless,) * 100
        return tuple(self.treaty.log[start:end])


@pytest.fixture
def treaty() -> Treaty:
    made = Treaty.make(seed=31)
    made.admit("qm")
    made.admit("qn")
    return made


async def registry_at(treaty: Treaty, size: int) -> Registry:
    store = MemoryDirectory()
    await store.append(first=0, leaves=treaty.log[:size], checkpoint=treaty.checkpoint(size))
    return await Registry.load(store, treaty.genesis_digest, Clock())


def peer(treaty: Treaty) -> Peer:
    return treaty.secretariat.peer


def junk(name: str, key_id: bytes = bytes(4)) -> bytes:
    return f"\N{EM DASH} {name} {b64encode(key_id + bytes(72)).decode()}\n".encode()


async def test_two_who_follow_at_once_do_not_trip_over_each_other(treaty):
    registry = await registry_at(treaty, 2)

    news = await asyncio.gather(*(registry.follow(Source(treaty), peer(treaty)) for _ in range(2)))

    assert sorted(news) == [False, True]
    assert registry.roster.size == len(treaty.log)


async def test_a_source_that_never_ends_is_left_before_memory_is(treaty, monkeypatch):
    monkeypatch.setattr(limits, "DIRECTORY_BYTES_MAX", 1_000_000)
    registry = await registry_at(treaty, 2)
    source = Source(treaty, endless=bytes(limits.ENTRY_BYTES_MAX))
    for _ in range(500):
        treaty.append(b"junk")
    source.note = treaty.checkpoint()

    with pytest.raises(Oversized):
        await registry.follow(source, peer(treaty))

    assert source.served < 10_000_000
    assert registry.roster.size == 2


async def test_lines_that_are_no_cosignatures_push_no_true_ones_away(treaty):
    registry = await registry_at(treaty, len(treaty.log))
    forged = treaty.checkpoint() + b"".join(junk(f"n{number}.example") for number in range(20))
    await registry.follow(Source(treaty, note=forged), peer(treaty))
    true = treaty.replica(witnesses=treaty.parties.values()).note

    await registry.follow(Source(treaty, note=true), peer(treaty))

    assert {one.name for one in cosigners(registry.roster, registry.replica.note)} == {
        one.name.dns for one in treaty.parties.values()
    }


async def test_one_party_cannot_make_the_log_of_all_others_grow_without_end(treaty, monkeypatch):
    monkeypatch.setattr(limits, "ENTRIES_PER_PARTY_PER_DAY_MAX", 3)
    store, clock = MemoryDirectory(), Clock()
    await store.append(first=0, leaves=treaty.log, checkpoint=treaty.checkpoint())
    registry = await Registry.load(store, treaty.genesis_digest, clock)
    log = await Log.load(registry=registry, publications=store, signer=treaty.log_signer)
    noisy, quiet = treaty.parties[QM], treaty.parties[QN]
    leaves = [compose(treaty, noisy, serial) for serial in range(1, 6)]
    for leaf in leaves[:3]:
        await log.submit(noisy.name, leaf)

    with pytest.raises(Overloaded):
        await log.submit(noisy.name, leaves[3])

    assert await log.submit(noisy.name, leaves[0]) == len(treaty.log)  # what is there already costs nothing
    await log.submit(quiet.name, compose(treaty, quiet, 1))
    clock.time += 86_400
    await log.submit(noisy.name, leaves[3])
    assert read_checkpoint(registry.roster, registry.replica.note)[0].size == len(treaty.log) + 5


def compose(treaty: Treaty, party: PartyMaterial, serial: int) -> bytes:
    return compose_entry(treaty.update(party, serial=serial), [party.key])
