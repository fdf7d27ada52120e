"""The shape of `--json`: one function for each value that a verb shows. The user guide describes these shapes, so they only grow.

Ids are 32 hexadecimal digits, times are RFC 3339 in UTC, coded words are the words of `federation.query` and `federation.uim`.
"""

from __future__ import annotations

from typing import Any

from federation.delivery.outbox import Outgoing
from federation.ports import AskedQuery, ReceivedQuery
from federation.query.answer import Answer, CodeResult, LastKnown
from federation.query.items import TITLES, ItemAnswer
from federation.query.query import Query
from federation.uim.confusable import Suggestion
from federation.uim.scan import Key
from node.cli.output import Document, rfc3339
from node.cli.why_document import explanation_document
from node.use_cases.desk_values import AnswerView, Check, InboxView, QueryView, RankedParty, Resolution


def resolution_document(resolution: Resolution) -> Document:
    """A scan and who may be able to answer."""
    return {
        "scan": resolution.scan.raw,
        "keys": [_key(key) for key in resolution.scan.keys],
        "qualifiers": list(resolution.scan.qualifiers),
        "parties": [_ranked(ranked) for ranked in resolution.parties],
    }


def suggestion_document(one: Suggestion) -> Document:
    """A similar code that fits a pattern."""
    return {"key": _key(one.key), "party": one.party, "pattern_id": one.pattern_id, "change": one.change}


def query_document(query: Query) -> Document:
    """What was asked. The reply key is the node's."""
    return {
        "codes": [{"key": code.key, "scan": code.scan} for code in query.codes],
        "items": sorted(query.items),
        "legal_basis": query.legal_basis,
        "purpose": query.purpose,
        "necessity": query.necessity,
        "handling": query.handling,
        "urgency": query.urgency,
        "reference": query.reference,
        "market_statement": query.market_statement,
    }


def asked_document(asked: AskedQuery) -> Document:
    """One row of `gsp queries`."""
    return {
        "id": asked.message_id.hex(),
        "peer": asked.peer,
        "state": asked.state,
        "problem": asked.problem or None,
        "officer_id": asked.officer_id,
        "created": rfc3339(asked.created),
        "deadline": rfc3339(asked.deadline),
        "changed": rfc3339(asked.changed),
        "codes": asked.codes,
        "reference": asked.reference,
        "answer_ids": [answer.hex() for answer in asked.answer_ids],
    }


def query_view_document(view: QueryView, *, now: float) -> Document:
    """One asked query with everything there is to say of it."""
    return {
        **asked_document(view.asked),
        "peer_name": view.peer_name,
        "directory_stale": view.directory_stale,
        "peer_standing": sorted(view.peer_standing),
        "query": query_document(view.query),
        "outgoing": _outgoing(view.outgoing) if view.outgoing is not None else None,
        "why": explanation_document(view.why, now=now) if view.why is not None else None,
        "answers": [_answer_view(answer) for answer in view.answers],
    }


def received_document(received: ReceivedQuery) -> Document:
    """One row of `gsp inbox`."""
    return {
        "id": received.message_id.hex(),
        "peer": received.peer,
        "state": received.state,
        "officer_id": received.officer_id,
        "received": rfc3339(received.received),
        "deadline": rfc3339(received.deadline),
        "changed": rfc3339(received.changed),
        "codes": received.codes,
        "answer_id": received.answer_id.hex() if received.answer_id is not None else None,
    }


def inbox_view_document(view: InboxView) -> Document:
    """One received query with the draft of its answer."""
    return {
        **received_document(view.received),
        "peer_name": view.peer_name,
        "peer_standing": sorted(view.peer_standing),
        "query": query_document(view.query),
        "automation": view.automation,
        "draft": answer_document(view.draft),
    }


def answer_document(answer: Answer) -> Document:
    """What a Party says. `gsp answer --file` reads the same shape."""
    return {
        "automation": answer.automation,
        "final": answer.final,
        "handling": answer.handling,
        "text": answer.text,
        "industry_consulted": answer.industry_consulted,
        "results": [_result(result) for result in answer.results],
    }


def check_document(check: Check) -> Document:
    """One thing that was looked at."""
    return {"name": check.name, "health": check.health, "words": check.words, "hint": check.hint}


def _key(key: Key) -> dict[str, Any]:
    return {"text": key.text, "form": key.form}


def _ranked(ranked: RankedParty) -> dict[str, Any]:
    candidate = ranked.candidate
    return {
        "party": candidate.party,
        "party_name": ranked.party_name,
        "membership": ranked.membership,
        "responder": ranked.responder,
        "responder_name": ranked.responder_name,
        "standing": sorted(ranked.standing),
        "responder_standing": sorted(ranked.responder_standing),
        "answered_by": candidate.answered_by,
        "published_by": candidate.published_by,
        "pattern_id": candidate.pattern_id,
        "label": candidate.label,
        "key": _key(candidate.key),
        "level": candidate.level,
        "names_issuer": candidate.names_issuer,
        "score": candidate.score,
        "reasons": [{"code": reason.code, "points": reason.points, "words": reason.words} for reason in candidate.reasons],
        "facts": [{"item": fact.item, "name": fact.name, "value": fact.value} for fact in candidate.facts],
    }


def _outgoing(outgoing: Outgoing) -> dict[str, Any]:
    return {
        "lane": outgoing.lane,
        "attempts": outgoing.attempts,
        "next_attempt": rfc3339(outgoing.next_attempt),
        "problem": outgoing.problem or None,
        "held_since": rfc3339(outgoing.held_since) if outgoing.held_since else None,
        "reason": outgoing.reason or None,
    }


def _answer_view(view: AnswerView) -> dict[str, Any]:
    return {
        "id": view.message_id.hex(),
        "sender": view.sender,
        "officer_id": view.officer_id,
        "received": rfc3339(view.received),
        "answer": answer_document(view.answer),
    }


def _result(result: CodeResult) -> dict[str, Any]:
    return {
        "key": result.key,
        "outcome": result.outcome,
        "refusal": result.refusal,
        "status": sorted(result.status),
        "last_known": _last_known(result.last_known) if result.last_known is not None else None,
        "complete_as_of": rfc3339(result.complete_as_of) if result.complete_as_of is not None else None,
        "items": [_item(item) for item in result.items],
    }


def _last_known(known: LastKnown) -> dict[str, Any]:
    return {
        "time": rfc3339(known.time),
        "place": known.place,
        "country": known.country,
        "event": known.event,
        "planned": known.planned,
    }


def _item(item: ItemAnswer) -> dict[str, Any]:
    return {
        "item": item.item,
        "title": TITLES[item.item],
        "state": item.state,
        "records": [
            {"planned": record.planned, "fields": [{"name": field.name, "value": field.value} for field in record.fields]}
            for record in item.records
        ],
    }
