"""The desk over gRPC: what an officer's program calls, and what answers it at the own node.

TLS shows the officer that this is the own node; the credential beside each call shows the node which officer it is (`officer`).
What is allowed and what happens stands behind the `Desk` protocol; values become messages and back in `desk_wire`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

from google.protobuf.message import Message

from federation import limits
from federation.errors import Unauthentic, Unreachable
from federation.identity import MessageId, NodeName, message_id
from federation.ports import AskedQuery, Clock, ReceivedQuery
from federation.query.answer import Answer
from federation.wire import strict
from node.rpc import desk_wire as wire
from node.rpc import resolution_wire
from node.rpc.calls import Call, Handler, Method, Reply, Request, Routes, served
from node.rpc.channels import Line
from node.rpc.officer import CHALLENGE_BYTES, CHALLENGE_KEY, CREDENTIAL_KEY, Caller, OfficerGate, OfficerKey
from node.use_cases.desk_values import Desk, InboxView, NodeStatus, Prepared, QueryView, Question, Resolution
from node.v1 import desk_pb2

RequestType = TypeVar("RequestType", bound=Message)
ReplyType = TypeVar("ReplyType", bound=Message)


def _method(name: str, request: type[RequestType], reply: type[ReplyType]) -> Method[RequestType, ReplyType]:
    return Method(path=f"/node.v1.Desk/{name}", request=request, reply=reply)


CHALLENGE: Final = _method("Challenge", desk_pb2.ChallengeRequest, desk_pb2.ChallengeReply)
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
                self._admitted(RESOLVE, self._resolve),
                self._admitted(PREPARE_QUERY, self._prepare_query),
                self._admitted(SUBMIT_QUERY, self._submit_query),
                self._admitted(QUERIES, self._queries),
                self._admitted(QUERY, self._query),
                self._admitted(INBOX, self._inbox),
                self._admitted(INBOX_ENTRY, self._inbox_entry),
                self._admitted(PREPARE_ANSWER, self._prepare_answer),
                self._admitted(SUBMIT_ANSWER, self._submit_answer),
                self._admitted(PROOF, self._proof),
                self._admitted(STATUS, self._status),
            )
        )

    def _admitted(
        self, method: Method[Request, Reply], serve: Callable[[Caller, Request], Awaitable[Reply]]
    ) -> tuple[str, Handler]:
        """One entry of the routing table: the signature is over the bytes that came, so it is checked before they are parsed."""

        async def handle(call: Call) -> bytes:
            message = await call.request()
            caller = self._gate.admit(method=method.path, request=message, credential=call.metadata().get(CREDENTIAL_KEY))
            reply = await serve(caller, strict.parse(method.request, message, bytes_max=limits.GRPC_MESSAGE_BYTES_MAX))
            call.attach(CHALLENGE_KEY, self._gate.challenge())
            return strict.encode(reply)

        return method.path, handle

    async def _challenge(self, _call: Call, _request: desk_pb2.ChallengeRequest) -> desk_pb2.ChallengeReply:
        """The only method that anybody may call."""
        return desk_pb2.ChallengeReply(challenge=self._gate.challenge())

    async def _resolve(self, caller: Caller, request: desk_pb2.ResolveRequest) -> desk_pb2.ResolveReply:
        scans = resolution_wire.decode_scans(request)
        return resolution_wire.encode_resolutions([await self._desk.resolve(caller.officer, scan) for scan in scans])

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
        return wire.encode_prepared(await self._desk.prepare_answer(caller.officer, caller.certificate, query, answer))

    async def _submit_answer(self, caller: Caller, request: desk_pb2.SubmitRequest) -> desk_pb2.ReceivedQuery:
        answer = message_id(request.message_id)
        return wire.encode_received(await self._desk.submit_answer(caller.officer, answer, request.signature))

    async def _proof(self, caller: Caller, request: desk_pb2.ProofRequest) -> desk_pb2.ProofReply:
        proof = await self._desk.proof(caller.officer, message_id(request.message_id), disclose=request.disclose)
        return desk_pb2.ProofReply(proof=proof)

    async def _status(self, caller: Caller, _request: desk_pb2.StatusRequest) -> desk_pb2.NodeStatus:
        return wire.encode_status(await self._desk.status(caller.officer))


class DeskClient:
    """The desk of the own node, for one officer and for the length of a block. Each method does what it does in `Desk`.

    Every method raises what the node raised, Unreachable when the node does not answer, and Unauthentic when it does not accept
    the officer's certificate or signature.

    Args:
        endpoint: `host:port` of the desk.
        node: the own node; its DNS name has to be the one in its certificate.
        anchor: DER of the own Party's CA, the only one that may verify that certificate.
        key: the officer's certificate and key.
        clock: for the time in credentials.
    """

    def __init__(self, *, endpoint: str, node: NodeName, anchor: bytes, key: OfficerKey, clock: Clock) -> None:
        self._line = Line(
            endpoint=endpoint, server_name=node.dns, anchors=(anchor,), own=None, reply_bytes_max=limits.DESK_REPLY_BYTES_MAX
        )
        self._node = node
        self._key = key
        self._clock = clock
        self._next_challenge: bytes | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._line.close()

    async def resolve(self, scans: Sequence[str]) -> tuple[Resolution, ...]:
        """Any number of scans, in as few calls as the limits allow."""
        resolutions: list[Resolution] = []
        for start in range(0, len(scans), limits.DESK_SCANS_PER_CALL_MAX):
            request = desk_pb2.ResolveRequest(scans=scans[start : start + limits.DESK_SCANS_PER_CALL_MAX])
            resolutions += resolution_wire.decode_resolutions(await self._call(RESOLVE, request))
        return tuple(resolutions)

    async def prepare_query(self, question: Question) -> Prepared:
        return wire.decode_prepared(await self._call(PREPARE_QUERY, wire.encode_question(question)))

    async def submit_query(self, query: MessageId, signature: bytes) -> QueryView:
        request = desk_pb2.SubmitRequest(message_id=query, signature=signature)
        return wire.decode_query_view(await self._call(SUBMIT_QUERY, request))

    async def queries(self, *, before: int = limits.TIME_S_MAX, rows: int) -> tuple[AskedQuery, ...]:
        return wire.decode_asked_page(await self._call(QUERIES, desk_pb2.PageRequest(before=before, rows=rows)))

    async def query(self, query: MessageId, *, wait_s: float = 0.0) -> QueryView:
        """Waits at most DESK_WAIT_S_MAX."""
        request = desk_pb2.QueryRequest(message_id=query, wait_ms=round(1_000 * min(wait_s, limits.DESK_WAIT_S_MAX)))
        return wire.decode_query_view(await self._call(QUERY, request))

    async def inbox(self, *, before: int = limits.TIME_S_MAX, rows: int) -> tuple[ReceivedQuery, ...]:
        return wire.decode_received_page(await self._call(INBOX, desk_pb2.PageRequest(before=before, rows=rows)))

    async def inbox_entry(self, query: MessageId) -> InboxView:
        return wire.decode_inbox_view(await self._call(INBOX_ENTRY, desk_pb2.InboxEntryRequest(message_id=query)))

    async def prepare_answer(self, query: MessageId, answer: Answer) -> Prepared:
        request = desk_pb2.PrepareAnswerRequest(message_id=query, body=wire.encode_answer(answer))
        return wire.decode_prepared(await self._call(PREPARE_ANSWER, request))

    async def submit_answer(self, answer: MessageId, signature: bytes) -> ReceivedQuery:
        request = desk_pb2.SubmitRequest(message_id=answer, signature=signature)
        return wire.decode_received(await self._call(SUBMIT_ANSWER, request))

    async def proof(self, query: MessageId, *, disclose: bool) -> bytes:
        return (await self._call(PROOF, desk_pb2.ProofRequest(message_id=query, disclose=disclose))).proof

    async def status(self) -> NodeStatus:
        return wire.decode_status(await self._call(STATUS, desk_pb2.StatusRequest()))

    async def _call(self, method: Method[Request, Reply], request: Request) -> Reply:
        try:
            return await self._signed_call(method, strict.encode(request))
        except Unreachable as error:
            raise _no_desk(error) from error

    async def _signed_call(self, method: Method[Request, Reply], message: bytes) -> Reply:
        """Use the challenge that came with the reply before; the node may have forgotten it, and then a fresh one."""
        carried, self._next_challenge = self._next_challenge, None
        if carried is not None:
            try:
                return await self._attempt(method, message, carried)
            except Unauthentic:
                pass
        reply = await self._line.call(CHALLENGE, desk_pb2.ChallengeRequest(), clock=self._clock)
        return await self._attempt(method, message, reply.challenge)

    async def _attempt(self, method: Method[Request, Reply], message: bytes, challenge: bytes) -> Reply:
        credential = self._key.credential(
            method=method.path, request=message, node=self._node, challenge=challenge, now=self._clock.now()
        )
        reply, trailing = await self._line.exchange(
            method.path, message, metadata=((CREDENTIAL_KEY, credential),), clock=self._clock
        )
        following = trailing.get(CHALLENGE_KEY)
        self._next_challenge = following if isinstance(following, bytes) and len(following) == CHALLENGE_BYTES else None
        return strict.parse(method.reply, reply, bytes_max=limits.DESK_REPLY_BYTES_MAX)


def _no_desk(error: Unreachable) -> Unreachable:
    """The channel speaks of another Party's node and of the outbox; here it is the own node, and nothing waits."""
    return Unreachable(
        f"the desk of your own node could not be reached: {error.message.replace('the other node', 'the node')}",
        hint="ask its operator whether it runs, and compare the officer's profile with what the administrator gave you",
    )
