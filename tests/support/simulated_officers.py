"""Officers at their desks: they ask, they answer by hand after a while, and they sign with keys of their own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import cache

from federation import limits
from federation.boundary.messages import body_digest
from federation.errors import Conflict, DeadlinePassed, NotFound, Unavailable
from federation.identity import MessageId, PartyId
from federation.query.codes import HandlingCode, Purpose, Urgency
from federation.query.items import ALL_ITEMS
from federation.query.lifecycle import ReceivedState
from federation.query.query import CodeAsked
from federation.trust import keys
from federation.trust.chain import load_certificate, window_of
from federation.wire.envelope import decode_statement
from node.use_cases.desk_values import InboxView, Prepared, QueryView, Question
from tests.support.parties import NECESSITY, OfficerKit
from tests.support.simulated_node import SimNode
from tests.support.virtual_clock import EPOCH

DAY, HOUR = 86_400, 3_600
FAR = int(EPOCH) + 10 * 365 * DAY


def question(party: PartyId, *codes: str, deadline_s: int = 7 * DAY) -> Question:
    """About some codes of a Party."""
    return Question(
        party=party,
        codes=tuple(CodeAsked(key=code, scan=code) for code in codes),
        items=ALL_ITEMS,
        purpose=Purpose.INVESTIGATION,
        necessity=NECESSITY,
        handling=HandlingCode.H1,
        urgency=Urgency.NORMAL,
        reference="case 7",
        deadline_s=deadline_s,
    )


def signature_of(officer: OfficerKit, prepared: Prepared) -> bytes:
    """What the officer's own program does: see that the statement is about this body, and sign it."""
    assert decode_statement(prepared.statement).body_digest == body_digest(prepared.body)
    return officer.signer.sign(keys.officer_message(prepared.statement))


@cache
def _ends(certificate: bytes) -> int:
    return window_of(load_certificate(certificate)).not_after


async def at_work(node: SimNode, number: int) -> OfficerKit:
    """An officer whose certificate is not about to end: at half its life the officer gets the next one, as everybody should.

    Raises:
        Unreachable: it is time to, and the node is off.
    """
    officer = node.staff[number]
    if _ends(officer.certificate) - node.clock.now() > limits.OFFICER_CERTIFICATE_LIFE_S / 2:
        return officer
    try:
        enrolled = await node.inside(lambda inside: inside.personnel.enrolment.renew(officer.name, officer.certificate))
    except Conflict:
        return officer  # it was asked for twice at one moment; what is at hand is good for weeks
    node.staff[number] = replace(officer, certificate=enrolled.certificate)
    return node.staff[number]


async def ask(node: SimNode, asked: Question) -> QueryView:
    """One question, from the desk to the first try of delivering it."""
    officer = await at_work(node, 0)
    prepared = await node.at_desk(lambda desk: desk.prepare_query(officer.name, officer.certificate, asked))
    signature = signature_of(officer, prepared)
    view: QueryView = await node.at_desk(lambda desk: desk.submit_query(officer.name, prepared.message_id, signature))
    return view


async def look(node: SimNode, message_id: MessageId, *, wait_s: float = 0) -> QueryView:
    """What the desk shows of a query."""
    officer = node.kit.officers[0].name
    view: QueryView = await node.at_desk(lambda desk: desk.query(officer, message_id, wait_s=wait_s))
    return view


@dataclass(slots=True)
class Enquiry:
    """An officer who wants an answer, and does not give up because a machine does.

    Attributes:
        message_ids: under which it was submitted, as far as the officer knows; a second one when nobody could say whether the
            first one was written down, and it was not.
        pause_s: how long the officer rests before another try.
    """

    node: SimNode
    question: Question
    message_ids: list[MessageId]
    pause_s: float = 10 * 60

    async def put(self) -> None:
        """Ask until it is written down."""
        while not await self._put_once():
            await asyncio.sleep(self.pause_s)

    async def _put_once(self) -> bool:
        try:
            officer = await at_work(self.node, 0)
            prepared = await self.node.at_desk(lambda desk: desk.prepare_query(officer.name, officer.certificate, self.question))
        except Unavailable:
            return False
        signature = signature_of(officer, prepared)
        try:
            await self.node.at_desk(lambda desk: desk.submit_query(officer.name, prepared.message_id, signature))
        except Unavailable:
            return await self._was_written(prepared.message_id)
        self.message_ids.append(prepared.message_id)
        return True

    async def _was_written(self, message_id: MessageId) -> bool:
        while True:
            try:
                await look(self.node, message_id)
            except Unavailable:
                await asyncio.sleep(self.pause_s / 10)
            except NotFound:
                return False
            else:
                self.message_ids.append(message_id)
                return True


async def answer_inbox(node: SimNode) -> int:
    """Answer everything that waits, as the draft says. Gives how many."""
    officer = node.kit.officers[1]
    inbox = await node.at_desk(lambda desk: desk.inbox(officer.name, before=FAR, rows=200))
    waiting = [one for one in inbox if one.state in {ReceivedState.WAITING, ReceivedState.EXPIRED}]
    for received in waiting:
        await answer(node, received.message_id)
    return len(waiting)


async def answer(node: SimNode, message_id: MessageId) -> None:
    """Answer one query, as the draft says."""
    officer = await at_work(node, 1)
    entry: InboxView = await node.at_desk(lambda desk: desk.inbox_entry(officer.name, message_id))
    prepared = await node.at_desk(lambda desk: desk.prepare_answer(officer.name, officer.certificate, message_id, entry.draft))
    signature = signature_of(officer, prepared)
    await node.at_desk(lambda desk: desk.submit_answer(officer.name, prepared.message_id, signature))


async def work_by_hand(node: SimNode, *, pause_s: tuple[float, float]) -> None:
    """An officer who looks into the inbox every few hours, for ever."""
    chances = node.chances
    while True:
        await asyncio.sleep(chances.uniform(*pause_s))
        try:
            await answer_inbox(node)
        except (Unavailable, Conflict, NotFound, DeadlinePassed) as error:
            node.note(f"officer meets {error.code}")
