"""What messages said, kept at hand for a moment, so that one query does not read back what it has just written.

Only contents are kept: what a message says never changes, so this cannot be wrong, whatever a commit did or did not do. States,
envelopes and receipts are always read from the store.
"""

from __future__ import annotations

from collections import OrderedDict

from federation import limits
from federation.identity import MessageId
from federation.ports import Crossing, Direction, ExchangeStore


class Recent:
    """Message contents, from memory or from the store."""

    def __init__(self, store: ExchangeStore) -> None:
        self._store = store
        self._contents: OrderedDict[tuple[Direction, MessageId], Crossing] = OrderedDict()

    def wrote(self, crossing: Crossing) -> None:
        """This was committed."""
        if len(crossing.body) > limits.RECENT_BODY_BYTES_MAX:
            return
        self._contents[crossing.direction, crossing.message_id] = crossing
        if len(self._contents) > limits.RECENT_MESSAGES_MAX:
            self._contents.popitem(last=False)

    async def content(self, direction: Direction, message_id: MessageId) -> Crossing | None:
        """As `ExchangeStore.crossing`, for what was sealed in it; everything else in it may be old."""
        return self._contents.get((direction, message_id)) or await self._store.crossing(direction, message_id)
