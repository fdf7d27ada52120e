"""What every use case is given: who this node is, and the few things of the world it may touch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from federation.boundary.receipts import sign_receipt
from federation.delivery.receipt import SignedReceipt
from federation.evidence.journal import FIRST_EPOCH, Epoch, Leaf, Position, epoch_of
from federation.identity import MessageId, NodeName, PartyId
from federation.ports import Clock, Entropy
from federation.trust.keys import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """This node: its name in certificates and headers, the key it signs with, and the epochs of its journal.

    Attributes:
        epochs: in their order; another one begins only before the node does.
    """

    party: PartyId
    name: NodeName
    signer: Signer
    epochs: tuple[Epoch, ...] = (Epoch(number=FIRST_EPOCH, first=0),)

    def receipt(self, *, digest: bytes, leaf: Leaf, position: Position) -> SignedReceipt:
        """The promise that an envelope stands in the journal, under the name that the journal had when it was written there: so the
        same envelope gets the same receipt for ever.
        """
        epoch = epoch_of(self.epochs, position.index)
        return sign_receipt(receiver=self.name, digest=digest, leaf=leaf, position=position, signer=self.signer, epoch=epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Time and unpredictable bytes. Timers belong to the event loop; both are virtual in simulations.

    Attributes:
        steady: a clock that does not believe a jump ahead too soon; a node has one as soon as it runs.
    """

    clock: Clock
    entropy: Entropy
    steady: Clock | None = None

    def lapsed(self) -> float:
        """Unix seconds, for what cannot be undone: what has ended by this time has ended."""
        return (self.steady or self.clock).now()

    def now(self) -> int:
        """Unix seconds, whole: what is written into messages."""
        return int(self.clock.now())


class Announcer:
    """Lets somebody wait for news of one message without asking the store again and again."""

    def __init__(self) -> None:
        self._waiting: dict[MessageId, list[asyncio.Event]] = {}

    @contextmanager
    def listening(self, message_id: MessageId) -> Iterator[asyncio.Event]:
        """An event that is set at the next news of the message; begin to listen before you read the state."""
        event = asyncio.Event()
        self._waiting.setdefault(message_id, []).append(event)
        try:
            yield event
        finally:
            listeners = self._waiting[message_id]
            listeners.remove(event)
            if not listeners:
                del self._waiting[message_id]

    def announce(self, message_id: MessageId) -> None:
        """There is news of the message."""
        for event in self._waiting.get(message_id, ()):
            event.set()


@dataclass(slots=True)
class _Turn:
    """Whose turn it is, and how many want one."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Turns:
    """One step at a time about one message: a step reads, decides and commits, and only then the next one reads.

    A receipt, an answer that comes by itself, a deadline and an officer may all move the same query at the same moment. Nobody
    speaks to another node while it has the turn.
    """

    def __init__(self) -> None:
        self._turns: dict[MessageId, _Turn] = {}

    @asynccontextmanager
    async def of(self, message_id: MessageId) -> AsyncIterator[None]:
        """Wait for the turn, and have it for the length of the block. A block inside with the same id would wait for ever."""
        turn = self._turns.setdefault(message_id, _Turn())
        turn.wanted += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.wanted -= 1
            if turn.wanted == 0:
                del self._turns[message_id]
