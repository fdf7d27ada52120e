"""Sealing for the outbox: numbering in lanes, and the record of what crosses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha512

from federation import limits
from federation.boundary.messages import Opened, Route, Sealed, seal_message
from federation.delivery.outbox import LaneHead, Outgoing
from federation.envelope.attachment import Attachment
from federation.envelope.header import Lane, Prekey, Statement
from federation.envelope.seal import Envelope, Inner
from federation.envelope.suite import CEK_BYTES
from federation.errors import Unauthentic, UnknownParty
from federation.identity import NodeName, PartyId
from federation.ports import Crossing, Direction
from federation.trust import keys
from federation.trust.roster import Roster, signing_keys
from federation.wire.envelope import decode_header
from node.use_cases.registry import Registry
from node.use_cases.world import Own, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """One sealing of a message: what goes out, its place in the lane, and how long the same bytes may be sent."""

    sealed: Sealed
    head: LaneHead
    sealed_until: int


class Sealer:
    """Seals messages of this node. It alone numbers them, and it never waits, so commits come in the order of numbers."""

    def __init__(self, own: Own, world: World, registry: Registry, heads: Iterable[LaneHead]) -> None:
        self._own = own
        self._world = world
        self._registry = registry
        self._heads: dict[tuple[PartyId, Lane], LaneHead] = {(head.peer, head.lane): head for head in heads}

    def seal(
        self,
        inner: Inner,
        statement: Statement,
        *,
        recipient: NodeName,
        key: Prekey,
        key_until: int,
        lane: Lane,
        attachments: Sequence[Attachment] = (),
    ) -> Sealing:
        """Seal under the next number of the lane. A number is used up by this: whether a commit that failed took effect, nobody
        knows, and two envelopes with one number would be evidence against us.

        The key is the recipient's prekey or reply key, and may be used up to `key_until`, in Unix seconds.
        """
        now = self._world.now()
        head = self._heads.get((statement.recipient, lane))
        number = head.sequence + 1 if head is not None else 1
        expires = min(key_until, now + limits.ENVELOPE_LIFE_S_MAX)
        sealed = seal_message(
            inner,
            message_id=statement.message_id,
            route=Route(
                sender=self._own.name,
                recipient=recipient,
                key=key,
                created=now,
                expires=expires,
                lane=lane,
                sequence=number,
                previous_digest=head.digest if head is not None else b"",
                checkpoint=self._registry.head,
                attachments=tuple(one.named for one in attachments),
            ),
            cek=self._world.entropy(CEK_BYTES),
            signer=self._own.signer,
        )
        made = LaneHead(peer=statement.recipient, lane=lane, sequence=number, digest=sealed.digest)
        self._heads[statement.recipient, lane] = made
        return Sealing(sealed=sealed, head=made, sealed_until=expires)


def sent_crossing(inner: Inner, statement: Statement, sealing: Sealing | None, *, at: int) -> Crossing:
    """The record of a message of ours; without a sealing when no key of the peer is known yet."""
    bare = Crossing(
        direction=Direction.SENT,
        message_id=statement.message_id,
        conversation=statement.conversation,
        kind=statement.kind,
        peer=statement.recipient,
        at=at,
        digest=b"",
        header=b"",
        wrap=b"",
        ciphertext=b"",
        ciphertext_hash=b"",
        signature=b"",
        salt=inner.salt,
        statement=inner.statement,
        statement_signature=inner.statement_signature,
        body=inner.body,
    )
    return with_sealing(bare, sealing) if sealing is not None else bare


def with_sealing(crossing: Crossing, sealing: Sealing) -> Crossing:
    """The same message in its newest sealing."""
    envelope = sealing.sealed.envelope
    return replace(
        crossing,
        digest=sealing.sealed.digest,
        header=envelope.header,
        wrap=envelope.wrap,
        ciphertext=envelope.ciphertext,
        ciphertext_hash=sha512(envelope.ciphertext).digest(),
        signature=envelope.signature,
    )


def received_crossing(opened: Opened, *, at: int) -> Crossing:
    """The record of a message that came; its ciphertext is not needed any more."""
    arrived = opened.arrived
    return Crossing(
        direction=Direction.RECEIVED,
        message_id=opened.statement.message_id,
        conversation=opened.statement.conversation,
        kind=opened.statement.kind,
        peer=opened.statement.sender,
        at=at,
        digest=arrived.digest,
        header=arrived.envelope.header,
        wrap=arrived.envelope.wrap,
        ciphertext=b"",
        ciphertext_hash=arrived.ciphertext_hash,
        signature=arrived.envelope.signature,
        salt=opened.inner.salt,
        statement=opened.inner.statement,
        statement_signature=opened.inner.statement_signature,
        body=opened.inner.body,
    )


def has_left(crossing: Crossing) -> bool:
    """Whether a message of ours has left the outbox: it is receipted, answered or over, and its ciphertext is gone."""
    return crossing.receipt is not None or (crossing.digest != b"" and not crossing.ciphertext)


def still_counts(crossing: Crossing, roster: Roster, name: NodeName, *, now: float) -> bool:
    """Whether others still take what this node signed when it sealed this: its key may have been revoked since, or its clock was
    ahead then.
    """
    created = decode_header(crossing.header).created
    if created > now + limits.CLOCK_TOLERANCE_S:
        return False
    try:
        listed = signing_keys(roster, name, at=created)
        keys.verify_any(public_keys=listed, message=keys.node_message(crossing.digest), signature=crossing.signature)
    except Unauthentic:
        return False
    except UnknownParty:
        return True  # the directory lists no node of ours: another seal would help nobody
    return True


def inner_of(crossing: Crossing) -> Inner:
    """What was sealed, from the record of it: for sealing it again."""
    return Inner(
        statement=crossing.statement,
        statement_signature=crossing.statement_signature,
        salt=crossing.salt,
        body=crossing.body,
    )


def lane_of(*, urgent: bool, codes: int) -> Lane:
    """Urgent questions go ahead of the others, large ones behind; an answer uses the lane of its question."""
    if urgent:
        return Lane.URGENT
    return Lane.BULK if codes >= limits.BULK_CODES_MIN else Lane.NORMAL


def envelope_of(crossing: Crossing) -> Envelope:
    """The bytes as they were sealed, for sending them once more."""
    return Envelope(header=crossing.header, wrap=crossing.wrap, ciphertext=crossing.ciphertext, signature=crossing.signature)


def new_outgoing(crossing: Crossing, *, lane: Lane, deadline: int, sealed_until: int, next_attempt: float) -> Outgoing:
    """The first row of a message in the outbox."""
    return Outgoing(
        message_id=crossing.message_id,
        peer=crossing.peer,
        kind=crossing.kind,
        lane=lane,
        created=crossing.at,
        deadline=deadline,
        sealed_until=sealed_until,
        attempts=0,
        next_attempt=next_attempt,
        problem="",
        conversation=crossing.conversation,
    )
