"""The Exchange service: envelopes, receipts, prekey bundles and pattern sets, from node to node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from federation import limits
from federation.envelope.seal import Envelope
from federation.identity import NodeName, PartyId, party_id
from federation.ports import Delivery, Peer
from federation.v1 import exchange_pb2
from federation.wire import strict
from federation.wire.envelope import encode_envelope
from node.rpc.calls import Call, Method, Routes, served
from node.rpc.channels import Channels

_SHA256_BYTES: Final = 32

DELIVER: Final = Method(
    path="/federation.v1.Exchange/Deliver", request=exchange_pb2.DeliverRequest, reply=exchange_pb2.DeliverReply
)
ACKNOWLEDGE: Final = Method(
    path="/federation.v1.Exchange/Acknowledge", request=exchange_pb2.AcknowledgeRequest, reply=exchange_pb2.AcknowledgeReply
)
BUNDLES: Final = Method(
    path="/federation.v1.Exchange/Bundles", request=exchange_pb2.BundlesRequest, reply=exchange_pb2.BundlesReply
)
PATTERN_SET: Final = Method(
    path="/federation.v1.Exchange/PatternSet", request=exchange_pb2.PatternSetRequest, reply=exchange_pb2.PatternSetReply
)


class ExchangeHandler(Protocol):
    """What a node does with what comes in.

    `sender` is the node whose certificate made the connection; what is inside an envelope is verified by the handler.
    """

    async def deliver(self, sender: NodeName, envelope: bytes) -> Delivery:
        """Take one envelope in; the receipt is a promise."""

    async def acknowledge(self, sender: NodeName, receipts: Sequence[bytes]) -> None:
        """Take the sender's receipts for answers."""

    async def bundles(self, sender: NodeName) -> Sequence[bytes]:
        """Signed prekey bundles of every node known here."""

    async def pattern_set(self, sender: NodeName, party: PartyId, digest: bytes) -> bytes:
        """One Party's encoded pattern set. Raises NotFound."""


class ExchangeServicer:
    """Decodes, calls the handler, encodes."""

    def __init__(self, handler: ExchangeHandler) -> None:
        self._handler = handler

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict(
            (
                served(DELIVER, self._deliver),
                served(ACKNOWLEDGE, self._acknowledge),
                served(BUNDLES, self._bundles),
                served(PATTERN_SET, self._pattern_set),
            )
        )

    async def _deliver(self, call: Call, request: exchange_pb2.DeliverRequest) -> exchange_pb2.DeliverReply:
        delivery = await self._handler.deliver(call.sender, request.envelope)
        return exchange_pb2.DeliverReply(receipt=delivery.receipt, answer=delivery.answer)

    async def _acknowledge(self, call: Call, request: exchange_pb2.AcknowledgeRequest) -> exchange_pb2.AcknowledgeReply:
        strict.at_most(len(request.receipts), limits.RECEIPTS_PER_CALL_MAX, "receipts")
        await self._handler.acknowledge(call.sender, tuple(request.receipts))
        return exchange_pb2.AcknowledgeReply()

    async def _bundles(self, call: Call, _request: exchange_pb2.BundlesRequest) -> exchange_pb2.BundlesReply:
        return exchange_pb2.BundlesReply(bundles=await self._handler.bundles(call.sender))

    async def _pattern_set(self, call: Call, request: exchange_pb2.PatternSetRequest) -> exchange_pb2.PatternSetReply:
        digest = strict.exactly(request.digest, _SHA256_BYTES, "the digest of a pattern set")
        encoded = await self._handler.pattern_set(call.sender, party_id(request.party), digest)
        return exchange_pb2.PatternSetReply(pattern_set=encoded)


class GrpcTransport:
    """`federation.ports.Transport` over gRPC."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def deliver(self, peer: Peer, envelope: Envelope) -> Delivery:
        """Hand over one envelope."""
        request = exchange_pb2.DeliverRequest(envelope=encode_envelope(envelope))
        reply = await self._channels.call(peer, DELIVER, request)
        return Delivery(receipt=reply.receipt, answer=reply.answer)

    async def acknowledge(self, peer: Peer, receipts: Sequence[bytes]) -> None:
        """Hand over receipts for answers that came with a delivery."""
        await self._channels.call(peer, ACKNOWLEDGE, exchange_pb2.AcknowledgeRequest(receipts=receipts))

    async def bundles(self, peer: Peer) -> tuple[bytes, ...]:
        """Signed prekey bundles of every node that the peer knows."""
        reply = await self._channels.call(peer, BUNDLES, exchange_pb2.BundlesRequest())
        strict.at_most(len(reply.bundles), limits.BUNDLES_PER_REPLY_MAX, "bundles")
        return tuple(reply.bundles)

    async def pattern_set(self, peer: Peer, party: PartyId, digest: bytes) -> bytes:
        """One Party's encoded pattern set. Raises NotFound."""
        reply = await self._channels.call(peer, PATTERN_SET, exchange_pb2.PatternSetRequest(party=party, digest=digest))
        return reply.pattern_set
