"""The log at its origin: what waits for witnesses, what is published, and when the log tells itself the time."""

from __future__ import annotations

import asyncio

import pytest

from federation.boundary.directory import claimed_checkpoint, cosign_checkpoint, extend, open_genesis
from federation.errors import Conflict, Overloaded, Unauthentic
from federation.identity import PartyId
from federation.trust import note
from federation.trust.note import Note
from federation.trust.witness import counting_witnesses, founder_name
from node.use_cases.announcing import Patience, announce, follow_pending, follow_until
from tests.support import acts
from tests.support.directory_bench import HOUR, Bench, Office, filled, treaty_with
from tests.support.treaty import DAY

QM, QN, QO, QP = (PartyId(party) for party in ("qm", "qn", "qo", "qp"))


async def bench_of(witnesses: tuple[str, ...] = ("qm", "qn", "qo"), parties: tuple[str, ...] = ("qm", "qn", "qo", "qp")) -> Bench:
    return await Bench.make(treaty_with(*parties, witnesses=witnesses))


def update(bench: Bench, party: str, serial: int = 1) -> acts.Act:
    return acts.update(bench.treaty, bench.treaty.parties[PartyId(party)], serial=serial)


async def test_an_entry_waits_until_all_of_three_witnesses_have_cosigned():
    bench = await bench_of()
    index = await bench.office.append(update(bench, "qp"))
    reader = bench["qp"]

    for party, cosigned in (("qm", 0), ("qn", 1), ("qo", 2)):
        waiting = bench.office.log.waiting_for(index)
        assert waiting is not None
        assert (waiting.cosigned, waiting.needed) == (cosigned, 3)
        assert not await reader.follow()
        await bench.attend(party)

    assert bench.office.log.waiting_for(index) is None
    assert await reader.follow()
    assert reader.registry.roster.party(QP).update is not None


async def test_with_nobody_on_duty_an_entry_is_published_at_once():
    bench = await bench_of(witnesses=())
    index = await bench.office.append(update(bench, "qp"))

    assert bench.office.log.waiting_for(index) is None
    assert await bench["qm"].follow()


async def test_entries_gather_behind_the_checkpoint_that_is_offered_and_are_offered_together():
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))
    offered = await bench.office.log.pending()
    for serial in (2, 3, 4):
        await bench.office.append(update(bench, "qp", serial))

    assert await bench.office.log.pending() == offered
    await bench.attend("qm", "qn", "qo")
    assert claimed_checkpoint(await bench.office.log.pending()).size == bench.office.logged
    await rounds(bench)
    assert bench.office.published == bench.office.logged


async def test_a_checkpoint_that_waits_for_long_is_offered_anew_with_what_has_gathered():
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))
    await bench.office.append(update(bench, "qp", 2))
    bench.clock.at += 61

    assert claimed_checkpoint(await bench.office.log.pending()).size == bench.office.logged


async def test_new_rules_of_the_quorum_count_after_they_are_published():
    """Founders take two of three off duty: each still has to cosign that."""
    bench = await bench_of()
    await bench.office.append(acts.duty(bench.treaty, QN, on=False, serial=1))
    await bench.attend("qm", "qo")
    assert bench.office.published < bench.office.logged
    assert QN in counting_witnesses(bench.office.registry.roster)

    await bench.attend("qn")
    assert set(counting_witnesses(bench.office.registry.roster)) == {QM, QO}
    await rounds(bench)
    await bench.office.append(acts.duty(bench.treaty, QO, on=False, serial=2))
    await bench.attend("qm", "qo")
    assert set(counting_witnesses(bench.office.registry.roster)) == {QM}


async def test_nothing_is_logged_behind_a_change_of_witnesses_before_it_is_published():
    """Or the step would have no place by which a node that was away comes to the witnesses of today."""
    bench = await bench_of()
    await bench.office.append(acts.duty(bench.treaty, QN, on=False, serial=1))
    for office in (bench.office, await Office(bench, bench.office.store).open()):
        with pytest.raises(Overloaded, match="change of witnesses"):
            await office.append(update(bench, "qp"))

    await bench.attend("qm", "qn", "qo")
    await bench.office.append(update(bench, "qp"))


async def test_a_submitter_tries_again_while_the_witnesses_change():
    bench = await bench_of()
    await bench.office.append(acts.duty(bench.treaty, QN, on=False, serial=1))
    author = bench["qp"]
    told: list[str] = []

    async def announced(wait_s: float) -> None:
        patience = Patience(wait_s=wait_s, tell=told.append)
        body = update(bench, "qp").body
        await announce(
            author.registry, author.line, bench.secretariat, bodies=[body], signer=author.material.key, patience=patience
        )

    with pytest.raises(Overloaded):
        await announced(0.01)
    assert "change of witnesses" in told[0]

    async with asyncio.TaskGroup() as group:
        group.create_task(announced(20))
        await asyncio.sleep(0)
        while author.registry.roster.party(QP).update is None:
            await rounds(bench)
            await asyncio.sleep(0.05)


async def test_a_restart_finds_what_waits_and_what_is_published():
    bench = await bench_of()
    index = await bench.office.append(update(bench, "qp"))
    await bench.attend("qm", "qn")
    published = bench.office.published

    again = await Office(bench, bench.office.store).open()
    bench.wires.sites[bench.treaty.secretariat.name] = again.site
    assert (again.published, again.logged) == (published, index + 1)
    assert await again.append(update(bench, "qp")) == index  # it is known

    bench.office = again
    await bench.attend("qm", "qn", "qo")
    assert again.published == index + 1
    third = await Office(bench, again.store).open()
    assert third.published == index + 1


async def test_a_power_cut_between_the_quorum_and_its_publication_is_made_good_at_the_start():
    bench = await bench_of(witnesses=())
    store = await filled(bench.treaty)
    office = await Office(bench, store).open()
    grown = extend(
        open_genesis(bench.treaty.log[0], bench.treaty.genesis_digest), bench.treaty.log[1:], bench.treaty.checkpoint()
    )
    leaf = update(bench, "qp").leaf
    longer = bench.treaty.copy()
    longer.append(leaf)
    await store.append(first=grown.frontier.size, leaves=[leaf], checkpoint=longer.checkpoint())

    again = await Office(bench, office.store).open()
    assert again.published == again.logged == grown.frontier.size + 1


async def test_a_witness_that_cosigns_an_older_offer_is_told_so():
    bench = await bench_of()
    await bench.office.append(update(bench, "qp"))
    material = bench.treaty.parties[QM]
    stale = cosign_checkpoint(bench.office.log._offered, material.signer, name=material.name.dns, now=bench.clock.at)
    await bench.office.append(update(bench, "qp", 2))
    bench.clock.at += 61
    await bench.office.log.pending()

    with pytest.raises(Unauthentic, match="another checkpoint"):
        await bench.office.log.cosign(material.name, stale)


async def test_a_submitter_waits_and_says_for_whom():
    bench = await bench_of()
    index = await bench.office.append(update(bench, "qp"))
    await bench.attend("qm", "qn")
    told: list[str] = []
    reader = bench["qp"]

    with pytest.raises(Conflict, match="2 of 3"):
        await follow_until(
            reader.registry, reader.line, bench.secretariat, size=index + 1, patience=Patience(wait_s=0.01, tell=told.append)
        )
    assert told == ["the directory waits for witnesses: 2 of 3"]

    await rounds(bench)
    await follow_pending(reader.registry, reader.line, bench.secretariat)
    assert reader.size == bench.office.published > index


async def test_founders_stand_in_when_witnesses_are_lost():
    bench = await bench_of()
    index = await bench.office.append(update(bench, "qp"))
    offered = bench.office.log._offered
    text = note.parse_note(offered.note).text
    name = founder_name(bench.treaty.genesis)
    lines = tuple(note.cosign(text, name, founder, int(bench.clock.at)) for founder in bench.treaty.founders[:2])

    one = await bench.office.log.stand_in(note.format_note(Note(text=text, signatures=lines[:1])))
    assert not one.reached
    await bench.office.log.stand_in(note.format_note(Note(text=text, signatures=lines[1:])))

    assert bench.office.log.waiting_for(index) is None
    assert await bench["qp"].follow()
    with pytest.raises(Conflict):
        await bench.office.log.stand_in(note.format_note(Note(text=text, signatures=lines)))


# --- the time ---------------------------------------------------------------------------------------------------------------------


async def rounds(bench: Bench, hours: int = 1) -> None:
    """Everybody does its duty, as long as something waits."""
    bench.clock.at += hours * HOUR + 1
    for _ in range(4):
        await bench.attend("qm", "qn", "qo")


async def test_a_new_witness_counts_when_the_log_has_seen_a_week_pass():
    bench = await bench_of()
    await bench.office.append(acts.duty(bench.treaty, QP, serial=1))
    await rounds(bench)
    roster = bench.office.registry.roster
    assert roster.duties[QP].seen_at is not None
    seen = bench.office.published

    await rounds(bench, hours=3)
    assert bench.office.published == seen  # nothing waits yet: the log does not tell the time for nothing
    await rounds(bench, hours=7 * 24)
    assert bench.office.published == seen + 2  # the time, and the step to the witnesses of today
    assert QP in counting_witnesses(bench.office.registry.roster)


async def test_a_recovery_takes_effect_when_its_time_is_over_and_not_before():
    bench = await bench_of()
    new = acts.recovered(bench.treaty, bench.treaty.parties[QP])
    await bench.office.append(acts.recover(bench.treaty, new, serial=1))
    await rounds(bench)
    for day in range(13):
        await rounds(bench, hours=24)
        assert bench.office.registry.roster.party(QP).party_key != new.key.public_key, day
    await rounds(bench, hours=24)
    await rounds(bench)

    assert bench.office.registry.roster.party(QP).party_key == new.key.public_key
    assert not bench.office.registry.roster.recoveries


async def test_a_recovery_that_is_vetoed_makes_the_log_tell_no_time():
    bench = await bench_of()
    new = acts.recovered(bench.treaty, bench.treaty.parties[QP])
    index = await bench.office.append(acts.recover(bench.treaty, new, serial=1))
    await rounds(bench)
    await bench.office.append(acts.veto(bench.treaty, bench.treaty.parties[QP], index))
    await rounds(bench)
    published = bench.office.published
    await rounds(bench, hours=20 * 24)

    assert bench.office.published == published


async def test_without_witnesses_nobody_tells_the_time():
    bench = await bench_of(witnesses=())
    new = acts.recovered(bench.treaty, bench.treaty.parties[QP])
    await bench.office.append(acts.recover(bench.treaty, new, serial=1))
    await bench.attend("qm", "qn", "qo", "qp")
    bench.clock.at += 30 * DAY
    await bench.attend("qm", "qn", "qo", "qp")

    assert bench.office.published == bench.office.logged
    assert bench.office.registry.roster.party(QP).party_key != new.key.public_key
