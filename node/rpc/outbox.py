"""The outbox over gRPC, for the own officers: what waits, what is held, and the way out. Signed like the calls of the desk."""

from __future__ import annotations

from typing import Final, TypeVar

from google.protobuf.message import Message

from federation import limits
from federation.delivery.outbox import Outgoing
from federation.envelope.header import Lane
from federation.identity import MessageId, message_id, party_id
from federation.ports import Poison
from federation.wire.strict import at_most, exactly, seconds, text, total
from node import limits as node_limits
from node.rpc.calls import Method, Routes
from node.rpc.desk_wire import decode_outgoing, encode_outgoing, name
from node.rpc.officer import Caller, OfficerGate
from node.rpc.signed import SignedCalls, admitted
from node.use_cases.held import Held, OutboxView, Queue
from node.v1 import outbox_pb2

RequestType = TypeVar("RequestType", bound=Message)
ReplyType = TypeVar("ReplyType", bound=Message)

_DIGEST_BYTES: Final = 32
_NUMBERS_MAX: Final = limits.PARTIES_MAX * len(Lane) * limits.LANE_NOTICES_MAX


def _method(called: str, request: type[RequestType], reply: type[ReplyType]) -> Method[RequestType, ReplyType]:
    return Method(path=f"/node.v1.Outbox/{called}", request=request, reply=reply)


VIEW: Final = _method("View", outbox_pb2.OutboxViewRequest, outbox_pb2.OutboxViewReply)
RETRY: Final = _method("Retry", outbox_pb2.OutboxRetryRequest, outbox_pb2.OutboxRetryReply)
DROP: Final = _method("Drop", outbox_pb2.OutboxDropRequest, outbox_pb2.OutboxDropReply)


class OutboxServicer:
    """Decodes, calls the use case, encodes."""

    def __init__(self, held: Held, gate: OfficerGate) -> None:
        self._held = held
        self._gate = gate

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict(
            (
                admitted(self._gate, VIEW, self._view),
                admitted(self._gate, RETRY, self._retry),
                admitted(self._gate, DROP, self._drop),
            )
        )

    async def _view(self, caller: Caller, _request: outbox_pb2.OutboxViewRequest) -> outbox_pb2.OutboxViewReply:
        return encode_view(await self._held.outbox_view(caller.officer))

    async def _retry(self, caller: Caller, request: outbox_pb2.OutboxRetryRequest) -> outbox_pb2.OutboxRetryReply:
        again = await self._held.outbox_retry(caller.officer, message_id(request.message_id))
        return outbox_pb2.OutboxRetryReply(outgoing=encode_outgoing(again))

    async def _drop(self, caller: Caller, request: outbox_pb2.OutboxDropRequest) -> outbox_pb2.OutboxDropReply:
        dropped = await self._held.outbox_drop(caller.officer, message_id(request.message_id))
        return outbox_pb2.OutboxDropReply(outgoing=encode_outgoing(dropped))


class OutboxClient:
    """The outbox of the own node, for one officer. Each method raises what the desk's methods raise."""

    def __init__(self, desk: SignedCalls) -> None:
        self._desk = desk

    async def view(self) -> OutboxView:
        """What waits, what is held, and what is odd."""
        return decode_view(await self._desk.call(VIEW, outbox_pb2.OutboxViewRequest()))

    async def retry(self, identifier: MessageId) -> Outgoing:
        """Send a held message once more."""
        reply = await self._desk.call(RETRY, outbox_pb2.OutboxRetryRequest(message_id=identifier))
        return decode_outgoing(reply.outgoing)

    async def drop(self, identifier: MessageId) -> Outgoing:
        """Give a held message up."""
        reply = await self._desk.call(DROP, outbox_pb2.OutboxDropRequest(message_id=identifier))
        return decode_outgoing(reply.outgoing)


def encode_view(view: OutboxView) -> outbox_pb2.OutboxViewReply:
    return outbox_pb2.OutboxViewReply(
        queues=[
            outbox_pb2.Queue(
                peer=queue.peer,
                lanes=[outbox_pb2.LaneCount(lane=lane, messages=messages) for lane, messages in queue.lanes],
                since=queue.since,
                away=queue.away,
                next_try_s=queue.next_try_s,
                problem=queue.problem,
            )
            for queue in view.queues
        ],
        held=[encode_outgoing(outgoing) for outgoing in view.held],
        poisons=[
            outbox_pb2.Poison(
                peer=poison.peer,
                message_id=poison.message_id,
                digest=poison.digest,
                reason=poison.reason,
                version=poison.version,
                since=poison.since,
                times=poison.times,
            )
            for poison in view.poisons
        ],
        numbers=view.numbers,
    )


@total
def decode_view(message: outbox_pb2.OutboxViewReply) -> OutboxView:
    at_most(len(message.queues), limits.PARTIES_MAX, "queues")
    at_most(len(message.held), node_limits.HELD_ROWS_MAX, "messages")
    at_most(len(message.poisons), node_limits.POISONS_MAX, "messages")
    at_most(len(message.numbers), _NUMBERS_MAX, "notices")
    return OutboxView(
        queues=tuple(_queue(queue) for queue in message.queues),
        held=tuple(decode_outgoing(outgoing) for outgoing in message.held),
        poisons=tuple(_poison(poison) for poison in message.poisons),
        numbers=tuple(text(words, node_limits.ERROR_TEXT_CHARACTERS_MAX, "a notice") for words in message.numbers),
    )


def _queue(queue: outbox_pb2.Queue) -> Queue:
    at_most(len(queue.lanes), len(Lane), "lanes")
    return Queue(
        peer=party_id(queue.peer),
        lanes=tuple((Lane(one.lane), one.messages) for one in queue.lanes),
        since=seconds(queue.since),
        away=queue.away,
        next_try_s=queue.next_try_s,
        problem=name(queue.problem),
    )


def _poison(poison: outbox_pb2.Poison) -> Poison:
    return Poison(
        peer=party_id(poison.peer),
        message_id=message_id(poison.message_id),
        digest=exactly(poison.digest, _DIGEST_BYTES, "a digest"),
        reason=name(poison.reason),
        version=name(poison.version),
        since=seconds(poison.since),
        times=poison.times,
    )
