"""A node that came back from a backup: what it does first, and until when it vouches for nothing."""

from __future__ import annotations

from typing import Any

import pytest

from federation.errors import Unauthentic, Unavailable, Unreachable
from federation.evidence.journal import NO_MESSAGE, Epoch, JournalKind
from federation.identity import PartyId
from federation.ports import Change, Peer
from federation.wire.evidence import decode_record
from node.restored import NAME, Restored, read_mark, write_mark
from node.returning import Mark, old_copies_in
from node.use_cases.log import Log
from node.use_cases.registry import Registry
from node.use_cases.restoring import Probation, Returned, open_epoch
from node.use_cases.world import World
from tests.support import samples
from tests.support.memory_stores import MemoryDirectory, MemoryExchange
from tests.support.treaty import NOW, Treaty, entropy

QM = PartyId("qm")
PARTIES = ("qm", "qn", "qo", "qp", "qr")


class Clock:
    def now(self) -> float:
        return NOW


WORLD = World(clock=Clock(), entropy=entropy(7, "restoring"))


class Peers:
    """What each Party's node shows: a treaty's log up to a size, or nothing at all."""

    def __init__(self, shown: dict[str, tuple[Treaty, int] | None]) -> None:
        self.shown = shown
        self.asked: list[str] = []

    def _of(self, peer: Peer) -> tuple[Treaty, int]:
        party = str(peer.name.party)
        self.asked.append(party)
        shown = self.shown.get(party)
        if shown is None:
            raise Unreachable(f"{party} is down")
        return shown

    async def checkpoint(self, peer: Peer) -> bytes:
        treaty, size = self._of(peer)
        return treaty.checkpoint(size)

    async def entries(self, peer: Peer, start: int, end: int) -> tuple[bytes, ...]:
        treaty, size = self._of(peer)
        return tuple(treaty.log[start : min(end, size)])


def treaty_of(*parties: str) -> Treaty:
    treaty = Treaty.make(3)
    for party in parties:
        treaty.announce(treaty.admit(party))
    return treaty


async def registry_at(treaty: Treaty, size: int) -> Registry:
    store = MemoryDirectory()
    await store.append(first=0, leaves=treaty.log[:size], checkpoint=treaty.checkpoint(size))
    return await Registry.load(store, treaty.genesis_digest, Clock())


async def look(probation: Probation, peers: Peers) -> bool:
    service: Any = peers  # of the port, what is asked here
    return await probation.look(service)


# --- the epoch ----------------------------------------------------------------------------------------------------------------


async def test_a_return_opens_one_epoch_before_anything_is_said() -> None:
    store = MemoryExchange()
    await store.commit(Change(leaves=(samples.leaf("a"), samples.leaf("b"))))
    before = await store.frontier()
    returned = Returned(at=NOW, taken=NOW - 500)
    expected = (Epoch(number=1, first=0), Epoch(number=NOW, first=2))

    assert await open_epoch(store, store, own=QM, world=WORLD, returned=returned) == expected
    leaf = await store.leaf(2)
    assert leaf is not None
    record = decode_record(leaf.content)
    assert (record.kind, record.message_id, record.peer, record.digest) == (JournalKind.EPOCH, NO_MESSAGE, QM, before.root())
    assert record.restoration is not None
    assert (record.restoration.number, record.restoration.size, record.restoration.taken) == (NOW, 2, NOW - 500)

    assert await open_epoch(store, store, own=QM, world=WORLD, returned=returned) == expected  # the next start
    assert (await store.frontier()).size == 3


async def test_two_returns_from_one_copy_never_share_an_epoch() -> None:
    """Both begin at the same size, and what they sign from there on differs: only the names keep that from looking like fraud."""
    names = set()
    for at in (NOW, NOW + 1):
        store = MemoryExchange()
        await store.commit(Change(leaves=(samples.leaf("the copy"),)))
        epochs = await open_epoch(store, store, own=QM, world=WORLD, returned=Returned(at=at, taken=NOW - 500))
        names.add(epochs[-1].number)

    assert len(names) == 2


async def test_a_node_that_was_never_put_back_has_one_epoch() -> None:
    store = MemoryExchange()

    assert await open_epoch(store, store, own=QM, world=WORLD, returned=None) == (Epoch(number=1, first=0),)
    assert (await store.frontier()).size == 0


# --- the directory ------------------------------------------------------------------------------------------------------------


async def test_it_is_over_when_more_than_two_thirds_of_the_others_agree_and_what_was_lost_is_learnt_from_them() -> None:
    treaty = treaty_of(*PARTIES)
    whole = len(treaty.log)
    settled: list[bool] = []
    registry = await registry_at(treaty, whole - 2)
    probation = Probation(registry, QM, lambda: settled.append(True))
    peers = Peers({"qn": (treaty, whole), "qo": (treaty, whole)})

    assert not await look(probation, peers)
    assert registry.roster.size == whole
    assert (probation.agreeing, probation.needed) == (2, 3)

    peers.shown["qp"] = (treaty, whole)
    assert await look(probation, peers)
    assert await look(probation, peers)
    assert settled == [True]


async def test_of_three_peers_each_one_has_to_agree() -> None:
    treaty = treaty_of(*PARTIES[:4])
    whole = len(treaty.log)
    probation = Probation(await registry_at(treaty, whole), QM, lambda: None)
    peers = Peers({"qn": (treaty, whole), "qo": (treaty, whole)})
    assert not await look(probation, peers)

    peers.shown["qp"] = (treaty, whole)
    assert await look(probation, peers)


async def test_a_peer_that_is_behind_or_shows_another_directory_counts_for_nothing() -> None:
    treaty, fork = treaty_of("qm", "qn", "qo"), treaty_of("qm", "qn", "qp")
    whole = len(treaty.log)
    assert len(fork.log) == whole
    probation = Probation(await registry_at(treaty, whole), QM, lambda: None)
    peers = Peers({"qn": (fork, whole), "qo": (treaty, whole - 1)})

    for _ in range(3):
        assert not await look(probation, peers)
    assert probation.agreeing == 0


async def test_who_agreed_is_asked_again_when_the_directory_has_grown() -> None:
    treaty = treaty_of(*PARTIES)
    size = len(treaty.log) - 1
    registry = await registry_at(treaty, size)
    probation = Probation(registry, QM, lambda: None)
    peers = Peers({"qn": (treaty, size), "qo": (treaty, size)})
    assert not await look(probation, peers)
    assert probation.agreeing == 2
    peers.shown = {"qp": (treaty, size + 1), "qn": None, "qo": None}

    assert not await look(probation, peers)
    assert registry.roster.size == size + 1
    assert probation.agreeing == 1


async def test_an_agreement_that_cannot_be_written_down_is_none() -> None:
    treaty = treaty_of("qm", "qn")

    def refuses() -> None:
        raise Unavailable("the disk is full")

    probation = Probation(await registry_at(treaty, len(treaty.log)), QM, refuses)
    with pytest.raises(Unavailable):
        await look(probation, Peers({"qn": (treaty, len(treaty.log))}))
    assert not probation.is_over


# --- the Secretariat ----------------------------------------------------------------------------------------------------------


async def test_a_secretariat_that_was_put_back_takes_its_log_over_before_it_logs_anything() -> None:
    """Until then its program serves nothing: see tests/integration/test_restored_secretariat.py."""
    treaty = treaty_of("qm", "qn")
    whole = len(treaty.log)
    registry = await registry_at(treaty, whole - 1)  # it has forgotten qn's last entry
    probation = Probation(registry, None, lambda: None)
    other = treaty_of("qm", "qn")
    other.announce(other.parties[QM], serial=2)
    newer = other.log[-1]

    assert not await look(probation, Peers({"qm": (treaty, whole - 1)}))
    peers = Peers({"qm": (treaty, whole), "qn": (treaty, whole)})
    assert not await look(probation, peers)  # qn had news, so qm is asked once more
    assert await look(probation, peers)

    log = await Log.load(registry=registry, publications=registry.store, signer=treaty.log_signer)
    assert await log.append(treaty.log[-1]) == whole - 1  # what came from the peers is known
    assert await log.append(newer) == whole


# --- the mark -----------------------------------------------------------------------------------------------------------------


def test_the_mark_is_read_as_it_was_written_and_nothing_else_is_one(tmp_path: Any) -> None:
    assert read_mark(tmp_path) is None
    write_mark(tmp_path, Restored(at=NOW, taken=NOW - 5))
    assert read_mark(tmp_path) == Restored(at=NOW, taken=NOW - 5)
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0
    for wrong in (b"", b"{}", b'{"at":1,"taken":1}', b'{"at":3,"taken":1,"more":1}', b"\xff"):
        (tmp_path / NAME).write_bytes(wrong)
        with pytest.raises(Exception, match="cannot be read") as raised:
            read_mark(tmp_path)
        assert "do not delete" in raised.value.hint


async def test_a_home_with_a_mark_is_on_probation_until_it_is_written_that_the_peers_agreed(tmp_path: Any) -> None:
    treaty = treaty_of("qm", "qn")
    registry = await registry_at(treaty, len(treaty.log))
    assert Mark.in_home(tmp_path).probation(registry, QM, Clock()) is None
    write_mark(tmp_path, Restored(at=NOW - 9, taken=NOW - 90))
    mark = Mark.in_home(tmp_path)
    probation = mark.probation(registry, QM, Clock())
    assert probation is not None

    assert await look(probation, Peers({"qn": (treaty, len(treaty.log))}))

    assert mark.returned == Returned(at=NOW - 9, taken=NOW - 90, agreed=NOW)
    assert Mark.in_home(tmp_path).probation(registry, QM, Clock()) is None


def test_copies_of_upgrades_are_told_of_after_a_month(tmp_path: Any) -> None:
    for name in ("exchange.sqlite", "exchange.sqlite-backup-v1", "exchange.sqlite-lock"):
        (tmp_path / name).touch()
    made = (tmp_path / "exchange.sqlite-backup-v1").stat().st_mtime

    assert old_copies_in(tmp_path, now=made + 29 * 86_400) == ()
    assert old_copies_in(tmp_path, now=made + 31 * 86_400) == ("exchange.sqlite-backup-v1",)


async def test_a_fork_of_the_secretariat_is_no_agreement() -> None:
    """The node was put back; the Secretariat shows it another directory than it showed the peers before."""
    treaty, fork = treaty_of("qm", "qn", "qo"), treaty_of("qm", "qn", "qp")
    registry = await registry_at(fork, len(fork.log))
    probation = Probation(registry, QM, lambda: None)

    assert not await look(probation, Peers({"qn": (treaty, len(treaty.log)), "qp": (treaty, len(treaty.log))}))
    service: Any = Peers({"qn": (treaty, len(treaty.log))})
    with pytest.raises(Unauthentic):
        await registry.follow(service, registry.peer(PartyId("qn")))
