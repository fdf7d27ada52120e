"""When to send, and when to send again: values and rules, no socket and no timer.

An outgoing message is written down before its first byte leaves and stays until the peer's receipt is here. Within one sealing
every retry sends identical bytes; when the key it was sealed to is no longer offered, the node seals the same statement again.

A peer that says nothing, one that says "not now", and one that refuses are three things. The first two are tried again. What a peer
refused for good is held until a person decides: the same bytes would be refused again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from federation import limits
from federation.envelope.header import Lane, MessageKind
from federation.errors import (
    FederationError,
    OperatorMistake,
    PeerMisbehaviour,
    Unauthentic,
    UnknownParty,
    Unprocessable,
    Unreachable,
)
from federation.identity import MessageId, PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message on its way to one Party.

    Attributes:
        sealed_until: Unix seconds up to which the stored envelope may be sent as it is; 0 when it was never sealed because no
            key of the peer was known yet.
        deadline: Unix seconds after which it is no longer sent.
        attempts: how often it was tried.
        next_attempt: Unix seconds of the next try.
        problem: why the last try failed, as an error code, or empty.
        conversation: what goes out in the order in which it was put; None when the message stands alone.
        held_since: Unix seconds since which it is held because the peer refused it for good; 0 while it is on its way.
        reason: what the peer said then, for people.
    """

    message_id: MessageId
    peer: PartyId
    kind: MessageKind
    lane: Lane
    created: int
    deadline: int
    sealed_until: int
    attempts: int
    next_attempt: float
    problem: str
    conversation: MessageId | None = None
    held_since: int = 0
    reason: str = ""


class Verdict(StrEnum):
    """What a try that failed says of the next one."""

    SILENT = "silent"
    """Nobody answered: the peer is away, whatever the message."""
    LATER = "later"
    """The peer is there, or the trouble is our own, and it passes: a clock, a disk, a budget, a directory that is behind."""
    REFUSED = "refused"
    """The peer will say the same of the same message for ever."""


def verdict_on(error: FederationError) -> Verdict:
    """What to make of an error with which a peer answered a delivery.

    `Unauthentic` passes: it is a clock that is wrong or a key that is gone, and the next sealing mends the second. A Party that the
    peer does not know is one of which its directory will tell.
    """
    if isinstance(error, Unreachable):
        return Verdict.SILENT
    if isinstance(error, Unauthentic | UnknownParty):
        return Verdict.LATER
    return Verdict.REFUSED if isinstance(error, PeerMisbehaviour | OperatorMistake | Unprocessable) else Verdict.LATER


def held(outgoing: Outgoing, error: FederationError, *, now: int) -> Outgoing:
    """A message that was refused for good: it waits for a person, and for nobody else."""
    return replace(outgoing, attempts=outgoing.attempts + 1, problem=error.code, held_since=now, reason=error.message)


def released(outgoing: Outgoing, *, now: float) -> Outgoing:
    """A message that a person sends once more; what was said of it before is in its timeline."""
    return replace(outgoing, held_since=0, reason="", problem="", next_attempt=now)


def in_order(waiting: Iterable[Outgoing]) -> Iterator[Outgoing]:
    """Of messages to one peer, in the order in which they were put, those that may go now: what is held delays nothing, and nothing
    overtakes an earlier message of its conversation.
    """
    begun: set[MessageId] = set()
    for outgoing in waiting:
        if outgoing.held_since or outgoing.conversation in begun:
            continue
        if outgoing.conversation is not None:
            begun.add(outgoing.conversation)
        yield outgoing


def after_failure(outgoing: Outgoing, *, now: float, problem: str, jitter: float) -> Outgoing:
    """Back off: doubling from RETRY_S_MIN to RETRY_S_MAX, spread by `jitter` in [0, 1) so that peers do not retry in step."""
    delay = min(limits.RETRY_S_MAX, limits.RETRY_S_MIN * 2.0 ** min(outgoing.attempts, 16))
    return replace(
        outgoing,
        attempts=outgoing.attempts + 1,
        next_attempt=now + delay * (0.5 + jitter / 2),
        problem=problem,
    )


def is_power_of_two(attempts: int) -> bool:
    """At these tries something costly is done that rarely helps: often at first, and seldom in the long run."""
    return attempts.bit_count() == 1


def is_over(outgoing: Outgoing, *, now: float) -> bool:
    """A query whose deadline has passed is not sent any more; an answer is sent as long as evidence is kept."""
    if outgoing.kind is MessageKind.QUERY:
        return now > outgoing.deadline
    return now > outgoing.created + limits.RETENTION_S


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneHead:
    """The last envelope sent to a peer in a lane: the next one carries sequence + 1 and this digest."""

    peer: PartyId
    lane: Lane
    sequence: int
    digest: bytes
