"""What the size of an answer tells on the wire: how many codes were asked, and nothing of what is known of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.envelope.seal import SALT_BYTES, Inner, pack_inner, sealed_size
from federation.errors import Malformed
from federation.identity import PartyId
from federation.query.answer import Answer, CodeResult, shortened
from federation.query.codes import Automation, HandlingCode, LegalBasis, Outcome, Purpose, Refusal, Urgency
from federation.query.items import ALL_ITEMS, Field, FieldName, Item, ItemState, Record, absent, provided
from federation.query.policy import Decision, Policy, decide
from federation.query.query import CodeAsked, Query
from federation.v1 import exchange_pb2
from federation.wire.query import (
    ANSWER_BYTES_MAX,
    ANSWER_STEP_BYTES,
    answer_bytes,
    decode_body,
    encode_answer_body,
    encode_query_body,
)
from node.use_cases.load_trace import load_trace
from node.use_cases.repository import Repository
from tests.support.memory_trace import MemoryTrace
from tests.unit.test_demo_data import NOW, PATTERNS, PLAN, data_of

CERTIFICATE = bytes(700)
"""About as long as an officer's certificate."""
CODES = (1, 2, 7, 100, 512, 1_000)


def answer(results: tuple[CodeResult, ...], **changes) -> Answer:
    made = Answer(
        results=results,
        automation=Automation.AUTOMATIC,
        final=True,
        handling=HandlingCode.H0,
        text="",
        industry_consulted=False,
    )
    return replace(made, **changes)


def record(*words: str) -> Record:
    return Record(fields=tuple(Field(FieldName.TEXT, word) for word in words))


def full(key: str) -> CodeResult:
    """All ten items with what a long chain gives: some five kilobytes."""
    items = tuple(provided(item, *[record("x" * 40, "y" * 40, "z" * 20)] * 4) for item in sorted(Item))
    return CodeResult(key=key, outcome=Outcome.FOUND, complete_as_of=NOW, items=items)


def scant(key: str) -> CodeResult:
    """Found, and nothing is recorded of it yet."""
    items = tuple(absent(item, ItemState.NOT_RECORDED_YET) for item in sorted(Item))
    return CodeResult(key=key, outcome=Outcome.FOUND, complete_as_of=NOW, items=items)


def missed(key: str) -> CodeResult:
    return CodeResult(key=key, outcome=Outcome.NEVER_ISSUED)


def refused(key: str) -> CodeResult:
    return CodeResult(key=key, outcome=Outcome.REFUSED, refusal=Refusal.NEEDS_MUTUAL_LEGAL_ASSISTANCE)


def keys(count: int) -> list[str]:
    return [f"QN{number:06}" for number in range(count)]


def ciphertext_bytes(body: bytes) -> int:
    """What can be seen of a body that a policy stands for, behind a statement of one size."""
    inner = Inner(statement=bytes(200), statement_signature=b"", salt=bytes(SALT_BYTES), body=body)
    return sealed_size(len(pack_inner(inner)))[1]


@pytest.mark.parametrize("count", CODES)
def test_hit_miss_and_refusal_have_one_size(count):
    kinds = [missed, refused, scant] + ([full] if count <= 500 else [])
    bodies = [encode_answer_body(answer(tuple(kind(key) for key in keys(count))), certificate=b"") for kind in kinds]

    assert len({len(body) for body in bodies}) == 1
    assert len({ciphertext_bytes(body) for body in bodies}) == 1


@pytest.mark.parametrize("count", CODES)
def test_the_size_is_a_whole_number_of_steps_or_the_largest_there_is(count):
    body = encode_answer_body(answer(tuple(missed(key) for key in keys(count))), certificate=CERTIFICATE)

    assert len(body) == min(count * ANSWER_STEP_BYTES, limits.BODY_BYTES_MAX)


def test_officers_words_do_not_show_either():
    sizes = {
        len(encode_answer_body(answer((missed("QN000001"),), text="a" * length), certificate=bytes(690 + length % 20)))
        for length in range(0, 1_000, 7)
    }

    assert sizes == {ANSWER_STEP_BYTES}


def test_every_length_can_be_filled_up_exactly():
    """Also where the length of the filler itself needs a byte more: at 128 and at 16,384 bytes."""
    for codes, lengths in ((1, range(5_800, 6_144)), (3, range(1_980, 2_100))):
        for length in lengths:
            text = "a" * min(length, limits.TEXT_CHARACTERS_MAX)
            said = answer(tuple(missed(key) for key in keys(codes)), text=text)
            body = encode_answer_body(said, certificate=bytes(length - len(text)))

            assert len(body) % (codes * ANSWER_STEP_BYTES) == 0
            assert decode_body(body)[0] == said


async def test_every_answer_of_the_demonstration_fits_into_one_step():
    largest = 0
    for party in PLAN.parties:
        data = data_of(party)
        store = MemoryTrace()
        await load_trace(store, data.filings())
        repository = Repository(store, [PATTERNS[party]])
        for key in data.showcases.values():
            said = await repository.answer(query([key]), Decision(automation=Automation.AUTOMATIC, withheld={}), now=NOW)
            given = [one for one in said.results[0].items if one.state is ItemState.PROVIDED]
            largest = max(largest, len(given))

            assert len(encode_answer_body(said, certificate=CERTIFICATE)) == ANSWER_STEP_BYTES

    assert largest == len(ALL_ITEMS)


def query(codes: list[str]) -> Query:
    return Query(
        codes=tuple(CodeAsked(key=key, scan="") for key in codes),
        items=ALL_ITEMS,
        legal_basis=LegalBasis.ARTICLE_8_9,
        purpose=Purpose.DETECTION,
        necessity="a container at the port",
        handling=HandlingCode.H0,
        urgency=Urgency.NORMAL,
        reference="",
        reply_key=bytes(1_216),
    )


# --- answers that are too long ---


def test_a_shortened_answer_keeps_the_latest_records_and_says_how_many_it_left_out():
    told = [record(f"movement {number}") for number in range(9)]
    items = tuple(provided(item, *told) if item is Item.H else absent(item, ItemState.NOT_HELD) for item in sorted(Item))
    said = answer((CodeResult(key="QN1", outcome=Outcome.FOUND, items=items),))

    once = shortened(said, records_max=4).results[0].items
    twice = shortened(shortened(said, records_max=4), records_max=1).results[0].items
    nothing = shortened(said, records_max=0).results[0].items

    assert shortened(said, records_max=9) == said
    assert once[7].records == (Record(fields=(Field(FieldName.OMITTED, "5"),)), *told[5:])
    assert twice[7].records == (Record(fields=(Field(FieldName.OMITTED, "8"),)), told[8])
    assert nothing[7].records == (Record(fields=(Field(FieldName.OMITTED, "9"),)),)
    assert [item for item in once if item.item is not Item.H] == [item for item in items if item.item is not Item.H]


async def test_the_end_of_a_history_is_told_where_not_all_of_it_fits(monkeypatch):
    monkeypatch.setattr("node.use_cases.repository.ANSWER_BYTES_MAX", 2_500)
    party = PartyId("qn")
    data = data_of(party)
    store = MemoryTrace()
    await load_trace(store, data.filings())
    repository = Repository(store, [PATTERNS[party]])

    said = await repository.answer(
        query([data.showcases["pack-sold"]]), Decision(automation=Automation.AUTOMATIC, withheld={}), now=NOW
    )

    items = said.results[0].items
    assert answer_bytes(said) <= 2_500
    assert all(item.state is ItemState.PROVIDED for item in items)
    assert any(item.records[0].first(FieldName.OMITTED) for item in items)


async def test_hit_or_no_hit_tells_nothing_but_that():
    party = PartyId("qn")
    data = data_of(party)
    store = MemoryTrace()
    await load_trace(store, data.filings())
    repository = Repository(store, [PATTERNS[party]])
    asked = replace(query([data.showcases["pack-sold"]]), items=frozenset())

    decision = decide(Policy(standard=Automation.AUTOMATIC), sender=PartyId("qm"), query=asked)
    (said,) = (await repository.answer(asked, decision, now=NOW)).results

    assert said.outcome is Outcome.FOUND
    assert (said.status, said.last_known) == (frozenset(), None)
    assert {item.state for item in said.items} == {ItemState.NOT_ASKED}


def test_one_thousand_answers_with_nothing_but_omissions_fit_into_one_envelope():
    omission = Record(fields=(Field(FieldName.OMITTED, "199"),))
    items = tuple(provided(item, omission) for item in sorted(Item))
    results = tuple(
        CodeResult(key=key.ljust(limits.KEY_CHARACTERS_MAX, "0"), outcome=Outcome.FOUND, items=items) for key in keys(1_000)
    )

    assert answer_bytes(answer(results)) <= ANSWER_BYTES_MAX


# --- fillers that are not ours ---


@pytest.mark.parametrize("filler", [[], [b"\0"], [bytes(10_000)], [b"", b""], [b"hidden"]])
def test_another_filler_is_refused(filler):
    message = exchange_pb2.Body.FromString(encode_answer_body(answer((missed("QN1"),)), certificate=b""))
    del message.filler[:]
    message.filler.extend(filler)

    with pytest.raises(Malformed, match="not filled up"):
        decode_body(message.SerializeToString(deterministic=True))


def test_a_query_with_a_filler_is_refused():
    message = exchange_pb2.Body.FromString(encode_query_body(query(["QN1"]), certificate=CERTIFICATE))
    message.filler.append(bytes(10))

    with pytest.raises(Malformed, match="not filled up"):
        decode_body(message.SerializeToString(deterministic=True))
