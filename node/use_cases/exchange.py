"""The exchange as other nodes meet it: one door for every message, and it is closed to every kind it does not know."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from federation import limits
from federation.boundary.messages import Arrived, Opened, open_message, read_envelope
from federation.boundary.receipts import read_receipt_of
from federation.delivery.receipt import SignedReceipt
from federation.delivery.replay import check_repetition
from federation.envelope.header import MessageKind
from federation.envelope.suite import PrivateKey
from federation.errors import Forbidden, Misuse, NotFound, Oversized, Unauthentic
from federation.evidence.journal import JournalKind
from federation.identity import MessageId, NodeName, PartyId
from federation.ports import (
    AlreadySeen,
    Change,
    Crossing,
    Delivery,
    Direction,
    ExchangeStore,
    JournalStore,
    PatternStore,
)
from federation.wire.evidence import decode_receipt, decode_signed_receipt, encode_signed_receipt
from node.use_cases.answering import Answering
from node.use_cases.asking import Asking
from node.use_cases.attachments import Attachments
from node.use_cases.budgets import Budgets
from node.use_cases.keyring import Keyring
from node.use_cases.outbox import Outbox
from node.use_cases.poison import Poisons
from node.use_cases.receipting import receipt_again
from node.use_cases.registry import Registry
from node.use_cases.replies import replay_mark
from node.use_cases.sealing import received_crossing
from node.use_cases.world import Own, Turns, World

logger = logging.getLogger(__name__)


class Exchange:
    """What the servicer calls, with the node that TLS verified."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: ExchangeStore,
        journal: JournalStore,
        patterns: PatternStore,
        registry: Registry,
        keyring: Keyring,
        outbox: Outbox,
        asking: Asking,
        answering: Answering,
        turns: Turns,
        attachments: Attachments,
        poisons: Poisons,
        budgets: Budgets,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._journal = journal
        self._patterns = patterns
        self._registry = registry
        self._keyring = keyring
        self._outbox = outbox
        self._asking = asking
        self._answering = answering
        self._turns = turns
        self._attachments = attachments
        self._poisons = poisons
        self._budgets = budgets

    async def deliver(self, sender: NodeName, raw: bytes) -> Delivery:
        """Take one envelope: parse, verify, open, persist, receipt, act, in that order.

        Raises:
            PeerMisbehaviour: it is refused; nothing was written.
            Overloaded: the sender's Party is over a budget of its own, and comes again later.
            Unprocessable: it is what it says, and this node failed over it.
            StoreUnavailable: it could not be written down, so no receipt is given; the sender tries again.
        """
        now = self._world.clock.now()
        arrived = read_envelope(raw, roster=self._registry.roster, own=self._own.name, peer=sender, now=now)
        self._registry.hear(arrived.header.checkpoint, arrived.header.sender.party)
        if sender.party is not None:
            self._outbox.heard_from(sender.party)
            self._attachments.heard_from(sender.party)
            self._budgets.require(sender.party, len(raw))
        private = self._keyring.private(arrived.header.key_id)
        if private is None:
            return await self._closed(arrived)
        return await self._poisons.guard(arrived, lambda: self._open_and_take(arrived, private, now))

    async def _open_and_take(self, arrived: Arrived, private: PrivateKey, now: float) -> Delivery:
        opened = open_message(arrived, private, roster=self._registry.roster, now=now)
        try:
            delivery = await self._take(opened)
            if arrived.header.attachments:
                self._attachments.nudge()
            return delivery  # noqa: TRY300  # it belongs to what may have been seen before
        except AlreadySeen as seen:
            check_repetition(known=seen.known, incoming=replay_mark(opened))
            return await self._again(opened)

    async def _take(self, opened: Opened) -> Delivery:
        match opened.statement.kind:
            case MessageKind.QUERY:
                return await self._answering.take(opened)
            case MessageKind.ANSWER:
                receipt = await self._asking.take(opened)
                return Delivery(receipt=encode_signed_receipt(receipt), answer=b"")
            case _:
                raise Forbidden("a message of a kind that this node does not take")

    async def _closed(self, arrived: Arrived) -> Delivery:
        """The key is destroyed. The same envelope as before gets its receipt again; another has to be sealed anew."""
        crossing = await self._store.crossing(Direction.RECEIVED, arrived.header.message_id)
        if crossing is None or crossing.digest != arrived.digest:
            raise Unauthentic(
                "an envelope is sealed to a key that is not here any more",
                hint="fetch the newest prekey bundle of this node and seal again",
            )
        receipt = await self._receipt_again(crossing)
        return Delivery(receipt=encode_signed_receipt(receipt), answer=b"")

    async def _again(self, opened: Opened) -> Delivery:
        """A message that was taken before. A new sealing of it is written down too, because its receipt names its digest."""
        statement = opened.statement
        async with self._turns.of(statement.message_id):
            crossing = await self._store.crossing(Direction.RECEIVED, statement.message_id)
            if crossing is None:
                raise Misuse("a message is remembered and not in the records")
            if crossing.digest == opened.arrived.digest:
                receipt = await self._receipt_again(crossing)
            else:
                receipt = await self._receipt_anew(opened, crossing)
        answer = b""
        if statement.kind is MessageKind.QUERY:
            answer = await self._answering.answer_waiting(statement.message_id)
        return Delivery(receipt=encode_signed_receipt(receipt), answer=answer)

    async def _receipt_anew(self, opened: Opened, crossing: Crossing) -> SignedReceipt:
        """The newest sealing takes the place of the one before; the journal keeps both."""
        leaf = self._outbox.leaf(JournalKind.RECEIVED, crossing.message_id, crossing.peer, opened.arrived.digest)
        newest = received_crossing(opened, at=crossing.at)
        positions = await self._store.commit(Change(crossings=(newest,), leaves=(leaf,)))
        return self._own.receipt(
            digest=opened.arrived.digest,
            leaf=leaf,
            position=positions[0],
        )

    async def _receipt_again(self, crossing: Crossing) -> SignedReceipt:
        """The receipt for an envelope that stands in the journal: the same bytes each time."""
        return await receipt_again(self._own, self._journal, digest=crossing.digest, index=crossing.leaf)

    async def receipt_of(self, peer: PartyId, message_id: MessageId) -> bytes | None:
        """Our receipt for a message that came from that Party, the same bytes as each time; None when nothing of it is kept."""
        crossing = await self._store.crossing(Direction.RECEIVED, message_id)
        if crossing is None or crossing.peer != peer:
            return None
        try:
            return encode_signed_receipt(await self._receipt_again(crossing))
        except NotFound:
            return None  # erased at the end of retention

    async def acknowledge(self, sender: NodeName, receipts: Sequence[bytes]) -> None:
        """Receipts for answers that went out inside deliveries. One that is wrong hides no other."""
        self._require_exchanging(sender)
        if sender.party is not None:
            self._outbox.heard_from(sender.party)
        if len(receipts) > limits.RECEIPTS_PER_CALL_MAX:
            raise Oversized(f"{len(receipts)} receipts in one call; at most {limits.RECEIPTS_PER_CALL_MAX} are taken")
        # Side by side, so that they are committed together.
        results = await asyncio.gather(*(self._acknowledge(sender, raw) for raw in receipts), return_exceptions=True)
        for problem in results:
            if problem is not None:
                raise problem

    async def _acknowledge(self, sender: NodeName, raw: bytes) -> None:
        signed = decode_signed_receipt(raw)
        claimed = decode_receipt(signed.statement)
        crossing = await self._store.crossing(Direction.SENT, claimed.message_id)
        if crossing is None or crossing.peer != sender.party or crossing.kind is not MessageKind.ANSWER:
            raise Forbidden("a receipt for something that was not sent there")
        if crossing.receipt is not None:
            return
        read_receipt_of(
            signed,
            roster=self._registry.roster,
            receiver=sender,
            message_id=crossing.message_id,
            digest=crossing.digest,
        )
        await self._answering.acknowledged(crossing, signed)

    async def bundles(self, sender: NodeName) -> tuple[bytes, ...]:
        """Signed prekey bundles of every node that this one knows.

        Raises:
            Forbidden, UnknownParty: nothing is exchanged with that node.
        """
        self._require_exchanging(sender)
        return self._keyring.bundles()

    def _require_exchanging(self, sender: NodeName) -> None:
        """A Party that is suspended or has left exchanges nothing; it may go on reading the directory."""
        if sender.party is not None:
            self._registry.roster.node(sender.party)

    async def pattern_set(self, sender: NodeName, party: PartyId, digest: bytes) -> bytes:
        """One Party's encoded pattern set, when this node has it.

        Raises:
            NotFound: it has not.
            Forbidden, UnknownParty: nothing is exchanged with that node.
        """
        self._require_exchanging(sender)
        encoded = await self._patterns.get(digest)
        if encoded is None:
            raise NotFound(f"this node has no such pattern set of {party}", hint="ask the node that answers for that Party")
        return encoded
