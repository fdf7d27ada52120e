"""The outbox at work: one try after another until the peer's receipt is here.

A message is in the store before this loop hears of it. A try that fails changes only when the next one comes; a try that reaches the
peer may bring the receipt and, with it, an automatic answer. Any contact from a peer wakes what waits for it. One message that
cannot be delivered delays no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from federation import limits
from federation.boundary.receipts import journal_leaf, read_receipt
from federation.delivery.outbox import Outgoing, after_failure, is_over, woken
from federation.delivery.receipt import Receipt, SignedReceipt
from federation.envelope.header import Lane, MessageKind, Prekey
from federation.envelope.seal import Envelope
from federation.errors import FederationError, Misuse, Unavailable, UnknownParty
from federation.evidence.journal import SALT_BYTES, JournalKind, JournalRecord, Leaf
from federation.identity import MessageId, PartyId
from federation.ports import (
    Change,
    Crossing,
    Delivery,
    Direction,
    ExchangeStore,
    OutboxStore,
    Peer,
    Transport,
)
from federation.wire.envelope import decode_statement
from federation.wire.evidence import decode_signed_receipt
from node.use_cases.keyring import Keyring
from node.use_cases.registry import Registry
from node.use_cases.sealing import Sealer, inner_of, with_sealing
from node.use_cases.world import Own, World

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A message that reached the peer: its record, the verified receipt, and the answer that came with it, not yet verified."""

    outgoing: Outgoing
    crossing: Crossing
    receipt: Receipt
    signed_receipt: SignedReceipt
    peer: Peer
    answer: bytes


class Side(Protocol):
    """Who goes on after a try: the asking side for queries, the answering side for answers."""

    async def handed(self, handed: Handed) -> None:
        """The message reached the peer."""

    async def failed(self, outgoing: Outgoing, problem: str) -> None:
        """It did not; write down the next try and the reason, an error code."""


KeyFor = Callable[[Outgoing], Awaitable[tuple[Prekey, int] | None]]


class Outbox:
    """Tries what is due, in turn, each peer on its own."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: ExchangeStore,
        waiting: OutboxStore,
        transport: Transport,
        registry: Registry,
        keyring: Keyring,
        sealer: Sealer,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._waiting = waiting
        self._transport = transport
        self._registry = registry
        self._keyring = keyring
        self._sealer = sealer
        self._in_flight: dict[MessageId, PartyId] = {}
        self._news = asyncio.Event()
        self._handlers: Mapping[MessageKind, Side] = {}
        self._key_for: KeyFor | None = None

    def connect(self, *, sides: Mapping[MessageKind, Side], key_for: KeyFor) -> None:
        """Say who goes on after a try with a message of a kind, and which key a message is sealed to."""
        self._handlers = sides
        self._key_for = key_for

    def nudge(self) -> None:
        """Something new is in the store."""
        self._news.set()

    async def wake(self, peer: PartyId) -> None:
        """The peer was heard from: what waits for it is tried at once."""
        waiting = await self._waiting.waiting(peer)
        now = self._world.clock.now()
        late = tuple(woken(one, now=now) for one in waiting if one.next_attempt > now and one.attempts > 0)
        if late:
            await self._store.commit(Change(outgoing=late))
            self.nudge()

    async def run(self) -> None:
        """Try what is due, for ever. It ends only with the node."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._news.clear()
                now = self._world.clock.now()
                due = await self._waiting.due(now=now, rows=limits.PAGE_ROWS_MAX)
                for outgoing in due:
                    if outgoing.message_id not in self._in_flight and self._has_room(outgoing.peer):
                        group.create_task(self._attempt_logged(outgoing))
                await self._sleep_until_due(now)

    def _has_room(self, peer: PartyId) -> bool:
        return sum(other == peer for other in self._in_flight.values()) < limits.IN_FLIGHT_PER_PARTY_MAX

    async def _sleep_until_due(self, now: float) -> None:
        next_due = await self._waiting.next_due()
        delay = limits.RETRY_S_MAX if next_due is None else next_due - now
        try:
            async with asyncio.timeout(min(max(delay, limits.RETRY_S_MIN / 4), limits.RETRY_S_MAX)):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _attempt_logged(self, outgoing: Outgoing) -> None:
        try:
            await self.attempt(outgoing)
        except Unavailable as error:
            logger.warning("a delivery could not be written down", extra={"problem": error.code})

    async def attempt(self, outgoing: Outgoing, crossing: Crossing | None = None) -> None:
        """One try. Failures are written down, not raised.

        Args:
            outgoing: what to try; nothing happens when a try of it is under way.
            crossing: its record, when the caller has it at hand.

        Raises:
            StoreUnavailable: not even a failure could be written down; the next round tries again.
        """
        if outgoing.message_id in self._in_flight:
            return
        self._in_flight[outgoing.message_id] = outgoing.peer
        try:
            await self._attempt(outgoing, crossing)
        finally:
            del self._in_flight[outgoing.message_id]

    async def _attempt(self, outgoing: Outgoing, crossing: Crossing | None) -> None:
        if is_over(outgoing, now=self._world.clock.now()):
            await self._store.commit(Change(outgoing_done=(outgoing.message_id,)))
            return
        try:
            if crossing is None or not crossing.ciphertext:
                crossing = await self._sealed(outgoing)
            handed = await self._hand_over(outgoing, crossing)
        except FederationError as error:
            await self._failed(outgoing, error)
            return
        await self._handlers[crossing.kind].handed(handed)

    async def _failed(self, outgoing: Outgoing, error: FederationError) -> None:
        jitter = self._world.entropy(1)[0] / 256
        now = self._world.clock.now()
        later = after_failure(outgoing, now=now, problem=error.code, jitter=jitter)
        logger.info("a delivery failed", extra={"peer": outgoing.peer, "problem": error.code, "attempts": later.attempts})
        await self._handlers[outgoing.kind].failed(later, error.code)

    async def _sealed(self, outgoing: Outgoing) -> Crossing:
        """The record with a sealing that the peer can still open; sealed anew when it has none."""
        crossing = await self._store.crossing(Direction.SENT, outgoing.message_id)
        if crossing is None:
            raise Misuse("a message is in the outbox and not in the records")
        if outgoing.sealed_until > self._world.clock.now() and crossing.ciphertext:
            return crossing
        return await self._seal_again(outgoing, crossing)

    async def _seal_again(self, outgoing: Outgoing, crossing: Crossing) -> Crossing:
        peer = self._registry.peer(outgoing.peer)
        assert self._key_for is not None  # connected before the node starts
        key = await self._key_for(outgoing)
        if key is None:
            self._keyring.learn(await self._transport.bundles(peer), self._registry.roster)
            key = self._keyring.prekey_of(outgoing.peer, self._registry.roster)
        if key is None:
            raise UnknownParty("the peer offers no key to seal to", hint="its node has to run to make one")
        statement = decode_statement(crossing.statement)
        with self._sealer.sealing(
            inner_of(crossing), statement, recipient=peer.name, key=key[0], key_until=key[1], lane=outgoing.lane
        ) as sealing:
            sealed = with_sealing(crossing, sealing)
            leaf = self.leaf(JournalKind.SENT, crossing.message_id, crossing.peer, sealing.sealed.digest)
            await self._store.commit(
                Change(
                    crossings=(replace(sealed, leaf=-1),),
                    outgoing=(replace(outgoing, sealed_until=sealing.sealed_until),),
                    heads=(sealing.head,),
                    leaves=(leaf,),
                )
            )
        return sealed

    async def _hand_over(self, outgoing: Outgoing, crossing: Crossing) -> Handed:
        peer = self._registry.peer(outgoing.peer)
        delivery: Delivery = await self._transport.deliver(peer, envelope_of(crossing))
        signed = decode_signed_receipt(delivery.receipt)
        receipt = read_receipt(
            signed,
            signing_key=self._registry.roster.node(outgoing.peer).signing_key,
            receiver=peer.name,
            message_id=crossing.message_id,
            digest=crossing.digest,
        )
        return Handed(
            outgoing=outgoing,
            crossing=crossing,
            receipt=receipt,
            signed_receipt=signed,
            peer=peer,
            answer=delivery.answer,
        )

    def leaf(self, kind: JournalKind, message_id: MessageId, peer: PartyId, digest: bytes, note: str = "") -> Leaf:
        """A journal record of this moment."""
        record = JournalRecord(kind=kind, at=self._world.now(), message_id=message_id, peer=peer, digest=digest, note=note)
        return journal_leaf(record, salt=self._world.entropy(SALT_BYTES))


def envelope_of(crossing: Crossing) -> Envelope:
    """The bytes as they were sealed, for sending them once more."""
    return Envelope(header=crossing.header, wrap=crossing.wrap, ciphertext=crossing.ciphertext, signature=crossing.signature)


def new_outgoing(crossing: Crossing, *, lane: Lane, deadline: int, sealed_until: int, next_attempt: float) -> Outgoing:
    """The first row of a message in the outbox."""
    return Outgoing(
        message_id=crossing.message_id,
        peer=crossing.peer,
        kind=crossing.kind,
        lane=lane,
        created=crossing.at,
        deadline=deadline,
        sealed_until=sealed_until,
        attempts=0,
        next_attempt=next_attempt,
        problem="",
    )
