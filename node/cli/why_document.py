"""The shape of `gsp why --json`: coded words, with the words for people beside them."""

from __future__ import annotations

from node.cli.output import Document, rfc3339
from node.cli.why_words import SHORT, WAITS, advice, next_words, problem_words, step_words, summary
from node.use_cases.why_values import Explanation, WhyLine


def explanation_document(explanation: Explanation, *, now: float) -> Document:
    """Why a query stands where it stands."""
    return {
        "id": explanation.message_id.hex(),
        "side": explanation.side,
        "peer": explanation.peer,
        "peer_name": explanation.peer_name,
        "situation": explanation.situation,
        "deadline": rfc3339(explanation.deadline),
        "problem": explanation.problem or None,
        "problem_words": problem_words(explanation.problem) if explanation.problem else None,
        "said": explanation.said or None,
        "attempts": explanation.attempts,
        "next_attempt": rfc3339(explanation.next_attempt) if explanation.next_attempt else None,
        "ahead": explanation.ahead,
        "automation": explanation.automation,
        "clock_offset_ms": explanation.seen.offset_ms,
        "words": {
            "state": SHORT[explanation.situation],
            "summary": summary(explanation, now=now),
            "waits_for": WAITS[explanation.situation],
            "next": next_words(explanation, now=now),
            "you_can": advice(explanation),
        },
        "timeline": [line_document(line) for line in explanation.lines],
    }


def line_document(line: WhyLine) -> Document:
    """One line of the timeline."""
    event = line.event
    return {
        "kind": line.kind,
        "id": event.message_id.hex(),
        "step": event.step,
        "reason": event.reason or None,
        "first": rfc3339(event.first),
        "last": rfc3339(event.last),
        "count": event.count,
        "clock_offset_ms": event.offset_ms,
        "words": step_words(line),
    }
