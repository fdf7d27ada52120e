"""The duty of a witness: what it cosigns, what it never does, and what it has forgotten when a backup was put back."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from federation.boundary.directory import claimed_checkpoint, cosigners
from federation.errors import Conflict, FederationError, Overloaded, Unauthentic
from federation.identity import PartyId
from federation.trust.entries import RevokedKind
from federation.trust.witness import witness_key
from node.use_cases.witnessing import witnessing
from tests.support import acts
from tests.support.directory_bench import HOUR, Bench, treaty_with
from tests.support.faults import When

QM, QN, QO, QP = (PartyId(party) for party in ("qm", "qn", "qo", "qp"))
WITNESSES = ("qm", "qn", "qo")


async def bench_of(witnesses: tuple[str, ...] = WITNESSES) -> Bench:
    return await Bench.make(treaty_with("qm", "qn", "qo", "qp", witnesses=witnesses))


def update(bench: Bench, party: str, serial: int = 1, name: str = "") -> acts.Act:
    act = acts.update(bench.treaty, bench.treaty.parties[PartyId(party)], serial=serial)
    return act if not name else replace(act, body=replace(act.body, display_name=name))


async def test_a_party_on_duty_cosigns_what_waits_and_not_twice_within_the_hour():
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))

    assert await bench["qm"].attend()
    assert not await bench["qm"].attend()
    bench.clock.at += HOUR
    assert await bench["qm"].attend()


async def test_a_party_that_is_not_on_duty_cosigns_nothing():
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))

    assert not await bench["qp"].attend()


async def test_while_nobody_is_on_duty_everybody_cosigns():
    bench = await bench_of(witnesses=())
    await bench.attend()

    replica = bench.office.registry.replica
    assert len(cosigners(replica.roster, replica.note)) == 4
    assert witnessing(bench.office.registry).others == (QM, QN, QO, QP)


async def test_what_is_cosigned_is_on_the_disk_before_the_cosignature_leaves():
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))
    bench["qm"].store.faults.fail("put_cosigned", When.BEFORE)

    with pytest.raises(FederationError):
        await bench["qm"].attend()
    waiting = bench.office.log.waiting_for(bench.office.logged - 1)
    assert waiting is not None
    assert waiting.cosigned == 0


async def test_a_cosignature_that_got_lost_is_given_again():
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))
    bench["qm"].store.faults.fail("put_cosigned", When.AFTER)
    with pytest.raises(FederationError):
        await bench["qm"].attend()

    assert await bench["qm"].attend()


async def test_a_witness_brought_to_cosign_two_histories():
    """It cosigned a checkpoint that was never published. Another one of that size is shown to it later, and after a restart."""
    bench = await bench_of()
    target = bench["qm"]
    fork = await bench.fork(update(bench, "qp", name="One name"))
    bench.show(fork, target)
    assert await target.attend()
    bench.wires.shown.clear()
    await bench.office.append(update(bench, "qp", name="Another name"))

    with pytest.raises(Conflict, match="another directory"):
        await target.attend()
    again = await target.open()
    with pytest.raises(Conflict, match="another directory"):
        await again.attend()
    waiting = bench.office.log.waiting_for(bench.office.logged - 1)
    assert waiting is not None
    assert waiting.cosigned == 0


async def test_a_longer_history_than_the_one_cosigned_is_no_way_around():
    bench = await bench_of()
    target = bench["qm"]
    bench.show(await bench.fork(update(bench, "qp", name="One name")), target)
    assert await target.attend()
    bench.wires.shown.clear()
    for serial in (1, 2, 3):
        await bench.office.append(update(bench, "qp", serial, name="Another name"))
    bench.clock.at += 61

    with pytest.raises(Conflict, match="another directory"):
        await target.attend()


async def test_a_shorter_history_than_the_one_cosigned_is_refused():
    bench = await bench_of()
    target = bench["qm"]
    await bench.office.append(update(bench, "qp"))
    assert await target.attend()
    bench.show(await bench.fork(), target)

    bench.clock.at += HOUR
    with pytest.raises(Conflict, match="longer directory"):
        await target.attend()


async def test_what_a_witness_cosigned_and_nobody_published_becomes_a_proof():
    """Three of four are enough: the others publish another history than the one that the fourth was brought to cosign."""
    bench = await bench_of(witnesses=("qm", "qn", "qo", "qp"))
    target = bench["qm"]
    bench.show(await bench.fork(update(bench, "qp", name="One name")), target)
    assert await target.attend()
    bench.wires.shown.clear()
    await bench.office.append(update(bench, "qp", name="Another name"))
    await bench.attend("qn", "qo", "qp")
    assert await target.follow()

    with pytest.raises(Conflict):
        await target.attend()
    await target.gossip.look()

    assert len(target.notices.splits) == 1


async def test_a_clock_of_the_log_that_is_ahead_is_not_cosigned():
    bench = await bench_of()
    await bench.office.append(acts.duty(bench.treaty, QP, serial=1))
    bench.clock.at += 2 * HOUR
    await bench.attend("qm", "qn", "qo")
    late = bench["qm"]
    assert bench.office.logged > bench.office.published  # the log has told itself the time
    bench.clock.at -= 2 * HOUR

    with pytest.raises(Unauthentic, match="clock"):
        await late.attend()


async def test_a_false_line_in_a_witness_name_does_not_keep_it_from_cosigning():
    """Anybody on the way can add lines to what waits."""
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))
    target = bench["qm"]
    key_id = witness_key(bench.office.registry.roster.node(QM)).key_id
    junk = f"\N{EM DASH} {target.material.name.dns} {b64encode(key_id + bytes(72)).decode()}\n".encode()
    bench.office.log._offered = replace(bench.office.log._offered, note=bench.office.log._offered.note + junk)

    assert await target.attend()
    waiting = bench.office.log.waiting_for(bench.office.logged - 1)
    assert waiting is not None
    assert waiting.cosigned == 1


async def test_a_witness_that_revokes_its_key_lists_another_and_cosigns_with_that():
    """Of three all have to cosign. The lost key cannot, and the new one is not accepted anywhere before they have."""
    bench = await bench_of()
    target, treaty = bench["qm"], bench.treaty
    await bench.office.append(acts.revoke(treaty, target.material, RevokedKind.SIGNING_KEY))
    with pytest.raises(Overloaded):
        await bench.office.append(update(bench, "qp"))
    new = replace(target.material, signer=acts.signer(treaty, "another signing key"))
    await bench.office.append(acts.node(treaty, new, serial=2))
    bench.clock.at += 61
    await bench.attend("qn", "qo")
    assert not await target.attend()  # with the key that was revoked

    target.material = new
    assert await (await target.open()).attend()
    assert bench.office.registry.roster.node(QM).signing_key == new.signer.public_key
    await bench.office.append(update(bench, "qp"))


# --- put back from a backup ---------------------------------------------------------------------------------------------------------


async def restored(bench: Bench, party: str):
    await bench[party].store.mark_restored(restored=True)
    return bench[party]


async def test_a_restored_witness_cosigns_nothing_until_enough_others_agree():
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))
    target = await restored(bench, "qm")
    bench.wires.cut.add(bench["qn"].material.name)

    assert not await target.attend()
    assert await target.store.restored()
    bench.wires.cut.clear()
    assert await target.attend()
    assert not await target.store.restored()


async def test_a_restored_witness_that_is_shown_another_history_cosigns_nothing():
    bench = await bench_of(witnesses=())
    fork = await bench.fork(update(bench, "qp", name="One name"))
    await bench.office.append(update(bench, "qp", name="Another name"))
    target = await restored(bench, "qm")
    bench.show(fork, target)
    for party in ("qn", "qo", "qp"):
        await bench[party].follow()
    await target.follow()

    assert not await target.attend()
    assert await target.store.restored()


async def test_a_restored_witness_that_is_behind_agrees_with_those_who_went_on():
    bench = await bench_of(witnesses=())
    await bench.office.append(update(bench, "qp"))
    target = await restored(bench, "qm")
    for party in ("qn", "qo", "qp"):
        await bench[party].follow()

    assert await target.attend()


async def test_the_view_says_who_is_on_duty_who_counts_and_who_has_cosigned():
    bench = await bench_of()
    await bench.office.append(acts.duty(bench.treaty, QP, serial=1))
    await bench.attend("qm", "qn", "qo")
    view = witnessing(bench.office.registry)

    assert {one.party: one.counts for one in view.witnesses} == {QM: True, QN: True, QO: True, QP: False}
    assert {one.party: one.cosigned_at is not None for one in view.witnesses} == {QM: True, QN: True, QO: True, QP: False}
    assert view.needed == 3
    assert view.size == claimed_checkpoint(bench.office.registry.replica.note).size
