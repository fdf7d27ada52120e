"""The part of the exchange store in memory that is about other nodes' accounts."""

from __future__ import annotations

from dataclasses import replace

from federation import limits
from federation.delivery.receipt import SignedReceipt
from federation.errors import PeerMisbehaviour
from federation.evidence.account import Crossed, Way, day_of
from federation.evidence.journal import Leaf
from federation.identity import MessageId, PartyId
from federation.ports import Alarm, ComparedDay, Crossing, Difference, Direction, Reconciled, ReconcileStore, Standing
from federation.trust import merkle
from federation.wire.envelope import decode_header, decode_statement
from tests.support.faults import Faults, may_fail

EMPTY = ComparedDay(day=0, compared=0, agreed=False, sent=0, they_have=0, received=0, they_sent=0)


class MemoryReconcile(ReconcileStore):
    faults: Faults
    _crossings: dict[tuple[Direction, MessageId], Crossing]
    _leaves: list[Leaf]

    def __init__(self) -> None:
        self._unsorted: dict[tuple[Direction, MessageId], None] = {}
        self._unproved: dict[MessageId, None] = {}
        self._tally: dict[tuple[PartyId, int, Way], dict[MessageId, Crossed]] = {}
        self._days: dict[PartyId, dict[int, ComparedDay]] = {}
        self._open: dict[PartyId, dict[int, None]] = {}
        self._standings: dict[PartyId, Standing] = {}
        self._differences: dict[PartyId, dict[tuple[MessageId, str], Difference]] = {}
        self._alarms: dict[PartyId, dict[tuple[int, int, str], Alarm]] = {}

    def _note_crossing(self, crossing: Crossing) -> None:
        self._unsorted[crossing.direction, crossing.message_id] = None
        if crossing.direction is Direction.SENT and crossing.receipt is not None:
            self._unproved[crossing.message_id] = None

    @may_fail
    async def sort_crossings(self, *, rows: int) -> int:
        page = list(self._unsorted)[:rows]
        for place in page:
            del self._unsorted[place]
            crossing = self._crossings.get(place)
            if crossing is not None and crossing.header:
                self._sort(crossing)
        return len(page)

    def _sort(self, crossing: Crossing) -> None:
        try:
            day = day_of(decode_statement(crossing.statement).created)
            commitment = decode_header(crossing.header).commitment
        except PeerMisbehaviour:
            return
        way = Way(crossing.direction)
        receipted = way is Way.RECEIVED or crossing.receipt is not None
        entry = Crossed(message_id=crossing.message_id, commitment=commitment, receipted=receipted)
        entries = self._tally.setdefault((crossing.peer, day, way), {})
        if entries.get(crossing.message_id) != entry:
            entries[crossing.message_id] = entry
            known = self._days.get(crossing.peer, {}).get(day, EMPTY)
            self._put_day(crossing.peer, replace(known, day=day, agreed=False))

    def _put_day(self, peer: PartyId, one: ComparedDay) -> None:
        self._days.setdefault(peer, {})[one.day] = one
        waiting = self._open.setdefault(peer, {})
        if one.agreed:
            waiting.pop(one.day, None)
        else:
            waiting[one.day] = None
        self._put_standing(self._standings.get(peer, Standing(peer=peer)))

    def _put_standing(self, standing: Standing) -> None:
        oldest = min(self._open.get(standing.peer, ()), default=None)
        self._standings[standing.peer] = standing if standing.open_day == oldest else replace(standing, open_day=oldest)

    @may_fail
    async def tallied(self, peer: PartyId, day: int, way: Way, *, after: bytes, rows: int) -> tuple[Crossed, ...]:
        entries = self._tally.get((peer, day, way), {})
        return tuple(entries[one] for one in sorted(entries) if one > after)[:rows]

    @may_fail
    async def open_days(self, peer: PartyId, *, since: int, before: int, rows: int) -> tuple[int, ...]:
        days = [self._days[peer][day] for day in self._open.get(peer, {}) if since <= day < before]
        return tuple(one.day for one in sorted(days, key=lambda one: (one.compared, one.day)))[:rows]

    @may_fail
    async def unproved(self, peer: PartyId, *, rows: int) -> tuple[tuple[MessageId, SignedReceipt], ...]:
        found = []
        for message_id in sorted(self._unproved):
            crossing = self._crossings[Direction.SENT, message_id]
            if crossing.peer == peer and crossing.receipt is not None:
                found.append((message_id, crossing.receipt))
        return tuple(found[:rows])

    @may_fail
    async def head(self, size: int) -> bytes:
        if not 0 < size <= len(self._leaves):
            return b""
        root = self._leaves[size - 1].hash()
        for sibling in self._tree.inclusion(size - 1, size):  # type: ignore[attr-defined]  # of the class that it is mixed into
            root = merkle.node_hash(sibling, root)
        return root

    @may_fail
    async def standings(self) -> tuple[Standing, ...]:
        return tuple(self._standings[peer] for peer in sorted(self._standings))

    @may_fail
    async def findings(self, peer: PartyId) -> tuple[tuple[ComparedDay, ...], tuple[Difference, ...], tuple[Alarm, ...]]:
        rows = limits.FINDINGS_ROWS_MAX
        days = [one for one in self._days.get(peer, {}).values() if one.compared]
        differences = self._differences.get(peer, {}).values()
        alarms = self._alarms.get(peer, {}).values()
        return (
            tuple(sorted(days, key=lambda one: -one.day)[:rows]),
            tuple(sorted(differences, key=lambda one: (one.healed > 0, -one.found, one.message_id, one.kind))[:rows]),
            tuple(sorted(alarms, key=lambda one: (-one.found, one.epoch, one.size))[:rows]),
        )

    def _put_reconciled(self, one: Reconciled) -> None:
        peer = one.standing.peer
        self._put_standing(one.standing)
        for known in tuple(self._days.get(peer, {}).values()) if one.reopen_all else ():
            self._put_day(peer, replace(known, agreed=False))
        for day in one.days:
            self._put_day(peer, day)
        for message_id in one.proved:
            self._unproved.pop(message_id, None)
        differences = self._differences.setdefault(peer, {})
        for each in one.differences:
            place = (each.message_id, str(each.kind))
            known = differences.get(place)
            differences[place] = replace(known, healed=each.healed) if known is not None else each
        alarms = self._alarms.setdefault(peer, {})
        for alarm in one.alarms:
            alarms.setdefault((alarm.epoch, alarm.size, str(alarm.judgement)), alarm)
