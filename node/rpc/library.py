"""The library over gRPC: what the own node holds of all Parties' patterns, for the own officers. Signed like the calls of the desk."""

from __future__ import annotations

from typing import Final, TypeVar

from google.protobuf.message import Message

from federation import limits
from federation.identity import party_id
from federation.uim import bounds
from federation.uim.codes import KeyForm
from federation.uim.confusable import Change, Suggestion
from federation.uim.scan import Key
from federation.wire.strict import at_most, exactly, text, total
from node import limits as node_limits
from node.rpc.calls import Method, Routes
from node.rpc.desk_wire import name
from node.rpc.officer import Caller, OfficerGate
from node.rpc.signed import SignedCalls, admitted
from node.use_cases.library_reads import LibraryReads
from node.use_cases.pattern_sets import LibraryRow, SetState
from node.v1 import library_pb2

RequestType = TypeVar("RequestType", bound=Message)
ReplyType = TypeVar("ReplyType", bound=Message)

_DIGEST_BYTES: Final = 32


def _method(called: str, request: type[RequestType], reply: type[ReplyType]) -> Method[RequestType, ReplyType]:
    return Method(path=f"/node.v1.Library/{called}", request=request, reply=reply)


STATUS: Final = _method("LibraryStatus", library_pb2.LibraryStatusRequest, library_pb2.LibraryStatusReply)
SET: Final = _method("LibrarySet", library_pb2.LibrarySetRequest, library_pb2.LibrarySetReply)
SUGGEST: Final = _method("Suggest", library_pb2.SuggestRequest, library_pb2.SuggestReply)


class LibraryServicer:
    """Decodes, calls the library, encodes."""

    def __init__(self, library: LibraryReads, gate: OfficerGate) -> None:
        self._library = library
        self._gate = gate

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict(
            (
                admitted(self._gate, STATUS, self._status),
                admitted(self._gate, SET, self._set),
                admitted(self._gate, SUGGEST, self._suggest),
            )
        )

    async def _status(self, caller: Caller, request: library_pb2.LibraryStatusRequest) -> library_pb2.LibraryStatusReply:
        rows, more = await self._library.library_rows(caller.officer, after=request.after)
        return library_pb2.LibraryStatusReply(rows=[encode_row(row) for row in rows], more=more)

    async def _set(self, caller: Caller, request: library_pb2.LibrarySetRequest) -> library_pb2.LibrarySetReply:
        digest = exactly(request.digest, _DIGEST_BYTES, "the digest of a pattern set")
        return library_pb2.LibrarySetReply(pattern_set=await self._library.library_set(caller.officer, digest))

    async def _suggest(self, caller: Caller, request: library_pb2.SuggestRequest) -> library_pb2.SuggestReply:
        found = await self._library.suggest(caller.officer, text(request.scan, limits.SCAN_CHARACTERS_MAX, "a code"))
        return library_pb2.SuggestReply(suggestions=[encode_suggestion(one) for one in found])


class LibraryClient:
    """The library of the own node, for one officer. Each method raises what the desk's methods raise."""

    def __init__(self, desk: SignedCalls) -> None:
        self._desk = desk

    async def rows(self) -> tuple[LibraryRow, ...]:
        """Every Party in the library."""
        rows: list[LibraryRow] = []
        while True:
            reply = await self._desk.call(STATUS, library_pb2.LibraryStatusRequest(after=len(rows)))
            rows += decode_rows(reply)
            if not reply.more or not reply.rows:
                return tuple(rows)

    async def encoded(self, digest: bytes) -> bytes:
        """One set."""
        return (await self._desk.call(SET, library_pb2.LibrarySetRequest(digest=digest))).pattern_set

    async def suggest(self, scan: str) -> tuple[Suggestion, ...]:
        """Spellings that a typed code may be a mistake for."""
        return decode_suggestions(await self._desk.call(SUGGEST, library_pb2.SuggestRequest(scan=scan)))


def encode_row(row: LibraryRow) -> library_pb2.LibraryRow:
    return library_pb2.LibraryRow(
        party=row.party,
        state=row.state,
        pinned_version=row.pinned_version,
        pinned_digest=row.pinned_digest,
        version=row.version,
        digest=row.digest,
        patterns=row.patterns,
        source=row.source,
        problem=row.problem,
    )


@total
def decode_rows(message: library_pb2.LibraryStatusReply) -> tuple[LibraryRow, ...]:
    at_most(len(message.rows), node_limits.LIBRARY_ROWS_PER_REPLY_MAX, "rows")
    return tuple(
        LibraryRow(
            party=party_id(row.party),
            state=SetState(row.state),
            pinned_version=row.pinned_version,
            pinned_digest=row.pinned_digest,
            version=row.version,
            digest=row.digest,
            patterns=row.patterns,
            source=name(row.source),
            problem=text(row.problem, node_limits.QUARANTINE_WORDS_MAX, "a problem"),
        )
        for row in message.rows
    )


def encode_suggestion(one: Suggestion) -> library_pb2.Suggestion:
    return library_pb2.Suggestion(
        key=one.key.text, form=one.key.form, party=one.party, pattern_id=one.pattern_id, change=one.change
    )


@total
def decode_suggestions(message: library_pb2.SuggestReply) -> tuple[Suggestion, ...]:
    at_most(len(message.suggestions), bounds.SUGGESTIONS_MAX, "suggestions")
    return tuple(
        Suggestion(
            key=Key(one.key, KeyForm(one.form)),
            party=party_id(one.party),
            pattern_id=name(one.pattern_id),
            change=Change(one.change),
        )
        for one in message.suggestions
    )
