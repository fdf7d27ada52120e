"""Answers composed and sealed, ready to be written down: by a policy at once, or as an officer signed them.

Sealing uses up a number of its lane and must not be followed by waiting for anything but the commit (`node.use_cases.sealing`), so
whoever composes commits next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from federation import limits
from federation.boundary.messages import body_digest, compose_statement, key_id
from federation.envelope.attachment import Attachment
from federation.envelope.header import MessageKind, Prekey, Statement
from federation.envelope.seal import SALT_BYTES, Inner
from federation.errors import StoreUnavailable
from federation.evidence.journal import JournalKind, Leaf
from federation.identity import MESSAGE_ID_BYTES, OfficerName, message_id
from federation.ports import Change, Crossing, ReceivedQuery
from federation.query.answer import Answer
from federation.query.codes import Outcome, Refusal, Urgency
from federation.query.lifecycle import ReceivedEvent, next_received
from federation.query.policy import Decision, Policy
from federation.query.query import Query
from federation.trust import keys
from federation.trust.certificate import certificate_hash
from federation.wire.query import encode_answer_body, encode_policy
from node.use_cases.keyring import Keyring
from node.use_cases.outbox import Outbox
from node.use_cases.registry import Registry
from node.use_cases.repository import Repository
from node.use_cases.sealing import Sealer, Sealing, lane_of, new_outgoing, sent_crossing
from node.use_cases.uploads import Uploads
from node.use_cases.world import Own, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """An answer that is not written down yet.

    Attributes:
        change: state, record, outbox and journal, for one commit.
        crossing: its record in that change.
        attachments: that it names.
    """

    change: Change
    crossing: Crossing
    attachments: tuple[Attachment, ...]


class Composing:
    """Makes answers of the own Party."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        registry: Registry,
        keyring: Keyring,
        sealer: Sealer,
        outbox: Outbox,
        repository: Repository,
        policy: Policy,
        uploads: Uploads,
    ) -> None:
        self._own = own
        self._world = world
        self._registry = registry
        self._keyring = keyring
        self._sealer = sealer
        self._outbox = outbox
        self._repository = repository
        self._policy_digest = keys.digest("gsp/v1/policy", encode_policy(policy))
        self._uploads = uploads

    async def by_policy(self, received: ReceivedQuery, query: Query, decision: Decision) -> Composed:
        """What the own data say, as the policy allows it.

        Raises:
            StoreUnavailable: the data cannot be read now, or are not complete.
            Overloaded: too much waits for that Party already.
        """
        answer = await self._repository.answer(query, decision, now=self._world.now())
        if any(result.refusal is Refusal.SYSTEM_DOWN for result in answer.results):
            raise StoreUnavailable(
                "this Party's data are not complete", hint="load them with `gsp party load`, or answer by hand"
            )
        body = encode_answer_body(answer, certificate=b"")
        statement = self.statement(received, body, officer=None, certificate=b"")
        inner = Inner(
            statement=compose_statement(statement),
            statement_signature=b"",
            salt=self._world.entropy(SALT_BYTES),
            body=body,
        )
        await self._outbox.require_room_for(received.peer)
        # It goes out with the receipt, so the outbox has it again only when its own receipt does not come.
        return self.compose(received, query, answer, inner, statement, delay_s=limits.ACKNOWLEDGE_GRACE_S)

    def statement(self, received: ReceivedQuery, body: bytes, *, officer: OfficerName | None, certificate: bytes) -> Statement:
        """What is said about a body that answers a query."""
        return Statement(
            message_id=message_id(self._world.entropy(MESSAGE_ID_BYTES)),
            kind=MessageKind.ANSWER,
            conversation=received.message_id,
            in_reply_to=received.message_id,
            sender=self._own.party,
            recipient=received.peer,
            officer_id=officer.officer_id if officer is not None else None,
            certificate_hash=certificate_hash(certificate) if officer is not None else b"",
            policy_digest=self._policy_digest if officer is None else b"",
            created=self._world.now(),
            deadline=received.deadline,
            body_digest=body_digest(body),
        )

    def compose(
        self,
        received: ReceivedQuery,
        query: Query,
        answer: Answer,
        inner: Inner,
        statement: Statement,
        *,
        delay_s: float,
    ) -> Composed:
        """State, record, outbox and journal in one change. Make room for it before: it waits for nothing."""
        now = self._world.now()
        refused = all(result.outcome is Outcome.REFUSED for result in answer.results)
        event = ReceivedEvent.REFUSE if refused else ReceivedEvent.ANSWER
        after = replace(received, state=next_received(received.state, event), changed=now, answer_id=statement.message_id)
        key = self.key_for(received)
        lane = lane_of(urgent=query.urgency is Urgency.URGENT, codes=len(query.codes))
        recipient = self._registry.peer(received.peer).name
        sealing: Sealing | None = None  # the reply key has ended and no prekey is at hand: the outbox seals when it has one
        if key is not None:
            sealing = self._sealer.seal(
                inner, statement, recipient=recipient, key=key[0], key_until=key[1], lane=lane, attachments=answer.attachments
            )
        crossing = sent_crossing(inner, statement, sealing, at=now)
        outgoing = new_outgoing(
            crossing,
            lane=lane,
            deadline=received.deadline,
            sealed_until=sealing.sealed_until if sealing is not None else 0,
            next_attempt=self._world.clock.now() + delay_s,
        )
        change = Change(
            received=(after,),
            crossings=(crossing,),
            outgoing=(outgoing,),
            heads=(sealing.head,) if sealing is not None else (),
            leaves=self._leaves(after, statement, answer, crossing.digest or statement.body_digest),
            attachments=self._uploads.offered(answer.attachments, statement),
        )
        return Composed(change=change, crossing=crossing, attachments=answer.attachments)

    def _leaves(self, received: ReceivedQuery, statement: Statement, answer: Answer, digest: bytes) -> tuple[Leaf, Leaf]:
        """SENT first, so that it becomes the leaf of the message's record; then what was decided, and on what it stands."""
        ground = statement.policy_digest or statement.certificate_hash
        return (
            self._outbox.leaf(JournalKind.SENT, statement.message_id, received.peer, digest),
            self._outbox.leaf(JournalKind.DECIDED, received.message_id, received.peer, ground, note=str(answer.automation)),
        )

    def key_for(self, received: ReceivedQuery) -> tuple[Prekey, int] | None:
        """The query's reply key until its deadline; a prekey afterwards."""
        if self._world.now() < received.deadline:
            return Prekey(key_id=key_id(received.reply_key), public_key=received.reply_key), received.deadline
        return self._keyring.prekey_of(received.peer, self._registry.roster)
