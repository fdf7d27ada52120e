"""What is asked and answered at the desk, to protobuf and back. Strict and total: any bytes give a value or `Malformed`.

Requests are read by the node and replies by the officer's program; the rules are the same, because a page that shows half of what
the node said is worse than an error. Queries and answers are the bodies of `federation.wire`.
Who may be able to answer is in `resolution_wire`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from federation import limits
from federation.delivery.outbox import Outgoing
from federation.envelope.attachment import AttachmentId, attachment_id
from federation.envelope.header import Lane, MessageKind
from federation.errors import Malformed
from federation.identity import MessageId, message_id, party_id
from federation.ports import AskedQuery, ReceivedQuery
from federation.query.answer import Answer
from federation.query.lifecycle import AskedState, ReceivedState
from federation.query.query import CodeAsked, Query
from federation.v1 import exchange_pb2
from federation.wire.query import (
    AUTOMATIONS,
    HANDLING,
    ITEMS,
    PURPOSES,
    URGENCIES,
    decode_body,
    encode_answer_body,
    encode_query_body,
)
from federation.wire.strict import ascending, at_most, seconds, text, total
from node import limits as node_limits
from node.rpc.why_wire import decode_explanation, encode_explanation
from node.use_cases.desk_values import (
    AnswerView,
    Check,
    Health,
    InboxView,
    KeyLine,
    KeyPlace,
    NodeStatus,
    Prepared,
    QueryView,
    Question,
    Standing,
)
from node.v1 import desk_pb2

NO_CERTIFICATE: Final = b""
"""Inside a Party, a body says what was asked or answered and not by whom: the credential beside the call does."""


def encode_question(question: Question) -> desk_pb2.Question:
    return desk_pb2.Question(
        party=question.party,
        codes=[exchange_pb2.CodeAsked(key=code.key, scan=code.scan) for code in question.codes],
        items=ITEMS.numbers(question.items),
        purpose=PURPOSES.number(question.purpose),
        necessity=question.necessity,
        handling=HANDLING.number(question.handling),
        urgency=URGENCIES.number(question.urgency),
        reference=question.reference,
        deadline_s=question.deadline_s,
        unconfirmed_consent=question.unconfirmed_consent,
        market_statement=question.market_statement,
        attachments=question.attachments,
    )


@total
def decode_question(message: desk_pb2.Question) -> Question:
    at_most(len(message.codes), limits.CODES_PER_QUERY_MAX, "codes")
    return Question(
        party=party_id(message.party),
        codes=tuple(CodeAsked(key=code.key, scan=code.scan) for code in message.codes),
        items=ITEMS.ascending(message.items),
        purpose=PURPOSES.value(message.purpose),
        necessity=text(message.necessity, limits.NECESSITY_CHARACTERS_MAX, "the necessity", lines=True),
        handling=HANDLING.value(message.handling),
        urgency=URGENCIES.value(message.urgency),
        reference=text(message.reference, limits.REFERENCE_CHARACTERS_MAX, "the reference"),
        deadline_s=message.deadline_s,
        unconfirmed_consent=message.unconfirmed_consent,
        market_statement=text(message.market_statement, limits.MARKET_STATEMENT_CHARACTERS_MAX, "the market statement"),
        attachments=decode_attachment_ids(message.attachments),
    )


@total
def decode_attachment_ids(raw: Sequence[bytes]) -> tuple[AttachmentId, ...]:
    at_most(len(raw), limits.ATTACHMENTS_PER_MESSAGE_MAX, "attachments")
    return tuple(attachment_id(one) for one in raw)


def encode_prepared(prepared: Prepared) -> desk_pb2.Prepared:
    return desk_pb2.Prepared(message_id=prepared.message_id, statement=prepared.statement, body=prepared.body)


@total
def decode_prepared(message: desk_pb2.Prepared) -> Prepared:
    return Prepared(message_id=message_id(message.message_id), statement=message.statement, body=message.body)


@total
def decode_page(message: desk_pb2.PageRequest) -> tuple[int, int]:
    """Unix seconds before which the rows lie, and how many are wanted."""
    at_most(message.rows, limits.PAGE_ROWS_MAX, "rows")
    return seconds(message.before), message.rows


@total
def decode_query_request(message: desk_pb2.QueryRequest) -> tuple[MessageId, float]:
    """Which query, and how many seconds to wait for a change; longer waits are cut, and the caller calls again."""
    return message_id(message.message_id), min(message.wait_ms / 1_000, node_limits.DESK_WAIT_S_MAX)


def encode_asked(asked: AskedQuery) -> desk_pb2.AskedQuery:
    return desk_pb2.AskedQuery(
        message_id=asked.message_id,
        peer=asked.peer,
        state=asked.state,
        officer_id=asked.officer_id,
        created=asked.created,
        deadline=asked.deadline,
        changed=asked.changed,
        codes=asked.codes,
        reference=asked.reference,
        answer_ids=asked.answer_ids,
        problem=asked.problem,
    )


@total
def decode_asked(message: desk_pb2.AskedQuery) -> AskedQuery:
    """An asked query without the id of its reply key, which stays at the node."""
    return AskedQuery(
        message_id=message_id(message.message_id),
        peer=party_id(message.peer),
        state=AskedState(message.state),
        officer_id=name(message.officer_id),
        created=seconds(message.created),
        deadline=seconds(message.deadline),
        changed=seconds(message.changed),
        codes=message.codes,
        reference=text(message.reference, limits.REFERENCE_CHARACTERS_MAX, "the reference"),
        key_id=b"",
        answer_ids=tuple(message_id(answer) for answer in message.answer_ids),
        problem=name(message.problem),
    )


def encode_asked_page(page: Iterable[AskedQuery]) -> desk_pb2.AskedPage:
    return desk_pb2.AskedPage(queries=[encode_asked(asked) for asked in page])


@total
def decode_asked_page(message: desk_pb2.AskedPage) -> tuple[AskedQuery, ...]:
    at_most(len(message.queries), limits.PAGE_ROWS_MAX, "rows")
    return tuple(decode_asked(asked) for asked in message.queries)


def encode_query_view(view: QueryView) -> desk_pb2.QueryView:
    return desk_pb2.QueryView(
        asked=encode_asked(view.asked),
        peer_name=view.peer_name,
        directory_stale=view.directory_stale,
        body=encode_query_body(view.query, certificate=NO_CERTIFICATE),
        outgoing=encode_outgoing(view.outgoing) if view.outgoing is not None else None,
        answers=[
            desk_pb2.AnswerView(
                message_id=answer.message_id,
                sender=answer.sender,
                officer_id=answer.officer_id or "",
                received=answer.received,
                body=encode_answer(answer.answer),
            )
            for answer in view.answers
        ],
        peer_standing=sorted(view.peer_standing),
        why=encode_explanation(view.why) if view.why is not None else None,
    )


@total
def decode_query_view(message: desk_pb2.QueryView) -> QueryView:
    return QueryView(
        asked=decode_asked(message.asked),
        peer_name=name(message.peer_name),
        directory_stale=message.directory_stale,
        query=_query(message.body),
        outgoing=decode_outgoing(message.outgoing) if message.HasField("outgoing") else None,
        answers=tuple(
            AnswerView(
                message_id=message_id(answer.message_id),
                sender=party_id(answer.sender),
                officer_id=name(answer.officer_id) or None,
                received=seconds(answer.received),
                answer=decode_answer(answer.body),
            )
            for answer in message.answers
        ),
        peer_standing=standings(message.peer_standing),
        why=decode_explanation(message.why) if message.HasField("why") else None,
    )


def encode_received(received: ReceivedQuery) -> desk_pb2.ReceivedQuery:
    return desk_pb2.ReceivedQuery(
        message_id=received.message_id,
        peer=received.peer,
        state=received.state,
        officer_id=received.officer_id,
        received=received.received,
        deadline=received.deadline,
        changed=received.changed,
        codes=received.codes,
        answer_id=received.answer_id or b"",
    )


@total
def decode_received(message: desk_pb2.ReceivedQuery) -> ReceivedQuery:
    """A received query without its reply key, which stays at the node."""
    return ReceivedQuery(
        message_id=message_id(message.message_id),
        peer=party_id(message.peer),
        state=ReceivedState(message.state),
        officer_id=name(message.officer_id),
        received=seconds(message.received),
        deadline=seconds(message.deadline),
        changed=seconds(message.changed),
        codes=message.codes,
        reply_key=b"",
        answer_id=message_id(message.answer_id) if message.answer_id else None,
    )


def encode_received_page(page: Iterable[ReceivedQuery]) -> desk_pb2.ReceivedPage:
    return desk_pb2.ReceivedPage(queries=[encode_received(received) for received in page])


@total
def decode_received_page(message: desk_pb2.ReceivedPage) -> tuple[ReceivedQuery, ...]:
    at_most(len(message.queries), limits.PAGE_ROWS_MAX, "rows")
    return tuple(decode_received(received) for received in message.queries)


def encode_inbox_view(view: InboxView) -> desk_pb2.InboxView:
    return desk_pb2.InboxView(
        received=encode_received(view.received),
        peer_name=view.peer_name,
        body=encode_query_body(view.query, certificate=NO_CERTIFICATE),
        draft=encode_answer(view.draft),
        automation=AUTOMATIONS.number(view.automation),
        peer_standing=sorted(view.peer_standing),
    )


@total
def decode_inbox_view(message: desk_pb2.InboxView) -> InboxView:
    return InboxView(
        received=decode_received(message.received),
        peer_name=name(message.peer_name),
        query=_query(message.body),
        draft=decode_answer(message.draft),
        automation=AUTOMATIONS.value(message.automation),
        peer_standing=standings(message.peer_standing),
    )


def standings(words: Iterable[str]) -> frozenset[Standing]:
    """What is to be said of a Party, in ascending order on the wire."""
    return frozenset(Standing(word) for word in ascending(words, "standings"))


def encode_answer(answer: Answer) -> bytes:
    """The body of an answer."""
    return encode_answer_body(answer, certificate=NO_CERTIFICATE)


def decode_answer(body: bytes) -> Answer:
    """The answer in a body.

    Raises:
        Malformed: there is none.
    """
    content, _ = decode_body(body)
    if not isinstance(content, Answer):
        raise Malformed("a query stands where an answer belongs")
    return content


def encode_status(status: NodeStatus) -> desk_pb2.NodeStatus:
    return desk_pb2.NodeStatus(
        party=status.party,
        version=status.version,
        checks=[
            desk_pb2.Check(name=check.name, health=check.health, words=check.words, hint=check.hint) for check in status.checks
        ],
        figures=[desk_pb2.Figure(name=name, value=value) for name, value in sorted(status.figures.items())],
        keys=[
            desk_pb2.KeyLine(
                name=line.name,
                id=line.id,
                place=line.place,
                since=line.since,
                ends=line.ends,
                health=line.health,
                words=line.words,
            )
            for line in status.keys
        ],
    )


@total
def decode_status(message: desk_pb2.NodeStatus) -> NodeStatus:
    return NodeStatus(
        party=party_id(message.party),
        version=name(message.version),
        checks=tuple(
            Check(
                name=name(check.name),
                health=Health(check.health),
                words=text(check.words, limits.TEXT_CHARACTERS_MAX, "a check"),
                hint=text(check.hint, limits.TEXT_CHARACTERS_MAX, "a hint"),
            )
            for check in message.checks
        ),
        figures={name(figure.name): figure.value for figure in message.figures},
        keys=tuple(_decode_key_line(line) for line in message.keys),
    )


def _decode_key_line(message: desk_pb2.KeyLine) -> KeyLine:
    return KeyLine(
        name=name(message.name),
        id=name(message.id),
        place=KeyPlace(message.place),
        since=seconds(message.since),
        ends=seconds(message.ends),
        health=Health(message.health),
        words=text(message.words, limits.TEXT_CHARACTERS_MAX, "what a key is for"),
    )


def _query(body: bytes) -> Query:
    content, _ = decode_body(body)
    if not isinstance(content, Query):
        raise Malformed("an answer stands where a query belongs")
    return content


def encode_outgoing(outgoing: Outgoing) -> desk_pb2.Outgoing:
    return desk_pb2.Outgoing(
        message_id=outgoing.message_id,
        peer=outgoing.peer,
        kind=outgoing.kind,
        lane=outgoing.lane,
        created=outgoing.created,
        deadline=outgoing.deadline,
        sealed_until=outgoing.sealed_until,
        attempts=outgoing.attempts,
        next_attempt=outgoing.next_attempt,
        problem=outgoing.problem,
        held_since=outgoing.held_since,
        reason=outgoing.reason,
        conversation=outgoing.conversation or b"",
    )


@total
def decode_outgoing(message: desk_pb2.Outgoing) -> Outgoing:
    if not 0 <= message.next_attempt <= limits.TIME_S_MAX:
        raise Malformed("a time is beyond what a calendar can show")
    return Outgoing(
        message_id=message_id(message.message_id),
        peer=party_id(message.peer),
        kind=MessageKind(message.kind),
        lane=Lane(message.lane),
        created=seconds(message.created),
        deadline=seconds(message.deadline),
        sealed_until=seconds(message.sealed_until),
        attempts=message.attempts,
        next_attempt=message.next_attempt,
        problem=name(message.problem),
        conversation=message_id(message.conversation) if message.conversation else None,
        held_since=seconds(message.held_since),
        reason=text(message.reason, node_limits.ERROR_TEXT_CHARACTERS_MAX, "a reason"),
    )


def name(value: str) -> str:
    """A short text: a name, an id, a coded word."""
    return text(value, limits.NAME_CHARACTERS_MAX, "a name")
