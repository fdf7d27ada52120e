"""The desk: what an officer of this Party can do at the own node. Every call was authenticated before it comes here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from federation.envelope.attachment import AttachmentId
from federation.errors import NotFound
from federation.evidence.bundle import Disclosure
from federation.identity import MessageId, OfficerName, PartyId
from federation.ports import AskedQuery, Direction, ExchangeStore, OutboxStore, ReceivedQuery
from federation.query.answer import Answer
from federation.query.lifecycle import OPEN_STATES, AskedState
from federation.query.query import Query
from federation.uim.clues import NO_CLUES, Clues
from federation.wire.envelope import decode_statement
from node.use_cases.answering import Answering
from node.use_cases.asking import Asking
from node.use_cases.desk_values import (
    AnswerView,
    InboxView,
    NodeStatus,
    Prepared,
    QueryView,
    Question,
    Resolution,
)
from node.use_cases.diagnosis import Diagnosis
from node.use_cases.entitlement import Entitlement
from node.use_cases.explaining import Explaining
from node.use_cases.library import Patterns, standing_of
from node.use_cases.proving import Proving
from node.use_cases.recent import Recent
from node.use_cases.registry import Registry
from node.use_cases.replies import query_of
from node.use_cases.weather import WeatherStation
from node.use_cases.why_values import Explanation, PeerView
from node.use_cases.world import Announcer, Own


class OwnDesk:
    """Implements `node.use_cases.desk_values.Desk`; the contract stands there. Every method begins with the question whether this
    officer may do this now (`node.use_cases.rights`).
    """

    def __init__(
        self,
        *,
        own: Own,
        store: ExchangeStore,
        waiting: OutboxStore,
        registry: Registry,
        patterns: Patterns,
        asking: Asking,
        answering: Answering,
        proving: Proving,
        diagnosis: Diagnosis,
        announcer: Announcer,
        recent: Recent,
        entitlement: Entitlement,
        explaining: Explaining,
        weather: WeatherStation,
    ) -> None:
        self._own = own
        self._store = store
        self._waiting = waiting
        self._registry = registry
        self._patterns = patterns
        self._asking = asking
        self._answering = answering
        self._proving = proving
        self._diagnosis = diagnosis
        self._announcer = announcer
        self._recent = recent
        self._explaining = explaining
        self._weather = weather
        self._may = entitlement.require

    async def resolve(self, officer: OfficerName, scan: str, clues: Clues = NO_CLUES) -> Resolution:
        await self._may(officer, "resolve")
        return self._patterns.resolve(scan, clues)

    async def prepare_query(self, officer: OfficerName, certificate: bytes, question: Question) -> Prepared:
        await self._may(officer, "prepare_query", purpose=question.purpose)
        return self._asking.prepare(officer, certificate, question)

    async def submit_query(self, officer: OfficerName, message_id: MessageId, signature: bytes) -> QueryView:
        purpose = self._asking.purpose_of(officer, message_id)
        await self._may(officer, "submit_query", purpose=purpose, message_id=message_id)
        asked = await self._asking.submit(officer, message_id, signature)
        return await self._view(asked)

    async def queries(self, officer: OfficerName, *, before: int, rows: int) -> tuple[AskedQuery, ...]:
        await self._may(officer, "queries")
        return await self._store.asked_page(before=before, rows=rows)

    async def query(self, officer: OfficerName, message_id: MessageId, *, wait_s: float) -> QueryView:
        await self._may(officer, "query", message_id=message_id)
        with self._announcer.listening(message_id) as news:
            asked = await self._asked(message_id)
            if wait_s > 0 and asked.state in OPEN_STATES:
                try:
                    async with asyncio.timeout(wait_s):
                        while asked.state in OPEN_STATES:
                            await news.wait()
                            news.clear()
                            asked = await self._asked(message_id)
                except TimeoutError:
                    pass
                await self._may(officer, "query")  # a withdrawal while it waited holds as well
        return await self._view(asked)

    async def _asked(self, message_id: MessageId) -> AskedQuery:
        asked = await self._store.asked(message_id)
        if asked is None:
            raise NotFound("no query with this id was asked here", hint="`gsp queries` lists them")
        return asked

    async def _view(self, asked: AskedQuery) -> QueryView:
        sent = await self._store.crossing(Direction.SENT, asked.message_id)
        assert sent is not None  # written in the same commit as the query
        queued = await self._waiting.waiting(asked.peer) if asked.state is AskedState.QUEUED else ()
        waiting = [one for one in queued if one.message_id == asked.message_id]
        return QueryView(
            asked=asked,
            peer_name=self._registry.roster.party(asked.peer).name,
            query=query_of(self._recent.content_of(sent)),
            outgoing=waiting[0] if waiting else None,
            answers=await self._answers(asked.answer_ids),
            directory_stale=self._registry.is_stale,
            peer_standing=standing_of(self._registry.roster, asked.peer),
            why=await self._explaining.of_asked(asked) if asked.state is not AskedState.ANSWERED else None,
        )

    async def _answers(self, answer_ids: Sequence[MessageId]) -> tuple[AnswerView, ...]:
        views: list[AnswerView] = []
        for answer_id in answer_ids:
            crossing = await self._store.crossing(Direction.RECEIVED, answer_id)
            content = self._recent.content_of(crossing) if crossing is not None else None
            if crossing is None or content is None or isinstance(content, Query):
                continue
            views.append(
                AnswerView(
                    message_id=answer_id,
                    sender=crossing.peer,
                    officer_id=decode_statement(crossing.statement).officer_id,
                    received=crossing.at,
                    answer=content,
                )
            )
        return tuple(views)

    async def inbox(self, officer: OfficerName, *, before: int, rows: int) -> tuple[ReceivedQuery, ...]:
        await self._may(officer, "inbox")
        return await self._store.received_page(before=before, rows=rows)

    async def inbox_entry(self, officer: OfficerName, message_id: MessageId) -> InboxView:
        await self._may(officer, "inbox_entry")
        purpose = await self._answering.purpose_of(message_id)
        await self._may(officer, "inbox_entry", purpose=purpose, message_id=message_id)
        received, query, draft, decision = await self._answering.draft(message_id)
        return InboxView(
            received=received,
            peer_name=self._registry.roster.party(received.peer).name,
            query=query,
            draft=draft,
            automation=decision.automation,
            peer_standing=standing_of(self._registry.roster, received.peer),
        )

    async def prepare_answer(
        self,
        officer: OfficerName,
        certificate: bytes,
        message_id: MessageId,
        answer: Answer,
        *,
        attachments: Sequence[AttachmentId] = (),
    ) -> Prepared:
        await self._may(officer, "prepare_answer")
        await self._may(officer, "prepare_answer", purpose=await self._answering.purpose_of(message_id))
        return await self._answering.prepare(officer, certificate, message_id, answer, attachments)

    async def submit_answer(self, officer: OfficerName, message_id: MessageId, signature: bytes) -> ReceivedQuery:
        await self._may(officer, "submit_answer")
        purpose = await self._answering.purpose_of_draft(officer, message_id)
        await self._may(officer, "submit_answer", purpose=purpose, message_id=message_id)
        return await self._answering.submit(officer, message_id, signature)

    async def proof(self, officer: OfficerName, message_id: MessageId, *, disclose: Disclosure) -> bytes:
        await self._may(officer, "proof", message_id=message_id)
        return await self._proving.export(message_id, disclose=disclose)

    async def status(self, officer: OfficerName) -> NodeStatus:
        await self._may(officer, "status")
        return await self._diagnosis.look()

    async def why(self, officer: OfficerName, prefix: str) -> Explanation:
        await self._may(officer, "why")
        side, query = await self._explaining.find(prefix)
        await self._may_see(officer, side)
        return await self._explaining.explain(side, query)

    async def _may_see(self, officer: OfficerName, side: Direction) -> None:
        """Whoever may not list what was asked, or what came, is told nothing of one of them either."""
        await self._may(officer, "queries" if side is Direction.SENT else "inbox")

    async def peers(self, officer: OfficerName, party: PartyId | None) -> tuple[PeerView, ...]:
        await self._may(officer, "peers")
        return await self._weather.look(party)
