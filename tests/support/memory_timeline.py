"""Timelines and what was seen of peers, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from federation.delivery.timeline import Step, folded, ids_from, in_order
from federation.identity import MessageId, PartyId
from federation.ports import Change, Direction, PeerSeen, PeerStore, TimelineEvent, TimelineStore
from tests.support.faults import Faults, may_fail


class MemoryTimeline(TimelineStore, PeerStore):
    def __init__(self, faults: Faults, crossings: Collection[tuple[Direction, MessageId]]) -> None:
        self.faults = faults
        self._crossings = crossings
        self._events: dict[tuple[Direction, MessageId], dict[tuple[Step, str], TimelineEvent]] = {}
        self._peers: dict[PartyId, PeerSeen] = {}
        self._bundles: dict[PartyId, bytes] = {}

    def copy(self, faults: Faults, crossings: Collection[tuple[Direction, MessageId]]) -> MemoryTimeline:
        """As a backup takes it."""
        copy = MemoryTimeline(faults, crossings)
        copy._events = {place: dict(lines) for place, lines in self._events.items()}
        copy._peers = dict(self._peers)
        copy._bundles = dict(self._bundles)
        return copy

    def tell(self, change: Change) -> None:
        """The lines of a change that is applied."""
        for message in change.events_erased:
            self._events.pop(message, None)
        for event in change.events:
            lines = self._events.setdefault((event.direction, event.message_id), {})
            known = lines.get((event.step, event.reason))
            lines[event.step, event.reason] = folded(known, event) if known is not None else event

    @may_fail
    async def events(self, direction: Direction, message_id: MessageId) -> tuple[TimelineEvent, ...]:
        return in_order(self._events.get((direction, message_id), {}).values())

    @may_fail
    async def matching(self, prefix: str, *, rows: int) -> tuple[tuple[Direction, MessageId], ...]:
        first, last = ids_from(prefix)
        found = sorted(place for place in self._crossings if first <= place[1] <= last)
        return tuple(sorted(found, key=lambda place: place[0], reverse=True)[:rows])

    @may_fail
    async def peers(self) -> tuple[PeerSeen, ...]:
        return tuple(self._peers[party] for party in sorted(self._peers))

    @may_fail
    async def put_peers(self, peers: Sequence[PeerSeen]) -> None:
        self._peers.update({seen.party: seen for seen in peers})

    @may_fail
    async def bundles(self) -> tuple[bytes, ...]:
        return tuple(self._bundles[party] for party in sorted(self._bundles) if self._bundles[party])

    @may_fail
    async def put_bundles(self, bundles: Mapping[PartyId, bytes]) -> None:
        self._bundles.update(bundles)
