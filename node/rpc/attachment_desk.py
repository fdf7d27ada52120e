"""Files at the desk over gRPC, both sides. A file goes to the node in signed pieces and comes back as a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, TypeVar

from google.protobuf.message import Message

from federation import limits
from federation.delivery.attachment import AttachmentState
from federation.envelope.attachment import AttachmentId, FileFacts, attachment_id
from federation.errors import Malformed
from federation.identity import MessageId, message_id, party_id
from federation.wire.attachments import MEDIA_TYPES
from federation.wire.strict import at_most, seconds, text, total
from node import limits as node_limits
from node.rpc.calls import Method, Routes
from node.rpc.officer import Caller, OfficerGate
from node.rpc.signed import SignedLine, admitted, admitted_stream
from node.use_cases.attachment_desk import AttachmentDesk, AttachmentView
from node.v1 import attachments_pb2 as pb

RequestType = TypeVar("RequestType", bound=Message)
ReplyType = TypeVar("ReplyType", bound=Message)

VIEWS_MAX: Final = limits.ATTACHMENTS_PER_MESSAGE_MAX * (limits.PARTIAL_ANSWERS_MAX + 2)
"""Files of a query and of all its answers."""


def _method(name: str, request: type[RequestType], reply: type[ReplyType]) -> Method[RequestType, ReplyType]:
    return Method(path=f"/node.v1.Attachments/{name}", request=request, reply=reply)


BEGIN: Final = _method("Begin", pb.BeginAttachment, pb.BegunAttachment)
ADD: Final = _method("Add", pb.AddToAttachment, pb.AddedToAttachment)
LIST: Final = _method("List", pb.ListAttachments, pb.AttachmentList)
FETCH: Final = _method("Fetch", pb.FetchAttachment, pb.AttachmentPiece)


class AttachmentDeskServicer:
    """Lets officers in through the gate; decodes, calls the desk, encodes."""

    def __init__(self, desk: AttachmentDesk, gate: OfficerGate) -> None:
        self._desk = desk
        self._gate = gate

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict(
            (
                admitted(self._gate, BEGIN, self._begin),
                admitted(self._gate, ADD, self._add),
                admitted(self._gate, LIST, self._list),
                admitted_stream(self._gate, FETCH, self._fetch),
            )
        )

    async def _begin(self, caller: Caller, request: pb.BeginAttachment) -> pb.BegunAttachment:
        identifier = await self._desk.begin_attachment(caller.officer, decode_facts(request.facts))
        return pb.BegunAttachment(attachment_id=identifier)

    async def _add(self, caller: Caller, request: pb.AddToAttachment) -> pb.AddedToAttachment:
        at_most(len(request.data), node_limits.UPLOAD_CHUNK_BYTES, "bytes in a piece")
        identifier = decode_id(request.attachment_id)
        here = await self._desk.add_to_attachment(caller.officer, identifier, request.offset, request.data)
        return pb.AddedToAttachment(here=here)

    async def _list(self, caller: Caller, request: pb.ListAttachments) -> pb.AttachmentList:
        views = await self._desk.attachments(caller.officer, message_id(request.message_id))
        return pb.AttachmentList(attachments=[encode_view(view) for view in views])

    async def _fetch(self, caller: Caller, request: pb.FetchAttachment) -> AsyncGenerator[pb.AttachmentPiece, None]:
        stream = self._desk.fetch_attachment(
            caller.officer,
            message_id(request.query),
            message_id(request.message_id),
            decode_id(request.attachment_id),
            request.offset,
        )
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                yield pb.AttachmentPiece(data=piece)


class AttachmentDeskClient:
    """Files at the desk of the own node, over a connection to it. Each method does what it does in `AttachmentDesk`."""

    def __init__(self, line: SignedLine) -> None:
        self._line = line

    async def begin(self, facts: FileFacts) -> AttachmentId:
        return decode_id((await self._line.call(BEGIN, pb.BeginAttachment(facts=encode_facts(facts)))).attachment_id)

    async def add(self, identifier: AttachmentId, offset: int, data: bytes) -> int:
        return (await self._line.call(ADD, pb.AddToAttachment(attachment_id=identifier, offset=offset, data=data))).here

    async def attachments(self, query: MessageId) -> tuple[AttachmentView, ...]:
        reply = await self._line.call(LIST, pb.ListAttachments(message_id=query))
        at_most(len(reply.attachments), VIEWS_MAX, "attachments")
        return tuple(decode_view(view) for view in reply.attachments)

    async def fetch(self, query: MessageId, view: AttachmentView, *, offset: int = 0) -> AsyncGenerator[bytes, None]:
        request = pb.FetchAttachment(query=query, message_id=view.message_id, attachment_id=view.attachment_id, offset=offset)
        async with aclosing(self._line.stream(FETCH, request)) as pieces:
            async for piece in pieces:
                yield piece.data


@total
def decode_id(raw: bytes) -> AttachmentId:
    return attachment_id(raw)


def encode_facts(facts: FileFacts) -> pb.FileFacts:
    return pb.FileFacts(name=facts.name, media_type=MEDIA_TYPES.number(facts.media_type), size=facts.size, sha512=facts.sha512)


@total
def decode_facts(message: pb.FileFacts) -> FileFacts:
    return FileFacts(
        name=text(message.name, limits.ATTACHMENT_NAME_CHARACTERS_MAX, "a file's name"),
        media_type=MEDIA_TYPES.value(message.media_type),
        size=message.size,
        sha512=message.sha512,
    )


def encode_view(view: AttachmentView) -> pb.AttachmentView:
    return pb.AttachmentView(
        message_id=view.message_id,
        attachment_id=view.attachment_id,
        sender=view.sender,
        facts=encode_facts(view.facts),
        state=view.state,
        here=view.here,
        whole=view.whole,
        changed=view.changed,
        problem=view.problem,
    )


@total
def decode_view(message: pb.AttachmentView) -> AttachmentView:
    if message.here > message.whole:
        raise Malformed("more of a file is here than there is")
    return AttachmentView(
        message_id=message_id(message.message_id),
        attachment_id=attachment_id(message.attachment_id),
        sender=party_id(message.sender),
        facts=decode_facts(message.facts),
        state=AttachmentState(message.state),
        here=message.here,
        whole=message.whole,
        changed=seconds(message.changed),
        problem=text(message.problem, limits.NAME_CHARACTERS_MAX, "a problem"),
    )
