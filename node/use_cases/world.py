"""What every use case is given: who this node is, and the few things of the world it may touch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from federation.identity import MessageId, NodeName, PartyId
from federation.ports import Clock, Entropy
from federation.trust.keys import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """This node: its name in certificates and headers, and the key it signs with."""

    party: PartyId
    name: NodeName
    signer: Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Time and unpredictable bytes. Timers belong to the event loop; both are virtual in simulations."""

    clock: Clock
    entropy: Entropy

    def now(self) -> int:
        """Unix seconds, whole: what is written into messages."""
        return int(self.clock.now())


class Announcer:
    """Lets somebody wait for news of one message without asking the store again and again."""

    def __init__(self) -> None:
        self._waiting: dict[MessageId, set[asyncio.Event]] = {}

    @contextmanager
    def listening(self, message_id: MessageId) -> Iterator[asyncio.Event]:
        """An event that is set at the next news of the message; begin to listen before you read the state."""
        event = asyncio.Event()
        self._waiting.setdefault(message_id, set()).add(event)
        try:
            yield event
        finally:
            listeners = self._waiting[message_id]
            listeners.discard(event)
            if not listeners:
                del self._waiting[message_id]

    def announce(self, message_id: MessageId) -> None:
        """There is news of the message."""
        for event in self._waiting.get(message_id, ()):
            event.set()
