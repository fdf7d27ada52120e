"""One query from the desk of one Party to the answer of another, in memory, with everything real but the wires and the disk."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.proof import check_proof
from federation.evidence.bundle import Disclosure
from federation.ports import Direction
from federation.query.codes import Automation, Outcome
from federation.query.items import Item, ItemState
from federation.query.lifecycle import AskedState, ReceivedState
from node.use_cases.desk_values import Membership
from tests.support.federation import Federation
from tests.support.invariants import Watch
from tests.support.parties import FACTORY
from tests.support.simulated import simulated
from tests.support.simulated_officers import HOUR, answer_inbox, ask, look, question


@simulated()
async def test_an_automatic_query_is_answered_in_one_round_trip(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    envelopes = len(federation.envelopes)

    view = await ask(asker, question(answerer.party, answerer.kit.codes[0], answerer.kit.unknown_code, asker.kit.codes[0]))

    assert view.asked.state is AskedState.ANSWERED
    assert len(federation.envelopes) == envelopes + 1
    (answer,) = view.answers
    outcomes = [result.outcome for result in answer.answer.results]
    assert outcomes == [Outcome.FOUND, Outcome.NEVER_ISSUED, Outcome.NOT_OURS]
    items = {item.item: item for item in answer.answer.results[0].items}
    assert items[Item.A].state is ItemState.PROVIDED
    assert FACTORY in str(items[Item.B])


@simulated()
async def test_hit_or_no_hit_is_asked_and_answered_with_nothing_but_that(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    asked = question(answerer.party, answerer.kit.codes[0], answerer.kit.unknown_code)
    view = await ask(asker, replace(asked, items=frozenset(), market_statement="Sales only allowed in QN"))

    (answer,) = view.answers
    hit, miss = answer.answer.results
    assert (hit.outcome, miss.outcome) == (Outcome.FOUND, Outcome.NEVER_ISSUED)
    assert (hit.status, hit.last_known, {item.state for item in hit.items}) == (frozenset(), None, {ItemState.NOT_ASKED})
    assert view.query.market_statement == "Sales only allowed in QN"


@simulated()
async def test_the_answer_of_a_round_trip_is_receipted_soon_after(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    await asyncio.sleep(5)

    (answer,) = view.answers
    sent = await answerer.storage.crossing(Direction.SENT, answer.message_id)
    assert sent is not None
    assert sent.receipt is not None
    Watch(federation).look_at_the_end()


@simulated()
async def test_a_scan_leads_to_the_party_that_can_answer(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]

    officer = asker.kit.officers[0].name
    resolution = await asker.at_desk(lambda desk: desk.resolve(officer, answerer.kit.codes[0]))

    assert [(one.responder, one.membership) for one in resolution.parties] == [(answerer.party, Membership.PARTY)]


@simulated(automation=Automation.MANUAL)
async def test_a_query_that_an_officer_answers_hours_later_reaches_the_waiting_desk(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    assert view.asked.state is AskedState.DELIVERED
    waiting = asyncio.ensure_future(look(asker, view.asked.message_id, wait_s=10 * HOUR))
    await asyncio.sleep(5 * HOUR)
    assert not waiting.done()

    assert await answer_inbox(answerer) == 1

    view = await waiting
    assert view.asked.state is AskedState.ANSWERED
    assert view.answers[0].officer_id == answerer.kit.officers[1].name.officer_id
    assert view.answers[0].answer.automation is Automation.MANUAL


@simulated()
async def test_both_sides_export_a_proof_that_convinces_whoever_has_the_genesis(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await asyncio.sleep(5)
    log_key = federation.treaty.log_signer.public_key

    for node, sent, whole_bytes in ((asker, 0, limits.PROOF_WHOLE_BYTES), (answerer, 1, limits.PROOF_WHOLE_BYTES), (asker, 0, 0)):
        officer = node.kit.officers[0].name
        with pytest.MonkeyPatch.context() as patch:  # as if the directory were a large one
            patch.setattr(limits, "PROOF_WHOLE_BYTES", whole_bytes)
            raw = await node.at_desk(
                lambda desk, officer=officer: desk.proof(officer, view.asked.message_id, disclose=Disclosure.ALL)
            )
        report = check_proof(raw, log_key=log_key, genesis_digest=federation.treaty.founded.digest)

        assert (report.quorum is not None) == (whole_bytes > 0)
        assert report.exporter == node.kit.name
        assert len(report.crossings) == 2
        assert report.crossings[sent].receipt is not None
        assert all(crossing.content is not None for crossing in report.crossings)


@simulated(automation=Automation.MANUAL)
async def test_a_query_is_answered_once_however_many_officers_try(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))

    results = await asyncio.gather(*(answer_inbox(answerer) for _ in range(3)), return_exceptions=True)

    assert sorted(str(getattr(result, "code", result)) for result in results) == ["1", "conflict", "conflict"]
    await asyncio.sleep(60)
    received = await answerer.storage.received(view.asked.message_id)
    assert received is not None
    assert received.state is ReceivedState.ANSWERED
    Watch(federation).look_at_the_end()
