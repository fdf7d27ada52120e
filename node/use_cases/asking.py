"""Asking: from an officer's question to the answer on the screen, with everything written down before it is said."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from federation import limits
from federation.boundary.messages import (
    Opened,
    body_digest,
    compose_statement,
    open_message,
    read_envelope,
)
from federation.delivery.attachment import awaited
from federation.delivery.outbox import Outgoing
from federation.delivery.receipt import SignedReceipt
from federation.envelope.attachment import Attachment
from federation.envelope.header import Lane, MessageKind, Statement
from federation.envelope.seal import Inner
from federation.errors import Forbidden, Misuse, NotFound, OperatorMistake, PeerMisbehaviour, Unauthentic, Unavailable
from federation.evidence.journal import JournalKind
from federation.identity import MESSAGE_ID_BYTES, MessageId, OfficerName, message_id
from federation.ports import AlreadySeen, AskedQuery, Change, Crossing, Direction, ExchangeStore, KeyUse, Peer
from federation.query.codes import LegalBasis, Purpose, Urgency
from federation.query.lifecycle import AskedEvent, AskedState, next_asked
from federation.query.policy import check_asking
from federation.query.query import Query
from federation.trust.certificate import certificate_hash, verify_officer_of
from federation.wire.query import encode_query_body
from node.use_cases.acknowledging import Acknowledger
from node.use_cases.consent import check_may_ask
from node.use_cases.desk_values import Prepared, Question
from node.use_cases.drafts import Draft, Drafts
from node.use_cases.keyring import Keyring, NewKey
from node.use_cases.outbox import Handed, Outbox
from node.use_cases.poison import log_failure
from node.use_cases.recent import Recent
from node.use_cases.registry import Registry
from node.use_cases.replies import check_reply, replay_mark
from node.use_cases.sealing import Sealer, Sealing, lane_of, new_outgoing, received_crossing, sent_crossing
from node.use_cases.uploads import Uploads
from node.use_cases.world import Announcer, Own, Turns, World

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Draft(Draft):
    """A query that waits for the officer's signature.

    Attributes:
        tried: it was given to the store once, which did not say what became of it.
    """

    query: Query
    reply_key: NewKey
    tried: bool = False


class Asking:
    """The asking side of a node."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: ExchangeStore,
        registry: Registry,
        keyring: Keyring,
        sealer: Sealer,
        outbox: Outbox,
        acknowledger: Acknowledger,
        announcer: Announcer,
        turns: Turns,
        recent: Recent,
        uploads: Uploads,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._registry = registry
        self._keyring = keyring
        self._sealer = sealer
        self._outbox = outbox
        self._acknowledger = acknowledger
        self._announcer = announcer
        self._turns = turns
        self._recent = recent
        self._uploads = uploads
        self._drafts: Drafts[_Draft] = Drafts(world)

    def prepare(self, officer: OfficerName, certificate: bytes, question: Question) -> Prepared:
        """Make the statement and the body that the officer signs.

        Raises:
            UnknownParty: nobody answers for that Party.
            Forbidden, InvalidInput, DeadlinePassed: it may not be asked like this.
        """
        now = self._world.now()
        roster = self._registry.roster
        check_may_ask(roster, self._own.party, question)
        check_asking(own=self._own.party, recipient=question.party, created=now, deadline=now + question.deadline_s)
        genesis = roster.genesis
        cas = roster.party(self._own.party).standing_cas
        signer = verify_officer_of(certificate, cas=cas, party=self._own.party, domain=genesis.domain, at=now)
        # The query's end destroys the reply key. Its own end comes later, so that no clock destroys it under an open query.
        reply_key = self._keyring.make(KeyUse.REPLY, destroy_at=now + question.deadline_s + limits.CLOCK_TOLERANCE_S)
        query = _query(question, reply_key, self._uploads.claim(officer, question.attachments))
        body = encode_query_body(query, certificate=certificate)
        identifier = message_id(self._world.entropy(MESSAGE_ID_BYTES))
        statement = Statement(
            message_id=identifier,
            kind=MessageKind.QUERY,
            conversation=identifier,
            in_reply_to=None,
            sender=self._own.party,
            recipient=question.party,
            officer_id=officer.officer_id,
            certificate_hash=certificate_hash(certificate),
            policy_digest=b"",
            created=now,
            deadline=now + question.deadline_s,
            body_digest=body_digest(body),
        )
        prepared = Prepared(message_id=identifier, statement=compose_statement(statement), body=body)
        self._drafts.keep(
            _Draft(
                prepared=prepared,
                statement=statement,
                query=query,
                public_key=signer.public_key,
                reply_key=reply_key,
            )
        )
        return prepared

    def purpose_of(self, officer: OfficerName, identifier: MessageId) -> Purpose | None:
        """The purpose of what was prepared under this id for this officer; None when nothing waits."""
        draft = self._drafts.of(officer, identifier)
        return draft.query.purpose if draft is not None else None

    async def submit(self, officer: OfficerName, identifier: MessageId, signature: bytes) -> AskedQuery:
        """Take the officer's signature, write everything down, and try once to deliver. It may be repeated.

        Raises:
            NotFound: nothing was prepared under this id, or too long ago.
            Unauthentic: the signature is not that officer's over the prepared statement.
            StoreUnavailable: nothing was sent, and whether it was written nobody knows: repeat it, or look for the query.
        """
        try:
            async with self._turns.of(identifier):
                written = await self._write_query(officer, identifier, signature)
            if written is not None:
                await self._outbox.attempt(*written)
        except asyncio.CancelledError:
            self._outbox.nudge()  # the officer's program has gone; what was written down goes out all the same, and now
            raise
        asked = await self._store.asked(identifier)
        assert asked is not None  # committed above
        return asked

    async def _write_query(
        self, officer: OfficerName, identifier: MessageId, signature: bytes
    ) -> tuple[Outgoing, Crossing] | None:
        """The query and its envelope, committed; None when that was done before."""
        draft = self._drafts.of(officer, identifier)
        if draft is None or draft.tried:
            known = await self._store.asked(identifier)
            if known is not None and known.officer_id == officer.officer_id:
                self._drafts.drop(identifier)
                return None
        if draft is None:
            raise NotFound("no query waits for this signature", hint="ask again: a prepared query lives ten minutes")
        inner = self._drafts.signed(draft, signature)
        await self._outbox.require_room_for(draft.statement.recipient)
        # The key is at hand before it is written: the answer may come while the store still does not say what it did.
        draft.tried = True
        self._keyring.hold(draft.reply_key.secret, draft.reply_key.private)
        written = await self._commit_query(draft, inner, self._sealed(draft, inner))
        self._drafts.drop(identifier)
        return written

    def _sealed(self, draft: _Draft, inner: Inner) -> Sealing | None:
        """The envelope; None when no key of the peer is known yet."""
        recipient = draft.statement.recipient
        peer = self._registry.peer(recipient)
        key = self._keyring.prekey_of(recipient, self._registry.roster)
        if key is None:
            return None
        return self._sealer.seal(
            inner,
            draft.statement,
            recipient=peer.name,
            key=key[0],
            key_until=key[1],
            lane=_lane(draft.query),
            attachments=draft.query.attachments,
        )

    async def _commit_query(self, draft: _Draft, inner: Inner, sealing: Sealing | None) -> tuple[Outgoing, Crossing]:
        now = self._world.now()
        statement = draft.statement
        asked = AskedQuery(
            message_id=statement.message_id,
            peer=statement.recipient,
            state=AskedState.QUEUED,
            officer_id=statement.officer_id or "",
            created=now,
            deadline=statement.deadline,
            changed=now,
            codes=len(draft.query.codes),
            reference=draft.query.reference,
            key_id=draft.reply_key.public.key_id,
        )
        crossing = sent_crossing(inner, statement, sealing, at=now)
        outgoing = new_outgoing(
            crossing,
            lane=_lane(draft.query),
            deadline=statement.deadline,
            sealed_until=sealing.sealed_until if sealing is not None else 0,
            next_attempt=self._world.clock.now(),
        )
        digest = crossing.digest or body_digest(draft.prepared.body)
        leaf = self._outbox.leaf(JournalKind.SENT, statement.message_id, statement.recipient, digest)
        change = Change(
            asked=(asked,),
            crossings=(crossing,),
            outgoing=(outgoing,),
            heads=(sealing.head,) if sealing is not None else (),
            keys=(draft.reply_key.secret,),
            leaves=(leaf,),
            attachments=self._uploads.offered(draft.query.attachments, statement),
        )
        await self._store.commit(change)
        self._uploads.sent(draft.query.attachments)
        self._recent.understood(crossing.message_id, crossing.body, draft.query)
        return outgoing, crossing

    async def handed(self, handed: Handed) -> None:
        """A query reached the peer: the receipt and, when it came along, the answer, in one commit."""
        async with self._turns.of(handed.crossing.message_id):
            asked = await self._store.asked(handed.crossing.message_id)
            if asked is None:
                raise Misuse("a query went out that is not in the store")
            if handed.answer and await self._took_along(handed, asked):
                return
            if asked.state is not AskedState.QUEUED:  # perhaps by this receipt, which came by another way as well
                sent = await self._store.crossing(Direction.SENT, asked.message_id)
                if sent is not None and sent.receipt is not None:
                    return
            await self._store.commit(replace(self._delivered(handed), asked=(self._after(asked, AskedEvent.RECEIPT),)))
        self._announcer.announce(asked.message_id)

    async def _took_along(self, handed: Handed, asked: AskedQuery) -> bool:
        """Whether the answer that came with the receipt was taken. The receipt is good whatever came with it; an answer that is
        refused here stays in the peer's outbox, and comes again by itself.
        """
        try:
            opened = self._open(handed.answer, handed.peer)
            receipt = await self._take(opened, asked, handed.crossing, handed=handed)
        except AlreadySeen:
            return False
        except (PeerMisbehaviour, OperatorMistake) as error:
            logger.warning("an answer was refused", extra={"peer": asked.peer, "problem": error.code})
            return False
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # it comes again by itself, where `node.use_cases.poison` stands
            log_failure("an answer", asked.peer, error)
            return False
        self._acknowledger.add(handed.peer, receipt)
        return True

    def _open(self, raw: bytes, peer: Peer) -> Opened:
        now = self._world.clock.now()
        roster = self._registry.roster
        arrived = read_envelope(raw, roster=roster, own=self._own.name, peer=peer.name, now=now)
        self._registry.hear(arrived.header.checkpoint, peer.name.party)
        private = self._keyring.private(arrived.header.key_id)
        if private is None:
            raise Unauthentic("an answer is sealed to a key that is not here")
        return open_message(arrived, private, roster=roster, now=now)

    async def take(self, opened: Opened) -> SignedReceipt:
        """An answer that the peer delivered by itself.

        Raises:
            Forbidden: it answers nothing that we asked that Party.
            AlreadySeen: it was taken before.
        """
        in_reply_to = opened.statement.in_reply_to
        if in_reply_to is None:
            raise Forbidden("this answers nothing")
        async with self._turns.of(in_reply_to):
            asked = await self._store.asked(in_reply_to)
            sent = await self._store.crossing(Direction.SENT, in_reply_to)
            if asked is None or sent is None:
                raise Forbidden("this answers nothing that was asked here")
            return await self._take(opened, asked, sent, handed=None)

    async def _take(self, opened: Opened, asked: AskedQuery, sent: Crossing, *, handed: Handed | None) -> SignedReceipt:
        """One commit, with the turn of the query."""
        answer = check_reply(opened, asked, self._recent.content_of(sent))
        identifier = opened.statement.message_id
        if identifier in asked.answer_ids:
            await self._store.commit(Change(marks=(replay_mark(opened),)))  # raises AlreadySeen, with what is remembered of it
        if not answer.final and len(asked.answer_ids) >= limits.PARTIAL_ANSWERS_MAX:
            raise Forbidden("this query has had many answers that are not the last one", hint="send the final answer")
        now = self._world.now()
        leaf = self._outbox.leaf(JournalKind.RECEIVED, identifier, asked.peer, opened.arrived.digest)
        after = self._after(asked, AskedEvent.FINAL_ANSWER if answer.final else AskedEvent.PARTIAL_ANSWER)
        crossing = received_crossing(opened, at=now)
        change = Change(
            marks=(replay_mark(opened),),
            crossings=(crossing,),
            outgoing_done=(asked.message_id,),
            keys_destroyed=(asked.key_id,) if answer.final and self._keyring.private(asked.key_id) else (),
            leaves=(leaf,),
            attachments=awaited(opened.arrived.header.attachments, message_id=identifier, peer=asked.peer, now=now),
        )
        after = replace(after, answer_ids=(*asked.answer_ids, identifier))
        if handed is not None:
            delivered = self._delivered(handed)
            change = replace(change, receipts=delivered.receipts, leaves=(leaf, *delivered.leaves))
        positions = await self._store.commit(replace(change, asked=(after,)))
        self._recent.understood(crossing.message_id, crossing.body, answer)
        for identifier_destroyed in change.keys_destroyed:
            self._keyring.drop(identifier_destroyed)
        self._announcer.announce(asked.message_id)
        return self._own.receipt(
            digest=opened.arrived.digest,
            leaf=leaf,
            position=positions[0],
        )

    def _delivered(self, handed: Handed) -> Change:
        """What a receipt changes, whatever else comes with it."""
        crossing = handed.crossing
        leaf = self._outbox.leaf(JournalKind.DELIVERED, crossing.message_id, crossing.peer, handed.receipt.envelope_digest)
        return Change(
            receipts=((crossing.message_id, handed.signed_receipt),),
            outgoing_done=(crossing.message_id,),
            leaves=(leaf,),
        )

    def _after(self, asked: AskedQuery, event: AskedEvent) -> AskedQuery:
        return replace(asked, state=next_asked(asked.state, event), changed=self._world.now(), problem="")

    async def expire(self, message_id: MessageId) -> None:
        """The deadline is over: the reply key is destroyed, and the officer is told. A late answer comes under a prekey."""
        async with self._turns.of(message_id):
            asked = await self._store.asked(message_id)
            if asked is None or asked.state not in {AskedState.QUEUED, AskedState.DELIVERED}:
                return  # the answer came in the meantime
            leaf = self._outbox.leaf(JournalKind.EXPIRED, message_id, asked.peer, bytes(32))
            held = self._keyring.private(asked.key_id) is not None
            change = Change(
                asked=(self._after(asked, AskedEvent.DEADLINE),),
                outgoing_done=(message_id,),
                keys_destroyed=(asked.key_id,) if held else (),
                leaves=(leaf,),
            )
            await self._store.commit(change)
            self._keyring.drop(asked.key_id)
        self._announcer.announce(message_id)


def _query(question: Question, reply_key: NewKey, attached: tuple[Attachment, ...]) -> Query:
    return Query(
        codes=question.codes,
        items=question.items,
        legal_basis=LegalBasis.ARTICLE_8_9,
        purpose=question.purpose,
        necessity=question.necessity,
        handling=question.handling,
        urgency=question.urgency,
        reference=question.reference,
        reply_key=reply_key.public.public_key,
        market_statement=question.market_statement,
        attachments=attached,
    )


def _lane(query: Query) -> Lane:
    return lane_of(urgent=query.urgency is Urgency.URGENT, codes=len(query.codes))
