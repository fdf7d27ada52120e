"""A file on a stick in the place of the network: what waits for a Party, written into one file; and such a file, taken.

Theory of operation. Exporting looks and copies: what is in the file stays in the outbox until its receipt is here, by whatever way.
Importing hands each envelope to the door at which envelopes from the network arrive, and each receipt to those who take the
network's. So a message that comes by both ways comes once, a file that comes twice changes nothing, and what the file holds is
believed for its own signatures. The file's own signature stands before all of that: nobody else can make this node work.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from federation import limits
from federation.boundary.parcels import compose_parcel
from federation.boundary.receipts import read_receipt_of
from federation.delivery.outbox import Outgoing, is_over
from federation.delivery.parcel import PARCEL_ID_BYTES, REFUSALS, LogTail, Parcel, RefusedEnvelope
from federation.envelope.header import Lane, MessageKind
from federation.envelope.seal import envelope_digest
from federation.errors import Conflict, FederationError, Forbidden, Unauthentic, Unavailable, UnknownParty
from federation.identity import MessageId, NodeName, PartyId
from federation.ports import Direction, ExchangeStore, OutboxStore, Peer
from federation.wire.envelope import decode_envelope, decode_header, encode_envelope
from federation.wire.evidence import decode_receipt, decode_signed_receipt
from node.use_cases.carrying_values import Content, Exported, Fate, Outcome
from node.use_cases.exchange import Exchange
from node.use_cases.keyring import Keyring
from node.use_cases.outbox import Handed, OnHanded, Outbox
from node.use_cases.registry import Registry, stored_leaves
from node.use_cases.sealing import envelope_of, has_left, new_outgoing
from node.use_cases.world import Own, World

logger = logging.getLogger(__name__)

_LANES: Final = {lane: place for place, lane in enumerate((Lane.URGENT, Lane.NORMAL, Lane.BULK))}
_FRAME_BYTES: Final = 8
"""Tag and length of one thing in the file, and a little."""
_SEALED_ANEW: Final = "it is sealed anew with the key that this file has brought: export again"
_PAGES: Final = limits.PARCEL_OWED_ROWS_MAX // limits.PAGE_ROWS_MAX
_REFUSAL_BYTES: Final = 96
"""A refusal at its longest."""
_HEAD_BYTES: Final = 2_048
"""First line, names, id and signature, and a little."""


@dataclass(slots=True)
class _Load:
    """What goes into a file while there is room."""

    room: int
    envelopes: list[bytes] = field(default_factory=list)
    sealed_anew: int = 0
    left: int = 0
    without_key: int = 0

    def take(self, envelope: bytes) -> bool:
        """Whether there was room for it."""
        if len(envelope) + _FRAME_BYTES > self.room or len(self.envelopes) >= limits.PARCEL_MESSAGES_MAX:
            self.left += 1
            return False
        self.room -= len(envelope) + _FRAME_BYTES
        self.envelopes.append(envelope)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one envelope, and what is said of it in the file that goes back.

    Attributes:
        receipt: ours, signed; empty when there is none.
    """

    outcome: Outcome
    receipt: bytes = b""
    refusal: RefusedEnvelope | None = None


class Carrying:
    """Fills files and takes what is in them."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: ExchangeStore,
        waiting: OutboxStore,
        registry: Registry,
        keyring: Keyring,
        outbox: Outbox,
        exchange: Exchange,
        on_receipt: Mapping[MessageKind, OnHanded],
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._waiting = waiting
        self._registry = registry
        self._keyring = keyring
        self._outbox = outbox
        self._exchange = exchange
        self._on_receipt = on_receipt

    # --- into a file ------------------------------------------------------------------------------------------------------------

    async def export(
        self,
        party: PartyId,
        *,
        parcel_id: bytes,
        receipts: Sequence[bytes] = (),
        refusals: Sequence[RefusedEnvelope] = (),
    ) -> Exported:
        """Write what waits for a Party into a file. Nothing leaves the outbox by it.

        Args:
            party: for whom.
            parcel_id: of the new file.
            receipts: that go into it whatever else does: for the messages of a file that it answers.
            refusals: the same for those of its messages that were not taken.

        Raises:
            UnknownParty: no Party, or a Party without a node.
            Forbidden: it is suspended, or it is this Party.
        """
        if party == self._own.party:
            raise Forbidden("a parcel is for another Party", hint="name the Party that it is carried to: --to PARTY")
        peer = self._registry.peer(party)
        empty = Parcel(
            parcel_id=parcel_id,
            sender=self._own.name,
            recipient=peer.name,
            created=self._world.now(),
            receipts=await self._receipts_for(party, receipts),
            envelopes=(),
            bundles=self._keyring.bundles()[:1],
            log=await self._log(),
            refusals=tuple(refusals),
        )
        load = _Load(room=_room_in(empty))
        await self._load(load, party)
        parcel = replace(empty, envelopes=tuple(load.envelopes))
        return Exported(
            file=compose_parcel(parcel, self._own.signer),
            parcel_id=parcel_id,
            party=party,
            created=parcel.created,
            messages=len(load.envelopes),
            sealed_anew=load.sealed_anew,
            left=load.left,
            without_key=load.without_key,
            receipts=len(parcel.receipts),
        )

    def new_id(self) -> bytes:
        """For a file that is going to be made."""
        return self._world.entropy(PARCEL_ID_BYTES)

    async def _load(self, load: _Load, party: PartyId) -> None:
        """Urgent messages first; one that is too large for the room that is left keeps no smaller one out."""
        now = self._world.clock.now()
        rows = [row for row in await self._waiting.waiting(party) if not is_over(row, now=now) and not row.held_since]
        for row in sorted(rows, key=lambda one: _LANES[one.lane]):
            if len(load.envelopes) >= limits.PARCEL_MESSAGES_MAX:
                load.left += 1
                continue
            try:
                crossing, anew = await self._outbox.sealed_here(row)
            except UnknownParty:
                load.without_key += 1
                continue
            if crossing is not None and load.take(encode_envelope(envelope_of(crossing))):
                load.sealed_anew += int(anew)

    async def _receipts_for(self, party: PartyId, first: Sequence[bytes]) -> tuple[bytes, ...]:
        """Those that are given, and those for the newest messages of that Party: which of them it has, nobody here knows."""
        chosen = dict.fromkeys(first)
        for newest in (self._answers_from(party), self._queries_from(party)):
            room = limits.PARCEL_OWED_MAX // 2
            async for message_id in newest:
                receipt = await self._exchange.receipt_of(party, message_id)
                if receipt is not None:
                    chosen[receipt] = None
                room -= 1
                if room == 0:
                    break
        return tuple(chosen)[: limits.PARCEL_RECEIPTS_MAX]

    async def _answers_from(self, party: PartyId) -> AsyncIterator[MessageId]:
        """Answers that a Party gave to the newest queries of ours."""
        before, before_id = limits.TIME_S_MAX, b""
        for _ in range(_PAGES):
            page = await self._store.asked_page(before=before, rows=limits.PAGE_ROWS_MAX, before_id=before_id)
            for query in page:
                for answer_id in query.answer_ids if query.peer == party else ():
                    yield answer_id
            if len(page) < limits.PAGE_ROWS_MAX:
                return
            before, before_id = page[-1].created, page[-1].message_id

    async def _queries_from(self, party: PartyId) -> AsyncIterator[MessageId]:
        """The newest queries of a Party."""
        before, before_id = limits.TIME_S_MAX, b""
        for _ in range(_PAGES):
            page = await self._store.received_page(before=before, rows=limits.PAGE_ROWS_MAX, before_id=before_id)
            for query in page:
                if query.peer == party:
                    yield query.message_id
            if len(page) < limits.PAGE_ROWS_MAX:
                return
            before, before_id = page[-1].received, page[-1].message_id

    async def _log(self) -> LogTail | None:
        """All of the directory, or its newest entries."""
        replica = self._registry.replica
        size = replica.frontier.size
        leaves: list[bytes] = []
        room = limits.PARCEL_LOG_BYTES_MAX - len(replica.note)
        while len(leaves) < size:
            first = max(0, size - len(leaves) - limits.ENTRIES_PER_REPLY_MAX)
            end = size - len(leaves)
            page = await stored_leaves(self._registry.store, first, end)
            if len(page) < end - first:
                return None  # the file goes without
            for leaf in reversed(page):
                room -= len(leaf) + _FRAME_BYTES
                if room < 0:
                    return _tail(leaves, size, replica.note)
                leaves.append(leaf)
        return _tail(leaves, size, replica.note)

    # --- out of a file ----------------------------------------------------------------------------------------------------------

    async def take_log(self, log: LogTail) -> int:
        """Follow the directory as far as the file leads; gives the number of new entries. It stands on its own signatures.

        Raises:
            Conflict: entries between what is here and what is in the file are missing.
            Else as `Registry.accept`.
        """
        size = self._registry.replica.frontier.size
        end = log.first + len(log.leaves)
        if end <= size:
            return 0
        if log.first > size:
            raise Conflict(
                f"the file has the directory's entries from {log.first} on, and here are {size}",
                hint="bring a newer copy of the directory by another way",
            )
        await self._registry.accept(log.leaves[size - log.first :], log.checkpoint)
        return end - size

    def learn(self, parcel: Parcel) -> int:
        """Take over the prekey bundles that are newer than what is here; gives how many."""
        return self._keyring.learn(parcel.bundles, self._registry.roster)

    async def take_envelope(self, sender: NodeName, raw: bytes) -> Taken:
        """One envelope, through the door of the network. What is wrong with it is told, not raised."""
        message_id: MessageId | None = None
        try:
            message_id = decode_header(decode_envelope(raw).header).message_id
            known = await self._store.crossing(Direction.RECEIVED, message_id)
            delivery = await self._exchange.deliver(sender, raw)
        except FederationError as error:
            return Taken(outcome=_refused(Content.MESSAGE, message_id, error), refusal=_refusal(raw, message_id, error))
        fate = Fate.SEEN if known is not None and known.peer == sender.party else Fate.TAKEN
        return Taken(outcome=Outcome(content=Content.MESSAGE, message_id=message_id, fate=fate), receipt=delivery.receipt)

    async def take_refusal(self, sender: Peer, refusal: RefusedEnvelope, rows: Mapping[MessageId, Outgoing]) -> Outcome:
        """What the other side says of a message of ours that it did not take: the same follows as from a refusal over the network."""
        message_id, error = refusal.message_id, refusal.error()
        try:
            crossing = await self._store.crossing(Direction.SENT, message_id)
            if crossing is None or crossing.peer != sender.name.party:
                raise Forbidden("a refusal of something that was not sent there")
            row = rows.get(message_id)
            if row is None or crossing.digest != refusal.digest or has_left(crossing):
                return Outcome(content=Content.REFUSAL, message_id=message_id, fate=Fate.SEEN)
            await self._outbox.refused(row, error)
        except FederationError as problem:
            return _refused(Content.REFUSAL, message_id, problem)
        return Outcome(
            content=Content.REFUSAL,
            message_id=message_id,
            fate=Fate.TAKEN,
            problem=error.code,
            words=f"{error.message}: {error.code}",
            hint=_SEALED_ANEW if isinstance(error, Unauthentic) else "ask the contact point of that Party; the message waits on",
        )

    async def take_receipt(self, sender: Peer, raw: bytes, rows: Mapping[MessageId, Outgoing]) -> Outcome:
        """One receipt for a message of ours, verified and taken as from the network.

        Args:
            sender: whose receipt it has to be.
            raw: signed receipt.
            rows: what waits for that Party.
        """
        message_id: MessageId | None = None
        try:
            message_id = decode_receipt(decode_signed_receipt(raw).statement).message_id
            fate = await self._settle(sender, raw, message_id, rows)
        except FederationError as error:
            return _refused(Content.RECEIPT, message_id, error)
        return Outcome(content=Content.RECEIPT, message_id=message_id, fate=fate)

    async def _settle(self, sender: Peer, raw: bytes, message_id: MessageId, rows: Mapping[MessageId, Outgoing]) -> Fate:
        crossing = await self._store.crossing(Direction.SENT, message_id)
        if crossing is None or crossing.peer != sender.name.party:
            raise Forbidden("a receipt for something that was not sent there")
        if crossing.receipt is not None:
            return Fate.SEEN
        signed = decode_signed_receipt(raw)
        if decode_receipt(signed.statement).envelope_digest != crossing.digest:
            raise Forbidden(
                "a receipt for an earlier sealing of the message, which was sealed anew since",
                hint="the message waits on; the receipt for its newest sealing settles it",
            )
        receipt = read_receipt_of(
            signed, roster=self._registry.roster, receiver=sender.name, message_id=message_id, digest=crossing.digest
        )
        # A message that left the outbox without a receipt, because its answer came or its time was over, has no row any more.
        row = rows.get(message_id) or new_outgoing(crossing, lane=Lane.NORMAL, deadline=0, sealed_until=0, next_attempt=0.0)
        await self._on_receipt[crossing.kind](
            Handed(outgoing=row, crossing=crossing, receipt=receipt, signed_receipt=signed, peer=sender, answer=b"")
        )
        return Fate.TAKEN

    async def rows_for(self, party: PartyId) -> Mapping[MessageId, Outgoing]:
        """What waits for a Party, by message."""
        return {row.message_id: row for row in await self._waiting.waiting(party)}


def _room_in(parcel: Parcel) -> int:
    """Bytes that are left for envelopes."""
    log = (*parcel.log.leaves, parcel.log.checkpoint) if parcel.log is not None else ()
    used = sum(len(one) + _FRAME_BYTES for one in (*parcel.receipts, *parcel.bundles, *log))
    return limits.PARCEL_BYTES_MAX - _HEAD_BYTES - used - len(parcel.refusals) * _REFUSAL_BYTES


def _refused(content: Content, message_id: MessageId | None, error: FederationError) -> Outcome:
    fate = Fate.LATER if isinstance(error, Unavailable) else Fate.REFUSED
    logger.info("something in a parcel was not taken", extra={"problem": error.code})
    return Outcome(content=content, message_id=message_id, fate=fate, problem=error.code, words=error.message, hint=error.hint)


def _refusal(raw: bytes, message_id: MessageId | None, error: FederationError) -> RefusedEnvelope | None:
    """What goes back; nothing about what cannot be read, or what this node only could not write down."""
    if message_id is None or error.code not in REFUSALS:
        return None
    return RefusedEnvelope(message_id=message_id, digest=envelope_digest(decode_envelope(raw)), code=error.code)


def _tail(newest_first: Sequence[bytes], size: int, checkpoint: bytes) -> LogTail | None:
    if not newest_first:
        return None
    return LogTail(first=size - len(newest_first), checkpoint=checkpoint, leaves=tuple(reversed(newest_first)))
