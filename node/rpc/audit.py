"""The audit over gRPC: searches through the own node's journal, for the Party's auditors. Signed like the calls of the desk."""

from __future__ import annotations

from typing import Final, TypeVar

from google.protobuf.message import Message

from federation import limits
from federation.wire.strict import at_most, seconds, text, total
from node.rpc.calls import Method, Routes
from node.rpc.desk_wire import name
from node.rpc.officer import Caller, OfficerGate
from node.rpc.signed import SignedCalls, admitted
from node.use_cases.audit_values import AuditRow, Found, Search
from node.use_cases.auditing import Auditing
from node.v1 import audit_pb2

RequestType = TypeVar("RequestType", bound=Message)


def _method(called: str, request: type[RequestType]) -> Method[RequestType, audit_pb2.AuditPage]:
    return Method(path=f"/node.v1.Audit/{called}", request=request, reply=audit_pb2.AuditPage)


SEARCH: Final = _method("Search", audit_pb2.AuditSearch)
NEXT: Final = _method("Next", audit_pb2.AuditNext)


class AuditServicer:
    """Decodes, calls the use case, encodes."""

    def __init__(self, auditing: Auditing, gate: OfficerGate) -> None:
        self._auditing = auditing
        self._gate = gate

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict((admitted(self._gate, SEARCH, self._search), admitted(self._gate, NEXT, self._next)))

    async def _search(self, caller: Caller, request: audit_pb2.AuditSearch) -> audit_pb2.AuditPage:
        return encode_page(await self._auditing.audit(caller.officer, decode_search(request)))

    async def _next(self, caller: Caller, request: audit_pb2.AuditNext) -> audit_pb2.AuditPage:
        return encode_page(await self._auditing.audit_on(caller.officer, request.closing))


class AuditClient:
    """The audit of the own node, for one officer. Each method raises what the use case raises."""

    def __init__(self, desk: SignedCalls) -> None:
        self._desk = desk

    async def search(self, search: Search) -> Found:
        """Begin."""
        return decode_page(await self._desk.call(SEARCH, encode_search(search)))

    async def next(self, closing: bytes) -> Found:
        """Go on."""
        return decode_page(await self._desk.call(NEXT, audit_pb2.AuditNext(closing=closing)))


def encode_search(search: Search) -> audit_pb2.AuditSearch:
    return audit_pb2.AuditSearch(
        since=search.since,
        until=search.until,
        peer=search.peer,
        officer_id=search.officer_id,
        state=search.state,
        reference=search.reference,
        code=search.code,
        kind=search.kind,
    )


@total
def decode_search(message: audit_pb2.AuditSearch) -> Search:
    return Search(
        since=seconds(message.since),
        until=seconds(message.until),
        peer=message.peer,
        officer_id=message.officer_id,
        state=message.state,
        reference=message.reference,
        code=message.code,
        kind=message.kind,
    )


def encode_page(found: Found) -> audit_pb2.AuditPage:
    return audit_pb2.AuditPage(
        rows=[
            audit_pb2.AuditRow(
                position=row.position,
                at=row.at,
                kind=row.kind,
                peer=row.peer,
                message_id=row.message_id,
                query_id=row.query_id,
                direction=row.direction,
                officer_id=row.officer_id,
                state=row.state,
                reference=row.reference,
                codes=row.codes,
                note=row.note,
                digest=row.digest,
            )
            for row in found.rows
        ],
        closing=found.closing,
    )


@total
def decode_page(message: audit_pb2.AuditPage) -> Found:
    at_most(len(message.rows), limits.PAGE_ROWS_MAX, "rows")
    return Found(rows=tuple(_decode_row(row) for row in message.rows), closing=message.closing)


def _decode_row(message: audit_pb2.AuditRow) -> AuditRow:
    return AuditRow(
        position=message.position,
        at=seconds(message.at),
        kind=name(message.kind),
        peer=name(message.peer),
        message_id=name(message.message_id),
        query_id=name(message.query_id),
        direction=name(message.direction),
        officer_id=name(message.officer_id),
        state=name(message.state),
        reference=text(message.reference, limits.REFERENCE_CHARACTERS_MAX, "the reference"),
        codes=message.codes,
        note=name(message.note),
        digest=name(message.digest),
    )
