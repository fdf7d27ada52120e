"""Files that go with messages of ours: read by their receiver, from wherever it stands, until its receipt is here."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace

from federation import limits
from federation.boundary.receipts import read_receipt_of
from federation.delivery.attachment import AttachmentState, Place, Spooled
from federation.delivery.direction import Direction
from federation.envelope.attachment import AttachmentId, arrival_digest
from federation.errors import Forbidden, Malformed, NotFound, Overloaded
from federation.evidence.journal import JournalKind
from federation.identity import MessageId, NodeName, PartyId
from federation.ports import Change, ExchangeStore
from federation.wire.evidence import decode_receipt, decode_signed_receipt
from node.use_cases.attachments import AttachmentPorts, attached_leaf
from node.use_cases.registry import Registry
from node.use_cases.world import Turns, World


class Offering:
    """What the servicer calls, with the node that TLS verified."""

    def __init__(self, *, world: World, store: ExchangeStore, registry: Registry, ports: AttachmentPorts, turns: Turns) -> None:
        self._world = world
        self._store = store
        self._registry = registry
        self.rows = ports.rows
        self._spool = ports.spool
        self._turns = turns
        self._streams: Counter[PartyId | None] = Counter()

    async def attachment(
        self, sender: NodeName, message_id: MessageId, attachment_id: AttachmentId, *, offset: int
    ) -> AsyncGenerator[bytes, None]:
        """The ciphertext of a file from the offset on, for the Party to which its message went.

        Raises:
            Forbidden: there is no such file for this Party; whether there is one for another is not said.
            UnknownParty: nothing is exchanged with it.
            Malformed: the file ends before the offset.
            NotFound: it is not here any more.
            Overloaded: as many streams to that Party are open as there may be.
        """
        one = await self._offered(sender, message_id, attachment_id)
        if offset > one.named.size:
            raise Malformed("a file ends before the offset from which it is asked for")
        if one.state is AttachmentState.GONE:
            raise NotFound("the file is not here any more", hint="ask the Party to send it again with another message")
        if self._streams[sender.party] >= limits.ATTACHMENT_STREAMS_PER_PARTY_MAX:
            raise Overloaded("too many files are read at one time")
        self._streams[sender.party] += 1
        try:
            while offset < one.named.size:
                piece = await self._spool.read(one.place.file, offset, limits.ATTACHMENT_CHUNK_BYTES_MAX, settled=True)
                if not piece:
                    raise NotFound("the file is not here as a whole any more")
                offset += len(piece)
                yield piece
        finally:
            self._streams[sender.party] -= 1
            if not self._streams[sender.party]:
                del self._streams[sender.party]

    async def attached(self, sender: NodeName, attachment_id: AttachmentId, receipt: bytes) -> None:
        """The receiver's receipt for a file.

        Raises:
            PeerMisbehaviour: it is for nothing that went there, or does not verify.
            StoreUnavailable: it could not be written down; the receiver gives it again.
        """
        signed = decode_signed_receipt(receipt)
        message_id = decode_receipt(signed.statement).message_id
        async with self._turns.of(message_id):
            one = await self._offered(sender, message_id, attachment_id)
            if one.receipt is not None:
                return
            read_receipt_of(
                signed,
                roster=self._registry.roster,
                receiver=sender,
                message_id=message_id,
                digest=arrival_digest(message_id, one.named),
                kind=JournalKind.ATTACHED,
            )
            state = AttachmentState.DELIVERED if one.state is AttachmentState.OFFERED else one.state
            delivered = replace(one, state=state, changed=self._world.now(), receipt=signed)
            leaf = attached_leaf(self._world, one, note="receipted")
            await self._store.commit(Change(attachments=(delivered,), leaves=(leaf,)))

    async def _offered(self, sender: NodeName, message_id: MessageId, attachment_id: AttachmentId) -> Spooled:
        if sender.party is not None:
            self._registry.roster.node(sender.party)  # who is suspended or has left exchanges nothing
        place = Place(direction=Direction.SENT, message_id=message_id, attachment_id=attachment_id)
        one = await self.rows.attachment(place)
        if one is None or one.peer != sender.party:
            raise Forbidden("no such file was sent to this Party")
        return one
