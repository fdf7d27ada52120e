"""The Directory service: reads of the log at every node, entries and cosignatures at the Secretariat's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from federation import limits
from federation.errors import Malformed
from federation.identity import NodeName
from federation.ports import Notice, NoticeKind, Peer
from federation.v1 import directory_pb2
from federation.wire import strict
from node.rpc.calls import Call, Method, Routes, served
from node.rpc.channels import Channels

CHECKPOINT: Final = Method(
    path="/federation.v1.Directory/Checkpoint", request=directory_pb2.CheckpointRequest, reply=directory_pb2.CheckpointReply
)
ENTRIES: Final = Method(
    path="/federation.v1.Directory/Entries", request=directory_pb2.EntriesRequest, reply=directory_pb2.EntriesReply
)
CONSISTENCY: Final = Method(
    path="/federation.v1.Directory/Consistency", request=directory_pb2.ConsistencyRequest, reply=directory_pb2.HashesReply
)
INCLUSION: Final = Method(
    path="/federation.v1.Directory/Inclusion", request=directory_pb2.InclusionRequest, reply=directory_pb2.HashesReply
)
SUBMIT: Final = Method(
    path="/federation.v1.Directory/Submit", request=directory_pb2.SubmitRequest, reply=directory_pb2.SubmitReply
)
COSIGN: Final = Method(
    path="/federation.v1.Directory/Cosign", request=directory_pb2.CosignRequest, reply=directory_pb2.CosignReply
)
PENDING: Final = Method(
    path="/federation.v1.Directory/Pending", request=directory_pb2.PendingRequest, reply=directory_pb2.CheckpointReply
)
TELL: Final = Method(path="/federation.v1.Directory/Tell", request=directory_pb2.TellRequest, reply=directory_pb2.TellReply)
NOTICES: Final = Method(
    path="/federation.v1.Directory/Notices", request=directory_pb2.NoticesRequest, reply=directory_pb2.NoticesReply
)


class DirectoryHandler(Protocol):
    """A node's replica of the log, or the Secretariat's original. A Party's node answers `pending`, `submit` and `cosign` with
    Forbidden.
    """

    async def checkpoint(self) -> bytes:
        """The newest checkpoint that enough witnesses cosigned."""

    async def pending(self) -> bytes:
        """The checkpoint that waits for witnesses."""

    async def entries(self, start: int, end: int) -> Sequence[bytes]:
        """Leaves from start, at most up to end; fewer where they would not fit into one reply."""

    async def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        """Consistency proof."""

    async def inclusion(self, index: int, size: int) -> Sequence[bytes]:
        """Inclusion proof."""

    async def submit(self, sender: NodeName, leaf: bytes) -> int:
        """Log an entry; gives its index. Idempotent for identical bytes."""

    async def cosign(self, sender: NodeName, checkpoint: bytes) -> None:
        """Take the sender's cosignature."""


class NoticeHandler(Protocol):
    """What every node does with what has to be known by all. What does not prove itself is refused."""

    async def take(self, sender: NodeName, notice: Notice) -> None:
        """Verify it, keep it, act on it, pass it on. Idempotent."""

    async def all(self) -> Sequence[Notice]:
        """Everything that counts here."""


class DirectoryServicer:
    """Decodes, calls the handlers, encodes."""

    def __init__(self, handler: DirectoryHandler, notices: NoticeHandler) -> None:
        self._handler = handler
        self._notice_handler = notices

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict(
            (
                served(CHECKPOINT, self._checkpoint),
                served(ENTRIES, self._entries),
                served(CONSISTENCY, self._consistency),
                served(INCLUSION, self._inclusion),
                served(SUBMIT, self._submit),
                served(COSIGN, self._cosign),
                served(PENDING, self._pending),
                served(TELL, self._tell),
                served(NOTICES, self._notices),
            )
        )

    async def _checkpoint(self, _call: Call, _request: directory_pb2.CheckpointRequest) -> directory_pb2.CheckpointReply:
        return directory_pb2.CheckpointReply(checkpoint=await self._handler.checkpoint())

    async def _entries(self, _call: Call, request: directory_pb2.EntriesRequest) -> directory_pb2.EntriesReply:
        return directory_pb2.EntriesReply(leaves=await self._handler.entries(*read_span(request.start, request.end)))

    async def _consistency(self, _call: Call, request: directory_pb2.ConsistencyRequest) -> directory_pb2.HashesReply:
        return directory_pb2.HashesReply(hashes=await self._handler.consistency(*read_span(request.old_size, request.new_size)))

    async def _inclusion(self, _call: Call, request: directory_pb2.InclusionRequest) -> directory_pb2.HashesReply:
        return directory_pb2.HashesReply(hashes=await self._handler.inclusion(*read_span(request.index, request.size)))

    async def _submit(self, call: Call, request: directory_pb2.SubmitRequest) -> directory_pb2.SubmitReply:
        return directory_pb2.SubmitReply(index=await self._handler.submit(call.sender, request.leaf))

    async def _cosign(self, call: Call, request: directory_pb2.CosignRequest) -> directory_pb2.CosignReply:
        await self._handler.cosign(call.sender, request.checkpoint)
        return directory_pb2.CosignReply()

    async def _pending(self, _call: Call, _request: directory_pb2.PendingRequest) -> directory_pb2.CheckpointReply:
        return directory_pb2.CheckpointReply(checkpoint=await self._handler.pending())

    async def _tell(self, call: Call, request: directory_pb2.TellRequest) -> directory_pb2.TellReply:
        await self._notice_handler.take(call.sender, _decode_notice(request.notice))
        return directory_pb2.TellReply()

    async def _notices(self, _call: Call, _request: directory_pb2.NoticesRequest) -> directory_pb2.NoticesReply:
        return directory_pb2.NoticesReply(notices=map(_encode_notice, await self._notice_handler.all()))


class GrpcDirectory:
    """`DirectoryService` and `NoticeService` of the ports over gRPC, and the inclusion proofs that their users do not need."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def checkpoint(self, peer: Peer) -> bytes:
        """The newest checkpoint with its cosignatures."""
        reply = await self._channels.call(peer, CHECKPOINT, directory_pb2.CheckpointRequest())
        return reply.checkpoint

    async def entries(self, peer: Peer, start: int, end: int) -> tuple[bytes, ...]:
        """Leaves from start, at most up to end."""
        reply = await self._channels.call(peer, ENTRIES, directory_pb2.EntriesRequest(start=start, end=end))
        strict.at_most(len(reply.leaves), min(end - start, limits.ENTRIES_PER_REPLY_MAX), "entries")
        return tuple(reply.leaves)

    async def consistency(self, peer: Peer, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Consistency proof."""
        request = directory_pb2.ConsistencyRequest(old_size=old_size, new_size=new_size)
        return _hashes(await self._channels.call(peer, CONSISTENCY, request))

    async def inclusion(self, peer: Peer, index: int, size: int) -> tuple[bytes, ...]:
        """Inclusion proof."""
        return _hashes(await self._channels.call(peer, INCLUSION, directory_pb2.InclusionRequest(index=index, size=size)))

    async def submit(self, peer: Peer, leaf: bytes) -> int:
        """Ask the Secretariat to log an entry; gives its index. Idempotent for identical bytes."""
        reply = await self._channels.call(peer, SUBMIT, directory_pb2.SubmitRequest(leaf=leaf))
        return reply.index

    async def cosign(self, peer: Peer, checkpoint: bytes) -> None:
        """Give the Secretariat this node's cosignature."""
        await self._channels.call(peer, COSIGN, directory_pb2.CosignRequest(checkpoint=checkpoint))

    async def pending(self, peer: Peer) -> bytes:
        """The checkpoint that waits for witnesses."""
        reply = await self._channels.call(peer, PENDING, directory_pb2.PendingRequest())
        return reply.checkpoint

    async def tell(self, peer: Peer, notice: Notice) -> None:
        """Tell a peer."""
        await self._channels.call(peer, TELL, directory_pb2.TellRequest(notice=_encode_notice(notice)))

    async def notices(self, peer: Peer) -> tuple[Notice, ...]:
        """Everything that counts at the peer."""
        reply = await self._channels.call(peer, NOTICES, directory_pb2.NoticesRequest())
        strict.at_most(len(reply.notices), limits.NOTICES_PER_REPLY_MAX, "notices")
        return tuple(map(_decode_notice, reply.notices))


def _encode_notice(notice: Notice) -> directory_pb2.Notice:
    match notice.kind:
        case NoticeKind.SPLIT_VIEW:
            return directory_pb2.Notice(split_view=notice.raw)
        case NoticeKind.REVOCATION:
            return directory_pb2.Notice(revocation=notice.raw)


def _decode_notice(message: directory_pb2.Notice) -> Notice:
    """What somebody tells; nothing in it is verified."""
    if bool(message.split_view) == bool(message.revocation):
        raise Malformed("a notice is a split view or a revocation")
    if message.split_view:
        return Notice(kind=NoticeKind.SPLIT_VIEW, raw=message.split_view)
    return Notice(kind=NoticeKind.REVOCATION, raw=message.revocation)


def read_span(start: int, end: int) -> tuple[int, int]:
    """Two positions in a log, in order. On the wire they have 64 bits, in a store one less."""
    if not start <= end <= limits.TREE_SIZE_MAX:
        raise Malformed("two positions in the log are out of order or beyond any log")
    return start, end


def _hashes(reply: directory_pb2.HashesReply) -> tuple[bytes, ...]:
    strict.at_most(len(reply.hashes), 2 * limits.PROOF_HASHES_MAX, "hashes")
    return tuple(reply.hashes)
