"""The Reconciliation service: accounts and listings, from node to node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from federation import limits
from federation.evidence.account import Way
from federation.identity import NodeName
from federation.ports import Accounted, Peer
from federation.v1 import reconcile_pb2
from federation.wire import strict
from federation.wire.account import WAYS
from node.rpc.calls import Call, Method, Routes, served
from node.rpc.channels import Channels

_HASH_BYTES: Final = 32

RECONCILE: Final = Method(
    path="/federation.v1.Reconciliation/Reconcile", request=reconcile_pb2.ReconcileRequest, reply=reconcile_pb2.ReconcileReply
)
LIST: Final = Method(
    path="/federation.v1.Reconciliation/List", request=reconcile_pb2.ListingRequest, reply=reconcile_pb2.ListingReply
)


class ReconciliationHandler(Protocol):
    """What a node tells a peer of what crossed between them. `sender` is the node whose certificate made the connection."""

    async def reconcile(self, sender: NodeName, account: bytes, sizes: Sequence[int]) -> Accounted:
        """The own account, for the sender's."""

    async def list_day(self, sender: NodeName, *, day: int, way: Way, after: bytes) -> bytes:
        """A page of what crossed on a day."""


class ReconciliationServicer:
    """Decodes, calls the handler, encodes."""

    def __init__(self, handler: ReconciliationHandler) -> None:
        self._handler = handler

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict((served(RECONCILE, self._reconcile), served(LIST, self._list)))

    async def _reconcile(self, call: Call, request: reconcile_pb2.ReconcileRequest) -> reconcile_pb2.ReconcileReply:
        accounted = await self._handler.reconcile(call.sender, request.account, tuple(request.sizes))
        proofs = [reconcile_pb2.Consistency(hashes=hashes) for hashes in accounted.proofs]
        return reconcile_pb2.ReconcileReply(account=accounted.account, proofs=proofs)

    async def _list(self, call: Call, request: reconcile_pb2.ListingRequest) -> reconcile_pb2.ListingReply:
        way = WAYS.value(request.way)
        return reconcile_pb2.ListingReply(
            listing=await self._handler.list_day(call.sender, day=request.day, way=way, after=request.after)
        )


class GrpcReconciliation:
    """`federation.ports.ReconcileService` over gRPC."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def reconcile(self, peer: Peer, account: bytes, sizes: Sequence[int]) -> Accounted:
        """Hand over the own signed account; get the peer's."""
        reply = await self._channels.call(peer, RECONCILE, reconcile_pb2.ReconcileRequest(account=account, sizes=sizes))
        strict.at_most(len(reply.proofs), limits.ACCOUNT_HEADS_MAX, "proofs")
        return Accounted(account=reply.account, proofs=tuple(_hashes(one) for one in reply.proofs))

    async def list_day(self, peer: Peer, *, day: int, way: Way, after: bytes) -> bytes:
        """The peer's signed listing of a day."""
        request = reconcile_pb2.ListingRequest(day=day, way=WAYS.number(way), after=after)
        reply = await self._channels.call(peer, LIST, request)
        return reply.listing


def _hashes(message: reconcile_pb2.Consistency) -> tuple[bytes, ...]:
    strict.at_most(len(message.hashes), limits.PROOF_HASHES_MAX, "hashes in a proof")
    return tuple(strict.exactly(one, _HASH_BYTES, "a hash") for one in message.hashes)
