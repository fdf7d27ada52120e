"""The life of a query at both ends, as two tables.

Theory of operation. The asking node moves a query by what happens to its envelope and by what comes back; the answering node by
what its policy or its officer does. Neither table knows about sockets, stores or clocks: an event goes in, the next state comes
out, and an event that the table does not list is refused. "Unreachable" is no state: a query that cannot be delivered stays
queued, and says so, until its deadline.

    asking:     queued ──receipt──► delivered ──answer──► answered        answering:  waiting ──decide──► answered
                   │                    │   └─partial──► delivered                       └──refuse──► refused
                   └──── deadline ──────┴──────────────► expired                         └─ deadline ► expired

An answer may overtake its receipt's processing, so a queued query accepts one. An answer after the deadline is still an answer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from federation.errors import Conflict


class AskedState(StrEnum):
    """Where a query stands at the node that asked it."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    EXPIRED = "expired"


class AskedEvent(StrEnum):
    """What can happen to it there."""

    RECEIPT = "receipt"
    PARTIAL_ANSWER = "partial-answer"
    FINAL_ANSWER = "final-answer"
    DEADLINE = "deadline"


class ReceivedState(StrEnum):
    """Where a query stands at the node that was asked."""

    WAITING = "waiting"
    ANSWERED = "answered"
    REFUSED = "refused"
    EXPIRED = "expired"


class ReceivedEvent(StrEnum):
    """What can happen to it there."""

    ANSWER = "answer"
    REFUSE = "refuse"
    DEADLINE = "deadline"


ASKED: Final[dict[tuple[AskedState, AskedEvent], AskedState]] = {
    (AskedState.QUEUED, AskedEvent.RECEIPT): AskedState.DELIVERED,
    (AskedState.QUEUED, AskedEvent.PARTIAL_ANSWER): AskedState.DELIVERED,
    (AskedState.QUEUED, AskedEvent.FINAL_ANSWER): AskedState.ANSWERED,
    (AskedState.QUEUED, AskedEvent.DEADLINE): AskedState.EXPIRED,
    (AskedState.DELIVERED, AskedEvent.RECEIPT): AskedState.DELIVERED,
    (AskedState.DELIVERED, AskedEvent.PARTIAL_ANSWER): AskedState.DELIVERED,
    (AskedState.DELIVERED, AskedEvent.FINAL_ANSWER): AskedState.ANSWERED,
    (AskedState.DELIVERED, AskedEvent.DEADLINE): AskedState.EXPIRED,
    (AskedState.ANSWERED, AskedEvent.RECEIPT): AskedState.ANSWERED,
    (AskedState.EXPIRED, AskedEvent.RECEIPT): AskedState.EXPIRED,
    (AskedState.EXPIRED, AskedEvent.PARTIAL_ANSWER): AskedState.EXPIRED,
    (AskedState.EXPIRED, AskedEvent.FINAL_ANSWER): AskedState.ANSWERED,
}

RECEIVED: Final[dict[tuple[ReceivedState, ReceivedEvent], ReceivedState]] = {
    (ReceivedState.WAITING, ReceivedEvent.ANSWER): ReceivedState.ANSWERED,
    (ReceivedState.WAITING, ReceivedEvent.REFUSE): ReceivedState.REFUSED,
    (ReceivedState.WAITING, ReceivedEvent.DEADLINE): ReceivedState.EXPIRED,
    (ReceivedState.EXPIRED, ReceivedEvent.ANSWER): ReceivedState.ANSWERED,
    (ReceivedState.EXPIRED, ReceivedEvent.REFUSE): ReceivedState.REFUSED,
}


OPEN_STATES: Final = frozenset({AskedState.QUEUED, AskedState.DELIVERED})
"""An asked query in these waits for an answer."""


def next_asked(state: AskedState, event: AskedEvent) -> AskedState:
    """The state of an asked query after the event.

    Raises:
        Conflict: the table has no such step.
    """
    try:
        return ASKED[state, event]
    except KeyError:
        raise Conflict(f"a query that is {state} takes no {event}") from None


def next_received(state: ReceivedState, event: ReceivedEvent) -> ReceivedState:
    """The state of a received query after the event.

    Raises:
        Conflict: the table has no such step.
    """
    try:
        return RECEIVED[state, event]
    except KeyError:
        raise Conflict(f"a query that is {state} takes no {event}", hint="`gsp inbox` shows what still waits") from None
