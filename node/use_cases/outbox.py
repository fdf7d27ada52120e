"""The outbox at work: one try after another until the peer's receipt is here.

A message is in the store before this loop hears of it. A try that reaches the peer may bring the receipt and, with it, an automatic
answer; one that fails says what becomes of the next (`federation.delivery.outbox`). Urgent messages go first, a peer that is away is
probed by one message at a time (`federation.delivery.line`), and any contact from it wakes what waits. What a peer refused for good is
held for a person (`node.use_cases.held`). One message that cannot be delivered delays no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from federation import limits
from federation.boundary.receipts import read_receipt_of
from federation.delivery.lanes import RANK, has_room
from federation.delivery.outbox import Outgoing, Verdict, after_failure, held, in_order, is_over, is_power_of_two, verdict_on
from federation.delivery.receipt import Receipt, SignedReceipt
from federation.envelope.header import Lane, MessageKind
from federation.errors import FederationError, Misuse, PeerMisbehaviour, Unauthentic, Unavailable, UnknownParty, Unreachable
from federation.evidence.journal import JournalKind, Leaf
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
from federation.wire.evidence import decode_signed_receipt
from node.use_cases import lines
from node.use_cases.budgets import Budgets
from node.use_cases.keyring import Keyring
from node.use_cases.lines import Lines, SaidByPeer
from node.use_cases.poison import log_failure, place_of
from node.use_cases.registry import Registry
from node.use_cases.resealing import KeyFor, Resealing, leaf_of_now
from node.use_cases.sealing import Sealer, envelope_of, has_left
from node.use_cases.world import Own, Turns, World

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


OnHanded = Callable[[Handed], Awaitable[None]]


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
        turns: Turns,
        budgets: Budgets,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._waiting = waiting
        self._transport = transport
        self._registry = registry
        self._keyring = keyring
        self._turns = turns
        self._seals = Resealing(
            own=own, world=world, store=store, transport=transport, registry=registry, keyring=keyring, sealer=sealer
        )
        self._budgets = budgets
        self._in_flight: dict[MessageId, Outgoing] = {}
        self._sealed_beside: dict[MessageId, int] = {}  # what was sealed for a carrier while a try of it was looking for a key
        self._held_back = False
        self._well: set[PartyId] = set()
        self._lines = Lines()
        self._heard: dict[PartyId, None] = {}
        self._news = asyncio.Event()
        self._on_handed: Mapping[MessageKind, OnHanded] = {}

    def connect(self, *, on_handed: Mapping[MessageKind, OnHanded], key_for: KeyFor) -> None:
        """Say who goes on when a message of a kind was handed over, and which key a message is sealed to."""
        self._on_handed = on_handed
        self._seals.key_for = key_for

    async def require_room_for(self, peer: PartyId) -> None:
        """One more message that waits for a Party; before it is sealed. Raises Overloaded."""
        await self._budgets.require_room_for(peer)

    def nudge(self) -> None:
        """Something new is in the store."""
        self._news.set()

    def heard_from(self, peer: PartyId) -> None:
        """The peer is there: what did not reach it before is tried at once. What it refused waits for its time."""
        self._lines.called(peer)
        if peer not in self._well:
            self._well.add(peer)
            self._heard[peer] = None
            self._news.set()

    def away_s(self, peer: PartyId) -> float | None:
        """Seconds until a peer that is away is probed again; None when it is not away."""
        return self._lines.wait_s(peer) if self._lines.is_broken(peer) else None

    async def run(self) -> None:
        """Try what is due, for ever. It ends only with the node."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._news.clear()
                try:
                    delay = await self._begin_tries(group)
                except Unavailable as error:
                    logger.warning("the outbox cannot be read", extra={"problem": error.code})
                    delay = limits.RETRY_S_MIN
                await self._rest(delay)

    async def _begin_tries(self, group: asyncio.TaskGroup) -> float:
        """Begin every try that is due, as far as there is room; gives the seconds until the next one will be."""
        now = self._world.clock.now()
        self._held_back = False
        woken = await self._woken()
        broken = self._lines.broken
        due = await self._waiting.due(now=now, rows=limits.PAGE_ROWS_MAX, without=broken)
        for outgoing in sorted([*woken, *due], key=lambda one: RANK[one.lane]):
            if outgoing.message_id in self._in_flight:
                continue
            if not has_room(self._flying_to(outgoing.peer), outgoing.lane):
                self._held_back = True
                continue
            self._begin(group, outgoing)
        next_probe_s = min([await self._probe(group, peer) for peer in sorted(broken)], default=limits.RETRY_S_MAX)
        next_due = await self._waiting.next_due(without=broken)
        if next_due is None:
            return next_probe_s
        # What is under way is due until it has arrived.
        return min(next_probe_s, next_due - now if next_due > now else limits.RETRY_S_MIN)

    def _begin(self, group: asyncio.TaskGroup, outgoing: Outgoing) -> None:
        self._in_flight[outgoing.message_id] = outgoing
        group.create_task(self._fly(outgoing, None))

    async def _probe(self, group: asyncio.TaskGroup, peer: PartyId) -> float:
        """Try one message to a peer that is away, when it is time for it; gives the seconds until it is time again."""
        if self._flying_to(peer):
            return limits.RETRY_S_MIN
        if (wait_s := self._lines.wait_s(peer)) > 0:
            return wait_s
        foremost = await self._waiting.foremost(peer)
        if foremost is None:
            self._lines.answered(peer)  # nothing waits for it any more
        elif foremost.message_id not in self._in_flight:
            self._begin(group, foremost)
        return limits.RETRY_S_MIN

    async def _woken(self) -> list[Outgoing]:
        """What waits for peers that were heard from after a failure. A peer stays on the list while there was no room for all."""
        heard, self._heard = self._heard, {}
        late: list[Outgoing] = []
        for peer in heard:
            rows = [row for row in in_order(await self._waiting.waiting(peer)) if row.problem == Unreachable.code]
            rows.sort(key=lambda one: RANK[one.lane])
            if len(rows) > limits.IN_FLIGHT_PER_PARTY_MAX:
                self._heard[peer] = None
            late += rows[: limits.IN_FLIGHT_PER_PARTY_MAX]
        return late

    def _flying_to(self, peer: PartyId) -> Counter[Lane]:
        return Counter(one.lane for one in self._in_flight.values() if one.peer == peer)

    async def _rest(self, delay_s: float) -> None:
        try:
            async with asyncio.timeout(min(delay_s, limits.RETRY_S_MAX)):
                await self._news.wait()
        except TimeoutError:
            pass

    async def attempt(self, outgoing: Outgoing, crossing: Crossing | None = None) -> None:
        """One try. Failures are written down, not raised; when even that fails, the next round tries again. Over a broken line nothing
        is tried while another message probes it, or before it is time to: that the peer is away is known.

        Args:
            outgoing: what to try; nothing happens when a try of it is under way.
            crossing: its record, when the caller has it at hand.
        """
        if outgoing.message_id in self._in_flight:
            return
        away = self._lines.is_broken(outgoing.peer)
        if away and (self._flying_to(outgoing.peer) or self._lines.wait_s(outgoing.peer) > 0):
            await self._note_untried(outgoing)
            return
        self._in_flight[outgoing.message_id] = outgoing
        await self._fly(outgoing, crossing)

    async def _note_untried(self, outgoing: Outgoing) -> None:
        try:
            async with self._turns.of(outgoing.message_id):
                await self._write(outgoing, replace(outgoing, problem=Unreachable.code))
        except Unavailable as unwritten:
            logger.warning("a failure could not be written down", extra={"problem": unwritten.code})
        self._news.set()

    async def _fly(self, outgoing: Outgoing, crossing: Crossing | None) -> None:
        began = lines.now()
        try:
            await self._try(outgoing, crossing)
        except SaidByPeer as said:
            await self._refused(outgoing, said.error, began)
        except FederationError as error:
            away = isinstance(error, Unreachable)
            await self._failed(outgoing, error, Verdict.SILENT if away else Verdict.LATER, began)
        except Exception as error:  # noqa: BLE001  # a defect that one message finds must not end the node again and again
            log_failure("a message", outgoing.peer, error)
            defect = Misuse(f"this node failed over it: {place_of(error)}")
            await self._failed(outgoing, defect, Verdict.REFUSED, began)
        finally:
            del self._in_flight[outgoing.message_id]
            self._sealed_beside.pop(outgoing.message_id, None)
            if self._held_back:
                self._news.set()

    async def _try(self, outgoing: Outgoing, crossing: Crossing | None) -> None:
        if is_over(outgoing, now=self._world.lapsed()):
            await self._store.commit(Change(outgoing_done=(outgoing.message_id,)))
            return
        if crossing is None or not crossing.ciphertext:
            outgoing, crossing = await self._sealed(outgoing)
            self._in_flight[outgoing.message_id] = outgoing
        if crossing is not None:
            handed = await self._hand_over(outgoing, crossing)
            self._answered(outgoing.peer)
            await self._on_handed[crossing.kind](handed)

    def _answered(self, peer: PartyId) -> None:
        """Whatever it said: it is reached."""
        self._lines.answered(peer)
        self.heard_from(peer)

    async def _refused(self, outgoing: Outgoing, error: FederationError, began: float) -> None:
        verdict = verdict_on(error)
        if verdict is not Verdict.SILENT:
            self._answered(outgoing.peer)
        await self._failed(outgoing, error, verdict, began)

    async def _failed(self, outgoing: Outgoing, error: FederationError, verdict: Verdict, began: float) -> None:
        outgoing = self._in_flight[outgoing.message_id]  # with the sealing that it may have got meanwhile
        jitter = self._world.entropy(1)[0] / 256
        if verdict is Verdict.SILENT:
            self._well.discard(outgoing.peer)
            self._lines.silent(outgoing.peer, began=began, jitter=jitter)
        else:
            self._lines.called(outgoing.peer)  # a probe that failed here says nothing of the peer: let others try
        try:
            async with self._turns.of(outgoing.message_id):
                await self._write_failure(outgoing, error, verdict, jitter)
        except Unavailable as unwritten:
            logger.warning("a failure could not be written down", extra={"problem": unwritten.code})

    async def _write_failure(self, outgoing: Outgoing, error: FederationError, verdict: Verdict, jitter: float) -> None:
        outgoing = replace(outgoing, sealed_until=self._sealed_beside.get(outgoing.message_id, outgoing.sealed_until))
        now = self._world.clock.now()
        if verdict is Verdict.REFUSED:
            later = held(outgoing, error, now=int(now))
        else:
            later = after_failure(outgoing, now=now, problem=error.code, jitter=jitter)
        if isinstance(error, Unauthentic) and is_power_of_two(later.attempts):
            # It may be sealed to a key that the peer has lost, as a node has that was put back from a backup: ask for its newest. When
            # it is something else, as a clock, sealing again and again would help nobody, and each sealing uses a number up.
            self._keyring.forget(outgoing.peer)
            later = replace(later, sealed_until=0)
        logger.info("a delivery failed", extra={"peer": outgoing.peer, "problem": error.code, "attempts": later.attempts})
        await self._write(outgoing, later)
        self._news.set()  # the first try is not the loop's own, which may sleep for minutes and has to learn when the next one is due

    async def _write(self, outgoing: Outgoing, later: Outgoing) -> None:
        """The row after a try, and the reason beside the query."""
        crossing = await self._store.crossing(Direction.SENT, outgoing.message_id)
        if crossing is None or has_left(crossing):
            return  # somebody else had news of it meanwhile
        changes = Change(outgoing=(later,))
        asked = await self._store.asked(outgoing.message_id) if outgoing.kind is MessageKind.QUERY else None
        if asked is not None and asked.problem != later.problem:
            changes = replace(changes, asked=(replace(asked, problem=later.problem, changed=self._world.now()),))
        await self._store.commit(changes)

    async def refused(self, outgoing: Outgoing, error: PeerMisbehaviour) -> None:
        """The peer refused a message and said so by another way than as the reply to a try: the same follows from it.

        Raises:
            StoreUnavailable: it is not written down.
        """
        async with self._turns.of(outgoing.message_id):
            afresh = replace(outgoing, attempts=0)  # tries over a line that is cut do not count against what the peer has said
            await self._write_failure(afresh, error, verdict_on(error), jitter=0.0)

    async def _sealed(self, outgoing: Outgoing) -> tuple[Outgoing, Crossing | None]:
        """The row and its record with a sealing that the peer can still open, sealed anew when it has none; no record when it has
        left the outbox since the caller read the row.
        """
        crossing = await self._store.crossing(Direction.SENT, outgoing.message_id)
        if crossing is None:
            raise Misuse("a message is in the outbox and not in the records")
        if self._seals.is_good(outgoing, crossing):
            return outgoing, crossing
        peer = self._registry.peer(outgoing.peer)
        key = await self._seals.key(outgoing, peer)
        async with self._turns.of(outgoing.message_id):
            return await self._seals.seal_again(outgoing, peer, key, beside=self._sealed_beside.get(outgoing.message_id))

    async def sealed_here(self, outgoing: Outgoing) -> tuple[Crossing | None, bool]:
        """The record of a waiting message in a sealing that the peer can still open, for whoever carries it, and whether it was
        sealed anew for that. Nothing is sent and nobody is called. No record when it left the outbox meanwhile.

        Raises:
            UnknownParty: no key of the peer is here to seal it to.
        """
        crossing = await self._store.crossing(Direction.SENT, outgoing.message_id)
        if crossing is None or has_left(crossing):
            return None, False
        if self._seals.is_good(outgoing, crossing):
            return crossing, False
        key = await self._seals.offered_key(outgoing)
        if key is None:
            raise UnknownParty(
                "no key of the peer is here to seal to", hint="import a file of that Party first: its key is in it"
            )
        peer = self._registry.peer(outgoing.peer)
        mine = outgoing.message_id not in self._in_flight
        if mine:
            self._in_flight[outgoing.message_id] = outgoing  # no try begins meanwhile
        try:
            async with self._turns.of(outgoing.message_id):
                row, sealed = await self._seals.seal_again(
                    outgoing, peer, key, beside=self._sealed_beside.get(outgoing.message_id)
                )
                if not mine and outgoing.message_id in self._in_flight:
                    self._sealed_beside[outgoing.message_id] = row.sealed_until
        finally:
            if mine:
                del self._in_flight[outgoing.message_id]
                self._news.set()
        return sealed, crossing.digest != b""

    async def _hand_over(self, outgoing: Outgoing, crossing: Crossing) -> Handed:
        peer = self._registry.peer(outgoing.peer)
        try:
            delivery: Delivery = await self._transport.deliver(peer, envelope_of(crossing))
        except FederationError as error:
            raise SaidByPeer(error) from error
        signed = decode_signed_receipt(delivery.receipt)
        receipt = read_receipt_of(
            signed,
            roster=self._registry.roster,
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
        return leaf_of_now(self._world, kind, message_id, peer=peer, digest=digest, note=note)
