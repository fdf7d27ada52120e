"""A desk with real statements, bodies and signatures, and three Parties around it that behave each in its own way."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from federation.boundary.messages import body_digest, compose_statement
from federation.delivery.outbox import Outgoing
from federation.envelope.header import Lane, MessageKind, Statement
from federation.errors import Conflict, FederationError, NotFound, UnknownParty
from federation.evidence.bundle import Disclosure
from federation.identity import MessageId, OfficerName, PartyId, message_id
from federation.ports import AskedQuery, Clock, ReceivedQuery
from federation.query.answer import Answer, CodeResult, LastKnown, check_answers
from federation.query.codes import Automation, HandlingCode, LegalBasis, Outcome, Purpose, Refusal, UimStatus, Urgency
from federation.query.items import Field, FieldName, Item, ItemState, Record, absent, provided
from federation.query.lifecycle import AskedState, ReceivedState
from federation.query.query import CodeAsked, Query
from federation.trust import keys
from federation.trust.certificate import certificate_hash
from federation.trust.chain import load_certificate
from federation.uim.clues import NO_CLUES, Clues
from federation.uim.confusable import suggest
from federation.uim.library import Library
from federation.uim.scan import read_scan
from federation.wire.query import encode_answer_body, encode_query_body
from node.cli.profile import Profile
from node.formats.patterns import read_pattern_folder
from node.resources import patterns_folder
from node.rpc.desk_wire import encode_outgoing
from node.rpc.library import SUGGEST, encode_suggestion
from node.rpc.outbox import DROP, RETRY, VIEW, encode_view
from node.use_cases.desk_values import (
    AnswerView,
    Check,
    Health,
    InboxView,
    KeyLine,
    Membership,
    NodeStatus,
    Prepared,
    QueryView,
    Question,
    RankedParty,
    Resolution,
)
from node.use_cases.held import OutboxView
from node.use_cases.why_values import Explanation, PeerView
from node.v1.library_pb2 import SuggestReply
from tests.support.fake_why import explanation, peer_views

QM, QN, QO, QP = PartyId("qm"), PartyId("qn"), PartyId("qo"), PartyId("qp")
NAMES = {QM: "Mirandia", QN: "Nerania", QO: "Orsenna", QP: "Poldavia"}
"""qn answers at once by policy, qo by hand some time later, and qp cannot be reached."""

CODE_OF_QN = "LEQN1a7Kd93XzP01M0124031509"
REPLY_KEY = bytes(range(256)) * 4 + bytes(192)
LIBRARY = Library.build(read_pattern_folder(patterns_folder()))


def found(key: str, *, at: int) -> CodeResult:
    """Everything that an answer can say of one code."""
    given = {
        Item.A: (Field(FieldName.DATE, "2024-03-15"), Field(FieldName.PLACE, "Old Harbour")),
        Item.B: (Field(FieldName.FACILITY_NAME, "Factory of the North"), Field(FieldName.FACILITY_ID, "QNF001")),
        Item.F: (Field(FieldName.MARKET, "QN"),),
        Item.H: (Field(FieldName.EVENT, "dispatch"), Field(FieldName.TO, "Harbour warehouse")),
    }
    states = {Item.E: ItemState.WITHHELD_LEGAL, Item.I: ItemState.NOT_RECORDED_YET}
    return CodeResult(
        key=key,
        outcome=Outcome.FOUND,
        status=frozenset({UimStatus.ACTIVE, UimStatus.EXPORTED}),
        last_known=LastKnown(time=at - 86_400, place="Old Harbour", country="QN", event="dispatch", planned=True),
        complete_as_of=at - 3_600,
        items=tuple(
            provided(item, Record(fields=given[item], planned=item is Item.H))
            if item in given
            else absent(item, states.get(item, ItemState.NOT_HELD))
            for item in Item
        ),
    )


def answer_to(query: Query, *, automation: Automation, at: int) -> Answer:
    return Answer(
        results=tuple(found(code.key, at=at) for code in query.codes),
        automation=automation,
        final=True,
        handling=HandlingCode.H2,
        text="",
        industry_consulted=False,
    )


def refusing(query: Query) -> Answer:
    results = tuple(
        CodeResult(key=code.key, outcome=Outcome.REFUSED, refusal=Refusal.NEEDS_JUSTIFICATION) for code in query.codes
    )
    return Answer(
        results=results,
        automation=Automation.MANUAL,
        final=False,
        handling=HandlingCode.H3,
        text="Which case is this about?\nPlease ask again.",
        industry_consulted=True,
    )


@dataclass
class FakeDesk:
    """Implements `Desk`.

    Attributes:
        late: the answer of qo, handed out to the next call that waits.
        lie: what the node makes of what it prepared; a test lets it change something.
        failure: raised by the next call.
        consents: whether each question that was prepared said that an unconfirmed Party may be asked.
        stale: whether the directory has stood still for long.
        audit: what takes the calls of an audit, where a test has one.
    """

    clock: Clock
    late: Answer | None = None
    lie: object = None
    failure: FederationError | None = None
    consents: list[bool] = field(default_factory=list)
    stale: bool = False
    asked_rows: dict[MessageId, QueryView] = field(default_factory=dict)
    inbox_rows: dict[MessageId, InboxView] = field(default_factory=dict)
    drafts: dict[MessageId, tuple[Prepared, bytes, object]] = field(default_factory=dict)
    sent: list[Answer] = field(default_factory=list)
    checks: tuple[Check, ...] = (Check(name="directory", health=Health.GOOD, words="8 entries, 5 minutes old"),)
    keys: tuple[KeyLine, ...] = ()
    outbox: OutboxView = OutboxView(queues=(), held=(), poisons=(), numbers=())  # noqa: RUF009  # frozen: nobody changes it
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    audit: Callable[[Any, Any], Any] | None = None

    @property
    def now(self) -> int:
        return int(self.clock.now())

    def _id(self) -> MessageId:
        return message_id(next(self.numbers).to_bytes(16, "big"))

    def _fail(self) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    async def resolve(self, officer: OfficerName, scan: str, clues: Clues = NO_CLUES) -> Resolution:
        self._fail()
        read = read_scan(scan)
        candidates = LIBRARY.resolve(read, now=self.now, clues=clues)
        return Resolution(scan=read, parties=tuple(self._rank(candidate) for candidate in candidates))

    def _rank(self, candidate) -> RankedParty:
        party = candidate.party
        membership = Membership.OWN if party == QM else Membership.PARTY if party in NAMES else Membership.NOT_A_PARTY
        responder = party if party in NAMES else None
        name = NAMES.get(party, "")
        return RankedParty(candidate=candidate, membership=membership, party_name=name, responder=responder, responder_name=name)

    async def prepare_query(self, officer: OfficerName, certificate: bytes, question: Question) -> Prepared:
        self._fail()
        self.consents.append(question.unconfirmed_consent)
        if question.party not in NAMES:
            raise UnknownParty(f"{question.party} is no Party")
        query = Query(
            codes=question.codes,
            items=question.items,
            legal_basis=LegalBasis.ARTICLE_8_9,
            purpose=question.purpose,
            necessity=question.necessity,
            handling=question.handling,
            urgency=question.urgency,
            reference=question.reference,
            market_statement=question.market_statement,
            reply_key=REPLY_KEY,
        )
        identifier = self._id()
        statement = Statement(
            message_id=identifier,
            kind=MessageKind.QUERY,
            conversation=identifier,
            in_reply_to=None,
            sender=QM,
            recipient=question.party,
            officer_id=officer.officer_id,
            certificate_hash=certificate_hash(certificate),
            policy_digest=b"",
            created=self.now,
            deadline=self.now + question.deadline_s,
            body_digest=b"",
        )
        return self._prepared(statement, encode_query_body(query, certificate=certificate), certificate, (question, query))

    def _prepared(self, statement: Statement, body: bytes, certificate: bytes, draft: object) -> Prepared:
        if self.lie is not None:
            statement, body = self.lie(statement, body)
        statement = replace(statement, body_digest=statement.body_digest or body_digest(body))
        prepared = Prepared(message_id=statement.message_id, statement=compose_statement(statement), body=body)
        self.drafts[statement.message_id] = (prepared, certificate, draft)
        return prepared

    def _signed(self, identifier: MessageId, signature: bytes) -> object:
        if identifier not in self.drafts:
            raise NotFound("nothing waits for this signature")
        prepared, certificate, draft = self.drafts.pop(identifier)
        public_key = load_certificate(certificate).public_key().public_bytes_raw()
        keys.verify(public_key=public_key, message=keys.officer_message(prepared.statement), signature=signature)
        return draft

    async def submit_query(self, officer: OfficerName, identifier: MessageId, signature: bytes) -> QueryView:
        self._fail()
        question, query = self._signed(identifier, signature)
        state = {QN: AskedState.ANSWERED, QP: AskedState.QUEUED}.get(question.party, AskedState.DELIVERED)
        asked = AskedQuery(
            message_id=identifier,
            peer=question.party,
            state=state,
            officer_id=officer.officer_id,
            created=self.now,
            deadline=self.now + question.deadline_s,
            changed=self.now,
            codes=len(query.codes),
            reference=query.reference,
            key_id=b"",
            problem="unreachable" if state is AskedState.QUEUED else "",
        )
        view = QueryView(
            asked=asked,
            peer_name=NAMES[question.party],
            query=query,
            outgoing=self._outgoing(asked, query) if state is AskedState.QUEUED else None,
            answers=(),
            directory_stale=self.stale,
        )
        view = replace(view, why=explanation(view) if state is not AskedState.ANSWERED else None)
        if state is AskedState.ANSWERED:
            view = self._answered(view, answer_to(query, automation=Automation.AUTOMATIC, at=self.now), officer_id=None)
        self.asked_rows[identifier] = view
        return view

    def _outgoing(self, asked: AskedQuery, query: Query) -> Outgoing:
        return Outgoing(
            message_id=asked.message_id,
            peer=asked.peer,
            kind=MessageKind.QUERY,
            lane=Lane.URGENT if query.urgency is Urgency.URGENT else Lane.NORMAL,
            created=self.now,
            deadline=asked.deadline,
            sealed_until=self.now + 600,
            attempts=3,
            next_attempt=self.now + 60.5,
            problem="unreachable",
        )

    def answer(self, identifier: MessageId, answer: Answer) -> None:
        """An officer of the asked Party answers."""
        self.asked_rows[identifier] = self._answered(self.asked_rows[identifier], answer, officer_id="w8r4tz6k")

    def _answered(self, view: QueryView, answer: Answer, *, officer_id: str | None) -> QueryView:
        answered = AnswerView(
            message_id=self._id(), sender=view.asked.peer, officer_id=officer_id, received=self.now, answer=answer
        )
        state = AskedState.ANSWERED if answer.final else AskedState.DELIVERED
        asked = replace(view.asked, state=state, answer_ids=(*view.asked.answer_ids, answered.message_id))
        after = replace(view, asked=asked, answers=(*view.answers, answered))
        return replace(after, why=None if answer.final else explanation(after))

    async def queries(self, officer: OfficerName, *, before: int, rows: int) -> tuple[AskedQuery, ...]:
        self._fail()
        return tuple(view.asked for view in reversed(self.asked_rows.values()) if view.asked.created < before)[:rows]

    async def query(self, officer: OfficerName, identifier: MessageId, *, wait_s: float) -> QueryView:
        self._fail()
        if identifier not in self.asked_rows:
            raise NotFound("no query of this id was asked here")
        if wait_s and self.late is None:
            await asyncio.sleep(wait_s)
        if wait_s and self.late is not None:
            late, self.late = self.late, None
            self.answer(identifier, late)
        return self.asked_rows[identifier]

    def receive(self, *codes: str) -> MessageId:
        """A query of qn comes in."""
        identifier = self._id()
        query = Query(
            codes=tuple(CodeAsked(key=code, scan=code) for code in codes or ("LEQMx7Kd93XzP01",)),
            items=frozenset(Item) - {Item.E},
            legal_basis=LegalBasis.ARTICLE_8_9,
            purpose=Purpose.INVESTIGATION,
            necessity="Packs of this kind were found in a parcel.",
            handling=HandlingCode.H1,
            urgency=Urgency.URGENT,
            reference="QN-77",
            reply_key=REPLY_KEY,
        )
        received = ReceivedQuery(
            message_id=identifier,
            peer=QN,
            state=ReceivedState.WAITING,
            officer_id="w8r4tz6k",
            received=self.now - 7_200,
            deadline=self.now + 86_400,
            changed=self.now - 7_200,
            codes=len(query.codes),
            reply_key=REPLY_KEY,
        )
        draft = answer_to(query, automation=Automation.ASSISTED, at=self.now)
        self.inbox_rows[identifier] = InboxView(
            received=received, peer_name=NAMES[QN], query=query, draft=draft, automation=Automation.ASSISTED
        )
        return identifier

    async def inbox(self, officer: OfficerName, *, before: int, rows: int) -> tuple[ReceivedQuery, ...]:
        self._fail()
        return tuple(view.received for view in reversed(self.inbox_rows.values()) if view.received.received < before)[:rows]

    async def inbox_entry(self, officer: OfficerName, identifier: MessageId) -> InboxView:
        self._fail()
        if identifier not in self.inbox_rows:
            raise NotFound("no query of this id came in")
        return self.inbox_rows[identifier]

    async def prepare_answer(
        self,
        officer: OfficerName,
        certificate: bytes,
        identifier: MessageId,
        answer: Answer,
        *,
        attachments: Sequence[bytes] = (),
    ) -> Prepared:
        assert not attachments, "this desk takes no files"
        view = await self.inbox_entry(officer, identifier)
        if view.received.answer_id is not None:
            raise Conflict("the query is answered already")
        check_answers(view.query, answer)
        statement = Statement(
            message_id=self._id(),
            kind=MessageKind.ANSWER,
            conversation=identifier,
            in_reply_to=identifier,
            sender=QM,
            recipient=view.received.peer,
            officer_id=officer.officer_id,
            certificate_hash=certificate_hash(certificate),
            policy_digest=b"",
            created=self.now,
            deadline=view.received.deadline,
            body_digest=b"",
        )
        return self._prepared(statement, encode_answer_body(answer, certificate=certificate), certificate, (identifier, answer))

    async def submit_answer(self, officer: OfficerName, identifier: MessageId, signature: bytes) -> ReceivedQuery:
        self._fail()
        query, answer = self._signed(identifier, signature)
        self.sent.append(answer)
        view = self.inbox_rows[query]
        refused = all(result.outcome is Outcome.REFUSED for result in answer.results)
        state = ReceivedState.REFUSED if refused else ReceivedState.ANSWERED
        received = replace(view.received, state=state, answer_id=identifier)
        self.inbox_rows[query] = replace(view, received=received)
        return received

    async def proof(self, officer: OfficerName, identifier: MessageId, *, disclose: Disclosure) -> bytes:
        await self.query(officer, identifier, wait_s=0)
        return b"proof" * (1_000_000 if disclose is Disclosure.ALL else 1)

    async def status(self, officer: OfficerName) -> NodeStatus:
        self._fail()
        return NodeStatus(party=QM, version="0.1.0", checks=self.checks, figures={"outbox": 3, "journal": 12}, keys=self.keys)

    async def why(self, officer: OfficerName, prefix: str) -> Explanation:
        self._fail()
        found = next((one for identifier, one in self.asked_rows.items() if identifier.hex().startswith(prefix)), None)
        if found is None:
            raise NotFound("no message here has an id that begins like this")
        return explanation(found)

    async def peers(self, officer: OfficerName, party: PartyId | None) -> tuple[PeerView, ...]:
        self._fail()
        return tuple(view for view in peer_views(NAMES, self.now) if party in (None, view.party))


@dataclass
class LocalDesk:
    """The desk of one officer without a wire between: what `DeskClient` offers, for tests of the verbs."""

    desk: FakeDesk
    profile: Profile

    async def resolve(self, scans: Sequence[str], clues: Clues = NO_CLUES) -> tuple[Resolution, ...]:
        return tuple([await self.desk.resolve(self.profile.officer, scan, clues) for scan in scans])

    async def call(self, method, request):
        """The calls of the library and of the outbox, and of the audit where a test has one."""
        if self.desk.audit is not None:
            return self.desk.audit(method, request)
        if method is VIEW:
            return encode_view(self.desk.outbox)
        if method in (RETRY, DROP):
            held = next((one for one in self.desk.outbox.held if one.message_id == request.message_id), None)
            if held is None:
                raise NotFound("no message of this id is held")
            self.desk.outbox = replace(self.desk.outbox, held=())
            return method.reply(outgoing=encode_outgoing(held))
        assert method is SUGGEST, method.path
        return SuggestReply(suggestions=[encode_suggestion(one) for one in suggest(LIBRARY, request.scan)])

    async def prepare_query(self, question: Question) -> Prepared:
        return await self.desk.prepare_query(self.profile.officer, self.profile.certificate, question)

    async def submit_query(self, query: MessageId, signature: bytes) -> QueryView:
        return await self.desk.submit_query(self.profile.officer, query, signature)

    async def queries(self, *, before: int = 2**40, rows: int) -> tuple[AskedQuery, ...]:
        return await self.desk.queries(self.profile.officer, before=before, rows=rows)

    async def query(self, query: MessageId, *, wait_s: float = 0.0) -> QueryView:
        return await self.desk.query(self.profile.officer, query, wait_s=wait_s)

    async def inbox(self, *, before: int = 2**40, rows: int) -> tuple[ReceivedQuery, ...]:
        return await self.desk.inbox(self.profile.officer, before=before, rows=rows)

    async def inbox_entry(self, query: MessageId) -> InboxView:
        return await self.desk.inbox_entry(self.profile.officer, query)

    async def prepare_answer(self, query: MessageId, answer: Answer, *, attachments: Sequence[bytes] = ()) -> Prepared:
        return await self.desk.prepare_answer(
            self.profile.officer, self.profile.certificate, query, answer, attachments=attachments
        )

    async def submit_answer(self, answer: MessageId, signature: bytes) -> ReceivedQuery:
        return await self.desk.submit_answer(self.profile.officer, answer, signature)

    async def proof(self, query: MessageId, *, disclose: Disclosure) -> bytes:
        return await self.desk.proof(self.profile.officer, query, disclose=disclose)

    async def status(self) -> NodeStatus:
        return await self.desk.status(self.profile.officer)

    async def why(self, prefix: str) -> Explanation:
        return await self.desk.why(self.profile.officer, prefix)

    async def peers(self, party: PartyId | None = None) -> tuple[PeerView, ...]:
        return await self.desk.peers(self.profile.officer, party)


def connecting(desk: FakeDesk):
    """For `Surroundings.connect`."""

    @asynccontextmanager
    async def connect(profile: Profile, _clock: Clock) -> AsyncIterator[LocalDesk]:
        yield LocalDesk(desk=desk, profile=profile)

    return connect
