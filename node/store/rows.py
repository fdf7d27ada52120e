"""Rows of `exchange-v3.sql` as values, and values as rows, in the order of the table's columns.

Which rows are read and written when is left to `node.store.exchange`; this knows no connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from federation.delivery.outbox import LaneHead, Outgoing
from federation.delivery.receipt import SignedReceipt
from federation.envelope import seal
from federation.envelope.header import Lane, MessageKind
from federation.identity import MESSAGE_ID_BYTES, MessageId, PartyId
from federation.ports import AskedQuery, Crossing, Direction, ReceivedQuery
from federation.query.lifecycle import AskedState, ReceivedState
from node.store.vault import Vault

Row: TypeAlias = Sequence[Any]


def asked_row(query: AskedQuery, vault: Vault) -> Row:
    """A row of `asked`."""
    reference = query.reference.encode()
    return (
        query.message_id,
        query.peer,
        query.state,
        query.officer_id,
        query.created,
        query.deadline,
        query.changed,
        query.codes,
        vault.seal(reference, column="asked.sealed", row=query.message_id) if reference else None,
        query.key_id,
        b"".join(query.answer_ids),
        query.problem,
    )


def asked_query(row: Row, vault: Vault) -> AskedQuery:
    """Back from a row of `asked`."""
    message_id, peer, state, officer_id, created, deadline, changed, codes, sealed, key_id, answer_ids, problem = row
    reference = vault.open(sealed, column="asked.sealed", row=message_id) if sealed is not None else b""
    return AskedQuery(
        message_id=MessageId(message_id),
        peer=PartyId(peer),
        state=AskedState(state),
        officer_id=officer_id,
        created=created,
        deadline=deadline,
        changed=changed,
        codes=codes,
        reference=reference.decode(),
        key_id=key_id,
        answer_ids=tuple(
            MessageId(answer_ids[start : start + MESSAGE_ID_BYTES]) for start in range(0, len(answer_ids), MESSAGE_ID_BYTES)
        ),
        problem=problem,
    )


def received_row(query: ReceivedQuery) -> Row:
    """A row of `received`."""
    return (
        query.message_id,
        query.peer,
        query.state,
        query.officer_id,
        query.received,
        query.deadline,
        query.changed,
        query.codes,
        query.reply_key,
        query.answer_id,
    )


def received_query(row: Row) -> ReceivedQuery:
    """Back from a row of `received`."""
    message_id, peer, state, officer_id, received, deadline, changed, codes, reply_key, answer_id = row
    return ReceivedQuery(
        message_id=MessageId(message_id),
        peer=PartyId(peer),
        state=ReceivedState(state),
        officer_id=officer_id,
        received=received,
        deadline=deadline,
        changed=changed,
        codes=codes,
        reply_key=reply_key,
        answer_id=MessageId(answer_id) if answer_id is not None else None,
    )


def crossing_row(crossing: Crossing, leaf: int, vault: Vault) -> Row:
    """A row of `crossing` without its id; what the tables `ciphertext` and `receipt` hold is not in it."""
    content = seal.pack_inner(
        seal.Inner(
            statement=crossing.statement,
            statement_signature=crossing.statement_signature,
            salt=crossing.salt,
            body=crossing.body,
        )
    )
    return (
        crossing.direction,
        crossing.message_id,
        crossing.conversation,
        crossing.kind,
        crossing.peer,
        crossing.at,
        crossing.digest,
        crossing.header,
        crossing.wrap,
        crossing.ciphertext_hash,
        crossing.signature,
        leaf,
        vault.seal(content, column="crossing.sealed", row=_crossing_key(crossing.direction, crossing.message_id)),
    )


def crossing_value(row: Row, vault: Vault) -> Crossing:
    """Back from a row of `crossing`, followed by the columns of its row in `ciphertext` and in `receipt`, if there is one."""
    _, direction, message_id, conversation, kind, peer, at, digest, header, wrap, ciphertext_hash, signature, leaf, sealed = row[
        :14
    ]
    ciphertext, receipt_statement, receipt_signature = row[14:]
    content = crossing_content(sealed, direction, message_id, vault)
    return Crossing(
        direction=Direction(direction),
        message_id=MessageId(message_id),
        conversation=MessageId(conversation),
        kind=MessageKind(kind),
        peer=PartyId(peer),
        at=at,
        digest=digest,
        header=header,
        wrap=wrap,
        ciphertext=ciphertext if ciphertext is not None else b"",
        ciphertext_hash=ciphertext_hash,
        signature=signature,
        salt=content.salt,
        statement=content.statement,
        statement_signature=content.statement_signature,
        body=content.body,
        receipt=(
            SignedReceipt(statement=receipt_statement, signature=receipt_signature) if receipt_statement is not None else None
        ),
        leaf=leaf,
    )


def crossing_content(sealed: bytes, direction: str, message_id: bytes, vault: Vault) -> seal.Inner:
    """What is in the column `sealed` of a row of `crossing`."""
    return seal.unpack_inner(vault.open(sealed, column="crossing.sealed", row=_crossing_key(direction, message_id)))


def _crossing_key(direction: str, message_id: bytes) -> bytes:
    return direction.encode() + message_id


def outgoing_row(outgoing: Outgoing) -> Row:
    """A row of `outgoing` without its number."""
    return (
        outgoing.message_id,
        outgoing.peer,
        outgoing.kind,
        outgoing.lane,
        outgoing.created,
        outgoing.deadline,
        outgoing.sealed_until,
        outgoing.attempts,
        outgoing.next_attempt,
        outgoing.problem,
        outgoing.conversation,
        outgoing.held_since,
        outgoing.reason,
    )


def outgoing_value(row: Row) -> Outgoing:
    """Back from a row of `outgoing`."""
    _, message_id, peer, kind, lane, created, deadline, sealed_until, attempts, next_attempt, problem = row[:11]
    conversation, held_since, reason = row[11:]
    return Outgoing(
        message_id=MessageId(message_id),
        peer=PartyId(peer),
        kind=MessageKind(kind),
        lane=Lane(lane),
        created=created,
        deadline=deadline,
        sealed_until=sealed_until,
        attempts=attempts,
        next_attempt=next_attempt,
        problem=problem,
        conversation=MessageId(conversation) if conversation is not None else None,
        held_since=held_since,
        reason=reason,
    )


def lane_head_row(head: LaneHead) -> Row:
    """A row of `lane_head`."""
    return (head.peer, head.lane, head.sequence, head.digest)


def lane_head_value(row: Row) -> LaneHead:
    """Back from a row of `lane_head`."""
    peer, lane, sequence, digest = row
    return LaneHead(peer=PartyId(peer), lane=Lane(lane), sequence=sequence, digest=digest)
