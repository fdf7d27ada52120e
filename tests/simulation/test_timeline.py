"""What the timelines say after hard times: bounded, at both ends, and with the clocks that were seen."""

from __future__ import annotations

import asyncio

from federation.delivery.timeline import Step, TimelineEvent
from federation.identity import MessageId
from federation.ports import Direction
from federation.query.codes import Automation
from tests.support.federation import Federation
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR, answer_inbox, ask, look, question
from tests.support.virtual_clock import EPOCH

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED


async def lines(node: SimNode, direction: Direction, message_id: MessageId) -> tuple[TimelineEvent, ...]:
    return await node.storage.timeline.events(direction, message_id)


def shape(events: tuple[TimelineEvent, ...]) -> list[tuple[Step, str, int]]:
    return [(event.step, event.reason, event.count) for event in events]


@simulated()
async def test_a_query_that_is_answered_at_once_has_one_line_for_each_step_at_both_ends(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await asyncio.sleep(60)
    query, answer = view.asked.message_id, view.asked.answer_ids[0]

    assert shape(await lines(asker, SENT, query)) == [(Step.SEALED, "", 1), (Step.DELIVERED, "", 1)]
    assert shape(await lines(asker, RECEIVED, answer)) == [(Step.RECEIVED, "", 1)]
    assert shape(await lines(answerer, RECEIVED, query)) == [(Step.RECEIVED, "", 1)]
    assert shape(await lines(answerer, SENT, answer)) == [(Step.SEALED, "", 1), (Step.DELIVERED, "", 1)]


@simulated()
async def test_an_outage_of_days_is_one_line_however_often_it_was_tried(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=20 * DAY))
    await asyncio.sleep(3 * DAY)
    query = view.asked.message_id

    away = {event.reason: event for event in await lines(asker, SENT, query) if event.step is Step.TRIED}
    assert away["unreachable"].count > 500
    assert away["unreachable"].last - away["unreachable"].first > 2.9 * DAY

    await federation.restart(answerer)
    await asyncio.sleep(HOUR)
    after = await lines(asker, SENT, query)
    steps = [event.step for event in after]
    assert steps[0] is Step.SEALED
    assert steps[-1] is Step.DELIVERED
    assert len(after) <= 5


@simulated()
async def test_every_line_says_what_the_other_clock_said(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.clock.skew_s = -42.0
    first = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    answerer.crash()
    second = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    assert [event.offset_ms for event in await lines(asker, SENT, first.asked.message_id)][-1] == -42_000
    tried = [event for event in await lines(asker, SENT, second.asked.message_id) if event.step is Step.TRIED]
    assert [(event.reason, event.offset_ms) for event in tried] == [("unreachable", -42_000)]


@simulated(automation=Automation.MANUAL)
async def test_a_deadline_that_passes_is_told_once_at_both_ends_and_a_late_answer_beside_it(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], deadline_s=DAY))
    query = view.asked.message_id
    await asyncio.sleep(2 * DAY)

    assert shape(await lines(asker, SENT, query)) == [(Step.SEALED, "", 1), (Step.DELIVERED, "", 1), (Step.EXPIRED, "", 1)]
    assert shape(await lines(answerer, RECEIVED, query)) == [(Step.RECEIVED, "", 1), (Step.EXPIRED, "", 1)]

    await answer_inbox(answerer)
    await asyncio.sleep(HOUR)
    (answer,) = (await look(asker, query)).asked.answer_ids
    assert shape(await lines(asker, SENT, query))[-1] == (Step.EXPIRED, "", 1)
    assert shape(await lines(asker, RECEIVED, answer)) == [(Step.RECEIVED, "", 1)]


@simulated()
async def test_what_was_seen_of_a_peer_outlives_a_restart(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.clock.skew_s = 7.0
    await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    answerer.crash()
    await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await asyncio.sleep(HOUR)  # a round of housekeeping, which is rare here
    asker.crash()

    (seen,) = [one for one in await asker.storage.timeline.peers() if one.party == answerer.party]
    assert (seen.problem, seen.offset_ms) == ("unreachable", 7_000)
    assert seen.failures > 0
    assert EPOCH < seen.reached <= seen.failing_since
    assert seen.round_trips_ms
