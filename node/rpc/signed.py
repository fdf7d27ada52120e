"""Calls that an officer signs, at both ends: what lets them in at the node, and the connection on which a program makes them.

The credential beside each call is `officer`'s; which services are behind it is `desk`'s, `administration`'s and `registry`'s.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Final, Protocol, Self

from federation import limits
from federation.errors import Unauthentic, Unreachable
from federation.identity import NodeName
from federation.ports import Clock
from federation.wire import strict
from node import limits as node_limits
from node.rpc.calls import Call, Handler, Method, Reply, Request, Streaming
from node.rpc.channels import Line
from node.rpc.officer import (
    CHALLENGE_BYTES,
    CHALLENGE_KEY,
    CREDENTIAL_KEY,
    Caller,
    OfficerGate,
    OfficerKey,
    read_authorities,
)
from node.v1 import desk_pb2

CHALLENGE: Final = Method(path="/node.v1.Desk/Challenge", request=desk_pb2.ChallengeRequest, reply=desk_pb2.ChallengeReply)
"""The only method of the desk that anybody may call."""


def admitted(
    gate: OfficerGate, method: Method[Request, Reply], serve: Callable[[Caller, Request], Awaitable[Reply]]
) -> tuple[str, Handler]:
    """One entry of a routing table: the signature is over the bytes that came, so it is checked before they are parsed."""

    async def handle(call: Call) -> bytes:
        message = await call.request()
        caller = await gate.admit(method=method.path, request=message, credential=call.metadata().get(CREDENTIAL_KEY))
        reply = await serve(caller, strict.parse(method.request, message, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX))
        call.attach(CHALLENGE_KEY, gate.challenge())
        return strict.encode(reply)

    return method.path, handle


def admitted_stream(
    gate: OfficerGate, method: Method[Request, Reply], serve: Callable[[Caller, Request], AsyncGenerator[Reply, None]]
) -> tuple[str, Handler]:
    """The same for a method whose reply is a stream."""

    async def handle(call: Call) -> bytes:
        message = await call.request()
        caller = await gate.admit(method=method.path, request=message, credential=call.metadata().get(CREDENTIAL_KEY))
        request = strict.parse(method.request, message, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)
        async with aclosing(serve(caller, request)) as replies:
            async for reply in replies:
                await call.send(strict.encode(reply))
        return b""

    return method.path, Streaming(handle)


class SignedCalls(Protocol):
    """What signs calls and carries them: a `SignedLine`, or what a test puts in its place."""

    async def call(self, method: Method[Request, Reply], request: Request) -> Reply:
        """One signed call."""


class SignedLine:
    """A connection to the own node's desk, for one officer and for the length of a block.

    Every call raises what the node raised, Unreachable when the node does not answer, and Unauthentic when it does not accept the
    officer's certificate or signature.

    Args:
        endpoint: `host:port` of the desk.
        node: the own node; its DNS name has to be the one in its certificate.
        anchors: DER of the own Party's CAs, the only ones that may verify that certificate.
        key: the officer's certificate and key.
        clock: for the time in credentials.

    Attributes:
        authorities: DER of the Party's CAs as the node has told them over this connection; empty before the first call.
    """

    def __init__(self, *, endpoint: str, node: NodeName, anchors: Sequence[bytes], key: OfficerKey, clock: Clock) -> None:
        self._line = Line(
            endpoint=endpoint, server_name=node.dns, anchors=anchors, own=None, reply_bytes_max=limits.DESK_REPLY_BYTES_MAX
        )
        self._node = node
        self._key = key
        self._clock = clock
        self._next_challenge: bytes | None = None
        self.authorities: tuple[bytes, ...] = ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._line.close()

    async def call(self, method: Method[Request, Reply], request: Request) -> Reply:
        """Make one signed call."""
        try:
            return await self._signed_call(method, strict.encode(request))
        except Unreachable as error:
            raise no_desk(error) from error

    async def stream(self, method: Method[Request, Reply], request: Request) -> AsyncGenerator[Reply, None]:
        """Make one signed call whose reply is a stream, under a fresh challenge."""
        message = strict.encode(request)
        try:
            credential = self._credential(method.path, message, await self._challenge())
            metadata = ((CREDENTIAL_KEY, credential),)
            async with aclosing(self._line.stream(method.path, message, metadata=metadata, clock=self._clock)) as pieces:
                async for piece in pieces:
                    yield strict.parse(method.reply, piece, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)
        except Unreachable as error:
            raise no_desk(error) from error

    async def _signed_call(self, method: Method[Request, Reply], message: bytes) -> Reply:
        """Use the challenge that came with the reply before; the node may have forgotten it, and then a fresh one."""
        carried, self._next_challenge = self._next_challenge, None
        if carried is not None:
            try:
                return await self._attempt(method, message, carried)
            except Unauthentic:
                pass
        return await self._attempt(method, message, await self._challenge())

    async def _challenge(self) -> bytes:
        reply = await self._line.call(CHALLENGE, desk_pb2.ChallengeRequest(), clock=self._clock)
        assert self._node.party is not None  # officers have desks at nodes of Parties
        self.authorities = read_authorities(reply.party_cas, party=self._node.party, domain=self._node.domain)
        return reply.challenge

    def _credential(self, path: str, message: bytes, challenge: bytes) -> bytes:
        return self._key.credential(method=path, request=message, node=self._node, challenge=challenge, now=self._clock.now())

    async def _attempt(self, method: Method[Request, Reply], message: bytes, challenge: bytes) -> Reply:
        credential = self._credential(method.path, message, challenge)
        reply, trailing = await self._line.exchange(
            method.path, message, metadata=((CREDENTIAL_KEY, credential),), clock=self._clock
        )
        following = trailing.get(CHALLENGE_KEY)
        self._next_challenge = following if isinstance(following, bytes) and len(following) == CHALLENGE_BYTES else None
        return strict.parse(method.reply, reply, bytes_max=limits.DESK_REPLY_BYTES_MAX)


def no_desk(error: Unreachable) -> Unreachable:
    """The channel speaks of another Party's node and of the outbox; here it is the own node, and nothing waits."""
    return Unreachable(
        f"the desk of your own node could not be reached: {error.message.replace('the other node', 'the node')}",
        hint="ask its operator whether it runs, and compare the officer's profile with what the administrator gave you",
    )
