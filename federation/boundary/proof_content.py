"""What a proof file discloses of one message: nothing, the signed statement, or everything that was sealed.

The whole is what the header of the envelope is committed to, and that header is what the other side receipted. A statement without
its body opens no commitment: what holds it is the officer's signature alone. So it says what that officer signed under this message
id, and the report says that it does not show whether the envelope held it. A policy signs nothing: without its body, its statement
shows nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from federation.boundary.messages import SignedStatement, body_digest, check_statement, read_officer, signed_at
from federation.envelope import seal
from federation.envelope.header import Header, MessageKind, Statement
from federation.envelope.seal import Inner
from federation.errors import Forbidden, Malformed, Unauthentic
from federation.evidence.bundle import CrossingProof
from federation.query.answer import Answer
from federation.query.query import Query
from federation.trust.certificate import Officer
from federation.trust.roster import Roster
from federation.wire.envelope import decode_statement
from federation.wire.query import decode_body


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedContent:
    """What was disclosed of a message.

    Attributes:
        content: what the header was committed to; None when only the officer's signed statement is disclosed.
        officer: None when a policy spoke.
        ca_revoked: the Party has taken back the CA of the officer's certificate since.
    """

    statement: Statement
    content: Query | Answer | None
    officer: Officer | None
    ca_revoked: bool = False


def read_content(one: CrossingProof, header: Header, roster: Roster, *, received_at: int | None) -> CheckedContent | None:
    """What was disclosed; None when nothing was.

    Args:
        one: the message.
        header: its header.
        roster: the directory of the proof.
        received_at: Unix seconds by the receiver's clock, when there is a receipt.

    Raises:
        Unauthentic, Forbidden, Malformed: it is not that message's, or nobody's.
    """
    if one.certificate:
        return _statement_alone(one, header, roster, received_at)
    if not (one.salt or one.statement or one.statement_signature or one.body):
        return None
    inner = Inner(statement=one.statement, statement_signature=one.statement_signature, salt=one.salt, body=one.body)
    if not compare_digest(seal.body_commitment(inner), header.commitment):
        raise Unauthentic("the disclosed content is not what the receipted header is committed to")
    statement = decode_statement(inner.statement)
    if not compare_digest(body_digest(inner.body), statement.body_digest):
        raise Unauthentic("the disclosed body is not the one that the statement names")
    check_statement(statement, header)
    content, certificate = decode_body(inner.body)
    if isinstance(content, Query) != (statement.kind is MessageKind.QUERY):
        raise Forbidden("a disclosed statement is of another kind than its body")
    signed = SignedStatement(raw=one.statement, signature=one.statement_signature, certificate=certificate)
    officer, revoked = _officer(statement, signed, roster, received_at)
    return CheckedContent(statement=statement, content=content, officer=officer, ca_revoked=revoked)


def _statement_alone(one: CrossingProof, header: Header, roster: Roster, received_at: int | None) -> CheckedContent:
    if one.salt or one.body:
        raise Malformed("a certificate stands beside a body that has its own")
    statement = decode_statement(one.statement)
    check_statement(statement, header)
    if statement.officer_id is None:
        raise Forbidden("the statement of a policy, which signs nothing, stands without its body")
    signed = SignedStatement(raw=one.statement, signature=one.statement_signature, certificate=one.certificate)
    officer, revoked = _officer(statement, signed, roster, received_at)
    return CheckedContent(statement=statement, content=None, officer=officer, ca_revoked=revoked)


def _officer(
    statement: Statement, signed: SignedStatement, roster: Roster, received_at: int | None
) -> tuple[Officer | None, bool]:
    """The officer, under any CA that the Party ever had; and whether that one counts no more."""
    # Held against the receiver's time, when there is a receipt: a statement can be dated back, a receipt of somebody else cannot.
    at = signed_at(statement, arrived=received_at) if received_at is not None else statement.created
    record = roster.party(statement.sender)
    try:
        return read_officer(statement, signed, roster=roster, cas=record.standing_cas, at=at), False
    except Unauthentic:
        if len(record.standing_cas) == len(record.cas):
            raise
    former = tuple(one.der for one in record.cas if one.der not in record.standing_cas)
    return read_officer(statement, signed, roster=roster, cas=former, at=at), True
