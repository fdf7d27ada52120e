"""The exchange store with a short memory of what was written through it, so that one query does not read back what it has just written.

What is remembered is what a commit has made durable and said so. What a commit is about is forgotten before it begins, so nothing that
may have changed is told from memory; and where two commits about the same thing overlap, or one fails, the store is asked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from federation import limits
from federation.evidence.journal import Position
from federation.identity import MessageId
from federation.ports import AskedQuery, Change, Crossing, DecryptionKey, Direction, ExchangeStore, Expired, ReceivedQuery
from federation.query.answer import Answer
from federation.query.query import Query
from federation.wire.query import decode_body

_Place: TypeAlias = tuple[str, MessageId]
_ASKED = "asked query"
_RECEIVED = "received query"


@dataclass(slots=True)
class _Writing:
    """Commits about one place that are under way."""

    commits: int = 0
    overlapped: bool = False


class Recent(ExchangeStore):
    """An exchange store that reads newest things from memory. Whoever writes to the store writes through the same one of these."""

    def __init__(self, store: ExchangeStore) -> None:
        self._store = store
        self._known: OrderedDict[_Place, AskedQuery | ReceivedQuery | Crossing] = OrderedDict()
        self._writing: dict[_Place, _Writing] = {}
        self._contents: OrderedDict[MessageId, tuple[bytes, Query | Answer]] = OrderedDict()

    async def commit(self, change: Change) -> tuple[Position, ...]:
        # Nothing is waited for before the store has it: commits come in the order in which they were made.
        # In the order of the change: what is forgotten first for want of room is the same in every run of a simulation.
        gone = dict.fromkeys(_gone(change.erased)) if change.erased is not None else {}
        for _, message_id in gone:
            self._contents.pop(message_id, None)
        places = dict.fromkeys(_places(change)) | gone
        before = {place: self._known.pop(place, None) for place in places}
        for place in places:
            writing = self._writing.setdefault(place, _Writing())
            writing.commits += 1
            writing.overlapped |= writing.commits > 1
        try:
            positions = await self._store.commit(change)
            sent = {place: known for place, known in before.items() if isinstance(known, Crossing) and place not in gone}
            for place, value in _written(change, positions, sent).items():
                if not self._writing[place].overlapped:
                    self._remember(place, value)
        finally:
            for place in places:
                self._writing[place].commits -= 1
                if self._writing[place].commits == 0:
                    del self._writing[place]
        return positions

    def _remember(self, place: _Place, value: AskedQuery | ReceivedQuery | Crossing) -> None:
        if isinstance(value, Crossing) and len(value.body) > limits.RECENT_BODY_BYTES_MAX:
            return
        self._known[place] = value
        if len(self._known) > limits.RECENT_ROWS_MAX:
            self._known.popitem(last=False)

    async def asked(self, message_id: MessageId) -> AskedQuery | None:
        known = self._known.get((_ASKED, message_id))
        return known if isinstance(known, AskedQuery) else await self._store.asked(message_id)

    async def received(self, message_id: MessageId) -> ReceivedQuery | None:
        known = self._known.get((_RECEIVED, message_id))
        return known if isinstance(known, ReceivedQuery) else await self._store.received(message_id)

    async def crossing(self, direction: Direction, message_id: MessageId) -> Crossing | None:
        known = self._known.get((direction, message_id))
        return known if isinstance(known, Crossing) else await self._store.crossing(direction, message_id)

    async def asked_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[AskedQuery, ...]:
        return await self._store.asked_page(before=before, rows=rows, before_id=before_id)

    async def received_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[ReceivedQuery, ...]:
        return await self._store.received_page(before=before, rows=rows, before_id=before_id)

    async def keys(self) -> tuple[DecryptionKey, ...]:
        return await self._store.keys()

    def understood(self, message_id: MessageId, body: bytes, content: Query | Answer) -> None:
        """What a body says, for whoever has read or made it: `content_of` need not read it again."""
        if len(body) > limits.RECENT_BODY_BYTES_MAX:
            return
        self._contents[message_id] = (body, content)
        if len(self._contents) > limits.RECENT_CONTENTS_MAX:
            self._contents.popitem(last=False)

    def content_of(self, crossing: Crossing) -> Query | Answer:
        """What the body of a message says. A body never changes, and one that were another is read anew.

        Raises:
            Malformed: the record holds no body.
        """
        body, content = self._contents.get(crossing.message_id, (None, None))
        if content is not None and body == crossing.body:
            return content
        return decode_body(crossing.body)[0]


def _places(change: Change) -> Iterator[_Place]:
    """Everything that is not afterwards what it was before."""
    yield from ((_ASKED, asked.message_id) for asked in change.asked)
    yield from ((_RECEIVED, received.message_id) for received in change.received)
    yield from ((crossing.direction, crossing.message_id) for crossing in change.crossings)
    yield from ((Direction.SENT, message_id) for message_id, _ in change.receipts)
    yield from ((Direction.SENT, message_id) for message_id in change.outgoing_done)


def _gone(erased: Expired) -> Iterator[_Place]:
    yield from ((Direction(way), message_id) for way, message_id in erased.crossings)
    yield from ((_ASKED, message_id) for message_id in erased.asked)
    yield from ((_RECEIVED, message_id) for message_id in erased.received)


def _written(
    change: Change, positions: tuple[Position, ...], before: Mapping[_Place, Crossing]
) -> dict[_Place, AskedQuery | ReceivedQuery | Crossing]:
    """What stands in the store after a change, as far as that can be said: a receipt changes a record that has to be known."""
    leaves = {place: crossing.leaf for place, crossing in before.items()}
    crossings: dict[_Place, Crossing] = dict(before)
    free = iter(positions)
    for crossing in change.crossings:
        place: _Place = (crossing.direction, crossing.message_id)
        position = next(free, None) if crossing.leaf < 0 else None
        crossings[place] = crossing
        leaves[place] = position.index if position is not None else crossing.leaf
    receipts, done = dict(change.receipts), frozenset(change.outgoing_done)
    written: dict[_Place, AskedQuery | ReceivedQuery | Crossing] = {}
    for where, crossing in crossings.items():
        is_sent = crossing.direction is Direction.SENT
        written[where] = replace(
            crossing,
            leaf=leaves[where],
            receipt=receipts.get(crossing.message_id, crossing.receipt) if is_sent else crossing.receipt,
            ciphertext=b"" if is_sent and crossing.message_id in done else crossing.ciphertext,
        )
    written |= {(_ASKED, asked.message_id): asked for asked in change.asked}
    written |= {(_RECEIVED, received.message_id): received for received in change.received}
    return written
