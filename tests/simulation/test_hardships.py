"""Each hardship by its name: what the storms mix, one at a time, with what has to come of it."""

from __future__ import annotations

import asyncio

import pytest

from federation.errors import StoreUnavailable, Unauthentic, Unreachable
from federation.evidence.journal import JournalKind
from federation.identity import MessageId
from federation.ports import Direction
from federation.query.codes import Automation
from federation.query.lifecycle import AskedState, ReceivedState
from federation.wire.evidence import decode_record
from node.use_cases.sealing import envelope_of
from tests.support.faults import When
from tests.support.federation import Federation
from tests.support.invariants import Watch
from tests.support.network import FAIR, Weather
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR, answer_inbox, ask, look, question, signature_of


def arrivals(federation: Federation, message_id: MessageId) -> int:
    """How many envelopes with this message have arrived."""
    return sum(known == message_id for known, _, _ in federation.envelopes)


def records(node: SimNode, kind: JournalKind, message_id: MessageId) -> int:
    """How many journal records of a kind there are about a message."""
    decoded = (decode_record(leaf.content) for leaf in node.storage._leaves)
    return sum((record.kind, record.message_id) == (kind, message_id) for record in decoded)


async def state_of(node: SimNode, message_id: MessageId) -> AskedState:
    return (await look(node, message_id)).asked.state


@simulated()
async def test_a_query_for_a_peer_that_is_down_waits_and_says_so_and_is_answered_when_it_is_back(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()

    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    assert (view.asked.state, view.asked.problem, view.answers) == (AskedState.QUEUED, Unreachable.code, ())
    await asyncio.sleep(2 * DAY)
    view = await look(asker, view.asked.message_id)
    assert (view.asked.state, view.answers) == (AskedState.QUEUED, ())
    assert view.outgoing is not None
    assert view.outgoing.attempts > 100

    await federation.restart(answerer)
    await asyncio.sleep(300)
    assert await state_of(asker, view.asked.message_id) is AskedState.ANSWERED
    assert arrivals(federation, view.asked.message_id) == 1


@simulated()
async def test_a_peer_that_calls_after_it_was_away_is_served_at_once(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await asyncio.sleep(2 * HOUR)
    await federation.restart(answerer)
    before = await look(asker, view.asked.message_id)
    assert before.outgoing is not None
    assert before.outgoing.next_attempt > federation.now + 5

    await ask(answerer, question(asker.party, asker.kit.codes[0]))
    await asyncio.sleep(1)

    assert await state_of(asker, view.asked.message_id) is AskedState.ANSWERED


@simulated()
async def test_with_the_secretariat_gone_for_a_day_known_parties_go_on_and_say_how_stale_they_are(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    federation.secretariat.go_away()
    for node in (asker, answerer):
        federation.network.part([node.kit.name], [federation["qo"].kit.name])
    await asyncio.sleep(DAY)

    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    assert view.asked.state is AskedState.ANSWERED
    officer = asker.kit.officers[0].name
    status = await asker.at_desk(lambda desk: desk.status(officer))
    assert next(check for check in status.checks if check.name == "directory").words.startswith("10 entries")


@simulated()
async def test_every_message_may_arrive_twice_and_nothing_happens_twice(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    federation.network.weather = Weather(delay_s=(0.01, 3.0), doubled=1.0)

    views = await asyncio.gather(*(ask(asker, question(answerer.party, code)) for code in answerer.kit.codes[:5]))
    await asyncio.sleep(60)

    for view in views:
        assert arrivals(federation, view.asked.message_id) == 2
        assert records(answerer, JournalKind.RECEIVED, view.asked.message_id) == 1
        assert records(answerer, JournalKind.DECIDED, view.asked.message_id) == 1
        assert len((await look(asker, view.asked.message_id)).answers) == 1
    Watch(federation).look_at_the_end()


@simulated()
async def test_an_answer_whose_receipt_was_lost_comes_again_and_is_receipted_once_more(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    assert view.asked.state is AskedState.ANSWERED
    federation.network.cut([asker.kit.name], [answerer.kit.name])  # the acknowledgement does not get through, nor any receipt
    answer_id = view.answers[0].message_id
    await asyncio.sleep(HOUR)
    assert arrivals(federation, answer_id) > 1
    sent = await answerer.storage.crossing(Direction.SENT, answer_id)
    assert sent is not None
    assert sent.receipt is None

    federation.network.heal()
    await asyncio.sleep(HOUR)

    sent = await answerer.storage.crossing(Direction.SENT, answer_id)
    assert sent is not None
    assert sent.receipt is not None
    assert records(asker, JournalKind.RECEIVED, answer_id) == 1
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_reply_that_is_lost_after_it_took_effect_costs_a_repetition_and_nothing_else(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    federation.network.cut([answerer.kit.name], [asker.kit.name])
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    assert (view.asked.state, view.asked.problem) == (AskedState.QUEUED, Unreachable.code)
    assert (await answerer.storage.received(view.asked.message_id)) is not None

    federation.network.heal()
    await asyncio.sleep(600)

    assert await state_of(asker, view.asked.message_id) is AskedState.ANSWERED
    assert records(answerer, JournalKind.RECEIVED, view.asked.message_id) == 1
    Watch(federation).look_at_the_end()


@simulated(automation=Automation.MANUAL)
async def test_a_node_that_dies_between_commit_and_receipt_gives_the_same_receipt_when_it_is_back(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    dying = asyncio.ensure_future(answerer.crash_after_writes(1))

    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    await dying
    assert view.asked.state is AskedState.QUEUED
    assert (await answerer.storage.received(view.asked.message_id)) is not None
    await federation.restart(answerer)
    await asyncio.sleep(300)
    assert await state_of(asker, view.asked.message_id) is AskedState.DELIVERED
    assert records(answerer, JournalKind.RECEIVED, view.asked.message_id) == 1


@simulated()
async def test_a_node_that_dies_before_it_said_that_it_has_answered_gives_the_same_answer_when_it_is_asked_again(
    federation: Federation,
):
    asker, answerer = federation["qm"], federation["qn"]
    dying = asyncio.ensure_future(answerer.crash_after_writes(1))
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await dying
    received = await answerer.storage.received(view.asked.message_id)
    assert received is not None
    assert received.state is ReceivedState.ANSWERED  # in the commit that took the query
    assert await state_of(asker, view.asked.message_id) is AskedState.QUEUED

    await federation.restart(answerer)
    await asyncio.sleep(300)

    assert await state_of(asker, view.asked.message_id) is AskedState.ANSWERED
    asked = await asker.storage.asked(view.asked.message_id)
    assert asked is not None
    assert asked.answer_ids == (received.answer_id,)
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_node_that_dies_after_it_wrote_a_query_down_and_before_it_sent_it_sends_it_when_it_is_back(
    federation: Federation,
):
    asker, answerer = federation["qm"], federation["qn"]
    dying = asyncio.ensure_future(asker.crash_after_writes(1))
    await asyncio.sleep(0)

    with pytest.raises(Unreachable):
        await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    await dying
    (asked,) = asker.storage._asked.values()
    assert arrivals(federation, asked.message_id) == 0
    await federation.restart(asker)
    await asyncio.sleep(60)
    assert await state_of(asker, asked.message_id) is AskedState.ANSWERED
    assert arrivals(federation, asked.message_id) == 1


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("side", ["asking", "answering"])
@pytest.mark.parametrize("skip", range(4))
def test_a_commit_that_fails_before_or_after_it_took_effect_loses_and_doubles_nothing(when: When, side: str, skip: int):
    @simulated()
    async def run(federation: Federation) -> None:
        asker, answerer = federation["qm"], federation["qn"]
        failing = asker if side == "asking" else answerer
        failing.faults.fail("commit", when, skip=skip, times=2)

        message_id = await ask_until_it_is_written(asker, answerer)

        await asyncio.sleep(2 * HOUR)
        assert await state_of(asker, message_id) is AskedState.ANSWERED
        assert len(asker.storage._asked) == 1
        Watch(federation).look_at_the_end()

    run()


async def ask_until_it_is_written(asker: SimNode, answerer: SimNode) -> MessageId:
    """An officer's program that repeats what failed: the same prepared query, the same signature."""
    officer, asked = asker.kit.officers[0], question(answerer.party, answerer.kit.codes[0])
    prepared = await asker.at_desk(lambda desk: desk.prepare_query(officer.name, officer.certificate, asked))
    signature = signature_of(officer, prepared)
    for _ in range(5):
        try:
            await asker.at_desk(lambda desk: desk.submit_query(officer.name, prepared.message_id, signature))
        except StoreUnavailable:
            await asyncio.sleep(1)
        else:
            break
    return prepared.message_id


@simulated()
async def test_a_policy_whose_data_cannot_be_read_answers_when_they_can_be(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.trace.fails_before = True

    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    assert view.asked.state is AskedState.DELIVERED
    await asyncio.sleep(2 * HOUR)
    assert await state_of(asker, view.asked.message_id) is AskedState.ANSWERED
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_policy_whose_data_could_not_be_read_answers_after_a_restart_too(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.trace.fails_before = True
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    assert view.asked.state is AskedState.DELIVERED

    answerer.crash()
    await federation.restart(answerer)
    await asyncio.sleep(2 * HOUR)

    assert await state_of(asker, view.asked.message_id) is AskedState.ANSWERED
    Watch(federation).look_at_the_end()


@simulated(parties=2)
async def test_a_peer_that_is_away_for_a_month_gets_the_same_statement_in_a_new_envelope_once(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=60 * DAY))
    first = await asker.storage.crossing(Direction.SENT, view.asked.message_id)
    assert first is not None
    assert first.ciphertext

    await asyncio.sleep(30 * DAY)
    await federation.restart(answerer)
    await asyncio.sleep(600)

    assert await state_of(asker, view.asked.message_id) is AskedState.ANSWERED
    last = await asker.storage.crossing(Direction.SENT, view.asked.message_id)
    assert last is not None
    assert last.digest != first.digest
    assert last.statement == first.statement
    assert records(answerer, JournalKind.RECEIVED, view.asked.message_id) == 1
    assert len(answerer.storage._keys) == 1, "prekeys outlive their time"
    Watch(federation).look_at_the_end()


@simulated(automation=Automation.MANUAL)
async def test_a_query_expires_at_its_deadline_and_a_late_answer_still_arrives_under_a_prekey(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=6 * HOUR))
    await asyncio.sleep(8 * HOUR)
    view = await look(asker, view.asked.message_id)
    assert (view.asked.state, view.answers) == (AskedState.EXPIRED, ())
    received = await answerer.storage.received(view.asked.message_id)
    assert received is not None
    assert received.state is ReceivedState.EXPIRED
    assert view.asked.key_id not in asker.storage._keys

    assert await answer_inbox(answerer) == 1
    await asyncio.sleep(60)

    view = await look(asker, view.asked.message_id)
    assert view.asked.state is AskedState.ANSWERED
    assert len(view.answers) == 1
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_query_that_never_reached_its_peer_expires_and_is_no_answer(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=6 * HOUR))

    await asyncio.sleep(8 * HOUR)

    view = await look(asker, view.asked.message_id)
    assert (view.asked.state, view.answers, view.outgoing) == (AskedState.EXPIRED, (), None)


@simulated()
async def test_a_clock_that_is_ten_minutes_behind_refuses_with_both_times_and_recovers(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.clock.skew_s = -600

    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    assert (view.asked.state, view.asked.problem) == (AskedState.QUEUED, Unauthentic.code)
    sent = await asker.storage.crossing(Direction.SENT, view.asked.message_id)
    assert sent is not None
    transport = federation.network.transport(asker.kit.name, ca=asker.kit.ca.certificate, clock=asker.clock)
    assert asker.participant is not None
    with pytest.raises(Unauthentic, match=r"08:01:00 UTC by its sender's clock, and here it is .* 07:51:00 UTC"):
        await transport.deliver(asker.participant.registry.peer(answerer.party), envelope_of(sent))

    answerer.clock.skew_s = 0
    await asyncio.sleep(600)
    assert await state_of(asker, view.asked.message_id) is AskedState.ANSWERED
    asker.problems.discard(Unauthentic.code)


@simulated()
async def test_clocks_that_differ_by_less_than_what_is_tolerated_do_not_matter(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    asker.clock.skew_s, answerer.clock.skew_s = 140.0, -140.0

    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    assert view.asked.state is AskedState.ANSWERED


@simulated()
async def test_a_network_that_is_open_one_way_only_loses_nothing(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    federation.network.cut([asker.kit.name], [answerer.kit.name])
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await asyncio.sleep(HOUR)
    assert await state_of(asker, view.asked.message_id) is AskedState.QUEUED
    assert arrivals(federation, view.asked.message_id) == 0

    federation.network.heal()
    await asyncio.sleep(600)

    assert await state_of(asker, view.asked.message_id) is AskedState.ANSWERED
    Watch(federation).look_at_the_end()


@simulated()
async def test_one_peer_that_is_away_delays_nothing_for_the_others(federation: Federation):
    asker, away, there = federation["qm"], federation["qn"], federation["qo"]
    away.crash()
    waiting = [await ask(asker, question(away.party, code)) for code in away.kit.codes]

    view = await ask(asker, question(there.party, there.kit.codes[0]))

    assert view.asked.state is AskedState.ANSWERED
    assert {one.asked.state for one in waiting} == {AskedState.QUEUED}


@simulated(automation=Automation.MANUAL)
async def test_the_desk_says_so_when_it_cannot_say_whether_an_answer_was_written_and_it_may_be_repeated(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    officer, message_id = answerer.kit.officers[1], view.asked.message_id
    entry = await answerer.at_desk(lambda desk: desk.inbox_entry(officer.name, message_id))
    prepared = await answerer.at_desk(
        lambda desk: desk.prepare_answer(officer.name, officer.certificate, message_id, entry.draft)
    )
    signature = signature_of(officer, prepared)
    answerer.faults.fail("commit", When.AFTER)

    with pytest.raises(StoreUnavailable):
        await answerer.at_desk(lambda desk: desk.submit_answer(officer.name, prepared.message_id, signature))
    received = await answerer.at_desk(lambda desk: desk.submit_answer(officer.name, prepared.message_id, signature))

    assert (received.state, received.answer_id) == (ReceivedState.ANSWERED, prepared.message_id)
    await asyncio.sleep(60)
    assert await state_of(asker, message_id) is AskedState.ANSWERED
    Watch(federation).look_at_the_end()


@simulated()
async def test_many_queries_at_once_to_a_peer_that_comes_back_all_get_through(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    views = [await ask(asker, question(answerer.party, code)) for code in answerer.kit.codes for _ in range(8)]
    federation.network.weather = FAIR

    await federation.restart(answerer)
    await asyncio.sleep(600)

    states = [await state_of(asker, view.asked.message_id) for view in views]
    assert len(states) == 96
    assert set(states) == {AskedState.ANSWERED}
    Watch(federation).look_at_the_end()
