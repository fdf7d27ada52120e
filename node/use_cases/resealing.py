"""Sealing a message anew, when the peer can no longer open what lies in the outbox or would not take it as ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from federation.boundary.receipts import journal_leaf
from federation.delivery.outbox import Outgoing
from federation.envelope.header import Prekey
from federation.errors import UnknownParty
from federation.evidence.journal import SALT_BYTES, JournalKind, JournalRecord, Leaf
from federation.identity import MessageId, PartyId
from federation.ports import (
    Change,
    Crossing,
    Direction,
    ExchangeStore,
    Peer,
    Transport,
)
from federation.wire.envelope import decode_statement
from federation.wire.query import decode_body
from node.use_cases.keyring import Keyring
from node.use_cases.registry import Registry
from node.use_cases.sealing import Sealer, has_left, inner_of, still_counts, with_sealing
from node.use_cases.world import Own, World

KeyFor = Callable[[Outgoing], Awaitable[tuple[Prekey, int] | None]]


class Resealing:
    """Seals of messages in the outbox.

    Attributes:
        key_for: which key a message is sealed to; set before the node starts.
    """

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: ExchangeStore,
        transport: Transport,
        registry: Registry,
        keyring: Keyring,
        sealer: Sealer,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._transport = transport
        self._registry = registry
        self._keyring = keyring
        self._sealer = sealer
        self.key_for: KeyFor | None = None

    def is_good(self, outgoing: Outgoing, crossing: Crossing) -> bool:
        """Whether the peer can still open what lies here, and takes it as ours."""
        now = self._world.clock.now()
        counts = bool(crossing.ciphertext) and outgoing.sealed_until > now
        return counts and still_counts(crossing, self._registry.roster, self._own.name, now=now)

    async def offered_key(self, outgoing: Outgoing) -> tuple[Prekey, int] | None:
        """The key to seal to, and until when, as far as it is known here."""
        assert self.key_for is not None  # connected before the node starts
        return await self.key_for(outgoing)

    async def key(self, outgoing: Outgoing, peer: Peer) -> tuple[Prekey, int]:
        """The same, asked of the peer where it is not known.

        Raises:
            UnknownParty: the peer offers none.
        """
        key = await self.offered_key(outgoing)
        if key is None:
            self._keyring.learn(await self._transport.bundles(peer), self._registry.roster)
            key = self._keyring.prekey_of(outgoing.peer, self._registry.roster)
        if key is None:
            raise UnknownParty("the peer offers no key to seal to", hint="its node has to run to make one")
        return key

    async def seal_again(
        self, outgoing: Outgoing, peer: Peer, key: tuple[Prekey, int], *, beside: int | None
    ) -> tuple[Outgoing, Crossing | None]:
        """Seal it and write that down; the caller has the message's turn.

        Args:
            outgoing: the row.
            peer: who opens it.
            key: what it is sealed to, and until when.
            beside: until when it was sealed by somebody else meanwhile; None when nobody did.
        """
        crossing = await self._store.crossing(Direction.SENT, outgoing.message_id)
        if crossing is None or has_left(crossing):
            await self._store.commit(Change(outgoing_done=(outgoing.message_id,)))
            return outgoing, None
        if beside is not None:
            return replace(outgoing, sealed_until=beside), crossing
        statement = decode_statement(crossing.statement)
        sealing = self._sealer.seal(
            inner_of(crossing),
            statement,
            recipient=peer.name,
            key=key[0],
            key_until=key[1],
            lane=outgoing.lane,
            attachments=decode_body(crossing.body)[0].attachments,
        )
        sealed = replace(with_sealing(crossing, sealing), leaf=-1)
        row = replace(outgoing, sealed_until=sealing.sealed_until)
        leaf = leaf_of_now(self._world, JournalKind.SENT, crossing.message_id, peer=crossing.peer, digest=sealing.sealed.digest)
        await self._store.commit(Change(crossings=(sealed,), outgoing=(row,), heads=(sealing.head,), leaves=(leaf,)))
        return row, sealed


def leaf_of_now(world: World, kind: JournalKind, message_id: MessageId, *, peer: PartyId, digest: bytes, note: str = "") -> Leaf:
    """A journal record of this moment."""
    record = JournalRecord(kind=kind, at=world.now(), message_id=message_id, peer=peer, digest=digest, note=note)
    return journal_leaf(record, salt=world.entropy(SALT_BYTES))
