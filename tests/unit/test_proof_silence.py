"""Silence in a proof, and how much of what was sealed a proof shows: what each says, and that it says no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation.boundary.proof import ProofReport, check_proof, findings, refute
from federation.errors import Forbidden, InvalidInput, Malformed, PeerMisbehaviour, Unauthentic
from federation.evidence.bundle import Disclosure, Proof
from federation.identity import MessageId, PartyId
from federation.query.answer import Answer, CodeResult
from federation.query.codes import Outcome, Refusal
from federation.query.query import Query
from federation.wire.evidence import encode_proof
from tests.support import crossing
from tests.support.crossing import Conversation, a_query, an_answer
from tests.support.treaty import DAY, NOW, Treaty

QM, QN = PartyId("qm"), PartyId("qn")


@pytest.fixture(scope="module")
def treaty() -> Treaty:
    made = Treaty.make(seed=41)
    for party in ("qm", "qn", "qo"):
        made.admit(party)
    return made


@pytest.fixture(scope="module")
def talk(treaty) -> Conversation:
    return Conversation(treaty, treaty.parties[QM], treaty.parties[QN], by_hand=True)


@pytest.fixture(scope="module")
def silent(talk) -> Proof:
    """What a node exports that hides the answer which stands in its journal: nobody can see that from its file alone."""
    return talk.silence(talk.proof(talk.asking))


def check(treaty: Treaty, proof: Proof) -> ProofReport:
    return check_proof(encode_proof(proof), log_key=treaty.genesis.log_key, genesis_digest=treaty.genesis_digest)


# --- how much is shown ---


@pytest.mark.parametrize(
    ("disclose", "query", "answer"),
    [
        (Disclosure.NONE, None, None),
        (Disclosure.STATEMENTS, False, False),
        (Disclosure.QUERY, True, False),
        (Disclosure.ANSWERS, False, True),
        (Disclosure.ALL, True, True),
    ],
)
@pytest.mark.parametrize("exporter", ["asking", "answering"])
def test_a_proof_shows_what_its_maker_chose_and_no_more(treaty, talk, disclose, query, answer, exporter):
    raw = encode_proof(talk.proof(getattr(talk, exporter), disclose=disclose))
    report = check_proof(raw, log_key=treaty.genesis.log_key, genesis_digest=treaty.genesis_digest)

    for one, whole in zip(report.crossings, (query, answer), strict=True):
        assert (one.content is not None) == (whole is not None)
        if one.content is not None:
            assert (one.content.content is not None) == whole
            assert one.content.officer is not None
    assert (b"lorry" in raw) == bool(query)
    assert (talk.asking.officer.name.officer_id.encode() in raw) == (query is not None)


def test_a_refusal_is_proved_with_its_reason_and_without_the_question(treaty):
    parties = treaty.parties[QM], treaty.parties[QN]
    question = a_query()
    refused = tuple(
        CodeResult(key=code.key, outcome=Outcome.REFUSED, refusal=Refusal.ONGOING_INVESTIGATION, items=())
        for code in question.codes
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossing, "an_answer", lambda asked, **changes: an_answer(asked, results=refused, **changes))
        talk = Conversation(treaty, *parties, by_hand=True)
    raw = encode_proof(talk.proof(talk.answering, disclose=Disclosure.ANSWERS))
    report = check_proof(raw, log_key=treaty.genesis.log_key, genesis_digest=treaty.genesis_digest)

    assert b"lorry" not in raw
    found = findings(report)
    assert any("refuses 1 of 1 codes, for the reason ongoing-investigation" in sentence for sentence in found.proven)
    assert "What the query says." in found.not_disclosed
    answer = report.crossings[1].content
    assert answer is not None
    assert isinstance(answer.content, Answer)


def test_a_statement_alone_says_that_it_does_not_show_the_envelope(treaty, talk):
    found = findings(check(treaty, talk.proof(talk.asking, disclose=Disclosure.STATEMENTS)))

    assert "That the envelope of the query held the statement that the officer signed under its id." in found.not_proven
    assert "What the query says." in found.not_disclosed


def test_the_statement_of_a_policy_shows_nothing_without_its_body(treaty, talk):
    automatic = Conversation(treaty, treaty.parties[QM], treaty.parties[QN])
    proof = automatic.proof(automatic.asking, disclose=Disclosure.STATEMENTS)
    assert check(treaty, proof).crossings[1].content is None
    whole = automatic.proof(automatic.asking).crossings[1]
    certificate = talk.proof(talk.asking, disclose=Disclosure.STATEMENTS).crossings[1].certificate
    forged = replace(proof.crossings[1], statement=whole.statement, certificate=certificate)

    with pytest.raises(Forbidden, match="statement of a policy"):
        check(treaty, replace(proof, crossings=(proof.crossings[0], forged)))


@pytest.mark.parametrize("extra", ["salt", "body"])
def test_a_certificate_beside_a_body_is_refused(treaty, talk, extra):
    told, whole = talk.proof(talk.asking, disclose=Disclosure.STATEMENTS), talk.proof(talk.asking)
    changed = replace(told.crossings[0], **{extra: getattr(whole.crossings[0], extra)})

    with pytest.raises(Malformed, match="has its own"):
        check(treaty, replace(told, crossings=(changed, told.crossings[1])))


def test_a_statement_of_another_officer_is_refused(treaty, talk):
    told = talk.proof(talk.asking, disclose=Disclosure.STATEMENTS)
    query, answer = told.crossings

    for changed in (
        replace(query, certificate=answer.certificate),
        replace(query, statement_signature=answer.statement_signature),
        replace(query, statement=answer.statement, statement_signature=answer.statement_signature),
    ):
        with pytest.raises(PeerMisbehaviour):
            check(treaty, replace(told, crossings=(changed, answer)))


def test_an_answer_that_is_not_disclosed_is_not_said_to_answer(treaty, talk):
    found = findings(check(treaty, talk.proof(talk.asking, disclose=Disclosure.NONE)))

    assert any(sentence.startswith("That message 2 answers the query") for sentence in found.not_proven)


# --- silence ---


def test_silence_says_what_is_the_other_sides_word_and_what_only_its_makers(treaty, talk, silent):
    report = check(treaty, silent)
    found = findings(report)

    assert report.silence is not None
    assert report.silence.at == NOW + 8 * DAY
    asking, answering = talk.asking.name.dns, talk.answering.name.dns
    assert any(sentence.startswith(f"{answering} signed that it received the query") for sentence in found.proven)
    assert any("to be answered by 2027-" in sentence for sentence in found.proven)
    assert any(sentence.startswith(f"{asking} has bound itself") for sentence in found.proven)
    assert any(f"it is the word of {asking}, and nobody else has signed that journal" in one for one in found.not_proven)


def test_a_file_without_answers_and_without_the_word_says_nothing_of_silence(treaty, silent):
    found = findings(check(treaty, replace(silent, silence=None)))

    assert "That no answer came: this file holds none, and its maker says nothing of it." in found.not_proven
    assert not any("bound itself" in sentence for sentence in found.proven)


def test_the_deadline_is_not_proved_when_the_statement_is_not_shown(treaty, talk):
    report = check(treaty, talk.silence(talk.proof(talk.asking, disclose=Disclosure.NONE)))

    assert "By when an answer was wanted." in findings(report).not_disclosed


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": MessageId(bytes(16))},
        {"envelope_digest": bytes(32)},
        {"journal_size": 1},
        {"journal_root": bytes(32)},
        {"answers": (MessageId(b"x" * 16),)},
        {"at": NOW + 7 * DAY},
    ],
)
def test_silence_about_anything_else_is_refused(treaty, talk, silent, changes):
    with pytest.raises(PeerMisbehaviour):
        check(treaty, talk.silence(silent, **changes))


def test_silence_that_somebody_else_signed_is_refused(treaty, talk, silent):
    with pytest.raises(Unauthentic):
        check(treaty, talk.silence(silent, signer=talk.answering.signer))
    with pytest.raises(Forbidden, match="by the node that asked"):
        check(treaty, talk.silence(silent, exporter=talk.answering.name))


def test_only_the_asking_side_says_that_no_answer_came(treaty, talk):
    proof = talk.proof(talk.answering)
    journal = talk.journals[QN]
    changes = {"exporter": talk.answering.name, "journal_size": journal.frontier.size, "journal_root": journal.frontier.root()}

    with pytest.raises(Forbidden, match="by the node that asked"):
        check(treaty, talk.silence(proof, signer=talk.answering.signer, **changes))


def test_nobody_is_silent_who_was_not_reached(treaty, talk):
    with pytest.raises(Forbidden, match="has no receipt"):
        check(treaty, talk.silence(talk.proof(talk.asking, receipts=False)))


def test_the_last_answer_beside_the_word_that_it_did_not_come_is_refused(treaty, talk):
    proof = talk.proof(talk.asking)
    word = talk.silence(proof, answers=(talk.answer.statement.message_id,)).silence

    with pytest.raises(Forbidden, match="the last answer stands"):
        check(treaty, replace(proof, silence=word))


def test_partial_answers_are_told_beside_the_word_that_no_other_came(treaty):
    parties = treaty.parties[QM], treaty.parties[QN]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossing, "an_answer", lambda asked, **changes: an_answer(asked, final=False, **changes))
        talk = Conversation(treaty, *parties, by_hand=True)
    proof = talk.proof(talk.asking)
    word = talk.silence(proof, answers=(talk.answer.statement.message_id,)).silence

    report = check(treaty, replace(proof, silence=word))

    assert report.silence is not None
    found = findings(report)
    assert any("no other answer to the query than those in this file stands in its journal" in one for one in found.proven)
    assert any(one.startswith("That another answer was not sent") for one in found.not_proven)
    assert refute(report, check(treaty, talk.proof(talk.answering))).refuted == ()


def test_a_false_word_is_refuted_by_the_receipt_that_its_maker_signed(treaty, talk, silent):
    """The asking side has the answer, receipted it, and says that it has not."""
    report = check(treaty, silent)

    reply = refute(report, check(treaty, talk.proof(talk.answering, disclose=Disclosure.STATEMENTS)))

    assert [receipt.receiver for receipt in reply.refuted] == [talk.asking.name]
    assert reply.later == ()


def test_an_answer_after_the_word_refutes_nothing(treaty, talk, silent):
    """The word was about the journal of that moment, which held the query alone."""
    early = check(treaty, silent)
    assert early.silence is not None
    earlier = replace(early, silence=replace(early.silence, journal_size=1, at=NOW))

    reply = refute(earlier, check(treaty, talk.proof(talk.answering)))

    assert (len(reply.refuted), len(reply.later)) == (0, 1)


def test_what_shows_no_receipt_or_not_what_it_answers_refutes_nothing(treaty, talk, silent):
    report = check(treaty, silent)

    for other in (talk.proof(talk.answering, receipts=False), talk.proof(talk.answering, disclose=Disclosure.NONE)):
        reply = refute(report, check(treaty, other))
        assert (reply.refuted, reply.later) == ((), ())


def test_proofs_of_two_queries_have_nothing_to_say_to_each_other(treaty, talk, silent):
    report = check(treaty, silent)
    turned = Conversation(treaty, treaty.parties[QN], treaty.parties[QM], by_hand=True)

    with pytest.raises(InvalidInput, match="different queries"):
        refute(report, check(treaty, turned.proof(turned.asking)))
    with pytest.raises(InvalidInput, match="does not say"):
        refute(check(treaty, talk.proof(talk.asking)), report)


def test_the_disclosed_content_is_a_query(treaty, silent):
    content = check(treaty, silent).crossings[0].content
    assert content is not None
    assert isinstance(content.content, Query)
