"""Files that are carried, over gRPC: exported and imported by an officer's program at the own node. Signed like the desk's calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Final, TypeVar

from google.protobuf.message import Message

from federation import limits
from federation.delivery.parcel import PARCEL_ID_BYTES
from federation.identity import PartyId, message_id, party_id
from federation.wire.strict import at_most, exactly, seconds, text, total
from node import limits as node_limits
from node.rpc.calls import Method, Routes
from node.rpc.errors import clean
from node.rpc.officer import Caller, OfficerGate
from node.rpc.signed import SignedCalls, admitted
from node.use_cases.carrying_values import Content, Exported, Fate, Outcome, Step
from node.use_cases.parcels import Parcels
from node.v1 import parcels_pb2

RequestType = TypeVar("RequestType", bound=Message)
ReplyType = TypeVar("ReplyType", bound=Message)

_DIGEST_BYTES: Final = 32


def _method(called: str, request: type[RequestType], reply: type[ReplyType]) -> Method[RequestType, ReplyType]:
    return Method(path=f"/node.v1.Parcels/{called}", request=request, reply=reply)


EXPORT: Final = _method("ExportParcel", parcels_pb2.ExportParcelRequest, parcels_pb2.ParcelFile)
PUT: Final = _method("PutParcel", parcels_pb2.PutParcelRequest, parcels_pb2.PutParcelReply)
TAKE: Final = _method("TakeParcel", parcels_pb2.TakeParcelRequest, parcels_pb2.ParcelStep)
REPLY: Final = _method("ReplyParcel", parcels_pb2.ReplyParcelRequest, parcels_pb2.ParcelFile)


class ParcelsServicer:
    """Decodes, calls the use case, encodes."""

    def __init__(self, parcels: Parcels, gate: OfficerGate) -> None:
        self._parcels = parcels
        self._gate = gate

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict(
            (
                admitted(self._gate, EXPORT, self._export),
                admitted(self._gate, PUT, self._put),
                admitted(self._gate, TAKE, self._take),
                admitted(self._gate, REPLY, self._reply),
            )
        )

    async def _export(self, caller: Caller, request: parcels_pb2.ExportParcelRequest) -> parcels_pb2.ParcelFile:
        return encode_exported(await self._parcels.export_parcel(caller.officer, party_id(request.party)))

    async def _put(self, caller: Caller, request: parcels_pb2.PutParcelRequest) -> parcels_pb2.PutParcelReply:
        digest = _digest(request.digest)
        await self._parcels.put_parcel(caller.officer, digest=digest, size=request.size, offset=request.offset, part=request.part)
        return parcels_pb2.PutParcelReply()

    async def _take(self, caller: Caller, request: parcels_pb2.TakeParcelRequest) -> parcels_pb2.ParcelStep:
        return encode_step(await self._parcels.take_parcel(caller.officer, digest=_digest(request.digest), start=request.start))

    async def _reply(self, caller: Caller, request: parcels_pb2.ReplyParcelRequest) -> parcels_pb2.ParcelFile:
        return encode_exported(await self._parcels.reply_parcel(caller.officer, digest=_digest(request.digest)))


class ParcelsClient:
    """Files that are carried, at the own node, for one officer. Each method raises what the desk's methods raise."""

    def __init__(self, desk: SignedCalls) -> None:
        self._desk = desk

    async def export(self, party: PartyId) -> Exported:
        """A file for a Party."""
        return decode_exported(await self._desk.call(EXPORT, parcels_pb2.ExportParcelRequest(party=party)))

    async def take(self, file: bytes) -> AsyncIterator[Step]:
        """Bring a file and have it taken, step by step; there is always one."""
        digest = sha256(file).digest()
        for offset in range(0, max(1, len(file)), node_limits.PARCEL_PART_BYTES):
            part = file[offset : offset + node_limits.PARCEL_PART_BYTES]
            await self._desk.call(PUT, parcels_pb2.PutParcelRequest(digest=digest, size=len(file), offset=offset, part=part))
        done, steps = 0, 0
        while True:
            step = decode_step(await self._desk.call(TAKE, parcels_pb2.TakeParcelRequest(digest=digest, start=done)))
            yield step
            steps += 1
            if step.done >= step.total or step.done <= done or steps > limits.PARCEL_MESSAGES_MAX + limits.PARCEL_RECEIPTS_MAX:
                return
            done = step.done

    async def reply(self, file: bytes) -> Exported:
        """The file that goes back for one that was taken."""
        return decode_exported(await self._desk.call(REPLY, parcels_pb2.ReplyParcelRequest(digest=sha256(file).digest())))


def _digest(raw: bytes) -> bytes:
    return exactly(raw, _DIGEST_BYTES, "the digest of a file")


def encode_exported(exported: Exported) -> parcels_pb2.ParcelFile:
    return parcels_pb2.ParcelFile(
        file=exported.file,
        parcel_id=exported.parcel_id,
        party=exported.party,
        created=exported.created,
        messages=exported.messages,
        sealed_anew=exported.sealed_anew,
        left=exported.left,
        without_key=exported.without_key,
        receipts=exported.receipts,
    )


@total
def decode_exported(message: parcels_pb2.ParcelFile) -> Exported:
    return Exported(
        file=message.file,
        parcel_id=exactly(message.parcel_id, PARCEL_ID_BYTES, "the id of a parcel"),
        party=party_id(message.party),
        created=seconds(message.created),
        messages=message.messages,
        sealed_anew=message.sealed_anew,
        left=message.left,
        without_key=message.without_key,
        receipts=message.receipts,
    )


def encode_step(step: Step) -> parcels_pb2.ParcelStep:
    return parcels_pb2.ParcelStep(
        party=step.party,
        parcel_id=step.parcel_id,
        created=step.created,
        outcomes=[_encode_outcome(one) for one in step.outcomes],
        done=step.done,
        total=step.total,
        entries=step.entries,
        entries_problem=clean(step.entries_problem),
    )


def _encode_outcome(outcome: Outcome) -> parcels_pb2.ParcelOutcome:
    return parcels_pb2.ParcelOutcome(
        content=outcome.content,
        message_id=outcome.message_id or b"",
        fate=outcome.fate,
        problem=outcome.problem,
        words=clean(outcome.words),
        hint=clean(outcome.hint),
    )


@total
def decode_step(message: parcels_pb2.ParcelStep) -> Step:
    at_most(len(message.outcomes), node_limits.PARCEL_ITEMS_PER_CALL, "outcomes")
    return Step(
        party=party_id(message.party),
        parcel_id=exactly(message.parcel_id, PARCEL_ID_BYTES, "the id of a parcel"),
        created=seconds(message.created),
        outcomes=tuple(_decode_outcome(one) for one in message.outcomes),
        done=message.done,
        total=message.total,
        entries=message.entries,
        entries_problem=text(message.entries_problem, node_limits.ERROR_TEXT_CHARACTERS_MAX, "a problem"),
    )


def _decode_outcome(message: parcels_pb2.ParcelOutcome) -> Outcome:
    return Outcome(
        content=Content(message.content),
        message_id=message_id(message.message_id) if message.message_id else None,
        fate=Fate(message.fate),
        problem=text(message.problem, node_limits.ERROR_TEXT_CHARACTERS_MAX, "a problem"),
        words=text(message.words, node_limits.ERROR_TEXT_CHARACTERS_MAX, "a problem"),
        hint=text(message.hint, node_limits.ERROR_TEXT_CHARACTERS_MAX, "a hint"),
    )
