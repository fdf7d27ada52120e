"""What a node keeps so that its officers see why, the timelines of messages and what it last saw of each peer; and peers' prekeys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from federation.delivery.direction import Direction
from federation.delivery.timeline import TimelineEvent
from federation.identity import MessageId, PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSeen:
    """What this node last saw of another Party's node: for people's eyes, and for no rule. Times are Unix seconds, 0 where
    there is none.

    Attributes:
        reached: when a call of ours was last answered.
        heard: when a call of theirs last came.
        failures: calls of ours in a row that nobody answered; the first of them at `failing_since`.
        problem: the error code with which the last call of ours ended; empty when it ended well.
        round_trips_ms: of the last calls of ours that were answered, the newest last.
        offset_ms: how far the other clock was ahead at `offset_at`; None when it was never told.
        certificate_ends: when the TLS certificate ends that it had at `certificate_seen`.
        version: of its program; empty when it never said.
    """

    party: PartyId
    reached: int = 0
    heard: int = 0
    failures: int = 0
    failing_since: int = 0
    problem: str = ""
    round_trips_ms: tuple[int, ...] = ()
    offset_ms: int | None = None
    offset_at: int = 0
    certificate_ends: int = 0
    certificate_seen: int = 0
    version: str = ""


class TimelineStore(Protocol):
    """The timelines of messages; written through `ExchangeStore.commit` alone. Same durability and trust: whoever controls it can make
    officers believe another history, and changes neither the journal nor a receipt.
    """

    async def events(self, direction: Direction, message_id: MessageId) -> tuple[TimelineEvent, ...]:
        """The lines of one message, by their first time, then in the order of steps, then of reasons."""

    async def matching(self, prefix: str, *, rows: int) -> tuple[tuple[Direction, MessageId], ...]:
        """Messages in the records whose id begins with these hexadecimal digits, sent ones first, then by id, at most so many.
        Raises InvalidInput.
        """


class PeerStore(Protocol):
    """What was last seen of the peers. Durable on return and repeatable. Losing it loses memories and nothing else."""

    async def peers(self) -> tuple[PeerSeen, ...]:
        """All of them, by Party."""

    async def put_peers(self, peers: Sequence[PeerSeen]) -> None:
        """Put each in the place of what was kept of that Party."""

    async def bundles(self) -> tuple[bytes, ...]:
        """The signed prekey bundles of peers that were kept, by Party."""

    async def put_bundles(self, bundles: Mapping[PartyId, bytes]) -> None:
        """Put each in the place of the one that was kept of that Party; empty bytes remove it."""
