"""What an officer's program looks at before it signs: that the exact bytes say what the officer meant, and nothing else.

The node prepares the bytes, because it knows ids, times and keys; but the signature is the officer's, so the node is not believed.
Whatever it may choose freely (the message id, the reply key, the filler) says nothing in the officer's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hmac import compare_digest

from federation import limits
from federation.boundary.messages import body_digest
from federation.envelope.attachment import FileFacts
from federation.envelope.header import MessageKind, Statement
from federation.errors import FederationError, Unauthentic
from federation.identity import MessageId
from federation.ports import ReceivedQuery
from federation.query.answer import Answer
from federation.query.codes import LegalBasis
from federation.query.query import Query
from federation.trust import keys
from federation.trust.certificate import certificate_hash
from federation.wire.envelope import decode_statement
from federation.wire.query import decode_body
from node.cli.profile import Profile
from node.use_cases.desk_values import Prepared, Question

_HINT = "nothing was signed or sent; tell the administrator, and compare the versions of node and program with `gsp doctor`"


def sign_query(
    prepared: Prepared, *, question: Question, profile: Profile, now: float, attached: Sequence[FileFacts] = ()
) -> bytes:
    """Sign a prepared query that asks exactly this question.

    Args:
        prepared: from the node.
        question: what the officer wants to ask.
        profile: whose key signs.
        now: Unix seconds by this machine's clock.
        attached: the files that go with it, as they were read here.

    Raises:
        Unauthentic: the bytes say something else.
    """
    statement, content = _read(prepared, profile)
    _require(_names(content, attached), "other files go with it than you attached")
    _require(isinstance(content, Query) and _asks(content, question), "the query says something else than what you asked")
    _require(statement.kind is MessageKind.QUERY, "it is no query")
    _require(statement.recipient == question.party, f"it goes to {statement.recipient} instead of {question.party}")
    _require(statement.conversation == prepared.message_id, "it belongs to another conversation")
    _require(abs(statement.deadline - now - question.deadline_s) <= limits.CLOCK_TOLERANCE_S, "it has another deadline")
    return _sign(prepared, statement, profile, now)


def sign_answer(
    prepared: Prepared,
    *,
    answer: Answer,
    received: ReceivedQuery,
    profile: Profile,
    now: float,
    attached: Sequence[FileFacts] = (),
) -> bytes:
    """Sign a prepared answer that says exactly this, to exactly this query.

    Args:
        prepared: from the node.
        answer: what the officer wants to say.
        received: the query that is answered.
        profile: whose key signs.
        now: Unix seconds by this machine's clock.
        attached: the files that go with it, as they were read here.

    Raises:
        Unauthentic: the bytes say something else.
    """
    statement, content = _read(prepared, profile)
    _require(_names(content, attached), "other files go with it than you attached")
    _require(replace(content, attachments=()) == answer, "the answer says something else than what you wrote")
    _require(statement.kind is MessageKind.ANSWER, "it is no answer")
    _require(statement.recipient == received.peer, f"it goes to {statement.recipient} instead of {received.peer}")
    _require(_answers(statement, received.message_id), "it answers another query")
    _require(statement.deadline == received.deadline, "it has another deadline than its query")
    return _sign(prepared, statement, profile, now)


def _read(prepared: Prepared, profile: Profile) -> tuple[Statement, Query | Answer]:
    """What stands in both kinds: who speaks, for which Party, over which body."""
    try:
        statement = decode_statement(prepared.statement)
        content, certificate = decode_body(prepared.body)
    except FederationError as error:
        raise _refused(f"it does not parse: {error.message}") from error
    _require(statement.message_id == prepared.message_id, "it has another id")
    _require(statement.sender == profile.officer.party, f"it speaks for {statement.sender}")
    _require(statement.officer_id == profile.officer.officer_id, "it names another officer")
    _require(compare_digest(statement.certificate_hash, certificate_hash(profile.certificate)), "it names another certificate")
    _require(compare_digest(certificate, profile.certificate), "it carries another certificate")
    _require(compare_digest(statement.body_digest, body_digest(prepared.body)), "the statement is about another body")
    return statement, content


def _names(content: Query | Answer, attached: Sequence[FileFacts]) -> bool:
    """Ids and keys are the node's to choose; what a file is, and its hash, are what the officer signs."""
    return [one.facts for one in content.attachments] == list(attached)


def _asks(query: Query, question: Question) -> bool:
    said = (
        query.codes,
        query.items,
        query.purpose,
        query.necessity,
        query.handling,
        query.urgency,
        query.reference,
        query.market_statement,
    )
    meant = (
        question.codes,
        question.items,
        question.purpose,
        question.necessity,
        question.handling,
        question.urgency,
        question.reference,
        question.market_statement,
    )
    return said == meant and query.legal_basis is LegalBasis.ARTICLE_8_9


def _answers(statement: Statement, query: MessageId) -> bool:
    return (statement.in_reply_to, statement.conversation) == (query, query)


def _sign(prepared: Prepared, statement: Statement, profile: Profile, now: float) -> bytes:
    _require(abs(statement.created - now) <= limits.CLOCK_TOLERANCE_S, "its time is not now: one of the clocks is wrong")
    return profile.signer.sign(keys.officer_message(prepared.statement))


def _require(holds: bool, words: str) -> None:
    if not holds:
        raise _refused(words)


def _refused(words: str) -> Unauthentic:
    return Unauthentic(f"the node prepared something that was not asked for: {words}", hint=_HINT)
