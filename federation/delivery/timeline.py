"""What happened to a message on its way, as an officer wants to hear it: few lines, however long the way was.

A line is told by the commit that it describes, so that neither is ever there without the other. Lines of one step for one reason fold
into one: the first time, the last time and how often; thirty days of tries at a node that is away are one line. So a message has at
most as many lines as there are steps and error codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from federation.delivery.direction import Direction
from federation.errors import InvalidInput
from federation.identity import MESSAGE_ID_BYTES, MessageId


class Step(StrEnum):
    """What can happen to a message, in the order in which it does when everything happens in one second."""

    QUEUED = "queued"
    """Of ours: written down, and no key of the other node is known to seal it to."""
    SEALED = "sealed"
    """Of ours: sealed and on its way. From the second time on: sealed anew, because the other node's key had ended."""
    TRIED = "tried"
    """Of ours: a try failed; the reason is its error code."""
    HELD = "held"
    """Of ours: the other node refused it for good; it waits for a person. The reason is the error code."""
    RELEASED = "released"
    """Of ours: a person sent it once more."""
    GIVEN_UP = "given-up"
    """Of ours: a person gave it up."""
    DELIVERED = "delivered"
    """Of ours: the other node's receipt is here."""
    RECEIVED = "received"
    """Of theirs: it came, and has its receipt."""
    REPEATED = "repeated"
    """Of theirs: it came again, sealed anew, and has its receipt again."""
    EXPIRED = "expired"
    """A query: its deadline passed and there was no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """One line of one message's timeline. Times are Unix seconds by this node's clock.

    Attributes:
        reason: an error code, where a try failed or a message is held; empty otherwise.
        first, last, count: when it happened first and last, and how often.
        offset_ms: how far the other node's clock was ahead when it happened last; None when nobody knew.
    """

    direction: Direction
    message_id: MessageId
    step: Step
    reason: str = ""
    first: int
    last: int
    count: int = 1
    offset_ms: int | None = None


def folded(known: TimelineEvent, newer: TimelineEvent) -> TimelineEvent:
    """Two lines that say the same as one. An offset that was known is kept until another one is."""
    offset = newer.offset_ms if newer.offset_ms is not None else known.offset_ms
    return replace(known, last=newer.last, count=known.count + newer.count, offset_ms=offset)


def in_order(events: Iterable[TimelineEvent]) -> tuple[TimelineEvent, ...]:
    """By their first time, then in the order of steps, then of reasons."""
    return tuple(sorted(events, key=lambda event: (event.first, _PLACES[event.step], event.reason)))


_PLACES: Final = {step: place for place, step in enumerate(Step)}
_HEX: Final = frozenset("0123456789abcdef")
PREFIX_CHARACTERS_MIN: Final = 4
"""Fewer characters of an id are a slip of the hand."""


def ids_from(prefix: str) -> tuple[bytes, bytes]:
    """The first and the last message id that begin with these hexadecimal digits.

    Raises:
        InvalidInput: these are none, too few or too many.
    """
    digits = prefix.lower()
    if not PREFIX_CHARACTERS_MIN <= len(digits) <= 2 * MESSAGE_ID_BYTES or not _HEX.issuperset(digits):
        raise InvalidInput(
            "this is not an id, nor the beginning of one",
            hint=f"copy at least {PREFIX_CHARACTERS_MIN} of the 32 characters that `gsp queries` or `gsp inbox` shows",
        )
    return bytes.fromhex(f"{digits:0<32}"), bytes.fromhex(f"{digits:f<32}")


class Trouble(StrEnum):
    """Four different things, and a fifth that is our own: they ask for different steps of the officer."""

    UNREACHABLE = "unreachable"
    """Nobody answers there. It is not known whether the other Party would."""
    REFUSING = "refusing"
    """The other node is there, and takes this message from nobody like us. That is no answer of the Party."""
    UNKNOWING = "unknowing"
    """One side does not know what it would have to: the directory names no node, or the node does not know such a message."""
    BUSY = "busy"
    """The other node is there, and cannot take it now."""
    OWN = "own"
    """Something is wrong at this end."""


TROUBLES: Final[dict[str, Trouble]] = {
    "unreachable": Trouble.UNREACHABLE,
    "peer-misbehaviour": Trouble.REFUSING,
    "unprocessable": Trouble.REFUSING,
    "malformed": Trouble.REFUSING,
    "oversized": Trouble.REFUSING,
    "unauthentic": Trouble.REFUSING,
    "unwitnessed": Trouble.REFUSING,
    "forbidden": Trouble.REFUSING,
    "replayed": Trouble.REFUSING,
    "conflict": Trouble.REFUSING,
    "invalid-input": Trouble.REFUSING,
    "invalid-scan": Trouble.REFUSING,
    "incompatible": Trouble.UNKNOWING,
    "unknown-party": Trouble.UNKNOWING,
    "not-found": Trouble.UNKNOWING,
    "unavailable": Trouble.BUSY,
    "store-unavailable": Trouble.BUSY,
    "stale": Trouble.BUSY,
    "overloaded": Trouble.BUSY,
    "deadline-passed": Trouble.BUSY,
    "internal": Trouble.OWN,
    "misuse": Trouble.OWN,
    "keys-unavailable": Trouble.OWN,
    "operator-mistake": Trouble.OWN,
    "invalid-configuration": Trouble.OWN,
}
"""Every code of the tree of errors (a test says so)."""


def trouble_of(code: str) -> Trouble:
    """What an error code is to the officer; a code of a later version is our own not to know."""
    return TROUBLES.get(code, Trouble.OWN)
