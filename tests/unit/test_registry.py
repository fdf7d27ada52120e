"""Following the directory: verify, persist, act; and what a node says to a log that goes back, forks or shows two faces."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from federation.errors import NotFound, Unauthentic
from federation.ports import Peer
from node.use_cases.registry import Registry
from tests.support.memory_stores import MemoryDirectory
from tests.support.treaty import NOW, Treaty


class Clock:
    def now(self) -> float:
        return NOW


class Source:
    """A directory service over a treaty's log, as somebody chooses to show it."""

    def __init__(self, treaty: Treaty) -> None:
        self.treaty = treaty
        self.size = len(treaty.log)
        self.note: bytes | None = None

    async def checkpoint(self, peer: Peer) -> bytes:
        return self.note or self.treaty.checkpoint(self.size)

    async def entries(self, peer: Peer, start: int, end: int) -> tuple[bytes, ...]:
        return tuple(self.treaty.log[start:end][:2])  # a page is short, so that there are several


def treaty_of(*parties: str, seed: int = 0) -> Treaty:
    treaty = Treaty.make(seed)
    for party in parties:
        treaty.announce(treaty.admit(party))
    return treaty


async def registry_of(treaty: Treaty, size: int | None = None) -> tuple[Registry, MemoryDirectory]:
    leaves: Sequence[bytes] = treaty.log[:size]
    store = MemoryDirectory()
    await store.append(first=0, leaves=leaves, checkpoint=treaty.checkpoint(len(leaves)))
    return await Registry.load(store, treaty.genesis_digest, Clock()), store


PEER = Peer(name=Treaty.make().material("qm").name, endpoint="127.0.0.1:1", anchors=())


async def test_what_is_new_is_verified_persisted_and_told() -> None:
    treaty = treaty_of("qm", "qn")
    registry, store = await registry_of(treaty, size=2)
    told: list[int] = []
    registry.on_change(lambda roster: told.append(roster.size))

    assert await registry.follow(Source(treaty), PEER)

    assert registry.roster.size == len(treaty.log) == await store.size()
    assert told == [len(treaty.log)]
    assert not await registry.follow(Source(treaty), PEER)


async def test_a_shorter_log_is_not_taken_back_to() -> None:
    treaty = treaty_of("qm", "qn")
    registry, _ = await registry_of(treaty)
    source = Source(treaty)
    source.size = 2

    assert not await registry.follow(source, PEER)
    assert registry.roster.size == len(treaty.log)


async def test_a_fork_under_the_right_key_is_refused() -> None:
    treaty, fork = treaty_of("qm", "qn"), treaty_of("qm", "qo")
    registry, _ = await registry_of(treaty)
    fork.announce(fork.material("qm"), serial=2)

    with pytest.raises(Unauthentic):
        await registry.follow(Source(fork), PEER)
    assert registry.roster.size == len(treaty.log)


async def test_a_checkpoint_of_another_log_key_is_refused() -> None:
    registry, _ = await registry_of(treaty_of("qm"))

    with pytest.raises(Unauthentic):
        await registry.follow(Source(treaty_of("qm", "qn", seed=1)), PEER)


async def test_an_empty_store_says_how_to_go_on() -> None:
    with pytest.raises(NotFound) as refused:
        await Registry.load(MemoryDirectory(), bytes(32), Clock())
    assert "join" in refused.value.hint


async def test_a_store_that_was_changed_is_refused_at_the_start() -> None:
    treaty = treaty_of("qm", "qn")
    leaves = [*treaty.log]
    leaves[2], leaves[3] = leaves[3], leaves[2]
    store = MemoryDirectory()
    await store.append(first=0, leaves=leaves, checkpoint=treaty.checkpoint())

    with pytest.raises(Unauthentic):
        await Registry.load(store, treaty.genesis_digest, Clock())
