"""What this node wrote down a moment ago, kept at hand so that one query does not read back what it has just committed.

Coherent because one process owns the store and `Asking` alone writes asked queries: an entry is put after its commit returned, and
replaced by the next one. What a message says never changes, so its content may be kept as it was first written.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from federation import limits
from federation.identity import MessageId
from federation.ports import AskedQuery, Crossing, Direction, ExchangeStore

Key = TypeVar("Key")
Value = TypeVar("Value")


class _Shelf(Generic[Key, Value]):
    """The last few values by key."""

    def __init__(self, places: int) -> None:
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._places = places

    def put(self, key: Key, value: Value) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._places:
            self._values.popitem(last=False)

    def get(self, key: Key) -> Value | None:
        return self._values.get(key)


class Recent:
    """Reads of asked queries and of message contents, from memory where they were just written."""

    def __init__(self, store: ExchangeStore) -> None:
        self._store = store
        self._asked: _Shelf[MessageId, AskedQuery] = _Shelf(limits.RECENT_MESSAGES_MAX)
        self._contents: _Shelf[tuple[Direction, MessageId], Crossing] = _Shelf(limits.RECENT_MESSAGES_MAX)

    def wrote(self, asked: AskedQuery, *crossings: Crossing) -> None:
        """These were committed."""
        self._asked.put(asked.message_id, asked)
        for crossing in crossings:
            if len(crossing.body) <= limits.RECENT_BODY_BYTES_MAX:
                self._contents.put((crossing.direction, crossing.message_id), crossing)

    async def asked(self, message_id: MessageId) -> AskedQuery | None:
        """As `ExchangeStore.asked`."""
        return self._asked.get(message_id) or await self._store.asked(message_id)

    async def content(self, direction: Direction, message_id: MessageId) -> Crossing | None:
        """As `ExchangeStore.crossing`, for what was sealed; the newest envelope and receipt are in the store alone."""
        return self._contents.get((direction, message_id)) or await self._store.crossing(direction, message_id)
