"""Split views: found from what peers show, proven to everybody, survived by restarts, and framing nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.directory import claimed_checkpoint
from federation.errors import FederationError, Overloaded, PeerMisbehaviour, Unauthentic
from federation.identity import PartyId
from federation.ports import Notice, NoticeKind
from federation.trust import note
from federation.trust.split import SplitView
from federation.wire.directory import decode_split_view, encode_split_view
from node.use_cases.notices import Notices
from tests.support import acts
from tests.support.directory_bench import Bench, Member, treaty_with

QM, QN, QO, QP = (PartyId(party) for party in ("qm", "qn", "qo", "qp"))


async def bench_of() -> Bench:
    """Nobody is on duty: the Secretariat alone could show what it likes, and only the gossip stands against it."""
    return await Bench.make(treaty_with("qm", "qn", "qo", "qp"))


def update(bench: Bench, party: str, serial: int = 1, name: str = "") -> acts.Act:
    act = acts.update(bench.treaty, bench.treaty.parties[PartyId(party)], serial=serial)
    return act if not name else replace(act, body=replace(act.body, display_name=name))


async def forked(bench: Bench, target: str = "qm", *, true: int = 1, false: int = 1) -> Member:
    """The Secretariat shows one node another directory than all others, each with so many entries of its own."""
    fork = await bench.fork(*(update(bench, "qp", serial, name="False") for serial in range(1, false + 1)))
    bench.show(fork, bench[target])
    for serial in range(1, true + 1):
        await bench.office.append(update(bench, "qp", serial, name="True"))
    for member in bench.members.values():
        await member.follow()
    return bench[target]


async def hears(listener: Member, teller: Member) -> None:
    """An envelope from one node reaches the other, which looks into it."""
    listener.registry.hear(teller.registry.head, teller.material.party)
    await listener.gossip.look()


@pytest.mark.parametrize(("true", "false"), [(1, 1), (1, 3), (3, 1), (4, 9)], ids=["equal", "longer", "shorter", "much longer"])
@pytest.mark.parametrize("way", ["target tells", "target hears"])
async def test_a_fork_is_proven_by_one_envelope_whatever_the_sizes(true, false, way):
    bench = await bench_of()
    target = await forked(bench, true=true, false=false)
    other = bench["qn"]

    await (hears(other, target) if way == "target tells" else hears(target, other))

    finder = other if way == "target tells" else target
    assert len(finder.notices.splits) == 1
    assert finder.registry.equivocating == {bench.treaty.log_signer.public_key}


async def test_a_proof_reaches_every_node_and_the_secretariat_and_is_told_once():
    bench = await bench_of()
    target = await forked(bench)
    await hears(bench["qn"], target)
    for _ in range(3):
        for member in bench.members.values():
            if member.notices.news.is_set():
                await member.gossip.tell()

    for member in bench.members.values():
        assert len(member.notices.splits) == 1
    assert len(bench.office.notices.splits) == 1
    told = [call for call in bench.wires.calls if call[0] == "tell"]
    assert len(told) == 4 * 4  # each of four nodes told the three others and the Secretariat once


async def test_whoever_was_away_asks_when_it_is_back():
    bench = await bench_of()
    target = await forked(bench)
    away = bench["qo"]
    bench.wires.cut.add(away.material.name)
    await hears(bench["qn"], target)
    await bench["qn"].gossip.tell()
    assert not away.notices.splits
    bench.wires.cut.clear()

    await away.gossip.pull(bench.peer("qn"))

    assert len(away.notices.splits) == 1


async def test_a_proof_survives_a_restart():
    bench = await bench_of()
    target = await forked(bench)
    await hears(target, bench["qn"])

    again = await target.open()

    assert len(again.notices.splits) == 1
    assert again.registry.equivocating


async def test_a_log_key_that_was_caught_brings_nothing_new_until_the_founders_change_it():
    bench = await bench_of()
    target = await forked(bench)
    reader = bench["qn"]
    await hears(reader, target)
    await bench.office.append(update(bench, "qp", 2))
    with pytest.raises(Unauthentic, match="two directories"):
        await reader.follow()

    new = acts.signer(bench.treaty, "new log key")
    bench.office.further = (new,)
    office = await bench.office.open()
    bench.wires.sites[bench.treaty.secretariat.name] = office.site
    await office.append(acts.rotate_log(bench.treaty, new, serial=1))
    assert await reader.follow()
    await office.append(update(bench, "qp", 3))
    assert await reader.follow()
    assert reader.size == office.published


async def test_a_witness_cosigns_nothing_under_a_key_that_was_caught():
    bench = await bench_of()
    target = await forked(bench)
    witness = bench["qn"]
    await hears(witness, target)
    await bench.office.append(update(bench, "qp", 2))

    with pytest.raises(Unauthentic, match="two directories"):
        await witness.attend()


async def test_whoever_has_the_former_log_key_does_not_stop_the_new_one():
    bench = await bench_of()
    fork = await bench.fork(update(bench, "qp", name="False"))
    new = acts.signer(bench.treaty, "new log key")
    bench.office.further = (new,)
    office = await bench.office.open()
    bench.wires.sites[bench.treaty.secretariat.name] = office.site
    await office.append(update(bench, "qp", name="True"))
    await office.append(acts.rotate_log(bench.treaty, new, serial=1))
    reader = bench["qn"]
    await reader.follow()

    reader.registry.hear(fork.registry.head, QM)
    await reader.gossip.look()

    assert len(reader.notices.splits) == 1
    assert reader.registry.equivocating == {bench.treaty.log_signer.public_key}
    await office.append(update(bench, "qp", 2))
    assert await reader.follow()


async def test_a_log_key_that_is_not_known_yet_is_no_error_of_the_message():
    bench = await bench_of()
    new = acts.signer(bench.treaty, "new log key")
    bench.office.further = (new,)
    office = await bench.office.open()
    bench.wires.sites[bench.treaty.secretariat.name] = office.site
    await office.append(acts.rotate_log(bench.treaty, new, serial=1))
    await office.append(update(bench, "qp"))
    teller, reader = bench["qm"], bench["qn"]
    await teller.follow()

    await hears(reader, teller)

    assert reader.size == teller.size
    assert not reader.notices.splits


async def test_the_same_an_older_and_a_newer_checkpoint_are_no_split_view():
    bench = await bench_of()
    old = bench["qo"].registry.head
    for serial in (1, 2, 3):
        await bench.office.append(update(bench, "qp", serial))
        await bench["qm"].follow()
    reader = bench["qn"]

    for head in (old, reader.registry.head, bench["qm"].registry.head, old):
        reader.registry.hear(head, QM)
        await reader.gossip.look()

    assert not reader.notices.splits
    assert reader.size == bench.office.published  # it has followed


async def test_a_checkpoint_of_our_own_history_is_looked_into_once():
    bench = await bench_of()
    old = bench["qo"].registry.head
    reader = bench["qn"]
    await bench.office.append(update(bench, "qp"))
    await bench.office.append(update(bench, "qp", 2))
    await reader.follow()
    await hears(reader, bench["qo"])

    reader.registry.hear(old, QM)

    assert not reader.registry.hearsay.news.is_set()


# --- lies -------------------------------------------------------------------------------------------------------------------------


class Liar:
    """A node whose directory service answers as it likes."""

    def __init__(self, member: Member, **answers: object) -> None:
        self._site = member.site[0]
        self._answers = answers

    def __getattr__(self, name: str):
        if name in self._answers:

            async def answer(*_arguments: int) -> object:
                return self._answers[name]

            return answer
        return getattr(self._site, name)


@pytest.mark.parametrize("proof", [(), (bytes(32),), (bytes(32),) * 3, (b"short",)], ids=["none", "one", "three", "short"])
@pytest.mark.parametrize("entries", [(), (b"junk",) * 500], ids=["no entries", "junk"])
async def test_a_lying_peer_serving_a_bogus_consistency_proof_frames_nobody(proof, entries):
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))
    liar, reader = bench["qm"], bench["qn"]
    await liar.follow()
    bench.wires.cut.add(bench.treaty.secretariat.name)
    bench.wires.sites[liar.material.name] = (Liar(liar, consistency=proof, entries=entries), liar.notices)

    await hears(reader, liar)

    assert not reader.notices.splits
    assert not reader.registry.equivocating


async def test_a_peer_that_leads_nowhere_does_not_keep_this_node_busy():
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))
    liar, reader = bench["qm"], bench["qn"]
    await liar.follow()
    bench.wires.cut.add(bench.treaty.secretariat.name)
    bench.wires.sites[liar.material.name] = (Liar(liar, consistency=(), entries=()), liar.notices)

    for _ in range(20):
        await hears(reader, liar)

    assert sum(call[0] == "consistency" for call in bench.wires.calls) == 1


async def test_made_up_log_keys_do_not_keep_this_node_busy():
    bench, other = await bench_of(), await Bench.make(treaty_with("qm", seed=1))
    reader = bench["qn"]
    await bench.office.append(update(bench, "qp"))
    await reader.follow()
    before = len(bench.wires.calls)

    for serial in range(1, 20):
        await other.office.append(acts.update(other.treaty, other.treaty.parties[QM], serial=serial))
        reader.registry.hear(other.office.registry.head, QM)
        await reader.gossip.look()

    assert len(bench.wires.calls) - before == 2  # the Secretariat and the teller were read once


async def test_a_false_signature_under_the_known_log_key_is_refused_at_once():
    bench = await bench_of()
    head = bench["qm"].registry.head
    parsed = note.parse_note(head)
    (line,) = parsed.signatures
    forged = note.format_note(replace(parsed, signatures=(replace(line, blob=bytes(64)),)))
    other = forged.replace(b"\n%d\n" % claimed_checkpoint(head).size, b"\n99\n", 1)

    for raw in (forged, other):
        if raw != head:
            with pytest.raises(Unauthentic):
                bench["qn"].registry.hear(raw, QM)


async def test_a_checkpoint_about_another_log_is_refused():
    bench, other = await bench_of(), await Bench.make(treaty_with("qm", seed=1))
    other_head = other["qm"].registry.head.replace(b"directory.gsp.example", b"directory.other.example")

    with pytest.raises(PeerMisbehaviour):
        bench["qn"].registry.hear(other_head, QM)


async def test_a_checkpoint_that_the_log_did_not_sign_counts_for_nothing():
    bench, other = await bench_of(), await Bench.make(treaty_with("qm", seed=1))
    reader = bench["qn"]

    reader.registry.hear(other["qm"].registry.head, QM)
    await reader.gossip.look()

    assert not reader.notices.splits


async def proof_of(bench: Bench) -> SplitView:
    target = await forked(bench)
    await hears(target, bench["qn"])
    (raw,) = target.notices.proofs
    return decode_split_view(raw)


@pytest.mark.parametrize("forgery", ["turned round", "one twice", "other root", "cut signature", "junk"])
async def test_a_forged_split_proof_is_refused_and_frames_nobody(forgery):
    bench = await bench_of()
    view = await proof_of(bench)
    receiver = bench["qo"]
    match forgery:
        case "turned round":
            raw = encode_split_view(replace(view, older=view.newer, newer=view.older, root=claimed_checkpoint(view.older).root))
        case "one twice":
            raw = encode_split_view(replace(view, newer=view.older, root=claimed_checkpoint(view.older).root))
        case "other root":
            raw = encode_split_view(replace(view, root=bytes(32)))
        case "cut signature":
            raw = encode_split_view(replace(view, older=view.older[:-40] + b"AAAA\n"))
        case _:
            raw = b"\x0a\x03abc"

    with pytest.raises(FederationError) as refused:
        await receiver.notices.take(bench["qm"].material.name, Notice(kind=NoticeKind.SPLIT_VIEW, raw=raw))
    assert isinstance(refused.value, PeerMisbehaviour)
    assert not receiver.notices.splits
    assert not receiver.registry.equivocating


async def test_whoever_tells_many_false_things_is_not_listened_to_for_an_hour(monkeypatch):
    monkeypatch.setattr(limits, "NOTICES_REFUSED_PER_HOUR_MAX", 3)
    bench = await bench_of()
    raw = encode_split_view(await proof_of(bench))
    receiver, liar = bench["qo"], bench["qm"].material.name
    for _ in range(3):
        with pytest.raises(PeerMisbehaviour):
            await receiver.notices.take(liar, Notice(kind=NoticeKind.SPLIT_VIEW, raw=b"junk"))

    with pytest.raises(Overloaded):
        await receiver.notices.take(liar, Notice(kind=NoticeKind.SPLIT_VIEW, raw=raw))
    await receiver.notices.take(bench["qn"].material.name, Notice(kind=NoticeKind.SPLIT_VIEW, raw=raw))
    bench.clock.at += 3_600
    await receiver.notices.take(liar, Notice(kind=NoticeKind.SPLIT_VIEW, raw=raw))


async def test_a_second_proof_against_the_same_key_is_neither_kept_nor_told():
    bench = await bench_of()
    target = await forked(bench)
    reader = bench["qn"]
    await hears(reader, target)
    await reader.gossip.tell()
    calls = len(bench.wires.calls)
    other = await bench.fork(update(bench, "qp", name="Third"))

    reader.registry.hear(other.registry.head, QP)
    await reader.gossip.look()

    assert len(reader.notices.splits) == 1
    assert not reader.notices.news.is_set()
    assert len(bench.wires.calls) == calls


async def test_a_notice_on_the_disk_that_proves_nothing_does_not_count():
    bench = await bench_of()
    member = bench["qn"]
    await member.store.put_notice(Notice(kind=NoticeKind.SPLIT_VIEW, raw=b"junk"))

    notices = await Notices.load(member.registry, member.store, bench.clock)

    assert not notices.splits
