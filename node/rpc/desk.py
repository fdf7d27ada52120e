"""The desk over gRPC: what an officer's program calls, and what answers it at the own node.

TLS shows the officer that this is the own node; the credential beside each call shows the node which officer it is (`officer`).
What is allowed and what happens stands behind the `Desk` protocol; values become messages and back in `desk_wire`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from google.protobuf.message import Message

from federation import limits
from federation.envelope.attachment import AttachmentId
from federation.evidence.bundle import Disclosure
from federation.identity import MessageId, PartyId, message_id
from federation.ports import AskedQuery, ReceivedQuery
from federation.query.answer import Answer
from federation.uim.clues import NO_CLUES, Clues
from node import limits as node_limits
from node.rpc import desk_wire as wire
from node.rpc import peers_wire, proof_wire, resolution_wire, why_wire
from node.rpc.calls import Call, Method, Routes, served
from node.rpc.officer import Caller, OfficerGate
from node.rpc.signed import CHALLENGE, SignedLine, admitted
from node.use_cases.desk_values import Desk, InboxView, NodeStatus, Prepared, QueryView, Question, Resolution
from node.use_cases.why_values import Explanation, PeerView
from node.v1 import desk_pb2

RequestType = TypeVar("RequestType", bound=Message)
ReplyType = TypeVar("ReplyType", bound=Message)


def _method(name: str, request: type[RequestType], reply: type[ReplyType]) -> Method[RequestType, ReplyType]:
    return Method(path=f"/node.v1.Desk/{name}", request=request, reply=reply)


RESOLVE: Final = _method("Resolve", desk_pb2.ResolveRequest, desk_pb2.ResolveReply)
PREPARE_QUERY: Final = _method("PrepareQuery", desk_pb2.Question, desk_pb2.Prepared)
SUBMIT_QUERY: Final = _method("SubmitQuery", desk_pb2.SubmitRequest, desk_pb2.QueryView)
QUERIES: Final = _method("Queries", desk_pb2.PageRequest, desk_pb2.AskedPage)
QUERY: Final = _method("Query", desk_pb2.QueryRequest, desk_pb2.QueryView)
INBOX: Final = _method("Inbox", desk_pb2.PageRequest, desk_pb2.ReceivedPage)
INBOX_ENTRY: Final = _method("InboxEntry", desk_pb2.InboxEntryRequest, desk_pb2.InboxView)
PREPARE_ANSWER: Final = _method("PrepareAnswer", desk_pb2.PrepareAnswerRequest, desk_pb2.Prepared)
SUBMIT_ANSWER: Final = _method("SubmitAnswer", desk_pb2.SubmitRequest, desk_pb2.ReceivedQuery)
PROOF: Final = _method("Proof", desk_pb2.ProofRequest, desk_pb2.ProofReply)
STATUS: Final = _method("Status", desk_pb2.StatusRequest, desk_pb2.NodeStatus)
WHY: Final = _method("Why", desk_pb2.WhyRequest, desk_pb2.Explanation)
PEERS: Final = _method("Peers", desk_pb2.PeersRequest, desk_pb2.PeersReply)


class DeskServicer:
    """Lets officers in through the gate; decodes, calls the desk, encodes."""

    def __init__(self, desk: Desk, gate: OfficerGate) -> None:
        self._desk = desk
        self._gate = gate

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict(
            (
                served(CHALLENGE, self._challenge),
                admitted(self._gate, RESOLVE, self._resolve),
                admitted(self._gate, PREPARE_QUERY, self._prepare_query),
                admitted(self._gate, SUBMIT_QUERY, self._submit_query),
                admitted(self._gate, QUERIES, self._queries),
                admitted(self._gate, QUERY, self._query),
                admitted(self._gate, INBOX, self._inbox),
                admitted(self._gate, INBOX_ENTRY, self._inbox_entry),
                admitted(self._gate, PREPARE_ANSWER, self._prepare_answer),
                admitted(self._gate, SUBMIT_ANSWER, self._submit_answer),
                admitted(self._gate, PROOF, self._proof),
                admitted(self._gate, STATUS, self._status),
                admitted(self._gate, WHY, self._why),
                admitted(self._gate, PEERS, self._peers),
            )
        )

    async def _challenge(self, _call: Call, _request: desk_pb2.ChallengeRequest) -> desk_pb2.ChallengeReply:
        """The only method that anybody may call."""
        return desk_pb2.ChallengeReply(challenge=self._gate.challenge(), party_cas=self._gate.authorities())

    async def _resolve(self, caller: Caller, request: desk_pb2.ResolveRequest) -> desk_pb2.ResolveReply:
        scans, clues = resolution_wire.decode_scans(request), resolution_wire.decode_clues(request.clues)
        return resolution_wire.encode_resolutions([await self._desk.resolve(caller.officer, scan, clues) for scan in scans])

    async def _prepare_query(self, caller: Caller, request: desk_pb2.Question) -> desk_pb2.Prepared:
        question = wire.decode_question(request)
        return wire.encode_prepared(await self._desk.prepare_query(caller.officer, caller.certificate, question))

    async def _submit_query(self, caller: Caller, request: desk_pb2.SubmitRequest) -> desk_pb2.QueryView:
        query = message_id(request.message_id)
        return wire.encode_query_view(await self._desk.submit_query(caller.officer, query, request.signature))

    async def _queries(self, caller: Caller, request: desk_pb2.PageRequest) -> desk_pb2.AskedPage:
        before, rows = wire.decode_page(request)
        return wire.encode_asked_page(await self._desk.queries(caller.officer, before=before, rows=rows))

    async def _query(self, caller: Caller, request: desk_pb2.QueryRequest) -> desk_pb2.QueryView:
        query, wait_s = wire.decode_query_request(request)
        return wire.encode_query_view(await self._desk.query(caller.officer, query, wait_s=wait_s))

    async def _inbox(self, caller: Caller, request: desk_pb2.PageRequest) -> desk_pb2.ReceivedPage:
        before, rows = wire.decode_page(request)
        return wire.encode_received_page(await self._desk.inbox(caller.officer, before=before, rows=rows))

    async def _inbox_entry(self, caller: Caller, request: desk_pb2.InboxEntryRequest) -> desk_pb2.InboxView:
        return wire.encode_inbox_view(await self._desk.inbox_entry(caller.officer, message_id(request.message_id)))

    async def _prepare_answer(self, caller: Caller, request: desk_pb2.PrepareAnswerRequest) -> desk_pb2.Prepared:
        query, answer = message_id(request.message_id), wire.decode_answer(request.body)
        attachments = wire.decode_attachment_ids(request.attachments)
        prepared = await self._desk.prepare_answer(caller.officer, caller.certificate, query, answer, attachments=attachments)
        return wire.encode_prepared(prepared)

    async def _submit_answer(self, caller: Caller, request: desk_pb2.SubmitRequest) -> desk_pb2.ReceivedQuery:
        answer = message_id(request.message_id)
        return wire.encode_received(await self._desk.submit_answer(caller.officer, answer, request.signature))

    async def _proof(self, caller: Caller, request: desk_pb2.ProofRequest) -> desk_pb2.ProofReply:
        query, disclose = proof_wire.decode_request(request)
        proof = await self._desk.proof(caller.officer, query, disclose=disclose)
        return desk_pb2.ProofReply(proof=proof)

    async def _status(self, caller: Caller, _request: desk_pb2.StatusRequest) -> desk_pb2.NodeStatus:
        return wire.encode_status(await self._desk.status(caller.officer))

    async def _why(self, caller: Caller, request: desk_pb2.WhyRequest) -> desk_pb2.Explanation:
        return why_wire.encode_explanation(await self._desk.why(caller.officer, request.prefix))

    async def _peers(self, caller: Caller, request: desk_pb2.PeersRequest) -> desk_pb2.PeersReply:
        party = peers_wire.decode_peers_request(request)
        return peers_wire.encode_peers(await self._desk.peers(caller.officer, party))


class DeskClient(SignedLine):
    """The desk of the own node, for one officer and for the length of a block. Each method does what it does in `Desk`."""

    async def resolve(self, scans: Sequence[str], clues: Clues = NO_CLUES) -> tuple[Resolution, ...]:
        """Any number of scans, in as few calls as the limits allow."""
        resolutions: list[Resolution] = []
        for start in range(0, len(scans), node_limits.DESK_SCANS_PER_CALL_MAX):
            some = scans[start : start + node_limits.DESK_SCANS_PER_CALL_MAX]
            request = desk_pb2.ResolveRequest(scans=some, clues=resolution_wire.encode_clues(clues))
            resolutions += resolution_wire.decode_resolutions(await self.call(RESOLVE, request))
        return tuple(resolutions)

    async def prepare_query(self, question: Question) -> Prepared:
        return wire.decode_prepared(await self.call(PREPARE_QUERY, wire.encode_question(question)))

    async def submit_query(self, query: MessageId, signature: bytes) -> QueryView:
        request = desk_pb2.SubmitRequest(message_id=query, signature=signature)
        return wire.decode_query_view(await self.call(SUBMIT_QUERY, request))

    async def queries(self, *, before: int = limits.TIME_S_MAX, rows: int) -> tuple[AskedQuery, ...]:
        return wire.decode_asked_page(await self.call(QUERIES, desk_pb2.PageRequest(before=before, rows=rows)))

    async def query(self, query: MessageId, *, wait_s: float = 0.0) -> QueryView:
        """Waits at most DESK_WAIT_S_MAX."""
        request = desk_pb2.QueryRequest(message_id=query, wait_ms=round(1_000 * min(wait_s, node_limits.DESK_WAIT_S_MAX)))
        return wire.decode_query_view(await self.call(QUERY, request))

    async def inbox(self, *, before: int = limits.TIME_S_MAX, rows: int) -> tuple[ReceivedQuery, ...]:
        return wire.decode_received_page(await self.call(INBOX, desk_pb2.PageRequest(before=before, rows=rows)))

    async def inbox_entry(self, query: MessageId) -> InboxView:
        return wire.decode_inbox_view(await self.call(INBOX_ENTRY, desk_pb2.InboxEntryRequest(message_id=query)))

    async def prepare_answer(self, query: MessageId, answer: Answer, *, attachments: Sequence[AttachmentId] = ()) -> Prepared:
        request = desk_pb2.PrepareAnswerRequest(message_id=query, body=wire.encode_answer(answer), attachments=attachments)
        return wire.decode_prepared(await self.call(PREPARE_ANSWER, request))

    async def submit_answer(self, answer: MessageId, signature: bytes) -> ReceivedQuery:
        request = desk_pb2.SubmitRequest(message_id=answer, signature=signature)
        return wire.decode_received(await self.call(SUBMIT_ANSWER, request))

    async def proof(self, query: MessageId, *, disclose: Disclosure) -> bytes:
        return (await self.call(PROOF, proof_wire.encode_request(query, disclose))).proof

    async def status(self) -> NodeStatus:
        return wire.decode_status(await self.call(STATUS, desk_pb2.StatusRequest()))

    async def why(self, prefix: str) -> Explanation:
        return why_wire.decode_explanation(await self.call(WHY, desk_pb2.WhyRequest(prefix=prefix)))

    async def peers(self, party: PartyId | None = None) -> tuple[PeerView, ...]:
        return peers_wire.decode_peers(await self.call(PEERS, desk_pb2.PeersRequest(party=party or "")))
