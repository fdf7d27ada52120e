"""A file on a stick in the place of the network: both lines are cut, and everything arrives all the same, once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from itertools import permutations

import pytest

from federation import limits
from federation.boundary.parcels import compose_parcel
from federation.delivery.parcel import RefusedEnvelope
from federation.envelope.seal import envelope_digest
from federation.errors import Conflict, Forbidden, Malformed, NotFound, Overloaded, Oversized, Stale, Unauthentic
from federation.ports import Change, Direction
from federation.query.codes import Automation, Urgency
from federation.query.lifecycle import AskedState, ReceivedState
from federation.trust.entries import EntryBody, Update
from federation.trust.keys import SoftwareSigner
from federation.trust.roster import Roster
from federation.wire.envelope import decode_envelope, decode_header
from node import limits as node_limits
from node.use_cases.announcing import Particulars, announce, wanted_update
from node.use_cases.carrying_values import Content, Fate
from node.use_cases.rights import Right
from tests.support.faults import When
from tests.support.federation import Federation
from tests.support.invariants import Watch
from tests.support.memory_officers import registered
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR, answer_inbox, ask, look, question
from tests.support.sticks import Brought, administrator, bring, content, export


def parted(federation: Federation) -> tuple[SimNode, SimNode]:
    """Two Parties between whom there is no network any more."""
    asker, answerer = federation["qm"], federation["qn"]
    federation.network.part([asker.kit.name], [answerer.kit.name])
    return asker, answerer


def written(node: SimNode) -> tuple[int, int, int]:
    """How much lies on a disk: what changes nothing leaves all three as they were."""
    storage = node.storage
    return len(storage._leaves), len(storage._crossings), len(storage._outgoing)


@simulated()
async def test_a_query_and_its_automatic_answer_cross_on_sticks(federation: Federation):
    asker, answerer = parted(federation)
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], answerer.kit.unknown_code))
    assert view.asked.state is AskedState.QUEUED

    there = await export(asker, answerer)
    assert (there.messages, there.left, there.without_key, there.sealed_anew) == (1, 0, 0, 0)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.QUEUED

    taken = await bring(answerer, there.file)
    assert taken.fates == [Fate.TAKEN]
    assert (taken.back.messages, taken.back.receipts) == (1, 1)

    back = await bring(asker, taken.back.file)
    assert [(one.content, one.fate) for one in back.outcomes] == [(Content.RECEIPT, Fate.TAKEN), (Content.MESSAGE, Fate.TAKEN)]
    view = await look(asker, view.asked.message_id)
    assert view.asked.state is AskedState.ANSWERED
    assert [result.outcome for result in view.answers[0].answer.results] == ["found", "never-issued"]
    sent = await asker.storage.crossing(Direction.SENT, view.asked.message_id)
    assert sent is not None
    assert sent.receipt is not None

    assert (await bring(answerer, back.back.file)).fates == [Fate.TAKEN]
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_file_that_comes_twice_changes_nothing_and_gives_the_same_receipts(federation: Federation):
    asker, answerer = parted(federation)
    for code in answerer.kit.codes[:3]:
        await ask(asker, question(answerer.party, code))
    there = await export(asker, answerer)

    first = await bring(answerer, there.file)
    before = written(answerer)
    second = await bring(answerer, there.file)

    assert (first.fates, second.fates) == ([Fate.TAKEN] * 3, [Fate.SEEN] * 3)
    assert written(answerer) == before
    assert content(first.back.file).receipts == content(second.back.file).receipts
    assert content(first.back.file).envelopes == content(second.back.file).envelopes

    third = await bring(asker, first.back.file)
    before = written(asker)
    fourth = await bring(asker, second.back.file)
    assert (third.fates, fourth.fates) == ([Fate.TAKEN] * 6, [Fate.SEEN] * 6)
    assert written(asker) == before
    await bring(answerer, fourth.back.file)
    Watch(federation).look_at_the_end()


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_files_settle_everything_in_whatever_order_they_come(order):
    """Two files there, and two back: each at some moment, and what was early once more at the end."""

    @simulated(seed=sum(place * 4**power for power, place in enumerate(order)))
    async def run(federation: Federation):
        asker, answerer = parted(federation)
        queries = [(await ask(asker, question(answerer.party, answerer.kit.codes[0]))).asked.message_id]
        early = await export(asker, answerer)
        queries.append((await ask(asker, question(answerer.party, answerer.kit.codes[1]))).asked.message_id)
        late = await export(asker, answerer)
        assert (early.messages, late.messages) == (1, 2)
        back: dict[bytes, bytes] = {}

        async def there(file: bytes) -> None:
            back[file] = (await bring(answerer, file)).back.file

        async def here(file: bytes) -> None:
            if file in back:
                await bring(asker, back[file])

        steps: list[Callable[[], Awaitable[None]]] = [
            lambda: there(early.file),
            lambda: there(late.file),
            lambda: here(early.file),
            lambda: here(late.file),
        ]
        for place in order:
            await steps[place]()
        await here(early.file)
        await here(late.file)

        assert [(await look(asker, query)).asked.state for query in queries] == [AskedState.ANSWERED] * 2
        await bring(answerer, (await export(asker, answerer)).file)
        Watch(federation).look_at_the_end()

    run()


@simulated()
async def test_what_comes_by_both_ways_comes_once(federation: Federation):
    asker, answerer = parted(federation)
    views = [await ask(asker, question(answerer.party, code)) for code in answerer.kit.codes[:2]]
    there = await export(asker, answerer)
    taken = await bring(answerer, there.file)

    federation.network.heal()
    await asyncio.sleep(HOUR)
    assert {(await look(asker, view.asked.message_id)).asked.state for view in views} == {AskedState.ANSWERED}
    before = written(asker), written(answerer)

    assert (await bring(asker, taken.back.file)).fates == [Fate.SEEN] * 4
    assert (await bring(answerer, there.file)).fates == [Fate.SEEN] * 2
    assert (written(asker), written(answerer)) == before
    assert len(answerer.storage._received) == 2
    Watch(federation).look_at_the_end()


@simulated()
async def test_the_stick_that_is_late_finds_what_the_network_brought(federation: Federation):
    asker, answerer = parted(federation)
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    there = await export(asker, answerer)
    federation.network.heal()
    await asyncio.sleep(HOUR)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED

    taken = await bring(answerer, there.file)

    assert taken.fates == [Fate.SEEN]
    assert set((await bring(asker, taken.back.file)).fates) == {Fate.SEEN}
    Watch(federation).look_at_the_end()


@simulated(automation=Automation.MANUAL)
async def test_an_officers_answer_goes_with_the_next_file(federation: Federation):
    asker, answerer = parted(federation)
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    taken = await bring(answerer, (await export(asker, answerer)).file)
    assert (taken.back.messages, taken.back.receipts) == (0, 1)
    await bring(asker, taken.back.file)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.DELIVERED

    await asyncio.sleep(DAY)
    assert await answer_inbox(answerer) == 1
    later = await export(answerer, asker)
    assert later.messages == 1
    back = await bring(asker, later.file)

    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED
    await bring(answerer, back.back.file)
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_receipt_that_no_stick_brought_back_is_in_the_next_file(federation: Federation):
    asker, answerer = parted(federation)
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await bring(answerer, (await export(asker, answerer)).file)  # and the stick with the reply is lost

    again = await export(answerer, asker)

    assert (again.messages, again.receipts) == (1, 1)
    back = await bring(asker, again.file)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED
    await bring(answerer, back.back.file)
    Watch(federation).look_at_the_end()


async def off_for(federation: Federation, alone: SimNode, seconds: float) -> None:
    """All nodes are switched off for so long, and nobody speaks with this one any more."""
    nodes = federation.nodes.values()
    federation.network.part([alone.kit.name], [one.kit.name for one in nodes if one is not alone])
    for node in nodes:
        node.crash()
    await asyncio.sleep(seconds)
    for node in nodes:
        federation.start(node)
    for node in nodes:
        await node.is_up()


@simulated()
async def test_a_sealing_that_ended_on_the_way_is_made_anew_with_the_key_that_a_file_brings(federation: Federation):
    asker, answerer = parted(federation)
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=60 * DAY))
    slow = await export(asker, answerer)
    await off_for(federation, asker, 8 * DAY)

    (refused,) = (await bring(answerer, slow.file)).outcomes
    assert (refused.fate, refused.problem) == (Fate.REFUSED, Unauthentic.code)
    assert "expired" in refused.words
    assert "seals it again" in refused.hint

    without = await export(asker, answerer)
    assert (without.messages, without.without_key) == (0, 1)
    anew = (await bring(asker, (await export(answerer, asker)).file)).back
    assert (anew.messages, anew.sealed_anew, anew.without_key) == (1, 1, 0)

    taken = await bring(answerer, anew.file)
    assert taken.fates == [Fate.TAKEN]
    back = await bring(asker, taken.back.file)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED
    await bring(answerer, back.back.file)
    Watch(federation).look_at_the_end()


@simulated(automation=Automation.MANUAL)
async def test_a_receipt_for_an_earlier_sealing_settles_nothing_and_the_newest_one_does(federation: Federation):
    asker, answerer = parted(federation)
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=60 * DAY))
    early = await bring(answerer, (await export(asker, answerer)).file)
    await off_for(federation, asker, 8 * DAY)
    keys = replace(content((await export(answerer, asker)).file), receipts=())
    anew = (await bring(asker, compose_parcel(keys, answerer.kit.signer))).back
    assert anew.sealed_anew == 1
    await asyncio.sleep(HOUR)  # tries that the network refuses change nothing about the sealing
    assert content((await export(asker, answerer)).file).envelopes == content(anew.file).envelopes

    (refused,) = (await bring(asker, early.back.file)).outcomes
    assert (refused.fate, refused.problem) == (Fate.REFUSED, "forbidden")
    assert "earlier sealing" in refused.words
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.QUEUED

    again = await bring(answerer, anew.file)
    assert again.fates == [Fate.SEEN]
    assert (await bring(asker, again.back.file)).fates == [Fate.TAKEN]
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.DELIVERED


async def lose_keys(node: SimNode) -> None:
    """As a node does that was put back from a backup: what is sealed to the keys of before cannot be opened any more."""
    assert node.participant is not None
    keyring = node.participant.keyring
    held = [key.key_id for key in await node.storage.keys()]
    await node.storage.commit(Change(keys_destroyed=tuple(held)))
    for identifier in held:
        keyring.drop(identifier)
    await keyring.rotate()


@simulated()
async def test_a_message_sealed_to_a_lost_key_is_refused_told_of_and_sealed_anew(federation: Federation):
    asker, answerer = parted(federation)
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    there = await export(asker, answerer)
    await asyncio.sleep(60)
    await lose_keys(answerer)

    taken = await bring(answerer, there.file)
    assert [(one.fate, one.problem) for one in taken.outcomes] == [(Fate.REFUSED, Unauthentic.code)]
    back = await bring(asker, taken.back.file)

    (refusal,) = back.outcomes
    assert (refusal.content, refusal.fate, refusal.problem) == (Content.REFUSAL, Fate.TAKEN, Unauthentic.code)
    assert "sealed anew" in refusal.hint
    assert (await look(asker, view.asked.message_id)).asked.problem == Unauthentic.code
    assert back.back.sealed_anew == 1
    assert [one.fate for one in (await bring(asker, taken.back.file)).outcomes] == [Fate.SEEN]  # it is about an earlier sealing
    again = await bring(answerer, back.back.file)
    assert again.fates == [Fate.TAKEN]
    last = await bring(asker, again.back.file)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED
    await bring(answerer, last.back.file)
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_refusal_counts_whatever_the_number_of_tries_and_what_is_refused_for_good_is_in_no_further_file(
    federation: Federation,
):
    asker, answerer = parted(federation)
    for code in answerer.kit.codes[:2]:
        await ask(asker, question(answerer.party, code))
    await asyncio.sleep(HOUR)  # with tries enough that their number is no reason any more to seal anew
    there = content((await export(asker, answerer)).file)
    digests = [envelope_digest(decode_envelope(raw)) for raw in there.envelopes]
    ids = [decode_header(decode_envelope(raw).header).message_id for raw in there.envelopes]
    codes = (Unauthentic.code, Forbidden.code)
    refusals = tuple(
        RefusedEnvelope(message_id=one, digest=digest, code=code) for one, digest, code in zip(ids, digests, codes, strict=True)
    )
    frame = replace(content((await export(answerer, asker)).file), refusals=refusals)

    back = await bring(asker, compose_parcel(frame, answerer.kit.signer))

    assert [one.problem for one in back.outcomes] == list(codes)
    assert (back.back.messages, back.back.sealed_anew) == (1, 1)
    asker.problems.discard(Forbidden.code)  # what a test made up


@simulated()
async def test_a_refusal_of_what_was_not_sent_there_or_has_arrived_means_nothing(federation: Federation):
    asker, answerer = parted(federation)
    other = federation["qo"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    there = await export(asker, answerer)
    taken = await bring(answerer, there.file)
    digest = envelope_digest(decode_envelope(content(there.file).envelopes[0]))
    refusal = RefusedEnvelope(message_id=view.asked.message_id, digest=digest, code=Unauthentic.code)

    frame = content((await export(other, asker)).file)
    (theirs,) = (await bring(asker, compose_parcel(replace(frame, refusals=(refusal,)), other.kit.signer))).outcomes
    assert (theirs.fate, theirs.problem) == (Fate.REFUSED, "forbidden")
    await bring(asker, taken.back.file)
    late = replace(content(taken.back.file), refusals=(refusal,))
    assert set((await bring(asker, compose_parcel(late, answerer.kit.signer))).fates) == {Fate.SEEN}
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED


@simulated()
async def test_what_a_full_disk_did_not_take_is_told_and_comes_with_the_same_file_again(federation: Federation):
    asker, answerer = parted(federation)
    for code in answerer.kit.codes[:2]:
        await ask(asker, question(answerer.party, code))
    there = await export(asker, answerer)
    answerer.faults.fail("commit", When.BEFORE)

    taken = await bring(answerer, there.file)

    assert (taken.fates, taken.outcomes[0].problem) == ([Fate.LATER, Fate.TAKEN], "store-unavailable")
    assert content(taken.back.file).refusals == ()
    assert (await bring(answerer, there.file)).fates == [Fate.TAKEN, Fate.SEEN]


@simulated()
async def test_what_finds_no_room_waits_for_the_next_file_and_urgent_messages_go_first(federation: Federation):
    asker, answerer = parted(federation)
    asked = [question(answerer.party, code) for code in answerer.kit.codes[:3]]
    views = [await ask(asker, one) for one in [*asked[:2], replace(asked[2], urgency=Urgency.URGENT)]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "PARCEL_MESSAGES_MAX", 2)
        first = await export(asker, answerer)
        assert (first.messages, first.left) == (2, 1)
        taken = await bring(answerer, first.file)
        assert taken.outcomes[0].message_id == views[2].asked.message_id
        await bring(asker, taken.back.file)
        second = await export(asker, answerer)
        assert (second.messages, second.left) == (1, 0)
        await bring(asker, (await bring(answerer, second.file)).back.file)

    assert {(await look(asker, view.asked.message_id)).asked.state for view in views} == {AskedState.ANSWERED}


@simulated()
async def test_a_large_file_comes_in_parts_and_is_taken_in_steps(federation: Federation):
    asker, answerer = parted(federation)
    many = node_limits.PARCEL_ITEMS_PER_CALL + 3
    for _ in range(many):
        await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    there = await export(asker, answerer)

    taken = await bring(answerer, there.file, parts=[1, 1_000, len(there.file) - 1])

    assert [len(step.outcomes) for step in taken.steps] == [node_limits.PARCEL_ITEMS_PER_CALL, 3]
    back = await bring(asker, taken.back.file)
    assert back.fates == [Fate.TAKEN] * (2 * many)
    await bring(answerer, back.back.file)
    Watch(federation).look_at_the_end()


@simulated()
async def test_one_bad_message_in_a_file_keeps_no_other_out(federation: Federation):
    asker, answerer = parted(federation)
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    honest = content((await export(asker, answerer)).file)
    (good,) = honest.envelopes
    bad = (b"no envelope", good[:-1] + bytes([good[-1] ^ 1]), good)
    file = compose_parcel(replace(honest, receipts=(b"no receipt",), envelopes=bad), asker.kit.signer)

    taken = await bring(answerer, file)

    assert taken.fates == [Fate.REFUSED, Fate.REFUSED, Fate.REFUSED, Fate.TAKEN]
    assert [one.problem for one in taken.outcomes] == ["malformed", "malformed", "unauthentic", ""]
    assert all(one.words and one.hint for one in taken.outcomes[:3])
    assert (await answerer.storage.received(view.asked.message_id)).state is ReceivedState.ANSWERED


@simulated()
async def test_a_message_of_somebody_else_is_refused_whoever_carries_it(federation: Federation):
    asker, answerer = parted(federation)
    other = federation["qo"]
    federation.network.part([other.kit.name], [answerer.kit.name])
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    (stolen,) = content((await export(asker, answerer)).file).envelopes
    (receipt,) = content((await bring(answerer, (await export(asker, answerer)).file)).back.file).receipts
    frame = content((await export(other, answerer)).file)

    to_answerer = compose_parcel(replace(frame, envelopes=(stolen,)), other.kit.signer)
    to_asker = compose_parcel(replace(frame, recipient=asker.kit.name, receipts=(receipt,)), other.kit.signer)

    for node, file in ((answerer, to_answerer), (asker, to_asker)):
        (refused,) = (await bring(node, file)).outcomes
        assert (refused.fate, refused.problem) == (Fate.REFUSED, "forbidden")
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.QUEUED


@simulated()
async def test_a_crash_between_two_steps_loses_nothing(federation: Federation):
    asker, answerer = parted(federation)
    for code in answerer.kit.codes[:3]:
        await ask(asker, question(answerer.party, code))
    there = await export(asker, answerer)
    half: list[Brought] = []

    importing = asyncio.ensure_future(bring(answerer, there.file))
    await answerer.crash_after_writes(2)
    importing.cancel()
    await asyncio.sleep(60)
    federation.start(answerer)
    await answerer.is_up()
    half.append(await bring(answerer, there.file))

    assert set(half[0].fates) == {Fate.SEEN, Fate.TAKEN}
    back = await bring(asker, half[0].back.file)
    await asyncio.sleep(HOUR)
    await bring(answerer, back.back.file)
    later = await bring(asker, (await export(answerer, asker)).file)
    await bring(answerer, later.back.file)
    Watch(federation).look_at_the_end()


# --- the directory, and what the file itself must be -------------------------------------------------------------------------


async def entered(federation: Federation, author: SimNode, body: EntryBody) -> None:
    """Log an entry of a Party, and have everybody read it who can."""
    assert author.participant is not None
    service = federation.network.directory(author.kit.name, ca=author.kit.ca.certificate, clock=author.clock)
    registry = author.participant.registry
    with suppress(Conflict):  # witnesses look less often here than anybody waits for them
        await announce(registry, service, federation.secretariat.as_peer(), bodies=[body], signer=author.kit.author)
    await asyncio.sleep(2 * HOUR)


def cut_off(federation: Federation, alone: SimNode) -> None:
    """Neither other Parties nor the Secretariat reach it."""
    others = [node.kit.name for node in federation.nodes.values() if node is not alone]
    federation.network.part([alone.kit.name], [*others, federation.secretariat.name])


def roster_of(node: SimNode) -> Roster:
    assert node.participant is not None
    return node.participant.registry.roster


def renamed(node: SimNode, name: str) -> Update:
    update = wanted_update(roster_of(node), node.party, Particulars(name=name, region=False), now=int(node.clock.now()))
    assert update is not None
    return update


@simulated(parties=4, witnesses=4)
async def test_a_file_brings_the_directory_entries_that_a_node_misses(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    cut_off(federation, answerer)
    await entered(federation, asker, renamed(asker, "A name"))
    await entered(federation, asker, renamed(asker, "Another name"))
    there = await export(asker, answerer)
    whole = content(there.file)
    assert whole.log is not None
    newest = replace(whole.log, first=len(whole.log.leaves) - 1, leaves=whole.log.leaves[-1:])

    short = await bring(answerer, compose_parcel(replace(whole, log=newest), asker.kit.signer))
    assert short.steps[-1].entries == 0
    assert "the directory's entries from" in short.steps[-1].entries_problem
    taken = await bring(answerer, there.file)

    assert (taken.steps[-1].entries, taken.steps[-1].entries_problem) == (2, "")
    assert roster_of(answerer).party(asker.party).name == "Another name"
    assert (await bring(answerer, there.file)).steps[-1].entries == 0


@simulated(parties=4, witnesses=4)
async def test_entries_that_witnesses_saw_too_long_ago_are_left_and_everything_else_is_taken(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    cut_off(federation, answerer)
    await entered(federation, asker, renamed(asker, "Another name"))
    await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    there = await export(asker, answerer)
    await off_for(federation, answerer, 2 * DAY)

    taken = await bring(answerer, there.file)

    assert taken.fates == [Fate.TAKEN]
    assert taken.steps[-1].entries == 0
    assert "hours ago" in taken.steps[-1].entries_problem
    assert roster_of(answerer).party(asker.party).name != "Another name"


@simulated(parties=4, witnesses=4)
async def test_a_node_with_a_new_key_is_believed_when_the_entries_in_its_file_say_so(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    cut_off(federation, answerer)
    fresh = SoftwareSigner(bytes(range(32)))
    node = roster_of(asker).node(asker.party)
    now = int(asker.clock.now())
    await entered(federation, asker, replace(node, signing_key=fresh.public_key, serial=node.serial + 1, created=now))
    honest = content((await export(asker, answerer)).file)
    log = honest.log
    assert log is not None

    for nothing in (None, replace(log, leaves=log.leaves[:-1])):  # too few of them lead nowhere
        with pytest.raises(Unauthentic, match="as the directory here lists it"):
            await bring(answerer, compose_parcel(replace(honest, log=nothing), fresh))
    with pytest.raises(Unauthentic):
        await bring(answerer, compose_parcel(honest, SoftwareSigner(bytes(32))))
    taken = await bring(answerer, compose_parcel(honest, fresh))

    assert taken.steps[-1].party == asker.party


@simulated()
async def test_a_file_that_is_not_for_us_or_not_theirs_changes_nothing(federation: Federation):
    asker, answerer = parted(federation)
    other = federation["qo"]
    await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    there = await export(asker, answerer)
    before = written(answerer), written(other)

    with pytest.raises(Forbidden, match="is for"):
        await bring(other, there.file)
    with pytest.raises(Forbidden, match="itself"):
        await bring(asker, compose_parcel(replace(content(there.file), recipient=asker.kit.name), asker.kit.signer))
    with pytest.raises(Unauthentic):
        await bring(answerer, compose_parcel(content(there.file), other.kit.signer))
    with pytest.raises(Malformed, match="not whole"):
        await bring(answerer, there.file[:-1])
    with pytest.raises(Forbidden, match="another Party"):
        await export(asker, asker)
    aged = replace(content(there.file), created=int(asker.clock.now()) - 22 * DAY)
    with pytest.raises(Stale, match="too old"):
        await bring(answerer, compose_parcel(aged, asker.kit.signer))

    assert (written(answerer), written(other)) == before


# --- at the desk -------------------------------------------------------------------------------------------------------------


@simulated()
async def test_only_who_administers_carries_files_and_it_is_recorded_under_the_files_id(federation: Federation):
    asker, answerer = parted(federation)
    name = administrator(asker)
    there = await export(asker, answerer)
    assert [(use.act, bytes(use.message_id)) for use in asker.officers._uses][-1:] == [("export_parcel", there.parcel_id)]

    known = await asker.officers.officer(name.officer_id)
    assert known is not None
    everything_else = tuple(grant for grant in known.grants if grant.right is not Right.ADMINISTER)
    asker.officers.lies_there(replace(known, grants=everything_else))
    for forbidden in (export(asker, answerer), bring(asker, there.file)):
        with pytest.raises(Forbidden, match="the right administer"):
            await forbidden


@simulated()
async def test_parts_come_in_order_again_and_as_a_whole_or_the_file_is_not_taken(federation: Federation):
    asker, answerer = parted(federation)
    file = (await export(asker, answerer)).file
    assert answerer.participant is not None
    parcels, officer, digest = answerer.participant.parcels, administrator(answerer), sha256(file).digest()
    half = len(file) // 2

    async def put(offset: int, part: bytes, *, size: int = len(file), digest: bytes = digest) -> None:
        await parcels.put_parcel(officer, digest=digest, size=size, offset=offset, part=part)

    with pytest.raises(NotFound, match="not at the desk"):
        await put(half, file[half:])
    await put(0, file[:half])
    await put(0, file[:half])
    with pytest.raises(Conflict, match="as a whole"):
        await parcels.take_parcel(officer, digest=digest, start=0)
    with pytest.raises(Conflict, match="missing"):
        await put(half + 1, file[half + 1 :])
    with pytest.raises(Conflict, match="missing"):
        await put(half, file[half:] + b"x")
    with pytest.raises(Conflict, match="not taken yet"):
        await parcels.reply_parcel(officer, digest=digest)
    await put(half, file[half:])
    await put(half, file[half:])
    step = await parcels.take_parcel(officer, digest=digest, start=0)
    assert (step.done, step.total) == (0, 0)

    wrong = sha256(b"another").digest()
    await put(0, file[:half], digest=wrong)
    await put(half, file[half:], digest=wrong)
    with pytest.raises(Conflict, match="as a whole"):
        await parcels.take_parcel(officer, digest=wrong, start=0)
    with pytest.raises(NotFound):
        await parcels.take_parcel(officer, digest=digest, start=0)
    with pytest.raises(Oversized):
        await put(0, file[:half], size=limits.PARCEL_BYTES_MAX + 1)
    with pytest.raises(Oversized):
        await put(0, bytes(node_limits.PARCEL_PART_BYTES + 1))


@simulated()
async def test_few_files_are_at_the_desk_at_a_time_and_one_that_is_left_there_gives_way(federation: Federation):
    asker, answerer = parted(federation)
    file = (await export(asker, answerer)).file
    assert answerer.participant is not None
    parcels, digest = answerer.participant.parcels, sha256(file).digest()
    names = [replace(administrator(answerer), officer_id=f"officer{number}x") for number in range(3)]
    answerer.officers.lies_there(*(registered(name) for name in names))

    for name in names[:2]:
        await parcels.put_parcel(name, digest=digest, size=len(file), offset=0, part=file[:1])
    with pytest.raises(Overloaded, match="other officers"):
        await parcels.put_parcel(names[2], digest=digest, size=len(file), offset=0, part=file[:1])
    await asyncio.sleep(node_limits.PARCEL_AT_DESK_S + 1)
    await parcels.put_parcel(names[2], digest=digest, size=len(file), offset=0, part=file)

    assert (await parcels.take_parcel(names[2], digest=digest, start=0)).party == asker.party
