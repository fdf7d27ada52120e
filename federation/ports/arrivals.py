"""What a node remembers of what came in, beside the messages themselves: how far each lane was seen, what it failed over, how much
there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from federation.delivery.lanes import LaneTrack
from federation.identity import MessageId, PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """A message that is what it says, and over which this node failed. It has no receipt.

    Attributes:
        digest: of the envelope that came last.
        reason: where it failed, for the operator; no content and no person is in it.
        version: the program that failed; another one may do better.
        since: Unix seconds of the first time.
        times: how often it came.
    """

    peer: PartyId
    message_id: MessageId
    digest: bytes
    reason: str
    version: str
    since: int
    times: int


class ArrivalStore(Protocol):
    """Written through `ExchangeStore.commit` alone. Same durability and trust."""

    async def tracks(self) -> tuple[LaneTrack, ...]:
        """What was seen of each lane of each peer."""

    async def poison(self, peer: PartyId, message_id: MessageId) -> Poison | None:
        """What is known of a message over which this node failed, or None."""

    async def poisons(self, *, rows: int) -> tuple[Poison, ...]:
        """Messages over which this node failed, the longest known first."""

    async def kept_bytes(self) -> Mapping[PartyId, int]:
        """About how many bytes the content of each Party's messages takes up."""

    async def queued(self, peer: PartyId) -> int:
        """How many messages wait for the peer, those that are held included."""
