"""A message that a peer receipted and lost is sent again: the same id and statement, sealed anew.

It does not go back into the outbox: it has been delivered, its receipt is here and stays until there is a new one. A try that fails is
made again at the next visit.
"""

from __future__ import annotations

from dataclasses import replace

from federation.boundary.receipts import read_receipt_of
from federation.envelope.header import Lane, MessageKind
from federation.errors import UnknownParty
from federation.evidence.journal import JournalKind
from federation.identity import MessageId
from federation.ports import Change, Crossing, Direction, ExchangeStore, Peer, Transport
from federation.query.lifecycle import AskedState
from federation.wire.envelope import decode_statement
from federation.wire.evidence import decode_signed_receipt
from node.use_cases.keyring import Keyring
from node.use_cases.outbox import Outbox
from node.use_cases.registry import Registry
from node.use_cases.sealing import Sealer, envelope_of, inner_of, with_sealing
from node.use_cases.world import Turns


class Resending:
    """Sends again what a peer lost."""

    def __init__(
        self,
        *,
        store: ExchangeStore,
        transport: Transport,
        registry: Registry,
        keyring: Keyring,
        sealer: Sealer,
        outbox: Outbox,
        turns: Turns,
    ) -> None:
        self._store = store
        self._transport = transport
        self._registry = registry
        self._keyring = keyring
        self._sealer = sealer
        self._outbox = outbox
        self._turns = turns

    async def again(self, peer: Peer, message_id: MessageId) -> bool:
        """Send one message once more and keep the new receipt. False when nobody waits for it: a query that is answered would only be
        answered twice.

        Raises:
            FederationError: the peer did not take it, or could not be reached.
        """
        crossing = await self._store.crossing(Direction.SENT, message_id)
        if crossing is None or not await self._is_wanted(crossing):
            return False
        sealed = await self._sealed(peer, crossing)
        delivery = await self._transport.deliver(peer, envelope_of(sealed))
        signed = decode_signed_receipt(delivery.receipt)
        read_receipt_of(signed, roster=self._registry.roster, receiver=peer.name, message_id=message_id, digest=sealed.digest)
        leaf = self._outbox.leaf(JournalKind.DELIVERED, message_id, crossing.peer, sealed.digest, note="again")
        async with self._turns.of(message_id):
            kept = replace(sealed, ciphertext=b"", receipt=signed)
            await self._store.commit(Change(crossings=(kept,), leaves=(leaf,)))
        return True

    async def _is_wanted(self, crossing: Crossing) -> bool:
        if crossing.kind is not MessageKind.QUERY:
            return True
        asked = await self._store.asked(crossing.message_id)
        return asked is not None and asked.state is not AskedState.ANSWERED

    async def _sealed(self, peer: Peer, crossing: Crossing) -> Crossing:
        """In the journal before the first byte leaves; the record itself changes when the receipt is here, so that it always holds an
        envelope and the receipt for it.
        """
        self._keyring.learn(await self._transport.bundles(peer), self._registry.roster)  # a node that came back has new keys
        key = self._keyring.prekey_of(crossing.peer, self._registry.roster)
        if key is None:
            raise UnknownParty("the peer offers no key to seal to", hint="its node has to run to make one")
        statement = decode_statement(crossing.statement)
        sealing = self._sealer.seal(
            inner_of(crossing), statement, recipient=peer.name, key=key[0], key_until=key[1], lane=Lane.NORMAL
        )
        leaf = self._outbox.leaf(JournalKind.SENT, crossing.message_id, crossing.peer, sealing.sealed.digest, note="again")
        (position,) = await self._store.commit(Change(heads=(sealing.head,), leaves=(leaf,)))
        return replace(with_sealing(crossing, sealing), leaf=position.index)
