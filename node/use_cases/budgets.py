"""How much one Party may ask of this node: messages in a second, bytes in a day, room on the disk, and messages that wait for it.

Whoever is over a budget is told to come again later, which its outbox does. Nothing is lost by it, and no other Party waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

from federation import limits
from federation.errors import Overloaded
from federation.identity import PartyId
from federation.ports import ArrivalStore, Crossing
from node import limits as node_limits
from node.use_cases.desk_values import Check, Health


class Bucket:
    """A rate and a burst above it for each Party: one number each, the time at which everything granted would be used up."""

    def __init__(self, *, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._ahead_s = burst / per_s
        self._used_up_at: dict[PartyId, float] = {}

    def take(self, party: PartyId, amount: float) -> bool:
        """Take so much off the Party's budget; whether it was there."""
        now = asyncio.get_running_loop().time()
        used_up_at = max(self._used_up_at.get(party, now), now) + amount / self._per_s
        if used_up_at - now > self._ahead_s:
            return False
        self._used_up_at[party] = used_up_at
        return True


class Budgets:
    """Every Party's, on the loop's time; what lies on the disk is counted when the node starts and with every message."""

    def __init__(self, kept: Mapping[PartyId, int], arrivals: ArrivalStore) -> None:
        self._kept = Counter(kept)
        self._arrivals = arrivals
        self._spare: dict[PartyId, int] = {}
        self._messages = Bucket(per_s=node_limits.MESSAGES_PER_PARTY_PER_S, burst=limits.OUTBOX_PER_PARTY_MAX)
        self._bytes = Bucket(per_s=node_limits.BYTES_PER_PARTY_PER_DAY / 86_400, burst=node_limits.BYTES_PER_PARTY_PER_DAY)

    @classmethod
    async def load(cls, arrivals: ArrivalStore) -> Budgets:
        """With what every Party has on the disk."""
        return cls(await arrivals.kept_bytes(), arrivals)

    def require(self, party: PartyId, size: int) -> None:
        """One more message of a Party, of that size.

        Raises:
            Overloaded: one of its budgets is used up.
        """
        if self._kept[party] + size > node_limits.BYTES_KEPT_PER_PARTY_MAX:
            raise Overloaded(
                "this node keeps no more messages of your Party: their room is used up",
                hint="its operator has to decide; the message waits in your outbox until then",
            )
        if not self._messages.take(party, 1):
            raise Overloaded("too many messages of your Party in a short time", hint="the node sends the rest by itself, later")
        if not self._bytes.take(party, size):
            raise Overloaded("your Party's share of a day is used up", hint="the node sends the rest by itself, later")

    def keep(self, crossing: Crossing) -> None:
        """A message of a Party was written down."""
        self._kept[crossing.peer] += kept_size(crossing)

    async def require_room_for(self, party: PartyId) -> None:
        """One more message that waits for a Party.

        Raises:
            Overloaded: too many wait for it.
        """
        spare = self._spare.get(party, 0)
        if spare == 0:
            spare = min(limits.OUTBOX_PER_PARTY_MAX - await self._arrivals.queued(party), limits.OUTBOX_COUNTED_EVERY)
        self._spare[party] = max(spare - 1, 0)
        if spare <= 0:
            raise Overloaded(
                f"{limits.OUTBOX_PER_PARTY_MAX} messages wait for {party} already",
                hint="ask again when its node is back; `gsp outbox list` shows what waits",
            )

    def check(self) -> Check:
        """What `gsp doctor` says of the room on the disk."""
        name = "room for each Party"
        limit = node_limits.BYTES_KEPT_PER_PARTY_MAX
        full = {party: kept for party, kept in self._kept.items() if kept > limit * node_limits.KEPT_WARNED}
        if not full:
            return Check(name=name, health=Health.GOOD, words="no Party's messages take up more than their share of the disk")
        words = ", ".join(f"{party} has used {100 * kept // limit} % of its room" for party, kept in sorted(full.items()))
        hint = "at 100 % nothing more is taken from that Party: ask it why it sends so much"
        return Check(name=name, health=Health.WARNING, words=words, hint=hint)


def kept_size(crossing: Crossing) -> int:
    """About what a received message takes up for ever: its content, sealed."""
    return len(crossing.statement) + len(crossing.statement_signature) + len(crossing.salt) + len(crossing.body)
