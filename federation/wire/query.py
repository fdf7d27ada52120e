"""Bodies: queries, answers, and the policy that an automatic answer stands for."""

from __future__ import annotations

from typing import Final

from federation import limits
from federation.errors import Malformed, Oversized
from federation.identity import party_id
from federation.query.answer import Answer, CodeResult, LastKnown
from federation.query.codes import (
    Automation,
    HandlingCode,
    LegalBasis,
    Outcome,
    Purpose,
    Refusal,
    UimStatus,
    Urgency,
)
from federation.query.items import Field, FieldName, Item, ItemAnswer, ItemState, Record
from federation.query.policy import ItemRule, Policy, Rule
from federation.query.query import CodeAsked, Query
from federation.v1 import exchange_pb2
from federation.wire.attachments import attached_messages, read_attached
from federation.wire.envelope import XWING_PUBLIC_BYTES
from federation.wire.strict import EnumMap, ascending, at_most, encode, exactly, parse, seconds, text, total

BASES: Final = EnumMap(exchange_pb2.LegalBasis, "LEGAL_BASIS_", LegalBasis)
PURPOSES: Final = EnumMap(exchange_pb2.Purpose, "PURPOSE_", Purpose)
HANDLING: Final = EnumMap(exchange_pb2.HandlingCode, "HANDLING_CODE_", HandlingCode)
URGENCIES: Final = EnumMap(exchange_pb2.Urgency, "URGENCY_", Urgency)
ITEMS: Final = EnumMap(exchange_pb2.Item, "ITEM_", Item)
STATES: Final = EnumMap(exchange_pb2.ItemState, "ITEM_STATE_", ItemState)
AUTOMATIONS: Final = EnumMap(exchange_pb2.Automation, "AUTOMATION_", Automation)
OUTCOMES: Final = EnumMap(exchange_pb2.Outcome, "OUTCOME_", Outcome)
REFUSALS: Final = EnumMap(exchange_pb2.Refusal, "REFUSAL_", Refusal)
STATUSES: Final = EnumMap(exchange_pb2.UimStatus, "UIM_STATUS_", UimStatus)
FIELDS: Final = {str(name): name for name in FieldName}

ANSWER_STEP_BYTES: Final = 6_144
"""The body of an answer is filled up to this for each code, so that hit, miss and refusal have the same size on the wire.

A full answer of ten items with a chain of sales has some 4,600 bytes. What is longer goes to the next multiple, and nothing beyond
BODY_BYTES_MAX: from 512 codes on that is the size of every answer.
"""
ANSWER_BYTES_MAX: Final = limits.BODY_BYTES_MAX - limits.CERTIFICATE_BYTES_MAX - 4 * limits.TEXT_CHARACTERS_MAX
"""What the data may take up of a body, so that an officer can still sign it and add a text of any script."""
VALUE_BYTES_MAX: Final = 4 * limits.VALUE_CHARACTERS_MAX + 64
"""A value in the widest script, with its name and what stands around it."""
VALUES_PER_RESULT: Final = 8
"""What a result has beside its items, in values: its code, its state, and where it was last seen."""
_FILLER_BYTES_MIN: Final = 2
"""Tag and length of a piece of filler with nothing in it."""


def encode_query_body(query: Query, *, certificate: bytes) -> bytes:
    """The body of a query with the certificate (DER) of the officer who signs it."""
    return encode(exchange_pb2.Body(officer_certificate=certificate, query=_query_message(query)))


def encode_answer_body(answer: Answer, *, certificate: bytes) -> bytes:
    """The body of an answer, filled up so that its size does not tell what is in it.

    Args:
        answer: what is said.
        certificate: DER of the answering officer's certificate; empty when a policy answers.
    """
    message = exchange_pb2.Body(officer_certificate=certificate, answer=_answer_message(answer))
    message.filler.extend(_filler(message.ByteSize(), codes=len(answer.results)))
    return encode(message)


@total
def decode_body(raw: bytes) -> tuple[Query | Answer, bytes]:
    """Read a body: what it says, and the officer's certificate (DER) or nothing.

    Raises:
        Malformed: neither a query nor an answer, one that cannot be, or not filled up as it has to be.
    """
    message = parse(exchange_pb2.Body, raw, bytes_max=limits.BODY_BYTES_MAX)
    if len(message.officer_certificate) > limits.CERTIFICATE_BYTES_MAX:
        raise Oversized("an officer's certificate is too long")
    content: Query | Answer
    match message.WhichOneof("content"):
        case "query":
            content = _decode_query(message.query)
        case "answer":
            content = _decode_answer(message.answer)
        case _:
            raise Malformed("a body without content")
    given = list(message.filler)
    del message.filler[:]
    if given != (_filler(message.ByteSize(), codes=len(content.results)) if isinstance(content, Answer) else []):
        raise Malformed("a body is not filled up as it has to be")
    return content, message.officer_certificate


def answer_bytes(answer: Answer) -> int:
    """What an answer takes up of its body."""
    return _answer_message(answer).ByteSize()


def surely_fits(answer: Answer, bytes_max: int) -> bool:
    """Whether an answer is so short that it takes up no more than that, whatever its values say; quick, where `answer_bytes` is
    exact. Of an answer without text and files.
    """
    values = sum(len(record.fields) + 1 for result in answer.results for item in result.items for record in item.records)
    return (values + VALUES_PER_RESULT * len(answer.results)) * VALUE_BYTES_MAX <= bytes_max


def _filler(bare: int, *, codes: int) -> list[bytes]:
    """What brings a body of `bare` bytes to exactly its size on the wire."""
    least = bare + _FILLER_BYTES_MIN
    target = min(least + -least % (ANSWER_STEP_BYTES * codes), limits.BODY_BYTES_MAX)
    return _zeros(target - bare) if target >= least else []


def _zeros(room: int) -> list[bytes]:
    """Zeros in a repeated field that take `room` bytes there. Behind its tag of one byte, each piece has its length as a varint,
    so one piece cannot take every room: where the varint grows, an empty second piece takes up two bytes.
    """
    for width in range(1, 5):
        length = room - 1 - width
        if length >= 0 and max(1, (length.bit_length() + 6) // 7) == width:
            return [bytes(length)]
    return [*_zeros(room - _FILLER_BYTES_MIN), b""]


def encode_policy(policy: Policy) -> bytes:
    """The bytes over which a policy's digest stands."""
    return encode(
        exchange_pb2.Policy(
            standard=AUTOMATIONS.number(policy.standard),
            rules=[
                exchange_pb2.PolicyRule(
                    parties=sorted(rule.parties),
                    purposes=PURPOSES.numbers(rule.purposes),
                    automation=AUTOMATIONS.number(rule.automation),
                    items=[
                        exchange_pb2.ItemRule(
                            item=ITEMS.number(one.item),
                            state=STATES.number(one.state),
                        )
                        for one in rule.items
                    ],
                    codes_max=rule.codes_max,
                )
                for rule in policy.rules
            ],
        )
    )


@total
def decode_policy(raw: bytes) -> Policy:
    """Read a policy."""
    message = parse(exchange_pb2.Policy, raw, bytes_max=limits.POLICY_BYTES_MAX)
    return Policy(
        standard=AUTOMATIONS.value(message.standard),
        rules=tuple(
            Rule(
                parties=frozenset(party_id(party) for party in ascending(rule.parties, "Parties")),
                purposes=PURPOSES.ascending(rule.purposes),
                automation=AUTOMATIONS.value(rule.automation),
                items=tuple(ItemRule(item=ITEMS.value(one.item), state=STATES.value(one.state)) for one in rule.items),
                codes_max=rule.codes_max,
            )
            for rule in message.rules
        ),
    )


def _query_message(query: Query) -> exchange_pb2.Query:
    return exchange_pb2.Query(
        codes=[exchange_pb2.CodeAsked(key=code.key, scan=code.scan) for code in query.codes],
        items=ITEMS.numbers(query.items),
        legal_basis=BASES.number(query.legal_basis),
        purpose=PURPOSES.number(query.purpose),
        necessity=query.necessity,
        handling=HANDLING.number(query.handling),
        urgency=URGENCIES.number(query.urgency),
        reference=query.reference,
        market_statement=query.market_statement,
        reply_key=query.reply_key,
        attachments=attached_messages(query.attachments),
    )


def _decode_query(message: exchange_pb2.Query) -> Query:
    at_most(len(message.codes), limits.CODES_PER_QUERY_MAX, "codes")
    return Query(
        codes=tuple(CodeAsked(key=code.key, scan=code.scan) for code in message.codes),
        items=ITEMS.ascending(message.items),
        legal_basis=BASES.value(message.legal_basis),
        purpose=PURPOSES.value(message.purpose),
        necessity=text(message.necessity, limits.NECESSITY_CHARACTERS_MAX, "the necessity", lines=True),
        handling=HANDLING.value(message.handling),
        urgency=URGENCIES.value(message.urgency),
        reference=text(message.reference, limits.REFERENCE_CHARACTERS_MAX, "the reference"),
        reply_key=exactly(message.reply_key, XWING_PUBLIC_BYTES, "a reply key"),
        market_statement=text(message.market_statement, limits.MARKET_STATEMENT_CHARACTERS_MAX, "the market statement"),
        attachments=read_attached(message.attachments),
    )


def _answer_message(answer: Answer) -> exchange_pb2.Answer:
    return exchange_pb2.Answer(
        results=[_result_message(result) for result in answer.results],
        automation=AUTOMATIONS.number(answer.automation),
        final=answer.final,
        handling=HANDLING.number(answer.handling),
        text=answer.text,
        industry_consulted=answer.industry_consulted,
        attachments=attached_messages(answer.attachments),
    )


def _decode_answer(message: exchange_pb2.Answer) -> Answer:
    at_most(len(message.results), limits.CODES_PER_QUERY_MAX, "results")
    return Answer(
        results=tuple(_decode_result(result) for result in message.results),
        automation=AUTOMATIONS.value(message.automation),
        final=message.final,
        handling=HANDLING.value(message.handling),
        text=text(message.text, limits.TEXT_CHARACTERS_MAX, "the text", lines=True),
        industry_consulted=message.industry_consulted,
        attachments=read_attached(message.attachments),
    )


def _result_message(result: CodeResult) -> exchange_pb2.CodeResult:
    message = exchange_pb2.CodeResult(
        key=result.key,
        outcome=OUTCOMES.number(result.outcome),
        refusal=REFUSALS.number(result.refusal) if result.refusal is not None else exchange_pb2.REFUSAL_UNSPECIFIED,
        status=STATUSES.numbers(result.status),
        complete_as_of=result.complete_as_of or 0,
        items=[_item_message(item) for item in result.items],
    )
    if result.last_known is not None:
        message.last_known.CopyFrom(
            exchange_pb2.LastKnown(
                time=result.last_known.time,
                place=result.last_known.place,
                country=result.last_known.country,
                event=result.last_known.event,
                planned=result.last_known.planned,
            )
        )
    return message


def _decode_result(message: exchange_pb2.CodeResult) -> CodeResult:
    at_most(len(message.items), len(ITEMS_ALL), "items")
    return CodeResult(
        key=text(message.key, limits.KEY_CHARACTERS_MAX, "a code"),
        outcome=OUTCOMES.value(message.outcome),
        refusal=REFUSALS.value(message.refusal) if message.refusal else None,
        status=STATUSES.ascending(message.status),
        last_known=_decode_last_known(message.last_known) if message.HasField("last_known") else None,
        complete_as_of=seconds(message.complete_as_of) or None,
        items=tuple(_decode_item(item) for item in message.items),
    )


def _decode_last_known(message: exchange_pb2.LastKnown) -> LastKnown:
    words = limits.VALUE_CHARACTERS_MAX
    return LastKnown(
        time=seconds(message.time),
        place=text(message.place, words, "a place"),
        country=text(message.country, 2, "a country"),
        event=text(message.event, words, "an event"),
        planned=message.planned,
    )


def _item_message(item: ItemAnswer) -> exchange_pb2.ItemAnswer:
    return exchange_pb2.ItemAnswer(
        item=ITEMS.number(item.item),
        state=STATES.number(item.state),
        records=[
            exchange_pb2.Record(
                fields=[exchange_pb2.Field(name=field.name, value=field.value) for field in record.fields],
                planned=record.planned,
            )
            for record in item.records
        ],
    )


def _decode_item(message: exchange_pb2.ItemAnswer) -> ItemAnswer:
    at_most(sum(len(record.fields) for record in message.records), limits.VALUES_PER_ITEM_MAX, "fields")
    at_most(len(message.records), limits.VALUES_PER_ITEM_MAX, "records")
    return ItemAnswer(
        item=ITEMS.value(message.item),
        state=STATES.value(message.state),
        records=tuple(
            Record(fields=tuple(_decode_field(field) for field in record.fields), planned=record.planned)
            for record in message.records
        ),
    )


def _decode_field(message: exchange_pb2.Field) -> Field:
    name = FIELDS.get(message.name)
    if name is None:
        raise Malformed("a field has a name that this version does not know")
    return Field(name=name, value=message.value)


ITEMS_ALL: Final = tuple(Item)
