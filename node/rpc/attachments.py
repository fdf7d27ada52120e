"""The part of the Exchange service that carries files: a stream of ciphertext one way, a receipt the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Protocol

from federation.envelope.attachment import AttachmentId, attachment_id
from federation.identity import MessageId, NodeName, message_id
from federation.ports import AttachmentTransport, Peer
from federation.v1 import exchange_pb2
from federation.wire import strict
from node.rpc.calls import Call, Method, Routes, served, streamed
from node.rpc.channels import Channels

ATTACHMENT: Final = Method(
    path="/federation.v1.Exchange/Attachment", request=exchange_pb2.AttachmentRequest, reply=exchange_pb2.AttachmentChunk
)
ATTACHED: Final = Method(
    path="/federation.v1.Exchange/Attached", request=exchange_pb2.AttachedRequest, reply=exchange_pb2.AttachedReply
)


class AttachmentHandler(Protocol):
    """What a node does with what comes in. `sender` is the node whose certificate made the connection."""

    def attachment(
        self, sender: NodeName, message_id: MessageId, attachment_id: AttachmentId, *, offset: int
    ) -> AsyncGenerator[bytes, None]:
        """The ciphertext of a file from an offset on, in pieces. Raises Forbidden, NotFound, Malformed, Overloaded."""

    async def attached(self, sender: NodeName, attachment_id: AttachmentId, receipt: bytes) -> None:
        """Take the receipt for a file that is whole at the sender of this call."""


class AttachmentServicer:
    """Decodes, calls the handler, encodes."""

    def __init__(self, handler: AttachmentHandler) -> None:
        self._handler = handler

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict((streamed(ATTACHMENT, self._attachment), served(ATTACHED, self._attached)))

    async def _attachment(
        self, call: Call, request: exchange_pb2.AttachmentRequest
    ) -> AsyncGenerator[exchange_pb2.AttachmentChunk, None]:
        identifier = _id(request.attachment_id)
        stream = self._handler.attachment(call.sender, message_id(request.message_id), identifier, offset=request.offset)
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                yield exchange_pb2.AttachmentChunk(data=piece)

    async def _attached(self, call: Call, request: exchange_pb2.AttachedRequest) -> exchange_pb2.AttachedReply:
        await self._handler.attached(call.sender, _id(request.attachment_id), request.receipt)
        return exchange_pb2.AttachedReply()


class GrpcAttachments(AttachmentTransport):
    """`federation.ports.AttachmentTransport` over gRPC."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def pull(
        self, peer: Peer, message_id: MessageId, attachment_id: AttachmentId, *, offset: int
    ) -> AsyncGenerator[bytes, None]:
        request = exchange_pb2.AttachmentRequest(message_id=message_id, attachment_id=attachment_id, offset=offset)
        async with aclosing(self._channels.stream(peer, ATTACHMENT, request)) as chunks:
            async for chunk in chunks:
                yield chunk.data

    async def attached(self, peer: Peer, attachment_id: AttachmentId, receipt: bytes) -> None:
        await self._channels.call(peer, ATTACHED, exchange_pb2.AttachedRequest(attachment_id=attachment_id, receipt=receipt))


@strict.total
def _id(raw: bytes) -> AttachmentId:
    return attachment_id(raw)
