"""Where a query stands, told at both ends of whole nodes, through days in which somebody answers late, or never, or is away."""

from __future__ import annotations

import asyncio

from federation.identity import MessageId
from federation.ports import Direction
from federation.query.codes import Automation
from node.cli.why_words import explanation_lines, next_words, summary
from node.use_cases.why_values import Explanation, Situation, Weather
from tests.support.federation import Federation
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR, answer_inbox, ask, look, question


async def why(node: SimNode, identifier: MessageId) -> Explanation:
    explained: Explanation = await node.at_desk(lambda desk: desk.why(node.kit.officers[0].name, identifier.hex()))
    return explained


@simulated(automation=Automation.MANUAL)
async def test_from_the_question_to_the_answer_at_both_ends(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    query = view.asked.message_id

    here, there = await why(asker, query), await why(answerer, query)
    assert (here.situation, here.side) == (Situation.WAITING, Direction.SENT)
    assert (there.situation, there.side, there.automation) == (Situation.TO_ANSWER, Direction.RECEIVED, Automation.MANUAL)
    assert "an officer has to answer, due in 6 d" in next_words(there, now=answerer.clock.now())

    federation.network.part([asker.kit.name], [answerer.kit.name])
    await answer_inbox(answerer)
    await asyncio.sleep(HOUR)
    there = await why(answerer, query)
    assert (there.situation, there.problem) == (Situation.UNREACHABLE, "unreachable")
    assert there.attempts > 2
    assert f"tried {there.attempts} times" in summary(there, now=answerer.clock.now())

    federation.network.heal()
    await asyncio.sleep(HOUR)
    assert (await why(asker, query)).situation is Situation.ANSWERED
    assert (await why(answerer, query)).situation is Situation.ANSWER_DELIVERED
    (answer,) = (await look(asker, query)).asked.answer_ids
    assert await why(asker, answer) == await why(asker, query)
    assert (await why(answerer, answer)).message_id == query


@simulated(automation=Automation.MANUAL)
async def test_late_and_never_delivered_are_two_things(federation: Federation):
    asker, late, away = federation["qm"], federation["qn"], federation["qo"]
    to_late = (await ask(asker, question(late.party, late.kit.codes[0], deadline_s=DAY))).asked.message_id
    away.crash()
    view = await ask(asker, question(away.party, away.kit.codes[0], deadline_s=DAY))
    assert view.why is not None
    assert view.why.situation is Situation.UNREACHABLE
    await asyncio.sleep(2 * DAY)

    one, other = await why(asker, to_late), await why(asker, view.asked.message_id)
    assert (one.situation, other.situation) == (Situation.LATE, Situation.NEVER_DELIVERED)
    assert (await why(late, to_late)).situation is Situation.OVERDUE
    assert "they are late" in "\n".join(explanation_lines(one, now=asker.clock.now()))
    assert "nobody there has seen it" in "\n".join(explanation_lines(other, now=asker.clock.now()))

    officer = asker.kit.officers[0].name
    weather = {one.party: one for one in await asker.at_desk(lambda desk: desk.peers(officer, None))}
    assert weather.keys() == {late.party, away.party}
    assert weather[away.party].weather is Weather.UNREACHABLE
    assert weather[away.party].seen.failures > 10
    assert weather[late.party].weather is Weather.FAIR
    await federation.restart(away)
