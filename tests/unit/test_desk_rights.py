"""The desk itself asks at every call who may do what: a node's whole use cases, with officers whose rights a test changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from federation.errors import Forbidden
from federation.evidence.bundle import Disclosure
from federation.query.codes import Automation, Purpose
from federation.trust.entries import Authority, AuthorityKind
from node.use_cases.officers import OfficerState
from node.use_cases.rights import Grant, Right
from tests.support.federation import Federation, federating
from tests.support.memory_officers import registered
from tests.support.parties import OfficerKit
from tests.support.simulated_officers import FAR, answer_inbox, ask, question, signature_of
from tests.support.virtual_clock import VirtualLoop, run_virtual

CUSTOMS = Authority(kind=AuthorityKind.CUSTOMS, name="Customs")
AUDIT = Grant(right=Right.AUDIT, authority=CUSTOMS)


def asks(*purposes: Purpose) -> Grant:
    return Grant(right=Right.ASK, authority=CUSTOMS, purposes=frozenset(purposes))


def answers(*purposes: Purpose) -> Grant:
    return Grant(right=Right.ANSWER, authority=CUSTOMS, purposes=frozenset(purposes))


def at_two_nodes(test: Callable[[Federation], Awaitable[None]]) -> None:
    """Run a test at qm and qn, which answers by hand."""

    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=2, automation=lambda _number: Automation.MANUAL) as federation:
            await test(federation)

    run_virtual(main)


def hold(federation: Federation, party: str, officer: OfficerKit, *grants: Grant, state=OfficerState.ACTIVE) -> None:
    known = replace(registered(officer.name, officer.certificate, grants=grants), state=state)
    federation[party].officers.lies_there(known)


def test_an_officer_whose_right_was_withdrawn_between_prepare_and_submit_asks_nothing():
    async def test(federation: Federation) -> None:
        node, code = federation["qm"], federation["qn"].kit.codes[0]
        officer = node.kit.officers[0]
        prepared = await node.at_desk(
            lambda desk: desk.prepare_query(officer.name, officer.certificate, question(federation["qn"].party, code))
        )
        signature = signature_of(officer, prepared)
        hold(federation, "qm", officer, AUDIT)
        with pytest.raises(Forbidden, match="the right ask"):
            await node.at_desk(lambda desk: desk.submit_query(officer.name, prepared.message_id, signature))
        assert await node.at_desk(lambda desk: desk.queries(officer.name, before=FAR, rows=5)) == ()

    at_two_nodes(test)


def test_a_purpose_that_was_withdrawn_between_prepare_and_submit_stops_the_question():
    async def test(federation: Federation) -> None:
        node, code = federation["qm"], federation["qn"].kit.codes[0]
        officer = node.kit.officers[0]
        prepared = await node.at_desk(
            lambda desk: desk.prepare_query(officer.name, officer.certificate, question(federation["qn"].party, code))
        )
        signature = signature_of(officer, prepared)
        hold(federation, "qm", officer, asks(Purpose.DETECTION))  # the question is for an investigation
        with pytest.raises(Forbidden, match="for the purpose investigation"):
            await node.at_desk(lambda desk: desk.submit_query(officer.name, prepared.message_id, signature))

    at_two_nodes(test)


def test_an_answering_officer_whose_right_was_withdrawn_answers_nothing():
    async def test(federation: Federation) -> None:
        view = await ask(federation["qm"], question(federation["qn"].party, federation["qn"].kit.codes[0]))
        node, identifier = federation["qn"], view.asked.message_id
        officer = node.kit.officers[1]
        entry = await node.at_desk(lambda desk: desk.inbox_entry(officer.name, identifier))
        prepared = await node.at_desk(
            lambda desk: desk.prepare_answer(officer.name, officer.certificate, identifier, entry.draft)
        )
        signature = signature_of(officer, prepared)
        for grants in ((AUDIT,), (answers(Purpose.DETECTION),)):
            hold(federation, "qn", officer, *grants)
            with pytest.raises(Forbidden):
                await node.at_desk(lambda desk: desk.submit_answer(officer.name, prepared.message_id, signature))
            with pytest.raises(Forbidden):
                await node.at_desk(lambda desk: desk.inbox_entry(officer.name, identifier))
        hold(federation, "qn", officer, answers(Purpose.INVESTIGATION))
        await node.at_desk(lambda desk: desk.submit_answer(officer.name, prepared.message_id, signature))

    at_two_nodes(test)


def test_who_may_ask_sees_no_inbox_and_who_may_answer_sees_no_queries():
    async def test(federation: Federation) -> None:
        view = await ask(federation["qm"], question(federation["qn"].party, federation["qn"].kit.codes[0]))
        node, identifier = federation["qm"], view.asked.message_id
        asker, answerer = node.kit.officers
        hold(federation, "qm", asker, asks(Purpose.INVESTIGATION))
        hold(federation, "qm", answerer, answers(Purpose.INVESTIGATION))
        await node.at_desk(lambda desk: desk.query(asker.name, identifier, wait_s=0))
        await node.at_desk(lambda desk: desk.inbox(answerer.name, before=FAR, rows=5))
        await node.at_desk(lambda desk: desk.proof(answerer.name, identifier, disclose=Disclosure.NONE))
        await node.at_desk(lambda desk: desk.why(asker.name, identifier.hex()))
        for attempt in (
            lambda desk: desk.why(answerer.name, identifier.hex()),
            lambda desk: desk.inbox(asker.name, before=FAR, rows=5),
            lambda desk: desk.inbox_entry(asker.name, identifier),
            lambda desk: desk.query(answerer.name, identifier, wait_s=0),
            lambda desk: desk.queries(answerer.name, before=FAR, rows=5),
            lambda desk: desk.prepare_query(answerer.name, answerer.certificate, view.query and question(node.party)),
        ):
            with pytest.raises(Forbidden):
                await node.at_desk(attempt)

    at_two_nodes(test)


@pytest.mark.parametrize("state", [OfficerState.WITHDRAWN, OfficerState.INVITED])
def test_an_officer_who_is_not_active_does_nothing_at_all(state):
    async def test(federation: Federation) -> None:
        node = federation["qm"]
        officer = node.kit.officers[0]
        hold(federation, "qm", officer, asks(*Purpose), AUDIT, state=state)
        for attempt in (
            lambda desk: desk.status(officer.name),
            lambda desk: desk.resolve(officer.name, node.kit.codes[0]),
            lambda desk: desk.queries(officer.name, before=FAR, rows=5),
        ):
            with pytest.raises(Forbidden, match="may not use the desk"):
                await node.at_desk(attempt)

    at_two_nodes(test)


def test_who_is_not_registered_or_is_another_partys_does_nothing_at_all():
    async def test(federation: Federation) -> None:
        stranger = federation["qn"].kit.officers[0].name
        unknown = replace(federation["qm"].kit.officers[0].name, officer_id="nobody00")
        for name, words in ((stranger, "own Party"), (unknown, "no officer")):
            with pytest.raises(Forbidden, match=words):
                await federation["qm"].at_desk(lambda desk, name=name: desk.status(name))

    at_two_nodes(test)


def test_the_use_of_a_right_is_recorded_once_a_day_for_each_message_before_it_has_an_effect():
    async def test(federation: Federation) -> None:
        node = federation["qm"]
        view = await ask(node, question(federation["qn"].party, federation["qn"].kit.codes[0]))
        officer, identifier = node.kit.officers[0].name, view.asked.message_id
        for _ in range(3):
            await node.at_desk(lambda desk: desk.query(officer, identifier, wait_s=0))
        uses = await node.officers.uses(before=FAR, rows=10)
        assert [(use.act, use.right, use.message_id) for use in uses] == [
            ("query", "ask", identifier),
            ("submit_query", "ask", identifier),
        ]

    at_two_nodes(test)


def test_an_officer_who_is_withdrawn_while_waiting_gets_no_answer():
    async def test(federation: Federation) -> None:
        node = federation["qm"]
        view = await ask(node, question(federation["qn"].party, federation["qn"].kit.codes[0]))
        officer = node.kit.officers[0]
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(_refused(node, officer, view.asked.message_id))
            await asyncio.sleep(1)
            hold(federation, "qm", officer, asks(*Purpose), state=OfficerState.WITHDRAWN)
            await answer_inbox(federation["qn"])
        assert waiting.result()

    at_two_nodes(test)


async def _refused(node, officer, identifier) -> bool:
    with pytest.raises(Forbidden, match="may not use the desk"):
        await node.at_desk(lambda desk: desk.query(officer.name, identifier, wait_s=600))
    return True
