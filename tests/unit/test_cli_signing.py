"""What an officer's program refuses to sign: anything that the node prepared and the officer did not mean."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from federation import limits
from federation.envelope.header import MessageKind
from federation.errors import Unauthentic
from federation.identity import message_id
from federation.query.codes import HandlingCode, Purpose, Urgency
from federation.query.items import Item
from federation.query.query import CodeAsked
from federation.trust import keys
from federation.wire.query import decode_body, encode_answer_body, encode_query_body
from node.cli.profile import read_profile
from node.cli.signing import sign_answer, sign_query
from node.use_cases.desk_values import Question
from tests.support import pki
from tests.support.fake_desk import CODE_OF_QN, QN, QO, FakeDesk
from tests.support.officers import officer_profile
from tests.support.rpc import SetClock

QUESTION = Question(
    party=QN,
    codes=(CodeAsked(key=CODE_OF_QN, scan="]J125S" + CODE_OF_QN),),
    items=frozenset({Item.A, Item.F}),
    purpose=Purpose.DETECTION,
    necessity="A lorry was stopped.",
    handling=HandlingCode.H1,
    urgency=Urgency.NORMAL,
    reference="CASE-7",
    deadline_s=86_400,
)


@pytest.fixture
def profile(tmp_path):
    return read_profile(officer_profile(tmp_path / "profile"))


@pytest.fixture
def desk():
    return FakeDesk(clock=SetClock(float(pki.NOW)))


def prepared_query(desk, profile, question=QUESTION):
    return asyncio.run(desk.prepare_query(profile.officer, profile.certificate, question))


def prepared_answer(desk, profile, view):
    identifier = view.received.message_id
    return asyncio.run(desk.prepare_answer(profile.officer, profile.certificate, identifier, view.draft))


def received(desk):
    return desk.inbox_rows[desk.receive()]


def test_what_was_meant_is_signed(desk, profile):
    prepared = prepared_query(desk, profile)
    signature = sign_query(prepared, question=QUESTION, profile=profile, now=pki.NOW)
    keys.verify(public_key=pki.officer_key(), message=keys.officer_message(prepared.statement), signature=signature)


def test_an_answer_that_was_meant_is_signed(desk, profile):
    view = received(desk)
    prepared = prepared_answer(desk, profile, view)
    signature = sign_answer(prepared, answer=view.draft, received=view.received, profile=profile, now=pki.NOW)
    keys.verify(public_key=pki.officer_key(), message=keys.officer_message(prepared.statement), signature=signature)


def statement_with(**changes):
    return lambda statement, body: (replace(statement, **changes), body)


def query_with(**changes):
    def lie(statement, body):
        query, certificate = decode_body(body)
        return statement, encode_query_body(replace(query, **changes), certificate=certificate)

    return lie


def certificate_of_another(statement, body):
    query, _ = decode_body(body)
    return statement, encode_query_body(query, certificate=pki.officer_certificate(pki.officer(officer_id="zzzzzzzz")))


LIES = {
    "the code": query_with(codes=(CodeAsked(key="LEQN1a7Kd93XzP02", scan=""),)),
    "the items": query_with(items=frozenset(Item)),
    "the purpose": query_with(purpose=Purpose.INVESTIGATION),
    "the necessity": query_with(necessity="Curiosity."),
    "the handling": query_with(handling=HandlingCode.H0),
    "the urgency": query_with(urgency=Urgency.URGENT),
    "the reference": query_with(reference="CASE-8"),
    "the market statement": query_with(market_statement="Sales only allowed in QN"),
    "the certificate": certificate_of_another,
    "the recipient": statement_with(recipient=QO),
    "the sender": statement_with(sender=QO),
    "the officer": statement_with(officer_id="zzzzzzzz"),
    "the certificate's hash": statement_with(certificate_hash=bytes(32)),
    "the body's digest": statement_with(body_digest=bytes(32)),
    "the conversation": statement_with(conversation=message_id(bytes(16))),
    "the time": statement_with(created=pki.NOW - limits.CLOCK_TOLERANCE_S - 1),
    "the deadline": statement_with(deadline=pki.NOW + 90 * 86_400),
    "the kind": statement_with(kind=MessageKind.ANSWER, in_reply_to=message_id(bytes(16))),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_node_that_changes_the_query_gets_no_signature(desk, profile, lie):
    desk.lie = LIES[lie]
    prepared = prepared_query(desk, profile)
    with pytest.raises(Unauthentic, match="prepared something that was not asked for") as caught:
        sign_query(prepared, question=QUESTION, profile=profile, now=pki.NOW)
    assert "nothing was signed" in caught.value.hint


def test_a_body_that_is_an_answer_is_not_signed_as_a_query(desk, profile):
    view = received(desk)
    desk.lie = lambda statement, _: (statement, encode_answer_body(view.draft, certificate=profile.certificate))
    with pytest.raises(Unauthentic, match="something else than what you asked"):
        sign_query(prepared_query(desk, profile), question=QUESTION, profile=profile, now=pki.NOW)


def test_bytes_that_do_not_parse_are_not_signed(desk, profile):
    prepared = replace(prepared_query(desk, profile), statement=b"sign here, please")
    with pytest.raises(Unauthentic, match="does not parse"):
        sign_query(prepared, question=QUESTION, profile=profile, now=pki.NOW)


def test_a_statement_under_another_id_is_not_signed(desk, profile):
    prepared = replace(prepared_query(desk, profile), message_id=message_id(bytes(16)))
    with pytest.raises(Unauthentic, match="another id"):
        sign_query(prepared, question=QUESTION, profile=profile, now=pki.NOW)


ANSWER_LIES = {
    "the recipient": statement_with(recipient=QO),
    "the query": statement_with(in_reply_to=message_id(bytes(16))),
    "the conversation": statement_with(conversation=message_id(bytes(16))),
    "the deadline": statement_with(deadline=pki.NOW),
    "the officer": statement_with(officer_id="zzzzzzzz"),
    "the time": statement_with(created=pki.NOW + limits.CLOCK_TOLERANCE_S + 1),
}


@pytest.mark.parametrize("lie", ANSWER_LIES)
def test_a_node_that_changes_the_answer_gets_no_signature(desk, profile, lie):
    view = received(desk)
    desk.lie = ANSWER_LIES[lie]
    prepared = prepared_answer(desk, profile, view)
    with pytest.raises(Unauthentic, match="prepared something that was not asked for"):
        sign_answer(prepared, answer=view.draft, received=view.received, profile=profile, now=pki.NOW)


def test_other_words_in_the_answer_are_not_signed(desk, profile):
    view = received(desk)
    prepared = prepared_answer(desk, profile, view)
    meant = replace(view.draft, text="Handle with care.")
    with pytest.raises(Unauthentic, match="something else than what you wrote"):
        sign_answer(prepared, answer=meant, received=view.received, profile=profile, now=pki.NOW)


def test_a_query_is_not_signed_as_an_answer(desk, profile):
    view = received(desk)
    with pytest.raises(Unauthentic):
        sign_answer(prepared_query(desk, profile), answer=view.draft, received=view.received, profile=profile, now=pki.NOW)
