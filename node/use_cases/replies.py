"""Whether an answer is one to what was asked."""

from __future__ import annotations

from federation.boundary.messages import Opened
from federation.errors import Forbidden
from federation.ports import AskedQuery
from federation.query.answer import Answer, check_answers
from federation.query.codes import Automation
from federation.query.query import Query
from federation.wire.query import decode_body


def check_reply(opened: Opened, asked: AskedQuery, body: bytes) -> Answer:
    """See that an answer is from the Party that was asked, to this query, about its codes.

    Raises:
        Forbidden: it is not.
    """
    statement, answer = opened.statement, opened.content
    query, _ = decode_body(body)
    expected = (asked.peer, asked.message_id, asked.message_id)
    if (statement.sender, statement.in_reply_to, statement.conversation) != expected:
        raise Forbidden("an answer from a Party that was not asked")
    if not isinstance(answer, Answer) or not isinstance(query, Query):
        raise Forbidden("this is no answer to a query")
    check_answers(query, answer)
    if (answer.automation is Automation.AUTOMATIC) != (opened.officer is None):
        raise Forbidden("an automatic answer stands on a policy, and every other on an officer")
    return answer
