"""Answering: a query is written down and receipted first, then answered by policy or put before an officer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from federation import limits
from federation.boundary.messages import Opened, compose_statement
from federation.delivery.attachment import awaited
from federation.delivery.receipt import SignedReceipt
from federation.envelope.attachment import AttachmentId
from federation.envelope.header import Prekey
from federation.envelope.seal import Inner
from federation.errors import Conflict, FederationError, NotFound, Unavailable
from federation.evidence.journal import JournalKind
from federation.identity import MessageId, OfficerName
from federation.ports import Change, Crossing, Delivery, Direction, ExchangeStore, OutboxStore, ReceivedQuery
from federation.query.answer import Answer, check_answers
from federation.query.codes import Automation, Purpose
from federation.query.lifecycle import ReceivedEvent, ReceivedState, next_received
from federation.query.policy import Decision, Policy, decide
from federation.query.query import Query
from federation.trust.certificate import verify_officer_of
from federation.wire.envelope import encode_envelope
from federation.wire.evidence import encode_signed_receipt
from federation.wire.query import decode_body, encode_answer_body
from node.use_cases.composing import Composed, Composing
from node.use_cases.desk_values import Prepared
from node.use_cases.drafts import Draft, Drafts
from node.use_cases.outbox import Handed, Outbox
from node.use_cases.registry import Registry
from node.use_cases.replies import query_of, replay_mark
from node.use_cases.repository import Repository, as_draft
from node.use_cases.sealing import envelope_of, received_crossing
from node.use_cases.uploads import Uploads
from node.use_cases.world import Announcer, Own, Turns, World

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Draft(Draft):
    """An answer that waits for the officer's signature."""

    answer: Answer


class Answering:
    """The answering side of a node."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: ExchangeStore,
        waiting: OutboxStore,
        registry: Registry,
        outbox: Outbox,
        repository: Repository,
        policy: Policy,
        composing: Composing,
        announcer: Announcer,
        turns: Turns,
        uploads: Uploads,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._waiting = waiting
        self._registry = registry
        self._outbox = outbox
        self._repository = repository
        self._policy = policy
        self._composing = composing
        self._announcer = announcer
        self._turns = turns
        self._uploads = uploads
        self._unanswered: dict[MessageId, None] = {}
        self._drafts: Drafts[_Draft] = Drafts(world)

    async def take(self, opened: Opened) -> Delivery:
        """A query that came, and the answer to it where the policy gives one at once: one commit for both, and only then the receipt.

        Raises:
            AlreadySeen: it was taken before; nothing was changed.
        """
        query = query_of(opened.content)
        now = self._world.now()
        statement = opened.statement
        received = ReceivedQuery(
            message_id=statement.message_id,
            peer=statement.sender,
            state=ReceivedState.WAITING,
            officer_id=statement.officer_id or "",
            received=now,
            deadline=statement.deadline,
            changed=now,
            codes=len(query.codes),
            reply_key=query.reply_key,
        )
        leaf = self._outbox.leaf(JournalKind.RECEIVED, statement.message_id, statement.sender, opened.arrived.digest)
        change = Change(
            marks=(replay_mark(opened),),
            received=(received,),
            crossings=(received_crossing(opened, at=now),),
            leaves=(leaf,),
            attachments=awaited(
                opened.arrived.header.attachments, message_id=statement.message_id, peer=statement.sender, now=now
            ),
        )
        async with self._turns.of(statement.message_id):
            # What comes a second time is only told so by the commit, and by then an answer would have used up a number of its lane.
            is_new = await self._store.received(statement.message_id) is None
            composed = await self._composed_now(received, query) if is_new else None
            positions = await self._store.commit(_with(change, composed.change) if composed is not None else change)
        if composed is not None:
            self._uploads.sent(composed.attachments)
        self._announcer.announce(statement.message_id)
        receipt = self._own.receipt(digest=opened.arrived.digest, leaf=leaf, position=positions[0])
        return Delivery(receipt=encode_signed_receipt(receipt), answer=_raw(composed))

    async def answer_waiting(self, message_id: MessageId) -> bytes:
        """The sealed answer to a query that was taken before: the one that waits for its receipt, or a new one by policy."""
        async with self._turns.of(message_id):
            received = await self._store.received(message_id)
            if received is None:
                return b""
            if received.answer_id is not None:
                sent = await self._store.crossing(Direction.SENT, received.answer_id)
                return encode_envelope(envelope_of(sent)) if sent is not None and sent.ciphertext else b""
            composed = await self._composed_now(received, await self._query(message_id))
            if composed is not None:
                await self._write(composed)
            return _raw(composed)

    async def _composed_now(self, received: ReceivedQuery, query: Query) -> Composed | None:
        """The answer when the policy gives one at once; None otherwise. The query never waits for a failure here."""
        if received.state is not ReceivedState.WAITING:
            return None
        decision = decide(self._policy, sender=received.peer, query=query)
        if decision.automation is not Automation.AUTOMATIC:
            return None
        try:
            return await self._composing.by_policy(received, query, decision)
        except FederationError as error:
            logger.warning("no automatic answer for now", extra={"peer": received.peer, "problem": error.code})
            self._unanswered[received.message_id] = None
            return None

    async def recollect(self) -> None:
        """Take up what an earlier run of this node received and did not answer: it may be for the policy to answer."""
        overdue_by_then = self._world.now() + limits.QUERY_DEADLINE_S_MAX + limits.CLOCK_TOLERANCE_S
        for query in await self._waiting.overdue(now=overdue_by_then, rows=limits.WAITING_RECOLLECTED_MAX):
            if isinstance(query, ReceivedQuery):
                self._unanswered[query.message_id] = None

    async def catch_up(self) -> None:
        """Answer by policy what could not be answered when it came, the longest untried first. The outbox delivers it."""
        for identifier in tuple(islice(self._unanswered, limits.CAUGHT_UP_MAX)):
            self._unanswered.pop(identifier, None)  # another round may have taken it up; whoever comes second finds it answered
            try:
                await self.answer_waiting(identifier)
            except Unavailable:
                self._unanswered[identifier] = None
                raise

    async def _write(self, composed: Composed) -> None:
        """One commit; nothing of the answer has left the node before it."""
        await self._store.commit(composed.change)
        self._uploads.sent(composed.attachments)
        self._announcer.announce(composed.crossing.conversation)

    async def key_for_answer(self, message_id: MessageId) -> tuple[Prekey, int] | None:
        """The key to seal an answer to when it is sealed again, by the answer's own message id."""
        sent = await self._store.crossing(Direction.SENT, message_id)
        received = await self._store.received(sent.conversation) if sent is not None else None
        return self._composing.key_for(received) if received is not None else None

    async def handed(self, handed: Handed) -> None:
        """An answer reached the peer, delivered by us."""
        await self._receipted(handed.crossing.message_id, handed.signed_receipt, handed.crossing.digest)

    async def acknowledged(self, crossing: Crossing, receipt: SignedReceipt) -> None:
        """The verified receipt for an answer that went out inside a delivery."""
        await self._receipted(crossing.message_id, receipt, crossing.digest)

    async def _receipted(self, message_id: MessageId, receipt: SignedReceipt, digest: bytes) -> None:
        async with self._turns.of(message_id):
            crossing = await self._store.crossing(Direction.SENT, message_id)
            if crossing is None or crossing.receipt is not None or crossing.digest != digest:
                return  # it came twice, or it is for a sealing that was replaced meanwhile
            leaf = self._outbox.leaf(JournalKind.DELIVERED, message_id, crossing.peer, digest)
            await self._store.commit(Change(receipts=((message_id, receipt),), outgoing_done=(message_id,), leaves=(leaf,)))
        self._announcer.announce(crossing.conversation)

    async def _query(self, message_id: MessageId) -> Query:
        crossing = await self._store.crossing(Direction.RECEIVED, message_id)
        if crossing is None:
            raise NotFound("no query with this id came here", hint="`gsp inbox` lists what came")
        return query_of(decode_body(crossing.body)[0])

    async def purpose_of(self, message_id: MessageId) -> Purpose:
        """For which purpose a received query was asked.

        Raises:
            NotFound: nothing of that id came.
        """
        return (await self._query(message_id)).purpose

    async def purpose_of_draft(self, officer: OfficerName, answer_id: MessageId) -> Purpose | None:
        """The same of the query to which an answer was prepared for this officer; None when nothing waits."""
        draft = self._drafts.of(officer, answer_id)
        return await self.purpose_of(draft.statement.conversation) if draft is not None else None

    async def draft(self, message_id: MessageId) -> tuple[ReceivedQuery, Query, Answer, Decision]:
        """A received query with what the own data and the policy would say to it.

        Raises:
            NotFound: nothing of that id came.
        """
        received = await self._received(message_id)
        query = await self._query(message_id)
        decision = decide(self._policy, sender=received.peer, query=query)
        answer = await self._repository.answer(query, decision, now=self._world.now())
        return received, query, as_draft(answer, decision.automation), decision

    async def prepare(
        self,
        officer: OfficerName,
        certificate: bytes,
        query_id: MessageId,
        answer: Answer,
        attachments: Sequence[AttachmentId] = (),
    ) -> Prepared:
        """Make the statement and the body that the answering officer signs.

        Raises:
            NotFound: nothing of that id came.
            Conflict: it is answered already.
            InvalidInput: the answer is not about the codes that were asked.
        """
        received = await self._received(query_id)
        query = await self._query(query_id)
        if received.state not in {ReceivedState.WAITING, ReceivedState.EXPIRED}:
            raise Conflict("this query is answered already", hint="`gsp inbox` shows what still waits")
        check_answers(query, answer)
        if answer.automation is Automation.AUTOMATIC:
            answer = replace(answer, automation=Automation.ASSISTED)
        answer = replace(answer, attachments=self._uploads.claim(officer, attachments))
        roster = self._registry.roster
        cas = roster.party(self._own.party).standing_cas
        signer = verify_officer_of(
            certificate, cas=cas, party=self._own.party, domain=roster.genesis.domain, at=self._world.now()
        )
        body = encode_answer_body(answer, certificate=certificate)
        statement = self._composing.statement(received, body, officer=officer, certificate=certificate)
        prepared = Prepared(message_id=statement.message_id, statement=compose_statement(statement), body=body)
        self._drafts.keep(_Draft(prepared=prepared, statement=statement, answer=answer, public_key=signer.public_key))
        return prepared

    async def submit(self, officer: OfficerName, answer_id: MessageId, signature: bytes) -> ReceivedQuery:
        """Take the officer's signature, write everything down, and let the outbox deliver. It may be repeated.

        Raises:
            NotFound: nothing was prepared under this id, or too long ago.
            Unauthentic: the signature is not that officer's.
            Conflict: somebody answered in the meantime.
            StoreUnavailable: whether it was written nobody knows: repeat it.
        """
        draft = self._drafts.of(officer, answer_id)
        if draft is None:
            raise NotFound("no answer waits for this signature", hint="prepare it again: it lives ten minutes")
        inner = self._drafts.signed(draft, signature)
        try:
            after = await self._write_answer(draft, inner)
        finally:
            self._outbox.nudge()  # also when the officer's program has gone: what was written down goes out
        self._drafts.drop(answer_id)
        return after

    async def _write_answer(self, draft: _Draft, inner: Inner) -> ReceivedQuery:
        """The answered query; committed now, or by an earlier try that did not say so."""
        query_id = draft.statement.conversation
        async with self._turns.of(query_id):
            received = await self._received(query_id)
            if received.answer_id == draft.statement.message_id:
                return received
            query = await self._query(query_id)
            await self._outbox.require_room_for(received.peer)
            await self._write(self._composing.compose(received, query, draft.answer, inner, draft.statement, delay_s=0))
            return await self._received(query_id)

    async def expire(self, message_id: MessageId) -> None:
        """The deadline passed without an answer; it may still be answered late."""
        async with self._turns.of(message_id):
            received = await self._received(message_id)
            if received.state is not ReceivedState.WAITING:
                return  # it was answered in the meantime
            after = replace(received, state=next_received(received.state, ReceivedEvent.DEADLINE), changed=self._world.now())
            leaf = self._outbox.leaf(JournalKind.EXPIRED, message_id, received.peer, bytes(32))
            await self._store.commit(Change(received=(after,), leaves=(leaf,)))
        self._announcer.announce(message_id)

    async def _received(self, message_id: MessageId) -> ReceivedQuery:
        received = await self._store.received(message_id)
        if received is None:
            raise NotFound("no query with this id came here", hint="`gsp inbox` lists what came")
        return received


def _with(taken: Change, answered: Change) -> Change:
    """A query that came together with its answer. The journal has them in this order, and the query's state is the one afterwards."""
    return replace(
        answered,
        marks=taken.marks,
        crossings=taken.crossings + answered.crossings,
        leaves=taken.leaves + answered.leaves,
        attachments=taken.attachments + answered.attachments,
    )


def _raw(composed: Composed | None) -> bytes:
    """The envelope of an answer; nothing when there is none, or no key to seal it to."""
    return encode_envelope(envelope_of(composed.crossing)) if composed is not None and composed.crossing.ciphertext else b""
