"""Following the log while somebody wants a node to believe something else: rollback, freeze, fork, withheld entries, bought quorums."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.directory import add_cosignature, cosign_checkpoint, open_genesis
from federation.errors import FederationError, Stale, Unauthentic, UnknownParty
from federation.identity import PartyId
from federation.trust.witness import counting_witnesses
from node.use_cases.registry import Registry
from tests.support import acts
from tests.support.directory_bench import HOUR, Bench, Office, filled, treaty_with
from tests.support.faults import When
from tests.support.memory_stores import MemoryDirectory
from tests.support.treaty import DAY, Treaty

QM, QN, QO, QP, QX = (PartyId(party) for party in ("qm", "qn", "qo", "qp", "qx"))
WITNESSES = ("qm", "qn", "qo")


async def bench_of(witnesses: tuple[str, ...] = WITNESSES) -> Bench:
    return await Bench.make(treaty_with("qm", "qn", "qo", "qp", witnesses=witnesses))


def update(bench: Bench, party: str, serial: int = 1, name: str = "") -> acts.Act:
    act = acts.update(bench.treaty, bench.treaty.parties[PartyId(party)], serial=serial)
    return act if not name else replace(act, body=replace(act.body, display_name=name))


async def published(bench: Bench, *given: acts.Act) -> None:
    for act in given:
        await bench.office.append(act)
    bench.clock.at += limits.OFFER_S + 1
    for _ in range(2):
        await bench.attend(*WITNESSES)
    assert bench.office.published == bench.office.logged


async def test_directory_rollback():
    """The Secretariat is put back to an old log, and shows it with all its true cosignatures."""
    bench = await bench_of()
    await published(bench, update(bench, "qp", name="Old"))
    reader = bench["qp"]
    old = await Office(bench, await copied(bench.office.store)).open()
    await published(bench, update(bench, "qp", 2, name="New"))
    await reader.follow()
    bench.show(old, reader)

    assert not await reader.follow()
    assert reader.registry.roster.party(QP).name == "New"


async def copied(store: MemoryDirectory) -> MemoryDirectory:
    """A backup of a disk."""
    copy = MemoryDirectory()
    await copy.append(first=0, leaves=await store.leaves(0, 10**6), checkpoint=await store.checkpoint() or b"")
    if (published := await store.published()) is not None:
        await copy.publish(published, size=len(copy._leaves))
    return copy


async def test_directory_freeze():
    """Somebody between a node and all others shows it yesterday for ever. Everything about it is true, and it is told from its age."""
    bench = await bench_of()
    await published(bench, update(bench, "qp", name="Old"))
    reader = bench["qp"]
    await reader.follow()
    frozen = await Office(bench, await copied(bench.office.store)).open()
    bench.show(frozen, reader)
    for _ in range(30):
        bench.clock.at += HOUR
        await bench.attend(*WITNESSES)
        await reader.follow()

    assert reader.registry.age_s > limits.DIRECTORY_FRESH_S
    assert bench.office.registry.age_s < 2 * HOUR
    bench.clock.at += 7 * DAY
    assert reader.registry.is_stale
    assert reader.registry.roster.node(QM)  # known Parties go on exchanging


async def test_directory_freeze_with_news_that_are_a_day_old():
    """Whoever holds back the log for more than a day brings no new Party and no new key with it."""
    bench = await bench_of()
    new = bench.treaty.material("qx")
    await published(bench, acts.admission(bench.treaty, new))
    reader = bench["qp"]
    bench.clock.at += DAY + HOUR

    with pytest.raises(Stale):
        await reader.follow()
    with pytest.raises(UnknownParty):
        reader.registry.roster.party(QX)

    await bench.attend(*WITNESSES)  # they see it again: it is fresh
    assert await reader.follow()
    assert reader.registry.roster.party(QX)


async def test_without_witnesses_peers_bring_nothing_new_after_a_day_without_the_secretariat():
    bench = await bench_of(witnesses=())
    reader, peer = bench["qp"], bench["qn"]
    bench.clock.at += DAY + HOUR
    await bench.office.append(update(bench, "qp"))
    await peer.follow()

    with pytest.raises(Stale):
        await reader.follow(bench.peer("qn"))
    assert await reader.follow()


async def test_directory_fork():
    """The Secretariat has another log with its own signature, and no witness stands under it."""
    bench = await bench_of()
    fork = await bench.fork(update(bench, "qp", name="False"))
    reader = bench["qp"]
    bench.show(fork, reader)

    assert not await reader.follow()  # it is not even published there
    leaves = await fork.store.leaves(reader.size, fork.logged)
    with pytest.raises(Unauthentic, match="0 of 3"):
        await reader.registry.accept(leaves, await fork.log.pending())


async def test_directory_fork_with_cosignatures_of_the_true_one():
    bench = await bench_of()
    fork = await bench.fork(update(bench, "qp", name="False"))
    await published(bench, update(bench, "qp", name="True"))
    reader = bench["qp"]
    leaves = await fork.store.leaves(reader.size, fork.logged)
    lines = bench.office.registry.replica.note.split(b"\n\n", 1)[1].split(b"\n", 1)[1]

    with pytest.raises(Unauthentic):
        await reader.registry.accept(leaves, await fork.log.pending() + lines)


async def test_withheld_entry():
    """The Secretariat takes an entry, and shows one node a log without it. Nobody's signature is missing; the next envelope tells."""
    bench = await bench_of(witnesses=())
    behind = await bench.fork(update(bench, "qo"))
    await bench.office.append(update(bench, "qp"))
    await bench.office.append(update(bench, "qo"))
    target, other = bench["qn"], bench["qm"]
    bench.show(behind, target)
    await target.follow()
    await other.follow()

    target.registry.hear(other.registry.head, QM)
    await target.gossip.look()

    assert len(target.notices.splits) == 1


async def test_an_entry_that_is_withheld_from_everybody_is_missed_by_its_author():
    bench = await bench_of(witnesses=())
    author = bench["qp"]
    index = await author.line.submit(bench.secretariat, update(bench, "qp").leaf)
    bench.show(await bench.fork(), author)

    assert not await author.follow()
    assert author.size == index


async def test_a_quorum_of_freshly_admitted_parties():
    """Whoever controls the Secretariat and k founders admits many Parties and puts them on duty: they have no say for a week."""
    bench = await bench_of()
    treaty = bench.treaty
    fresh = [treaty.material(party) for party in ("qr", "qs", "qt", "qu", "qv", "qw", "qx")]
    given: list[acts.Act] = []
    for number, one in enumerate(fresh, start=1):
        given += [acts.admission(treaty, one), acts.node(treaty, one), acts.duty(treaty, one.party, serial=number)]
    reader = bench["qp"]
    fork = await bench.fork(*given)
    leaves = await fork.store.leaves(reader.size, fork.logged)
    pending = fork.log._logged.note
    for one in fresh:
        pending = cosigned(fork, pending, one)

    with pytest.raises(Unauthentic, match="0 of 3"):
        await reader.registry.accept(leaves, pending)
    with pytest.raises(UnknownParty):
        reader.registry.roster.party(QX)
    assert set(counting_witnesses(fork.log._logged.roster)) == {QM, QN, QO}


def cosigned(office: Office, checkpoint: bytes, witness) -> bytes:
    replica = replace(office.log._logged, note=checkpoint)
    offered = cosign_checkpoint(replica, witness.signer, name=witness.name.dns, now=office.registry.clock.now())
    return add_cosignature(replica, replica.roster.node(witness.party), offered)


async def test_half_of_the_witnesses_are_no_quorum():
    bench = await Bench.make(treaty_with("qm", "qn", "qo", "qp", witnesses=("qm", "qn", "qo", "qp")))
    await bench.office.append(update(bench, "qp"))
    await bench.attend("qm", "qn")
    assert not await bench["qp"].follow()

    await bench.attend("qo")
    assert await bench["qp"].follow()


# --- whoever joins ------------------------------------------------------------------------------------------------------------------


async def begin(bench: Bench, treaty: Treaty) -> Registry:
    line, store = bench["qp"].line, MemoryDirectory()
    genesis = open_genesis(treaty.log[0], treaty.genesis_digest)
    return await Registry.begin(store, genesis, line, bench.secretariat, bench.clock, first_leaf=treaty.log[0])


async def test_a_first_time_joiner_judges_by_the_witnesses_of_today():
    bench = await bench_of()
    fork = await bench.fork()
    bench.show(fork, bench["qp"])
    with pytest.raises(Unauthentic, match="0 of 3"):
        await begin(bench, bench.treaty)  # the log key alone signed it

    bench.wires.shown.clear()
    await published(bench, update(bench, "qp"))
    registry = await begin(bench, bench.treaty)
    assert registry.roster.size == bench.office.published


async def test_a_first_time_joiner_is_not_shown_what_is_a_day_old():
    bench = await bench_of()
    await published(bench, update(bench, "qp"))
    bench.clock.at += DAY + HOUR

    with pytest.raises(Stale):
        await begin(bench, bench.treaty)


async def test_whoever_was_away_for_months_follows_by_the_steps_in_the_log():
    """All its witnesses have been replaced meanwhile, one after the other, by entries that their predecessors saw."""
    treaty = treaty_with("qm", "qn", "qo", "qp", "qr", "qs", witnesses=WITNESSES)
    bench = await Bench.make(treaty)
    away = bench["qp"]
    serial = 0
    for leaving, coming in (("qm", "qr"), ("qn", "qs")):
        await bench.office.append(acts.duty(treaty, PartyId(coming), serial=(serial := serial + 1)))
        await settled(bench)
        bench.clock.at += 7 * DAY + HOUR
        await settled(bench)
        await bench.office.append(acts.duty(treaty, PartyId(leaving), on=False, serial=(serial := serial + 1)))
        await settled(bench)
    assert set(counting_witnesses(bench.office.registry.roster)) == {QO, PartyId("qr"), PartyId("qs")}

    assert await away.follow()
    assert away.size == bench.office.published


async def settled(bench: Bench) -> None:
    """Everybody but one does what it has to do, until nothing waits."""
    for _ in range(6):
        bench.clock.at += limits.OFFER_S + 1
        for member in bench.members.values():
            if member.material.party != QP:
                await member.follow()
                await member.attend()


async def test_what_a_node_accepts_is_on_the_disk_before_it_counts():
    bench = await bench_of()
    await published(bench, update(bench, "qp"))
    reader = bench["qp"]
    reader.store.faults.fail("append", When.BEFORE)
    size = reader.size
    with pytest.raises(FederationError):
        await reader.follow()
    assert reader.size == size

    reader.store.faults.fail("append", When.AFTER)
    with pytest.raises(FederationError):
        await reader.follow()
    assert reader.size == size
    assert await reader.follow()
    assert reader.size == bench.office.published


async def test_nodes_serve_each_other_when_the_secretariat_is_gone():
    bench = await bench_of()
    await published(bench, update(bench, "qp"))
    await bench["qm"].follow()
    bench.wires.cut.add(bench.treaty.secretariat.name)

    assert await bench["qp"].follow(bench.peer("qm"))
    assert bench["qp"].size == bench.office.published


async def test_a_registry_on_an_empty_disk_takes_a_copy_of_the_log_only_whole():
    bench = await bench_of()
    store = await filled(bench.treaty)
    store._leaves.pop()

    with pytest.raises(FederationError):
        await Registry.load(store, bench.treaty.genesis_digest, bench.clock)
