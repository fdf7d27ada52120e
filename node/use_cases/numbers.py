"""The numbers of what came: every received message that is written down is counted in its lane, in the same commit.

What is odd is told to the operator, in words. It is a notice, not an accusation (`federation.delivery.lanes` says why), and it blocks
no message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from federation import limits
from federation.delivery.lanes import Arrival, LaneNotice, LaneTrack, Oddity, observed
from federation.evidence.journal import Position
from federation.identity import MessageId
from federation.ports import (
    ArrivalStore,
    AskedQuery,
    Change,
    Crossing,
    DecryptionKey,
    Direction,
    ExchangeStore,
    ReceivedQuery,
)
from federation.trust.chain import utc_text
from federation.wire.envelope import decode_header
from node.use_cases.budgets import Budgets
from node.use_cases.desk_values import Check, Health
from node.use_cases.world import World


class Numbers:
    """What was seen of every lane of every peer."""

    def __init__(self, tracks: Iterable[LaneTrack], world: World) -> None:
        self._world = world
        self._tracks = {(track.peer, track.lane): track for track in tracks}

    @classmethod
    async def load(cls, store: ArrivalStore, world: World) -> Numbers:
        """As they were written down."""
        return cls(await store.tracks(), world)

    def count(self, crossing: Crossing) -> LaneTrack:
        """Count a received message; gives its lane as it is to be written down. It never waits, so that no other one comes between."""
        header = decode_header(crossing.header)
        place = (crossing.peer, header.lane)
        track = self._tracks.get(place, LaneTrack(peer=crossing.peer, lane=header.lane))
        arrival = Arrival(sequence=header.sequence, previous=header.previous_digest, digest=crossing.digest)
        self._tracks[place] = observed(track, arrival, now=self._world.now())
        return self._tracks[place]

    def odd(self) -> tuple[tuple[LaneTrack, LaneNotice], ...]:
        """What is odd in which lane, by Party and lane. What has been missing for a few minutes only may be on its way."""
        before = self._world.now() - limits.NUMBER_MISSED_S
        return tuple(
            (track, notice)
            for _, track in sorted(self._tracks.items())
            for notice in track.notices
            if notice.oddity is not Oddity.MISSING or notice.since <= before
        )

    def check(self) -> Check:
        """What `gsp doctor` says of them."""
        name = "numbers of messages"
        odd = [words_of(track, notice) for track, notice in self.odd()]
        if not odd:
            return Check(name=name, health=Health.GOOD, words="every Party's messages came with no number left out")
        words = "; ".join(odd[: limits.NUMBERS_TOLD_MAX])
        more = f"; and {len(odd) - limits.NUMBERS_TOLD_MAX} more" if len(odd) > limits.NUMBERS_TOLD_MAX else ""
        return Check(name=name, health=Health.GOOD, words=words + more, hint=NUMBERS_HINT)


NUMBERS_HINT = (
    "no accusation: a number stays out when a message was sealed anew, was over before it went, or could not be written down; "
    "compare with that Party when it matters"
)


def words_of(track: LaneTrack, notice: LaneNotice) -> str:
    """For the operator."""
    lane = f"the {track.lane} lane of {track.peer}"
    many = notice.last > notice.first
    numbers = f"numbers {notice.first} to {notice.last}" if many else f"number {notice.first}"
    what = {
        Oddity.MISSING: f"{numbers} never came",
        Oddity.REPEATED: f"{numbers} came twice, with different content",
        Oddity.UNLINKED: f"{numbers} names another message before it than the one that came",
    }
    return f"{lane}: {what[notice.oddity]} (noticed {utc_text(notice.since)})"


class Counted(ExchangeStore):
    """An exchange store that counts what is received, whichever step of whichever use case writes it down."""

    def __init__(self, store: ExchangeStore, numbers: Numbers, budgets: Budgets) -> None:
        self._store = store
        self._numbers = numbers
        self._budgets = budgets

    async def commit(self, change: Change) -> tuple[Position, ...]:
        # Nothing is waited for before the store has it: commits come in the order in which they were made.
        came = [crossing for crossing in change.crossings if crossing.direction is Direction.RECEIVED]
        tracks = {(track.peer, track.lane): track for track in map(self._numbers.count, came)}
        positions = await self._store.commit(replace(change, tracks=tuple(tracks.values())) if tracks else change)
        for crossing in came:
            self._budgets.keep(crossing)
        return positions

    async def asked(self, message_id: MessageId) -> AskedQuery | None:
        return await self._store.asked(message_id)

    async def received(self, message_id: MessageId) -> ReceivedQuery | None:
        return await self._store.received(message_id)

    async def crossing(self, direction: Direction, message_id: MessageId) -> Crossing | None:
        return await self._store.crossing(direction, message_id)

    async def asked_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[AskedQuery, ...]:
        return await self._store.asked_page(before=before, rows=rows, before_id=before_id)

    async def received_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[ReceivedQuery, ...]:
        return await self._store.received_page(before=before, rows=rows, before_id=before_id)

    async def keys(self) -> tuple[DecryptionKey, ...]:
        return await self._store.keys()
