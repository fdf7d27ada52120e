"""`gsp why`: from an id, or how it begins, to what happened and where it stands, at the asking and at the answering node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from federation.delivery.outbox import Outgoing
from federation.delivery.timeline import Step, Trouble, trouble_of
from federation.envelope.header import MessageKind
from federation.errors import InvalidInput, NotFound
from federation.identity import MessageId, PartyId
from federation.ports import ArrivalStore, AskedQuery, Direction, ExchangeStore, OutboxStore, Poison, ReceivedQuery, TimelineStore
from federation.query.answer import Answer
from federation.query.codes import Automation, Outcome
from federation.query.lifecycle import AskedState, ReceivedState
from federation.query.policy import Policy, decide
from federation.query.query import Query
from node.limits import POISONS_MAX, WHY_CANDIDATES_MAX
from node.use_cases.peer_book import PeerBook
from node.use_cases.recent import Recent
from node.use_cases.registry import Registry
from node.use_cases.why_values import Explanation, Situation, WhyLine

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED

HELD_UP: Final = {
    Trouble.UNREACHABLE: Situation.UNREACHABLE,
    Trouble.REFUSING: Situation.REFUSING,
    Trouble.UNKNOWING: Situation.UNKNOWING,
    Trouble.BUSY: Situation.BUSY,
    Trouble.OWN: Situation.OWN,
}
_NOT_KNOWN: Final = frozenset({Outcome.NEVER_ISSUED, Outcome.NOT_OURS})


class Explaining:
    """Reads what is written down; it changes nothing."""

    def __init__(
        self,
        *,
        store: ExchangeStore,
        waiting: OutboxStore,
        timeline: TimelineStore,
        arrivals: ArrivalStore,
        recent: Recent,
        registry: Registry,
        book: PeerBook,
        policy: Policy,
    ) -> None:
        self._store = store
        self._waiting = waiting
        self._timeline = timeline
        self._arrivals = arrivals
        self._recent = recent
        self._registry = registry
        self._book = book
        self._policy = policy

    async def find(self, prefix: str) -> tuple[Direction, MessageId]:
        """The query that a message belongs to whose id begins like this, and whether it was sent or came.

        Raises:
            NotFound: there is no such message.
            InvalidInput: there are several, or it is the beginning of no id.
        """
        found = await self._timeline.matching(prefix, rows=WHY_CANDIDATES_MAX)
        if not found:
            found = tuple(
                (RECEIVED, poison.message_id)
                for poison in await self._poisons()
                if poison.message_id.hex().startswith(prefix.lower())
            )
        ids = sorted({identifier for _, identifier in found})
        if not ids:
            raise NotFound("no message here has an id that begins like this")
        if len(ids) > 1:
            some = ", ".join(identifier.hex() for identifier in ids)
            raise InvalidInput(f"several ids begin like this: {some}", hint="type more characters of the one that you mean")
        direction, identifier = found[0]
        crossing = await self._store.crossing(direction, identifier)
        if crossing is None:
            return RECEIVED, identifier
        other = RECEIVED if direction is SENT else SENT
        return (direction if crossing.kind is MessageKind.QUERY else other), crossing.conversation

    async def explain(self, side: Direction, query: MessageId) -> Explanation:
        """Why a query stands where it stands.

        Raises:
            NotFound: no such query was asked here, or came.
        """
        if side is SENT:
            asked = await self._store.asked(query)
            if asked is not None:
                return await self.of_asked(asked)
        else:
            received = await self._store.received(query)
            if received is not None:
                return await self._of_received(received)
            for poison in await self._poisons():
                if poison.message_id == query:
                    return self._of_poison(poison)
        raise NotFound("the query that this message belongs to is not here any more")

    async def of_asked(self, asked: AskedQuery) -> Explanation:
        """Why a query that was asked here stands where it stands."""
        lines = await self._lines(
            (SENT, MessageKind.QUERY, (asked.message_id,)), (RECEIVED, MessageKind.ANSWER, asked.answer_ids)
        )
        outgoing, ahead = await self._queued(asked.peer, asked.message_id) if asked.state is AskedState.QUEUED else (None, 0)
        return Explanation(
            message_id=asked.message_id,
            side=SENT,
            peer=asked.peer,
            peer_name=self._name(asked.peer),
            situation=await self._situation_of_asked(asked, outgoing),
            deadline=asked.deadline,
            problem=outgoing.problem if outgoing is not None else asked.problem,
            attempts=outgoing.attempts if outgoing is not None else 0,
            next_attempt=outgoing.next_attempt if outgoing is not None else 0.0,
            said=outgoing.reason if outgoing is not None else "",
            ahead=ahead,
            seen=self._book.of(asked.peer),
            lines=lines,
        )

    async def _situation_of_asked(self, asked: AskedQuery, outgoing: Outgoing | None) -> Situation:
        match asked.state:
            case AskedState.QUEUED:
                return on_its_way(outgoing) if outgoing is not None else delivering(asked.problem)
            case AskedState.DELIVERED:
                return Situation.IN_PART if asked.answer_ids else Situation.WAITING
            case AskedState.ANSWERED:
                return said([await self._answer(identifier) for identifier in asked.answer_ids])
            case AskedState.EXPIRED:
                sent = await self._store.crossing(SENT, asked.message_id)
                reached = asked.answer_ids or (sent is not None and sent.receipt is not None)
                if not reached and await self._was_given_up(asked.message_id):
                    return Situation.GIVEN_UP
                return Situation.LATE if reached else Situation.NEVER_DELIVERED

    async def _was_given_up(self, identifier: MessageId) -> bool:
        return any(event.step is Step.GIVEN_UP for event in await self._timeline.events(SENT, identifier))

    async def _of_received(self, received: ReceivedQuery) -> Explanation:
        """The same of a query that came: what counts is whether this Party has answered, and whether that has arrived."""
        answers = (received.answer_id,) if received.answer_id is not None else ()
        lines = await self._lines((RECEIVED, MessageKind.QUERY, (received.message_id,)), (SENT, MessageKind.ANSWER, answers))
        outgoing, ahead = await self._queued(received.peer, received.answer_id) if received.answer_id is not None else (None, 0)
        return Explanation(
            message_id=received.message_id,
            side=RECEIVED,
            peer=received.peer,
            peer_name=self._name(received.peer),
            situation=await self._situation_of_received(received, outgoing),
            deadline=received.deadline,
            problem=outgoing.problem if outgoing is not None else "",
            attempts=outgoing.attempts if outgoing is not None else 0,
            next_attempt=outgoing.next_attempt if outgoing is not None else 0.0,
            said=outgoing.reason if outgoing is not None else "",
            ahead=ahead,
            automation=await self._automation(received),
            seen=self._book.of(received.peer),
            lines=lines,
        )

    async def _poisons(self) -> tuple[Poison, ...]:
        return await self._arrivals.poisons(rows=POISONS_MAX)

    def _of_poison(self, poison: Poison) -> Explanation:
        """Of a message that this node could not take: neither its kind nor its deadline is known, for it was not opened to its end."""
        return Explanation(
            message_id=poison.message_id,
            side=RECEIVED,
            peer=poison.peer,
            peer_name=self._name(poison.peer),
            situation=Situation.NOT_TAKEN,
            deadline=0,
            attempts=poison.times,
            said=poison.reason,
            seen=self._book.of(poison.peer),
            lines=(),
        )

    async def _situation_of_received(self, received: ReceivedQuery, outgoing: Outgoing | None) -> Situation:
        if received.answer_id is None:
            return Situation.TO_ANSWER if received.state is ReceivedState.WAITING else Situation.OVERDUE
        if outgoing is not None:
            return on_its_way(outgoing)
        if await self._was_given_up(received.answer_id):
            return Situation.GIVEN_UP
        sent = await self._store.crossing(SENT, received.answer_id)
        reached = sent is not None and sent.receipt is not None
        return Situation.ANSWER_DELIVERED if reached else Situation.ANSWER_UNDELIVERED

    async def _automation(self, received: ReceivedQuery) -> Automation | None:
        if received.answer_id is not None:
            return None
        crossing = await self._store.crossing(RECEIVED, received.message_id)
        query = self._recent.content_of(crossing) if crossing is not None else None
        return decide(self._policy, sender=received.peer, query=query).automation if isinstance(query, Query) else None

    async def _answer(self, identifier: MessageId) -> Answer | None:
        crossing = await self._store.crossing(RECEIVED, identifier)
        answer = self._recent.content_of(crossing) if crossing is not None else None
        return answer if isinstance(answer, Answer) else None

    async def _queued(self, peer: PartyId, identifier: MessageId) -> tuple[Outgoing | None, int]:
        """The message's row in the outbox, and how many were put there before it."""
        before = 0
        for outgoing in await self._waiting.waiting(peer):
            if outgoing.message_id == identifier:
                return outgoing, before
            before += not outgoing.held_since  # what is held goes out before nobody
        return None, 0

    async def _lines(self, *messages: tuple[Direction, MessageKind, Sequence[MessageId]]) -> tuple[WhyLine, ...]:
        lines = [
            WhyLine(kind=kind, event=event)
            for direction, kind, identifiers in messages
            for identifier in identifiers
            for event in await self._timeline.events(direction, identifier)
        ]
        return tuple(sorted(lines, key=lambda line: line.event.first))

    def _name(self, party: PartyId) -> str:
        record = self._registry.roster.parties.get(party)
        return record.name if record is not None else ""


def on_its_way(outgoing: Outgoing) -> Situation:
    """Where a message stands that is in the outbox."""
    return Situation.HELD if outgoing.held_since else delivering(outgoing.problem)


def delivering(problem: str) -> Situation:
    """Where a message stands that is on its way.

    Args:
        problem: the error code with which the last try failed, or empty.
    """
    return HELD_UP[trouble_of(problem)] if problem else Situation.QUEUED


def said(answers: Iterable[Answer | None]) -> Situation:
    """What a Party's answers come to, all codes together: a refusal and not knowing are answers, and told apart from each other."""
    outcomes = {result.outcome for answer in answers if answer is not None for result in answer.results}
    if outcomes == {Outcome.REFUSED}:
        return Situation.REFUSED
    return Situation.DOES_NOT_KNOW if outcomes and outcomes <= _NOT_KNOWN else Situation.ANSWERED
