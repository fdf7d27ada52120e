"""Receipts for answers that came inside a delivery: gathered for a moment and handed over together.

Nothing is lost when one is: the answer stays in the peer's outbox until its receipt is there, comes again, and is receipted again.
"""

from __future__ import annotations

import asyncio
import logging

from federation import limits
from federation.delivery.receipt import SignedReceipt
from federation.errors import FederationError
from federation.identity import NodeName
from federation.ports import Peer, Transport
from federation.wire.evidence import encode_signed_receipt

logger = logging.getLogger(__name__)


class Acknowledger:
    """Hands receipts over in the background."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: dict[NodeName, tuple[Peer, list[bytes]]] = {}
        self._news = asyncio.Event()

    def add(self, peer: Peer, receipt: SignedReceipt) -> None:
        """Hand this over soon; dropped when more than one call's worth waits for that peer."""
        _, receipts = self._waiting.setdefault(peer.name, (peer, []))
        if len(receipts) < limits.RECEIPTS_PER_CALL_MAX:
            receipts.append(encode_signed_receipt(receipt))
        self._news.set()

    async def run(self) -> None:
        """Gather and hand over, for ever. It ends only with the node; a peer that is slow to take receipts delays no other."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._news.wait()
                await asyncio.sleep(limits.ACKNOWLEDGE_DELAY_S)
                self._news.clear()
                gathered, self._waiting = self._waiting, {}
                for peer, receipts in gathered.values():
                    group.create_task(self._hand_over(peer, receipts))

    async def _hand_over(self, peer: Peer, receipts: list[bytes]) -> None:
        try:
            await self._transport.acknowledge(peer, receipts)
        except FederationError as error:
            logger.info("receipts were not handed over", extra={"peer": peer.name.party, "problem": error.code})
