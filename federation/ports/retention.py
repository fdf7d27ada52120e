"""What ends with retention: contents and records go, the hashes of the journal stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from federation.evidence.account import Way
from federation.identity import MessageId, PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What one step of the sweep erases; a part of `Change`, so that it is one commit with the journal record of it.

    Attributes:
        crossings: messages with their content, receipt, and of what was received the replay mark.
        asked, received: queries.
        days: tallies and differences, by Party and day.
        leaves: salt and content of every record of the journal before this position, but of those that begin an epoch.
        records: how many of these records there are.
    """

    crossings: tuple[tuple[Way, MessageId], ...] = ()
    asked: tuple[MessageId, ...] = ()
    received: tuple[MessageId, ...] = ()
    days: tuple[tuple[PartyId, int], ...] = ()
    leaves: int = 0
    records: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to erase."""
        return not (self.crossings or self.asked or self.received or self.days or self.records)


class RetentionStore(Protocol):
    """What is old enough to be erased; erased through `ExchangeStore.commit` alone. Same durability and trust as that store."""

    async def expired(self, *, before: int, rows: int) -> Expired:
        """The oldest of what came, or went, before that time, at most so many of each kind. What still waits in the outbox stays, and
        so does every record of the journal behind the first one that is younger.
        """
