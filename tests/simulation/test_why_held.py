"""What an officer is told of messages that a peer refused for good, that were given up, and that a node failed over."""

from __future__ import annotations

import asyncio
from typing import Any

from federation.delivery.timeline import Step
from federation.errors import Forbidden
from federation.ports import Direction
from node.cli.why_words import explanation_lines
from node.use_cases.why_values import Explanation, Situation
from tests.support.federation import Federation
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import ask, question


async def why(node: SimNode, prefix: str) -> Explanation:
    explained: Explanation = await node.at_desk(lambda desk: desk.why(node.kit.officers[0].name, prefix))
    return explained


def steps(explained: Explanation) -> list[tuple[Step, str, int]]:
    return [(line.event.step, line.event.reason, line.event.count) for line in explained.lines]


def fails(answerer: SimNode, error: Exception) -> Any:
    """From now on, taking a query ends like this there; gives what was there before."""

    async def fail(_opened: Any) -> Any:
        raise error

    assert answerer.participant is not None
    take = answerer.participant.answering.take
    answerer.participant.answering.take = fail  # type: ignore[method-assign]  # a peer that refuses, or has a defect
    return take


@simulated()
async def test_what_was_refused_for_good_is_held_and_sent_once_more_in_words(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    take = fails(answerer, Forbidden("this Party does not answer questions of yours"))
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    query = view.asked.message_id

    held = await why(asker, query.hex())
    assert (held.situation, held.said) == (Situation.HELD, "this Party does not answer questions of yours")
    assert steps(held) == [(Step.SEALED, "", 1), (Step.TRIED, "forbidden", 1), (Step.HELD, "forbidden", 1)]
    words = "\n".join(explanation_lines(held, now=asker.clock.now()))
    assert "would refuse the same message again: this Party does not answer questions of yours" in words
    assert f"`gsp outbox retry {query.hex()}`" in words

    assert answerer.participant is not None
    assert asker.participant is not None
    answerer.participant.answering.take = take
    await asker.participant.held.outbox_retry(asker.kit.officers[0].name, query)
    await asyncio.sleep(30)
    answered = await why(asker, query.hex())
    assert answered.situation in {Situation.ANSWERED, Situation.DOES_NOT_KNOW}
    assert (Step.RELEASED, "", 1) in steps(answered)
    assert [step for step, _, _ in steps(answered)].count(Step.TRIED) == 1
    asker.problems.discard("forbidden")


@simulated()
async def test_what_was_given_up_is_told_apart_from_what_nobody_was_reached_for(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    fails(answerer, Forbidden("no"))
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    assert asker.participant is not None
    await asker.participant.held.outbox_drop(asker.kit.officers[0].name, view.asked.message_id)

    given_up = await why(asker, view.asked.message_id.hex())
    assert given_up.situation is Situation.GIVEN_UP
    assert {step for step, _, _ in steps(given_up)} >= {Step.GIVEN_UP, Step.EXPIRED}
    asker.problems.discard("forbidden")


@simulated()
async def test_what_a_node_failed_over_is_explained_at_both_ends(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    fails(answerer, KeyError("a secret"))
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    query = view.asked.message_id

    here, there = await why(asker, query.hex()), await why(answerer, query.hex()[:10])
    assert (here.situation, here.problem) == (Situation.HELD, "unprocessable")
    assert (there.situation, there.side, there.peer, there.lines) == (Situation.NOT_TAKEN, Direction.RECEIVED, asker.party, ())
    words = "\n".join(explanation_lines(there, now=answerer.clock.now()))
    assert "this node failed over it" in words
    assert "KeyError at " in words
    assert "secret" not in words
    asker.problems.discard("unprocessable")
    answerer.storage._poisons.clear()  # or the invariants would take offence


@simulated()
async def test_a_question_to_a_peer_that_is_known_to_be_away_is_not_told_as_a_try(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    first = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await asyncio.sleep(3_600)
    second = await ask(asker, question(answerer.party, answerer.kit.codes[1]))

    assert (await why(asker, first.asked.message_id.hex())).attempts > 0
    explained = await why(asker, second.asked.message_id.hex())
    assert (explained.situation, explained.attempts, explained.ahead) == (Situation.UNREACHABLE, 0, 1)
    assert steps(explained) == [(Step.SEALED, "", 1)]
