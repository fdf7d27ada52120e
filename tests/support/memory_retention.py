"""The part of the exchange store in memory that is about the end of retention."""

from __future__ import annotations

from federation.delivery.attachment import Place, Spooled
from federation.delivery.outbox import Outgoing
from federation.delivery.replay import ReplayMark
from federation.evidence.account import Crossed, Way, day_of
from federation.evidence.journal import Epoch, Leaf
from federation.identity import MessageId, PartyId
from federation.ports import (
    AskedQuery,
    ComparedDay,
    Crossing,
    Difference,
    Direction,
    Expired,
    ReceivedQuery,
    RetentionStore,
    Standing,
)
from federation.wire.evidence import decode_record
from node.store.retention import DAYS_LATER, DAYS_PER_STEP
from tests.support.faults import Faults, may_fail


class MemoryRetention(RetentionStore):
    faults: Faults
    _crossings: dict[tuple[Direction, MessageId], Crossing]
    _outgoing: dict[MessageId, tuple[int, Outgoing]]
    _asked: dict[MessageId, AskedQuery]
    _received: dict[MessageId, ReceivedQuery]
    _marks: dict[tuple[PartyId, MessageId], ReplayMark]
    _leaves: list[Leaf]
    _epochs: list[Epoch]
    _tally: dict[tuple[PartyId, int, Way], dict[MessageId, Crossed]]
    _days: dict[PartyId, dict[int, ComparedDay]]
    _open: dict[PartyId, dict[int, None]]
    _standings: dict[PartyId, Standing]
    _differences: dict[PartyId, dict[tuple[MessageId, str], Difference]]
    _unproved: dict[MessageId, None]
    _attachments: dict[Place, Spooled]

    def __init__(self) -> None:
        self._erased: set[int] = set()
        self._erased_up_to = 0

    @may_fail
    async def expired(self, *, before: int, rows: int) -> Expired:
        crossings = sorted(
            (one.at, number, place)
            for number, (place, one) in enumerate(self._crossings.items())
            if one.at < before and (place[0] is Direction.RECEIVED or place[1] not in self._outgoing)
        )
        asked = sorted((one.created, one.message_id) for one in self._asked.values() if one.created < before)
        received = sorted((one.received, one.message_id) for one in self._received.values() if one.received < before)
        cutoff = day_of(before) - DAYS_LATER
        days = sorted((day, peer) for peer, known in self._days.items() for day in known if day < cutoff)
        leaves = self._erased_up_to
        while leaves < min(len(self._leaves), self._erased_up_to + rows):
            if leaves not in self._erased and decode_record(self._leaves[leaves].content).at >= before:
                break
            leaves += 1
        return Expired(
            crossings=tuple((Way(direction), message_id) for _, _, (direction, message_id) in crossings[:rows]),
            asked=tuple(message_id for _, message_id in asked[:rows]),
            received=tuple(message_id for _, message_id in received[:rows]),
            days=tuple((peer, day) for day, peer in days[:DAYS_PER_STEP]),
            leaves=leaves,
            records=leaves - self._erased_up_to,
        )

    def _erase_files(self, expired: Expired) -> None:
        gone = {(Direction(way), message_id) for way, message_id in expired.crossings}
        for place in [place for place in self._attachments if (place.direction, place.message_id) in gone]:
            del self._attachments[place]

    def _erase(self, expired: Expired) -> None:
        self._erase_files(expired)
        for way, message_id in expired.crossings:
            gone = self._crossings.pop((Direction(way), message_id), None)
            if gone is not None and way is Way.RECEIVED:
                self._marks.pop((gone.peer, message_id), None)
            if way is Way.SENT:
                self._unproved.pop(message_id, None)
        for message_id in expired.asked:
            self._asked.pop(message_id, None)
        for message_id in expired.received:
            self._received.pop(message_id, None)
        for peer, day in expired.days:
            self._days[peer].pop(day, None)
            self._open[peer].pop(day, None)
            self._put_standing(self._standings[peer])
            for way in Way:
                self._tally.pop((peer, day, way), None)
            known = self._differences.get(peer, {})
            self._differences[peer] = {place: one for place, one in known.items() if one.day != day}
        begins = {epoch.first for epoch in self._epochs[1:]}
        self._erased |= set(range(self._erased_up_to, expired.leaves)) - begins
        self._erased_up_to = max(self._erased_up_to, expired.leaves)
