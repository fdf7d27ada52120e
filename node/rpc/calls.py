"""What the servers and the clients of all services share: a method, a call that came in, and what may stand around a handler.

A handler takes a call and gives the reply's bytes. Interceptors wrap handlers when the server is made, so a call costs no more
than nested functions; gRPC's own interceptors run before the handler is known, do not see who is calling, and would build a
handler at each call. The message is read only when something asks for it: identity and budget are settled before a byte of it
is taken, and one deadline covers its arrival too.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Generic, NoReturn, TypeVar

import grpc
from google.protobuf.message import Message

from federation.errors import Malformed, Misuse
from federation.identity import NodeName
from federation.wire import strict
from node import limits as node_limits
from node.rpc.errors import Status

TIME_KEY: Final = "gsp-time-bin"
"""Metadata behind a node's reply: its clock."""

Request = TypeVar("Request", bound=Message)
Reply = TypeVar("Reply", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method(Generic[Request, Reply]):
    """One method of one service: the same value for the servicer and the client.

    Attributes:
        path: `/package.Service/Method`.
    """

    path: str
    request: type[Request]
    reply: type[Reply]


class Call:
    """One call that came in. What is known of the caller is put here by the interceptor that verified it.

    Attributes:
        method: the path when we serve it, or a fixed word: the path of an unknown method is the caller's text.
    """

    __slots__ = ("_context", "_request", "_sender", "_trailing", "method")

    def __init__(self, method: str, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        self.method = method
        self._context = context
        self._request: bytes | None = None
        self._sender: NodeName | None = None
        self._trailing: tuple[tuple[str, bytes], ...] = ()

    @property
    def sender(self) -> NodeName:
        """The node that calls.

        Raises:
            Misuse: on a server whose interceptors identify no node.
        """
        if self._sender is None:
            raise Misuse("this server identifies no node")
        return self._sender

    @property
    def caller(self) -> str:
        """Who calls, for the log: a node's name, or the address of somebody unknown."""
        return self._sender.dns if self._sender is not None else self.address

    @property
    def address(self) -> str:
        """Network address without the port."""
        return self._context.peer().rpartition(":")[0]

    def identify(self, sender: NodeName) -> None:
        """Say who calls: for the interceptor that verified it, once."""
        self._sender = sender

    def connection(self) -> Mapping[str, Sequence[bytes]]:
        """Properties of the TLS connection, as gRPC gives them."""
        return {name: tuple(values) for name, values in self._context.auth_context().items()}

    def metadata(self) -> Mapping[str, str | bytes]:
        """Metadata of the call; `-bin` keys hold bytes. Nothing in it is verified."""
        return dict(self._context.invocation_metadata() or ())

    async def request(self) -> bytes:
        """The bytes of the request message.

        Raises:
            Malformed: there is none.
        """
        if self._request is None:
            message = await self._context.read()
            if not isinstance(message, bytes):
                raise Malformed("the call came without a message")
            self._request = message
        return self._request

    async def send(self, piece: bytes) -> None:
        """Send one message of a reply that is a stream; waits while the caller does not read."""
        await self._context.write(piece)

    def attach(self, key: str, value: bytes) -> None:
        """Send metadata behind the reply, or behind the refusal."""
        self._trailing = (*self._trailing, (key, value))
        self._context.set_trailing_metadata(self._trailing)

    async def refuse(self, status: Status) -> NoReturn:
        """End the call with a status."""
        await self._context.abort(status.number, status.details, (*self._trailing, *status.trailing))


Handler = Callable[[Call], Awaitable[bytes]]
Interceptor = Callable[[Handler], Handler]
Routes = Mapping[str, Handler]
"""Handlers by path."""


class Streaming:
    """A handler whose reply is a stream: it sends messages, and gives nothing at the end. Everything else stands around it as around
    the others, the deadline too; so a stream that is not finished is cut, and its caller goes on from where it was.
    """

    __slots__ = ("_handler",)

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, call: Call) -> bytes:
        return await self._handler(call)


def served(method: Method[Request, Reply], serve: Callable[[Call, Request], Awaitable[Reply]]) -> tuple[str, Handler]:
    """One entry of a routing table: decode strictly, serve, encode."""

    async def handle(call: Call) -> bytes:
        request = strict.parse(method.request, await call.request(), bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)
        return strict.encode(await serve(call, request))

    return method.path, handle


def streamed(
    method: Method[Request, Reply], serve: Callable[[Call, Request], AsyncGenerator[Reply, None]]
) -> tuple[str, Handler]:
    """The same for a method whose reply is a stream."""

    async def handle(call: Call) -> bytes:
        request = strict.parse(method.request, await call.request(), bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)
        async with aclosing(serve(call, request)) as replies:
            async for reply in replies:
                await call.send(strict.encode(reply))
        return b""

    return method.path, Streaming(handle)


def intercepted(handler: Handler, interceptors: Sequence[Interceptor]) -> Handler:
    """The handler inside its interceptors, the first one outermost."""
    for intercept in reversed(interceptors):
        handler = intercept(handler)
    return handler


def as_grpc(method: str, handler: Handler) -> grpc.RpcMethodHandler[Any, Any]:
    """The handler as gRPC takes it. On the wire a unary call is a stream of one message, and only streams are read on demand."""

    async def serve(_messages: object, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        return await handler(Call(method, context))

    return grpc.stream_unary_rpc_method_handler(serve)


def as_grpc_stream(method: str, handler: Handler) -> grpc.RpcMethodHandler[Any, Any]:
    """The same for a `Streaming` one."""

    async def serve(_messages: object, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        await handler(Call(method, context))

    return grpc.stream_stream_rpc_method_handler(serve)
