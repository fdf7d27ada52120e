"""What a message of a conversation has to be, beside what every message has to be: a reply to what was asked, and a query."""

from __future__ import annotations

from federation.boundary.messages import Opened, statement_hash
from federation.delivery.replay import ReplayMark
from federation.errors import Forbidden, Misuse
from federation.ports import AskedQuery
from federation.query.answer import Answer, check_answers
from federation.query.codes import Automation
from federation.query.query import Query


def check_reply(opened: Opened, asked: AskedQuery, query: Query | Answer) -> Answer:
    """See that an answer is from the Party that was asked, to this query, about its codes; `query` is what our record of it says.

    Raises:
        Forbidden: it is not.
    """
    statement, answer = opened.statement, opened.content
    expected = (asked.peer, asked.message_id, asked.message_id)
    if (statement.sender, statement.in_reply_to, statement.conversation) != expected:
        raise Forbidden("an answer from a Party that was not asked")
    if not isinstance(answer, Answer) or not isinstance(query, Query):
        raise Forbidden("this is no answer to a query")
    check_answers(query, answer)
    if (answer.automation is Automation.AUTOMATIC) != (opened.officer is None):
        raise Forbidden("an automatic answer stands on a policy, and every other on an officer")
    return answer


def replay_mark(opened: Opened) -> ReplayMark:
    """What is remembered of a message for the whole retention."""
    return ReplayMark(
        sender=opened.statement.sender,
        message_id=opened.statement.message_id,
        statement_hash=statement_hash(opened.inner.statement),
    )


def query_of(content: Query | Answer) -> Query:
    """The query in a body whose kind was checked before."""
    if not isinstance(content, Query):
        raise Misuse("the record of a query holds something else")
    return content
