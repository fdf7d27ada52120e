"""Programs that go away in the middle, and Parties that never come to an end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.messages import Arrived, Opened, body_digest, compose_statement
from federation.envelope.header import Header, Lane, MessageKind, Statement
from federation.envelope.seal import Envelope, Inner
from federation.envelope.suite import WRAP_BYTES
from federation.errors import Forbidden
from federation.evidence.bundle import Disclosure
from federation.identity import MessageId, NodeName, OfficerName, PartyId
from federation.query.answer import Answer
from federation.query.codes import Automation, Outcome
from federation.query.lifecycle import AskedState
from federation.trust.certificate import Officer
from federation.trust.chain import Window
from federation.wire.envelope import encode_header
from federation.wire.evidence import decode_proof
from federation.wire.query import encode_answer_body
from node.cli.answer_file import blank_answer
from node.use_cases.desk_values import QueryView
from tests.support.federation import Federation, federating
from tests.support.parties import DOMAIN
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import ask, look, question, signature_of
from tests.support.virtual_clock import VirtualLoop, run_virtual


@simulated()
async def test_a_query_goes_out_at_once_although_the_officers_program_went_away(federation: Federation) -> None:
    asker, answerer = federation["qm"], federation["qn"]
    officer = asker.kit.officers[0]
    asked = question(answerer.party, answerer.kit.codes[0])
    for pause_s in (0.001, 0.004, 0.02, 0.05):
        prepared = await asker.at_desk(lambda desk: desk.prepare_query(officer.name, officer.certificate, asked))
        signature = signature_of(officer, prepared)
        assert asker.participant is not None
        submitting = asker.spawn(asker.participant.desk.submit_query(officer.name, prepared.message_id, signature))
        await asyncio.sleep(pause_s)
        submitting.cancel()
        await asyncio.sleep(30)
        stored = await asker.storage.asked(prepared.message_id)
        assert stored is None or stored.state is AskedState.ANSWERED, (pause_s, stored)


def test_a_party_that_never_comes_to_an_end_is_stopped_and_can_still_answer() -> None:
    """Every answer is shown, and stands in the proof, so nobody may send them without end."""

    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=2, automation=lambda _number: Automation.MANUAL) as federation:
            await _never_coming_to_an_end(federation["qm"], federation["qn"])

    run_virtual(main)


async def _never_coming_to_an_end(asker: SimNode, answerer: SimNode) -> None:
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    assert asker.participant is not None
    final = blank_answer(view.query, Outcome.NEVER_ISSUED)
    for number in range(limits.PARTIAL_ANSWERS_MAX):
        await asker.participant.asking.take(_opened(view, replace(final, final=False), number))

    with pytest.raises(Forbidden):
        await asker.participant.asking.take(_opened(view, replace(final, final=False), 1_000))
    await asker.participant.asking.take(_opened(view, final, 2_000))

    shown = await look(asker, view.asked.message_id)
    assert shown.asked.state is AskedState.ANSWERED
    assert len(shown.answers) == limits.PARTIAL_ANSWERS_MAX + 1
    officer = asker.kit.officers[0].name
    decode_proof(await asker.at_desk(lambda desk: desk.proof(officer, view.asked.message_id, disclose=Disclosure.NONE)))


def _opened(view: QueryView, content: Answer, number: int) -> Opened:
    """An answer as it is when everything that can be verified has been."""
    asked = view.asked
    body = encode_answer_body(content, certificate=b"")
    statement = Statement(
        message_id=MessageId(number.to_bytes(16)),
        kind=MessageKind.ANSWER,
        conversation=asked.message_id,
        in_reply_to=asked.message_id,
        sender=asked.peer,
        recipient=PartyId("qm"),
        officer_id="officer1x",
        certificate_hash=bytes(32),
        policy_digest=b"",
        created=asked.created,
        deadline=asked.deadline,
        body_digest=body_digest(body),
    )
    header = replace(HEADER, message_id=statement.message_id, sender=replace(NODE, party=asked.peer))
    envelope = Envelope(header=encode_header(header), wrap=bytes(WRAP_BYTES), ciphertext=b"", signature=bytes(64))
    inner = Inner(statement=compose_statement(statement), statement_signature=bytes(64), salt=bytes(32), body=body)
    officer = Officer(
        name=OfficerName(party=asked.peer, officer_id="officer1x", domain=DOMAIN),
        public_key=bytes(32),
        window=Window(not_before=0, not_after=0),
    )
    arrived = Arrived(envelope=envelope, header=header, digest=number.to_bytes(32), ciphertext_hash=bytes(64))
    return Opened(arrived=arrived, inner=inner, statement=statement, content=content, officer=officer)


NODE = NodeName(party=PartyId("qm"), node_id="n1", domain=DOMAIN)
HEADER = Header(
    version=1,
    suite=1,
    message_id=MessageId(bytes(16)),
    sender=NODE,
    recipient=NODE,
    created=1,
    expires=2,
    lane=Lane.NORMAL,
    sequence=1,
    previous_digest=b"",
    checkpoint=b"",
    key_id=bytes(16),
    wrap_bytes=WRAP_BYTES,
    ciphertext_bytes=0,
    commitment=bytes(32),
)
