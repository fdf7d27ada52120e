"""Delivery at whole nodes: lanes, peers that are away, peers that refuse, messages that a node fails over, numbers that are left out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from federation import limits
from federation.delivery.lanes import Oddity
from federation.errors import Forbidden, Overloaded, StoreUnavailable, Unprocessable, Unreachable
from federation.identity import MessageId, PartyId
from federation.ports import Change, Direction
from federation.query.codes import Automation, Urgency
from federation.query.lifecycle import AskedState
from federation.v1 import exchange_pb2
from federation.wire.envelope import decode_envelope, decode_header
from node import limits as node_limits
from node.rpc.exchange import DELIVER
from node.use_cases.desk_values import Health, QueryView
from node.use_cases.held import OutboxView
from node.use_cases.peer_clocks import Heard
from tests.support.faults import When
from tests.support.federation import Federation
from tests.support.invariants import Watch
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR, ask, look, question


async def outbox_of(node: SimNode) -> OutboxView:
    assert node.participant is not None
    view: OutboxView = await node.participant.held.outbox_view(node.kit.officers[0].name)
    return view


def deliveries(federation: Federation) -> list[tuple[PartyId | None, MessageId]]:
    """What is sent from now on, and to whom, in its order."""
    calls: list[tuple[PartyId | None, MessageId]] = []
    network = federation.network
    call = network.call

    async def counted(caller: Any, ca: Any, peer: Any, path: str, request: bytes) -> Any:
        if path == DELIVER.path:
            envelope = decode_envelope(exchange_pb2.DeliverRequest.FromString(request).envelope)
            calls.append((peer.name.party, decode_header(envelope.header).message_id))
        return await call(caller, ca, peer, path, request)

    network.call = counted  # type: ignore[method-assign]  # the same call, counted
    return calls


async def many(asker: SimNode, answerer: SimNode, number: int, **changes: Any) -> list[QueryView]:
    codes = answerer.kit.codes
    asked = [question(answerer.party, codes[one % len(codes)], **changes) for one in range(number)]
    views: list[QueryView] = []
    for start in range(0, number, 50):  # an officer has so many drafts at a time
        views += await asyncio.gather(*(ask(asker, one) for one in asked[start : start + 50]))
    return views


@simulated(parties=2)
async def test_a_peer_that_is_away_is_probed_by_one_message_at_a_time_and_gets_everything_when_it_is_back(
    federation: Federation,
):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    views = await many(asker, answerer, 100)
    await asyncio.sleep(HOUR)
    calls = deliveries(federation)

    await asyncio.sleep(HOUR)
    assert 60 <= len(calls) <= 240  # one each minute or half, and not one for each of 100 messages
    (queue,) = (await outbox_of(asker)).queues
    assert (queue.peer, queue.away, queue.problem) == (answerer.party, True, Unreachable.code)
    assert sum(count for _, count in queue.lanes) == 100

    await federation.restart(answerer)
    await ask(answerer, question(asker.party, asker.kit.codes[0]))  # it calls: the line is whole at once
    back = federation.now
    while asker.storage._outgoing:
        await asyncio.sleep(0.1)
    assert federation.now - back < 5
    assert {(await look(asker, view.asked.message_id)).asked.state for view in views} == {AskedState.ANSWERED}
    assert (await outbox_of(asker)).queues == ()
    await asyncio.sleep(60)
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_question_to_a_peer_that_is_known_to_be_away_says_so_without_waiting_for_it(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    federation.network.part([asker.kit.name], [answerer.kit.name])  # nothing comes back, not even a refusal to connect
    await many(asker, answerer, 3)
    await asyncio.sleep(HOUR)
    begun = federation.now

    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    assert view.asked.problem == Unreachable.code
    assert federation.now - begun <= limits.RPC_TIMEOUT_S + 1
    again = await ask(asker, question(answerer.party, answerer.kit.codes[1]))
    assert again.asked.problem == Unreachable.code
    federation.network.heal()
    await asyncio.sleep(2 * limits.RETRY_S_MAX)
    assert (await look(asker, again.asked.message_id)).asked.state is AskedState.ANSWERED


@simulated(parties=2, automation=Automation.MANUAL)
async def test_after_an_outage_urgent_questions_go_first_and_containers_last(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    one = question(answerer.party, answerer.kit.codes[0])
    container = question(answerer.party, *(f"QNBOX{number:05d}" for number in range(limits.BULK_CODES_MIN)))
    bulk = [await ask(asker, container) for _ in range(60)]
    normal = await many(asker, answerer, 60)
    urgent = [await ask(asker, replace(one, urgency=Urgency.URGENT)) for _ in range(5)]
    await asyncio.sleep(600)

    calls = deliveries(federation)
    await federation.restart(answerer)
    await asyncio.sleep(2 * limits.RETRY_S_MAX)

    lanes = {view.asked.message_id: lane for lane, views in enumerate((urgent, normal, bulk)) for view in views}
    first_sent = dict.fromkeys(identifier for peer, identifier in calls if peer == answerer.party)
    order = [lanes[identifier] for identifier in first_sent if identifier in lanes]
    assert sorted(order) == [0] * 5 + [1] * 60 + [2] * 60
    # What is begun together overtakes each other on its way to the wire; in the order of asking, urgent ones would come behind 120.
    assert max(place for place, lane in enumerate(order) if lane == 0) < limits.IN_FLIGHT_PER_PARTY_MAX
    assert (
        order.index(2) < limits.IN_FLIGHT_PER_PARTY_MAX + 8
    )  # the bulk lane has slots of its own: it does not wait for the last of the normal ones
    places = [place for place, lane in enumerate(order) if lane]
    middle = {lane: sorted(place for place in places if order[place] == lane)[30] for lane in (1, 2)}
    assert middle[1] < middle[2]
    states = {(await look(asker, view.asked.message_id)).asked.state for view in (*urgent, *normal, *bulk)}
    assert states == {AskedState.DELIVERED}


@simulated()
async def test_what_a_peer_refuses_for_good_is_held_with_its_reason_and_delays_nothing(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    assert answerer.participant is not None
    take = answerer.participant.answering.take

    async def refuse(_opened: Any) -> Any:
        raise Forbidden("this Party does not answer questions of yours")

    answerer.participant.answering.take = refuse  # type: ignore[method-assign]  # a peer that refuses
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    calls = deliveries(federation)
    await asyncio.sleep(HOUR)
    assert calls == []
    (held,) = (await outbox_of(asker)).held
    assert (held.message_id, held.problem, held.reason) == (
        view.asked.message_id,
        "forbidden",
        "this Party does not answer questions of yours",
    )
    assert (await look(asker, view.asked.message_id)).outgoing == held
    officer = asker.kit.officers[0].name
    status = await asker.at_desk(lambda desk: desk.status(officer))
    check = next(one for one in status.checks if one.name == "refused messages")
    assert (check.health, check.words) == (Health.WARNING, "refused for good: 1 by qn")

    answerer.participant.answering.take = take  # type: ignore[method-assign]  # it thinks better of it
    assert (await ask(asker, question(answerer.party, answerer.kit.codes[1]))).answers
    assert asker.participant is not None
    await asker.participant.held.outbox_retry(officer, held.message_id)
    await asyncio.sleep(5)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED
    asker.problems.discard("forbidden")
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_refused_message_that_is_given_up_ends_its_query(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    assert answerer.participant is not None
    assert asker.participant is not None

    async def refuse(_opened: Any) -> Any:
        raise Forbidden("no")

    answerer.participant.answering.take = refuse  # type: ignore[method-assign]  # a peer that refuses
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await asker.participant.held.outbox_drop(asker.kit.officers[0].name, view.asked.message_id)

    view = await look(asker, view.asked.message_id)
    assert (view.asked.state, view.outgoing) == (AskedState.EXPIRED, None)
    assert not asker.storage._outgoing
    assert view.asked.key_id not in asker.storage._keys
    asker.problems.discard("forbidden")


@simulated()
async def test_a_peer_without_room_is_tried_again_and_is_not_away(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    assert answerer.participant is not None
    take = answerer.participant.answering.take

    async def full(_opened: Any) -> Any:
        raise Overloaded("a budget is used up")

    answerer.participant.answering.take = full  # type: ignore[method-assign]  # a peer that is full
    views = await many(asker, answerer, 8)
    assert {view.asked.problem for view in views} == {"overloaded"}
    await asyncio.sleep(60)
    (queue,) = (await outbox_of(asker)).queues
    assert (queue.away, queue.problem) == (False, "overloaded")

    answerer.participant.answering.take = take  # type: ignore[method-assign]  # it has room again
    await asyncio.sleep(2 * limits.RETRY_S_MAX)
    assert {(await look(asker, view.asked.message_id)).asked.state for view in views} == {AskedState.ANSWERED}
    asker.problems.discard("overloaded")


@simulated()
async def test_a_message_that_a_node_fails_over_blocks_nobody_and_is_taken_by_a_node_that_was_mended(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    assert answerer.participant is not None
    failures = []

    async def fail(opened: Any) -> Any:
        failures.append(opened)
        raise KeyError("a secret")

    answerer.participant.answering.take = fail  # type: ignore[method-assign]  # a defect that one message finds
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await asyncio.sleep(DAY)

    assert len(failures) == 1
    (held,) = (await outbox_of(asker)).held
    assert held.problem == Unprocessable.code
    (poison,) = (await outbox_of(answerer)).poisons
    assert (poison.peer, poison.message_id, poison.times) == (asker.party, view.asked.message_id, 1)
    assert poison.reason.startswith("KeyError at ")
    assert "secret" not in poison.reason
    assert await answerer.storage.received(view.asked.message_id) is None

    answerer.crash()
    await federation.restart(answerer)  # with another program
    assert asker.participant is not None
    await asker.participant.held.outbox_retry(asker.kit.officers[0].name, view.asked.message_id)
    await asyncio.sleep(5)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED
    assert (await outbox_of(answerer)).poisons == ()
    asker.problems.discard(Unprocessable.code)
    Watch(federation).look_at_the_end()


@simulated(automation=Automation.MANUAL)
async def test_a_number_that_was_left_out_is_told_to_the_receiver_and_blocks_nothing(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    assert asker.participant is not None
    await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    federation.network.cut([asker.kit.name], [answerer.kit.name])
    lost = await ask(asker, question(answerer.party, answerer.kit.codes[1]))
    await asker.storage.commit(Change(outgoing_done=(lost.asked.message_id,)))  # it will never be sent
    federation.network.heal()
    await asyncio.sleep(limits.RETRY_S_MAX)
    view = await ask(asker, question(answerer.party, answerer.kit.codes[2]))
    assert view.asked.state is AskedState.DELIVERED
    assert (await outbox_of(answerer)).numbers == ()  # it may still be on its way

    await asyncio.sleep(limits.NUMBER_MISSED_S)
    (words,) = (await outbox_of(answerer)).numbers
    assert words.startswith("the normal lane of qm: number 2 never came")
    answerer.crash()
    await federation.restart(answerer)
    assert (await outbox_of(answerer)).numbers == (words,)
    officer = answerer.kit.officers[0].name
    status = await answerer.at_desk(lambda desk: desk.status(officer))
    check = next(one for one in status.checks if one.name == "numbers of messages")
    assert (check.health, check.words) == (Health.GOOD, words)
    assert "no accusation" in check.hint


@simulated(parties=2)
async def test_a_message_that_is_sealed_anew_leaves_its_first_number_out_and_nothing_else_is_odd(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    (row,) = await asker.storage.waiting(answerer.party)
    await asker.storage.commit(Change(outgoing=(replace(row, sealed_until=1),)))  # as when the key has ended
    await federation.restart(answerer)
    await asyncio.sleep(HOUR)

    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED
    notices = [one for track in answerer.storage._tracks.values() for one in track.notices]
    assert [(one.oddity, one.first) for one in notices] == [(Oddity.MISSING, 1)]
    sent = await asker.storage.crossing(Direction.SENT, view.asked.message_id)
    assert sent is not None
    assert sent.receipt is not None


@simulated()
async def test_a_party_over_its_budget_comes_again_later_and_nobody_else_waits(federation: Federation):
    flooding, node, other = federation["qm"], federation["qn"], federation["qo"]
    assert node.participant is not None
    budgets = node.participant.exchange._budgets
    used_up_at = asyncio.get_running_loop().time() + budgets._messages._ahead_s + 20
    budgets._messages._used_up_at[flooding.party] = used_up_at  # as if so much had come

    view = await ask(flooding, question(node.party, node.kit.codes[0]))
    assert (view.asked.state, view.asked.problem) == (AskedState.QUEUED, Overloaded.code)
    assert (await ask(other, question(node.party, node.kit.codes[0]))).answers
    (queue,) = (await outbox_of(flooding)).queues
    assert not queue.away
    await asyncio.sleep(60)
    assert (await look(flooding, view.asked.message_id)).asked.state is AskedState.ANSWERED
    flooding.problems.discard(Overloaded.code)


@simulated(automation=Automation.MANUAL)
async def test_a_party_whose_room_on_the_disk_is_used_up_is_told_and_the_operator_too(federation: Federation):
    asker, node = federation["qm"], federation["qn"]
    assert node.participant is not None
    await ask(asker, question(node.party, node.kit.codes[0]))
    budgets = node.participant.exchange._budgets
    assert budgets._kept[asker.party] > 500
    budgets._kept[asker.party] = node_limits.BYTES_KEPT_PER_PARTY_MAX

    view = await ask(asker, question(node.party, node.kit.codes[1]))
    assert view.asked.problem == Overloaded.code
    check = budgets.check()
    assert (check.health, check.words) == (Health.WARNING, "qm has used 100 % of its room")
    node.crash()
    await federation.restart(node)  # counted anew
    await asyncio.sleep(2 * limits.RETRY_S_MAX)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.DELIVERED
    asker.problems.discard(Overloaded.code)


@simulated()
async def test_so_many_messages_wait_for_a_peer_and_no_more(federation: Federation):
    asker, away, there = federation["qm"], federation["qn"], federation["qo"]
    away.crash()
    queued = asker.storage.queued

    async def full(peer: PartyId) -> int:
        return await queued(peer) + limits.OUTBOX_PER_PARTY_MAX - 1

    asker.storage.queued = full  # type: ignore[method-assign]  # as if all but one place were taken
    await ask(asker, question(away.party, away.kit.codes[0]))
    with pytest.raises(Overloaded, match="10000 messages wait for qn already"):
        await ask(asker, question(away.party, away.kit.codes[1]))
    assert (await ask(asker, question(there.party, there.kit.codes[0]))).answers


@simulated()
async def test_a_clock_that_jumps_ahead_destroys_and_ends_nothing_until_others_agree(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=7 * DAY))
    prekeys = set(asker.storage._keys)

    asker.clock.skew_s = 40 * DAY
    await asyncio.sleep(2 * HOUR)
    waiting = await look(asker, view.asked.message_id)
    assert (waiting.asked.state, waiting.outgoing is not None) == (AskedState.QUEUED, True)
    assert prekeys <= set(asker.storage._keys)

    asker.clock.skew_s = 0
    await federation.restart(answerer)
    await asyncio.sleep(2 * limits.RETRY_S_MAX)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED
    asker.problems.discard("unauthentic")


@simulated(parties=2)
async def test_a_clock_that_was_put_forward_rightly_is_believed_when_others_agree(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=7 * DAY))
    asker.clock.skew_s = 8 * DAY
    await asyncio.sleep(HOUR)
    now = asker.clock.now()
    asker.peer_clocks.hear(answerer.kit.name, Heard(told=now - 8 * DAY, asked=now - 0.5, heard=now + 0.5))
    await asyncio.sleep(HOUR)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.QUEUED

    now = asker.clock.now()
    asker.peer_clocks.hear(answerer.kit.name, Heard(told=now + 1, asked=now - 0.5, heard=now + 0.5))
    await asyncio.sleep(HOUR)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.EXPIRED


@simulated(parties=2)
async def test_a_clock_that_was_put_forward_is_believed_after_a_day_when_nobody_says_otherwise(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=7 * DAY))
    asker.clock.skew_s = 8 * DAY
    await asyncio.sleep(0.9 * DAY)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.QUEUED
    await asyncio.sleep(0.2 * DAY)
    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.EXPIRED


@simulated()
async def test_clocks_that_step_ten_minutes_both_ways_lose_nothing(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    views = []
    for step, (node, skew_s) in enumerate(
        [(asker, 600.0), (answerer, 600.0), (asker, -600.0), (answerer, -600.0), (asker, 0.0), (answerer, 0.0)]
    ):
        node.clock.skew_s = skew_s
        views.append(await ask(asker, question(answerer.party, answerer.kit.codes[step])))
        await asyncio.sleep(HOUR)

    await asyncio.sleep(HOUR)
    assert {(await look(asker, view.asked.message_id)).asked.state for view in views} == {AskedState.ANSWERED}
    for node in (asker, answerer):
        node.problems.discard("unauthentic")
    Watch(federation).look_at_the_end()


@simulated(parties=2)
async def test_everything_that_was_asked_during_72_hours_of_outage_is_answered_after_it(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    views = []
    for number in range(6):
        views.append(await ask(asker, question(answerer.party, answerer.kit.codes[number], deadline_s=60 * DAY)))
        await asyncio.sleep(DAY / 2)

    await federation.restart(answerer)
    await asyncio.sleep(2 * limits.RETRY_S_MAX)

    assert {(await look(asker, view.asked.message_id)).asked.state for view in views} == {AskedState.ANSWERED}
    for view in views:
        assert [known for known, _, _ in federation.envelopes].count(view.asked.message_id) == 1
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_disk_that_is_full_receipts_nothing_and_goes_on_when_there_is_room(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.faults.fail("commit", When.BEFORE, times=10_000)

    views = await many(asker, answerer, 5)
    assert {view.asked.problem for view in views} == {StoreUnavailable.code}
    await asyncio.sleep(HOUR)
    assert not answerer.storage._received
    assert not (await outbox_of(asker)).queues[0].away

    answerer.faults.heal()
    await asyncio.sleep(2 * limits.RETRY_S_MAX)
    assert {(await look(asker, view.asked.message_id)).asked.state for view in views} == {AskedState.ANSWERED}
    Watch(federation).look_at_the_end()
