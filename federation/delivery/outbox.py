"""When to send, and when to send again: values and rules, no socket and no timer.

An outgoing message is written down before its first byte leaves and stays until the peer's receipt is here. Within one sealing
every retry sends identical bytes; when the key it was sealed to is no longer offered, the node seals the same statement again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from federation import limits
from federation.envelope.header import Lane, MessageKind
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


def after_failure(outgoing: Outgoing, *, now: float, problem: str, jitter: float) -> Outgoing:
    """Back off: doubling from RETRY_S_MIN to RETRY_S_MAX, spread by `jitter` in [0, 1) so that peers do not retry in step."""
    delay = min(limits.RETRY_S_MAX, limits.RETRY_S_MIN * 2.0 ** min(outgoing.attempts, 16))
    return replace(
        outgoing,
        attempts=outgoing.attempts + 1,
        next_attempt=now + delay * (0.5 + jitter / 2),
        problem=problem,
    )


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
