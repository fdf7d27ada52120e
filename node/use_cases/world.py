"""What every use case is given: who this node is, and the few things of the world it may touch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
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


class Turns:
    """One step at a time for one message, so that two things that happen to it at once do not overwrite each other."""

    def __init__(self) -> None:
        self._locks: dict[MessageId, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, message_id: MessageId) -> AsyncIterator[None]:
        """Wait for this message's turn and keep it for the block."""
        lock, users = self._locks.get(message_id, (None, 0))
        lock = lock or asyncio.Lock()
        self._locks[message_id] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            _, users = self._locks[message_id]
            if users == 1:
                del self._locks[message_id]
            else:
                self._locks[message_id] = (lock, users - 1)


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
