"""A Party's own revocations are honoured as soon as they are seen, from whomever they come, whatever the Secretariat does."""

from __future__ import annotations

import pytest

from federation import limits
from federation.boundary.revocation import is_settled, read_revocation
from federation.errors import FederationError, Forbidden, Overloaded, PeerMisbehaviour, Stale, UnknownParty
from federation.identity import PartyId
from federation.ports import Notice, NoticeKind
from federation.trust.entries import RevokedKind
from tests.support import acts
from tests.support.directory_bench import Bench, treaty_with
from tests.support.treaty import DAY

QM, QN, QO, QP = (PartyId(party) for party in ("qm", "qn", "qo", "qp"))


async def bench_of(witnesses: tuple[str, ...] = ()) -> Bench:
    return await Bench.make(treaty_with("qm", "qn", "qo", "qp", witnesses=witnesses))


def revocation(bench: Bench, kind: RevokedKind = RevokedKind.SIGNING_KEY, party: PartyId = QP) -> acts.Act:
    return acts.revoke(bench.treaty, bench.treaty.parties[party], kind)


def notice(act: acts.Act) -> Notice:
    return Notice(kind=NoticeKind.REVOCATION, raw=act.leaf)


async def tell(bench: Bench, to: str, act: acts.Act, *, sender: str = "qm") -> None:
    await bench[to].notices.take(bench[sender].material.name, notice(act))


async def test_a_withheld_revocation_stops_nobody():
    """The Secretariat is asked to log it and does not. The Party tells one peer, and every node has it."""
    bench = await bench_of()
    told: list[int] = []
    bench["qo"].registry.on_change(lambda roster: told.append(roster.size))
    await tell(bench, "qm", revocation(bench), sender="qp")
    await bench["qm"].gossip.tell()

    for party in ("qm", "qn", "qo"):
        with pytest.raises(UnknownParty):
            bench[party].registry.roster.node(QP)
        with pytest.raises(UnknownParty):
            bench[party].registry.peer(QP)
        assert bench[party].registry.replica.roster.node(QP)  # the log has it still
    assert told == [bench["qo"].size]


@pytest.mark.parametrize("kind", [RevokedKind.SIGNING_KEY, RevokedKind.PARTY_CA, RevokedKind.PARTY_KEY])
async def test_every_key_of_a_party_can_be_revoked_on_sight(kind):
    bench = await bench_of()
    act = revocation(bench, kind)
    await tell(bench, "qm", act)
    record = bench["qm"].registry.roster.party(QP)

    assert act.body.id in record.revoked
    match kind:
        case RevokedKind.SIGNING_KEY:
            assert record.node is None
        case RevokedKind.PARTY_CA:
            assert QP not in bench["qm"].registry.roster.anchors()
        case _:
            assert record.party_key is None


async def test_revocations_that_cross_on_their_way_all_count():
    bench = await bench_of()
    both = [revocation(bench, RevokedKind.PARTY_KEY), revocation(bench, RevokedKind.SIGNING_KEY)]
    for to, order in (("qm", both), ("qn", both[::-1])):
        for act in order:
            await tell(bench, to, act)

        record = bench[to].registry.roster.party(QP)
        assert record.node is None
        assert record.party_key is None


async def test_it_survives_a_restart_and_the_rotation_of_the_key_that_signed_it():
    bench = await bench_of()
    await tell(bench, "qm", revocation(bench))
    new = acts.rotated(bench.treaty, bench.treaty.parties[QP])
    await bench.office.append(acts.rotate(bench.treaty, new))
    await bench["qm"].follow()

    for member in (bench["qm"], await bench["qm"].open()):
        assert member.registry.roster.party(QP).party_key == new.key.public_key
        with pytest.raises(UnknownParty):
            member.registry.roster.node(QP)


async def test_once_the_log_holds_it_nothing_lies_over_the_roster():
    bench = await bench_of()
    act = revocation(bench)
    member = bench["qm"]
    await tell(bench, "qm", act)
    await bench.office.append(act)
    await member.follow()
    await member.gossip.pull(bench.peer("qn"))

    assert not member.notices.revocations
    assert await member.store.notices() == ()
    assert act.body.id in member.registry.roster.party(QP).revoked
    await tell(bench, "qm", act)  # again is harmless
    assert not member.notices.revocations


async def test_a_mandate_is_ended_on_sight():
    treaty = treaty_with("qm", "qn", "qo", "qp")
    mandate = acts.mandate(treaty, region=treaty.parties[QO], member=treaty.parties[QP])
    acts.log(treaty, acts.update(treaty, treaty.parties[QO]), mandate)
    bench = await Bench.make(treaty)
    assert bench["qm"].registry.roster.responder(QP, now=bench.clock.at) == QO
    act = acts.end_mandate(treaty, treaty.parties[QP], mandate.body)
    await tell(bench, "qm", act)

    assert bench["qm"].registry.roster.responder(QP, now=bench.clock.at) == QP
    await bench.office.append(act)
    await bench["qm"].follow()
    assert is_settled(act.body, bench["qm"].registry.replica.roster)


@pytest.mark.parametrize("wrong", ["another Party", "founders", "former key", "of another's key", "two signers", "no revocation"])
async def test_a_revocation_that_its_party_did_not_sign_takes_nothing_away(wrong):
    bench = await bench_of()
    act = revocation(bench)
    other = bench.treaty.parties[QN]
    match wrong:
        case "another Party":
            act = act.by(other.key)
        case "founders":
            act = act.by(*bench.treaty.founders[:1])
        case "former key":
            new = acts.rotated(bench.treaty, bench.treaty.parties[QP])
            await bench.office.append(acts.rotate(bench.treaty, new))
            await bench["qm"].follow()
        case "of another's key":
            act = acts.revoke(bench.treaty, bench.treaty.parties[QP], RevokedKind.SIGNING_KEY, other.signer.public_key)
        case "two signers":
            act = act.by(bench.treaty.parties[QP].key, other.key)
        case _:
            act = acts.update(bench.treaty, bench.treaty.parties[QP])

    with pytest.raises(PeerMisbehaviour):
        await tell(bench, "qm", act)
    assert bench["qm"].registry.roster.node(QP)
    assert not bench["qm"].notices.revocations


async def test_one_key_is_revoked_once_in_however_many_words():
    bench = await bench_of()
    treaty = bench.treaty
    for _ in range(5):
        treaty.now += 1
        await tell(bench, "qm", acts.revoke(treaty, treaty.parties[QP], RevokedKind.SIGNING_KEY))

    assert len(bench["qm"].notices.revocations) == 1
    assert len(bench["qm"].notices.unspread) == 1


async def test_one_party_has_room_for_so_many_and_crowds_nobody_out(monkeypatch):
    monkeypatch.setattr(limits, "REVOCATIONS_PER_PARTY_MAX", 1)
    bench = await bench_of()
    await tell(bench, "qm", revocation(bench))

    with pytest.raises(Overloaded):
        await tell(bench, "qm", revocation(bench, RevokedKind.PARTY_CA))
    await tell(bench, "qm", revocation(bench, party=QN))
    assert len(bench["qm"].notices.revocations) == 2


async def test_whoever_hands_on_what_there_is_no_room_for_is_not_taken_for_a_liar(monkeypatch):
    monkeypatch.setattr(limits, "REVOCATIONS_PER_PARTY_MAX", 1)
    monkeypatch.setattr(limits, "NOTICES_REFUSED_PER_HOUR_MAX", 1)
    bench = await bench_of()
    await tell(bench, "qm", revocation(bench))
    for _ in range(3):
        with pytest.raises(Overloaded, match="many revocations of this Party"):
            await tell(bench, "qm", revocation(bench, RevokedKind.PARTY_CA))


async def test_a_reply_that_cannot_hold_all_holds_others_each_time(monkeypatch):
    monkeypatch.setattr(limits, "NOTICES_PER_REPLY_MAX", 2)
    bench = await bench_of()
    for party in (QN, QO, QP):
        await tell(bench, "qm", revocation(bench, party=party))

    given = {one.digest for _ in range(3) for one in await bench["qm"].notices.all()}
    assert len(given) == 3


async def test_peers_bring_a_revocation_to_a_secretariat_that_was_away():
    bench = await bench_of()
    bench.wires.cut.add(bench.treaty.secretariat.name)
    act = revocation(bench)
    await tell(bench, "qm", act, sender="qp")
    await bench["qm"].gossip.submit_revocations()
    assert bench.office.logged == bench["qm"].size
    bench.wires.cut.clear()

    await bench["qm"].gossip.submit_revocations()
    await bench["qm"].gossip.submit_revocations()
    await bench["qn"].follow()
    assert bench.office.logged == bench["qn"].size == bench["qm"].size + 1
    assert act.body.id in bench["qn"].registry.replica.roster.party(QP).revoked


async def test_a_stale_directory_brings_its_revocations_all_the_same():
    """Witnesses saw it days ago: nothing new is accepted from it, but what a Party takes away counts."""
    bench = await bench_of(witnesses=("qm", "qn", "qo"))
    await bench.office.append(revocation(bench))
    await bench.attend("qm", "qn", "qo")
    bench.clock.at += 3 * DAY
    reader = bench["qn"]
    size = reader.size

    with pytest.raises(Stale):
        await reader.follow()
    await reader.gossip.look()

    assert reader.size == size
    with pytest.raises(UnknownParty):
        reader.registry.roster.node(QP)


async def test_entries_without_a_quorum_bring_their_revocations_all_the_same():
    bench = await bench_of(witnesses=("qm", "qn", "qo"))
    await bench.office.append(revocation(bench))
    reader = bench["qn"]
    leaves = await bench.office.store.leaves(reader.size, bench.office.logged)

    with pytest.raises(FederationError):
        await reader.registry.accept(leaves, await bench.office.log.pending())
    await reader.gossip.look()

    with pytest.raises(UnknownParty):
        reader.registry.roster.node(QP)


async def test_a_revocation_is_read_by_the_rules_of_the_log():
    bench = await bench_of()
    roster = bench["qm"].registry.replica.roster
    act = revocation(bench)

    assert read_revocation(act.leaf, roster) == act.body
    with pytest.raises(Forbidden):
        read_revocation(act.by(bench.treaty.parties[QN].key).leaf, roster)
