"""Why a message stands where it stands, and how other Parties' nodes do: what the desk tells of it, as values.

The words for people are in `node.cli.why_words` and `node.cli.peer_words`; nothing of what was asked or answered is in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from federation.delivery.direction import Direction
from federation.delivery.outbox import Outgoing
from federation.delivery.timeline import TimelineEvent
from federation.envelope.header import MessageKind
from federation.identity import MessageId, PartyId
from federation.ports import PeerSeen
from federation.query.codes import Automation
from federation.trust.roster import Status


class Situation(StrEnum):
    """Where a query and its answer stand, to an officer. Each asks for another step, or for none."""

    QUEUED = "queued"
    """On its way; no try has failed."""
    UNREACHABLE = "unreachable"
    REFUSING = "refusing"
    UNKNOWING = "unknowing"
    BUSY = "busy"
    OWN = "own"
    """The five kinds of `Trouble`: it is on its way, and the last try failed like this."""

    HELD = "held"
    """The other node refused it for good; it is not tried again before a person says so."""
    GIVEN_UP = "given-up"
    """A person gave it up: it is never sent."""

    WAITING = "waiting"
    """Delivered; the answer is to come."""
    IN_PART = "in-part"
    """Answered in part; more was promised."""
    LATE = "late"
    """Delivered, and the deadline passed without a final answer."""
    NEVER_DELIVERED = "never-delivered"
    """The deadline passed before it could be delivered: nobody there has seen it."""
    ANSWERED = "answered"
    REFUSED = "refused"
    """Answered: the Party refuses, over its signature."""
    DOES_NOT_KNOW = "does-not-know"
    """Answered: the Party says that it does not know the codes, over its signature."""

    TO_ANSWER = "to-answer"
    """Received; this Party has to answer."""
    OVERDUE = "overdue"
    """Received, and this Party did not answer in time."""
    ANSWER_DELIVERED = "answer-delivered"
    """This Party's answer is there."""
    ANSWER_UNDELIVERED = "answer-undelivered"
    """This Party's answer left the outbox without a receipt."""

    NOT_TAKEN = "not-taken"
    """It came and is what it says, and this node failed over it: it has no receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyLine:
    """One line of the timeline of a query and its answers."""

    kind: MessageKind
    event: TimelineEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a query stands where it stands. Times are Unix seconds, 0 where there is none.

    Attributes:
        message_id: of the query.
        side: SENT when it was asked here, RECEIVED when it came.
        peer_name: in words.
        problem: error code of the last try to deliver the query, or here its answer; empty when none failed.
        attempts, next_attempt: of what is on its way.
        said: what the other node said when it refused for good, or where this node failed over what came; empty otherwise.
        ahead: messages that were put into the outbox for that Party before it.
        automation: what the policy here says of a query that came and is not answered; None otherwise.
        seen: what was last seen of the other Party's node.
        lines: what happened, in its order.
    """

    message_id: MessageId
    side: Direction
    peer: PartyId
    peer_name: str
    situation: Situation
    deadline: int
    problem: str = ""
    attempts: int = 0
    next_attempt: float = 0.0
    said: str = ""
    ahead: int = 0
    automation: Automation | None = None
    seen: PeerSeen
    lines: tuple[WhyLine, ...]


class Weather(StrEnum):
    """The worst that there is to say of a peer, from fair to foul."""

    FAIR = "fair"
    """There is nothing to say."""
    NEVER_MET = "never-met"
    """Nothing was exchanged with it yet."""
    CLOCK = "clock"
    """One of the two clocks is off."""
    CERTIFICATE = "certificate"
    """Its certificate is about to end, or has ended."""
    TROUBLE = "trouble"
    """It is there, and refuses or cannot do what was asked of it last."""
    UNREACHABLE = "unreachable"
    """Calls of ours are not answered."""
    SUSPENDED = "suspended"
    """Nothing is exchanged with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerView:
    """One Party that has a node, with what this node has seen of it.

    Attributes:
        name: of the Party, in words.
        node: DNS name of its node.
        endpoint: where the directory says that it listens.
        waiting: messages that wait for it here, and the oldest of them, since when; 0 when none does.
        rows: the first of them, when this Party alone was asked for.
    """

    party: PartyId
    name: str
    node: str
    endpoint: str
    status: Status
    weather: Weather
    seen: PeerSeen
    waiting: int
    waiting_since: int
    rows: tuple[Outgoing, ...] = ()
